-- What all controllers share: keys, owners, conditions, events.
local M = {}

function M.key(controller, object)
  return ("%s/%s/%s"):format(controller, object.metadata.namespace or "-", object.metadata.name)
end

-- The ownerReference that is the controller, or nil.
function M.owner(object)
  for _, owner in ipairs(object.metadata.ownerReferences or {}) do
    if owner.controller then return owner end
  end
end

function M.reference(object)
  return { { apiVersion = object.apiVersion, kind = object.kind, name = object.metadata.name, uid = object.metadata.uid,
    controller = true, blockOwnerDeletion = true } }
end

function M.children(kind, parent) return api.children(kind, parent.metadata.namespace, parent.metadata.uid) end

function M.condition(object, name)
  for i, c in ipairs(object.status and object.status.conditions or {}) do
    if c.type == name then return c, i end
  end
end

function M.is_true(object, name)
  local c = M.condition(object, name)
  return c ~= nil and c.status == "True"
end

-- Sets a condition in a copy; times move only when the status does. extra: more fields.
function M.set_condition(object, name, status, reason, message, extra)
  if not object.status.conditions then object.status.conditions = doc.array {} end
  local now, c, at = api.time(), M.condition(object, name)
  local new = { type = name, status = status, reason = reason, message = message,
    lastTransitionTime = c and c.status == status and c.lastTransitionTime or now }
  for field, value in pairs(extra or {}) do new[field] = value end
  object.status.conditions[at or #object.status.conditions + 1] = new
end

function M.remove_condition(object, name)
  local _, at = M.condition(object, name)
  if not at then return end
  if type(object.status.conditions) == "table" then
    table.remove(object.status.conditions, at)
  else
    object.status.conditions[at] = nil
  end
end

-- An object whose status may be changed, the rest only read.
function M.with_status(object)
  return { metadata = object.metadata, spec = object.spec, status = doc.copy(object.status or {}) }
end

-- Writes the status when it differs from what is stored; true when it did.
function M.write_status(kind, copy, before, manager)
  if doc.equal(copy.status, before.status) then return false end
  return api.status(kind, before, copy.status, manager)
end

-- Selector of labels against labels.
function M.selects(selector, labels)
  labels = labels or {}
  for key, value in pairs(selector and selector.matchLabels or {}) do
    if labels[key] ~= value then return false end
  end
  for _, e in ipairs(selector and selector.matchExpressions or {}) do
    local value, found = labels[e.key], false
    for _, v in ipairs(e.values or {}) do found = found or v == value end
    if e.operator == "In" and not found or e.operator == "NotIn" and found then return false end
    if e.operator == "Exists" and value == nil or e.operator == "DoesNotExist" and value ~= nil then return false end
  end
  return true
end

-- An Event; the same one again counts up.
function M.event(object, kind, reason, message, source)
  local namespace = object.metadata.namespace or "default"
  local name = object.metadata.name .. "." .. api.hash(object.metadata.uid .. reason .. message, 16)
  local old, now = api.get("Event", namespace, name), api.time()
  if old then
    local copy = doc.copy(old)
    copy.count, copy.lastTimestamp = (old.count or 1) + 1, now
    api.update("Event", copy, "", source)
    return
  end
  api.create("Event", { apiVersion = "v1", kind = "Event", metadata = { name = name, namespace = namespace },
    involvedObject = { apiVersion = object.apiVersion, kind = object.kind, name = object.metadata.name,
      namespace = object.metadata.namespace, uid = object.metadata.uid },
    type = kind, reason = reason, message = message, count = 1, firstTimestamp = now, lastTimestamp = now,
    source = { component = source }, reportingComponent = source, reportingInstance = "" }, source)
end

-- "25%" or 3 of n, rounded up or down.
function M.share(value, n, up)
  if math.type(value) == "integer" then return value end
  local percent = tonumber((tostring(value):gsub("%%", "")))
  local exact = percent * n / 100
  return math.tointeger(up and math.ceil(exact) or math.floor(exact))
end

return M
