-- Health of PostgresVDB and of its actions for Argo CD, by their conditions (docs/gitops.md). It has no state and asks nobody.
local status = obj.status or {}
local function condition(name)
  for _, one in ipairs(status.conditions or {}) do
    if one.type == name then return one end
  end
  return {}
end
local function told(health, message)
  return { status = health, message = message or "" }
end

if obj.metadata.deletionTimestamp ~= nil then
  return told("Progressing", "it is being deleted")
end
if status.observedGeneration ~= obj.metadata.generation then
  return told("Progressing", "the operator has not looked at this version yet")
end
local reconciling, stalled, ready = condition("Reconciling"), condition("Stalled"), condition("Ready")
if reconciling.status == "True" then
  return told("Progressing", reconciling.message)
end
if stalled.status == "True" then
  return told("Degraded", stalled.message)
end
-- Stopped on purpose, by enabled: false or by spec.expiry.
if status.phase == "Stopped" then
  return told("Suspended", condition("Deployed").message)
end
if ready.status == "False" or ready.status == "Unknown" then
  return told("Progressing", ready.message)
end
return told("Healthy", ready.message)
