-- Approve and reject name exactly the set that the guard holds now. If the set changed meanwhile, the operator refuses the decision.
local held = obj.status ~= nil and obj.status.guard ~= nil and obj.status.guard.held ~= nil

return {
  ["reconcile"] = { ["displayName"] = "Compare with LambdaTest now", ["iconClass"] = "fa fa-fw fa-sync" },
  ["approve-deprovision"] = {
    ["displayName"] = "Let the held people go",
    ["iconClass"] = "fa fa-fw fa-user-slash",
    ["disabled"] = not held,
  },
  ["reject-deprovision"] = {
    ["displayName"] = "Keep the held people",
    ["iconClass"] = "fa fa-fw fa-user-check",
    ["disabled"] = not held,
  },
}
