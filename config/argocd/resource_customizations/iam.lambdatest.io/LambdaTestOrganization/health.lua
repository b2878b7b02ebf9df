-- Healthy only if the operator has observed the current generation. Progressing: the operator still works on it. Degraded: a person must
-- act. Suspended: the organization is suspended, or the guard holds changes until they are approved.
local function condition(kind)
  for _, candidate in ipairs(obj.status.conditions or {}) do
    if candidate.type == kind then
      return candidate
    end
  end
  return nil
end

local unseen = { status = "Progressing", message = "Waiting for the operator to see this" }
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return unseen
end
local ready = condition("Ready")
if ready == nil or (ready.observedGeneration ~= nil and ready.observedGeneration ~= obj.metadata.generation) then
  return unseen
end

local message = ready.reason .. ": " .. (ready.message or "")
local stalled = condition("Stalled")
if stalled ~= nil and stalled.status == "True" then
  if stalled.reason == "Suspended" then
    return { status = "Suspended", message = message }
  end
  return { status = "Degraded", message = message }
end
local holding = condition("GuardHolding")
if holding ~= nil and holding.status == "True" then
  return { status = "Suspended", message = holding.reason .. ": " .. (holding.message or "") }
end
for _, kind in ipairs({ "PeopleDeniedButActive", "NoActiveAdmin", "SCIMTokenWarning", "SCIMPaused" }) do
  local warning = condition(kind)
  if warning ~= nil and warning.status == "True" then
    message = message .. " " .. warning.reason .. ": " .. (warning.message or "")
  end
end
local reconciling = condition("Reconciling")
if ready.status == "True" and (reconciling == nil or reconciling.status ~= "True") then
  return { status = "Healthy", message = message }
end
return { status = "Progressing", message = message }
