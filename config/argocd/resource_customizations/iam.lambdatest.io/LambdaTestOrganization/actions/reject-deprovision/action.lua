if obj.status == nil or obj.status.guard == nil or obj.status.guard.held == nil then
  error("the guard holds nobody")
end
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["iam.lambdatest.io/reject-deprovision"] = obj.status.guard.held.token
return obj
