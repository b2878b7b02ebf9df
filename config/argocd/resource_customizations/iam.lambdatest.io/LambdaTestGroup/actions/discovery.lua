return {
  ["reconcile"] = { ["displayName"] = "Compare with LambdaTest now", ["iconClass"] = "fa fa-fw fa-sync" },
}
