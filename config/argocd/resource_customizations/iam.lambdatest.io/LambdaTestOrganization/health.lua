-- Healthy is said only of what the operator has seen: the generation that the status speaks of is the one that is there.
-- What the operator still works on is Progressing, what waits for a person is Degraded, what somebody stopped or the guard holds
-- until somebody approves is Suspended.
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
local warning = condition("SCIMTokenWarning")
if warning ~= nil and warning.status == "True" then
  message = message .. " " .. warning.reason .. ": " .. (warning.message or "")
end
local reconciling = condition("Reconciling")
if ready.status == "True" and (reconciling == nil or reconciling.status ~= "True") then
  return { status = "Healthy", message = message }
end
return { status = "Progressing", message = message }
