-- dosrun.kube: Kubernetes for playbooks. Verbs: apply, delete, remove, scale, restart, secret. Free:
-- get, list, wait, logs, events, sets, drift. Raw calls, for the act of one's own verbs: patch, create, raw.
local native = require "dosrun.native.kube"
local changes = require "dosrun.native.change"
local script = require "dosrun.native.script"
local run = require "dosrun.native.run"
local play = require "dosrun.playbook"
local values = require "dosrun.values"
local verb = require "dosrun.verb"
local apply = require "dosrun.kube.apply"
local drift = require "dosrun.kube.drift"
local object = require "dosrun.kube.object"
local remove = require "dosrun.kube.remove"
local wait = require "dosrun.kube.wait"

local M = { sets = remove.sets, remove = remove.remove, delete = remove.delete, drift = drift.drift }

function M.apply(source, values, options) return apply.apply(source, values, options) end

-- kube.get("Deployment", "ns/name") -> object, or nil when it is not there.
function M.get(kind, name) return apply.read(object.find(kind, name, 2)) end

-- kube.list("Pod", { namespace = "dos-game", labels = "app=game" }) -> objects, all pages.
function M.list(kind, options)
  options = options or {}
  play.check_names(options, { namespace = true, labels = true, fields = true }, "kube.list", 2)
  native.discover()
  local resource, why = native.resource(nil, kind)
  if not resource then play.fail(2, "%s", why) end
  local path, list, continue = native.path(resource.api_version, resource.kind, options.namespace), {}, nil
  repeat
    local page = native.request {
      path = path, query = { limit = "500", labelSelector = options.labels, fieldSelector = options.fields, continue = continue },
    }
    for _, one in ipairs(page.items) do
      one.apiVersion, one.kind = resource.api_version, resource.kind
      list[#list + 1] = one
    end
    continue = page.metadata.continue
  until not continue or continue == ""
  return list
end

-- kube.wait("Deployment", "ns/name", { timeout = "5m" }): until it is ready, or never will be.
function M.wait(kind, name, options)
  if changes.mode() ~= "forward" then return end
  wait.all({ { ref = object.find(kind, name, 2) } }, { timeout_ms = options and options.timeout and play.duration(options.timeout, "timeout") })
end

-- ---- raw calls ----

local patch_types = { merge = "application/merge-patch+json", json = "application/json-patch+json" }

-- kube.patch(kind, "ns/name", patch, { type = "merge" }) -> the object. Only inside act or undo.
function M.patch(kind, name, patch, options)
  local ref = object.find(kind, name, 2)
  local kind_of_patch = options and options.type or "merge"
  if not patch_types[kind_of_patch] then play.fail(2, 'kube.patch: type is "merge" or "json", not %q', tostring(kind_of_patch)) end
  return (native.request {
    method = "PATCH", path = object.path(ref, options and options.sub), query = { fieldManager = object.manager, fieldValidation = "Strict" },
    content_type = patch_types[kind_of_patch], body = patch, once = kind_of_patch == "json" or nil, subject = "patch " .. object.key(ref),
  })
end

-- kube.create(object) -> the object as created. Only inside act or undo.
function M.create(one)
  native.discover()
  local ref = object.ref(one)
  return (native.request {
    method = "POST", path = native.path(ref.apiVersion, ref.kind, ref.namespace), query = { fieldManager = object.manager, fieldValidation = "Strict" },
    body = one, once = true, subject = "create " .. object.key(ref),
  })
end

-- kube.raw { method, path, query, body, content_type }: any request; GET is free, others only inside act or undo.
function M.raw(request)
  play.check_names(request, { method = true, path = true, query = true, body = true, content_type = true }, "kube.raw", 2)
  return (native.request(request))
end

-- ---- verbs ----

local scale = {
  name = "kube.scale", class = "reversible", rewants = true, answers = true,
  key = function(input) return object.key(input.ref) end,
  look = function(input)
    local found = apply.read(input.ref)
    if not found then error({ kind = "missing", message = object.key(input.ref) .. " is not there" }, 0) end
    return found
  end,
  want = function(input, now)
    local copy = values.copy(now)
    copy.spec.replicas = input.replicas
    return copy
  end,
  same = function(now, wanted) return now.spec.replicas == wanted.spec.replicas end,
  fields = function(now, wanted) return { { path = "spec.replicas", old = now.spec.replicas, new = wanted.spec.replicas } } end,
  act = function(input, now)
    return (native.request {
      method = "PATCH", path = object.path(input.ref), content_type = patch_types.merge, guarded = true, query = { fieldManager = object.manager },
      body = { metadata = { resourceVersion = now.metadata.resourceVersion }, spec = { replicas = input.replicas } },
      subject = "scale " .. object.key(input.ref),
    })
  end,
  undo_data = function(input, before)
    return { op = "kube.fields", ref = input.ref, uid = before.metadata.uid, applied = native.applied(before, object.manager) }
  end,
  record_before = native.without_status,
  record = function(value) return native.trim(value, true) end,
  result = function(after) return after.spec.replicas end,
}

-- kube.scale("Deployment", "ns/name", 3)
function M.scale(kind, name, replicas)
  if math.type(replicas) ~= "integer" or replicas < 0 then play.fail(2, "kube.scale: replicas is a whole number, not %s", tostring(replicas)) end
  verb.drive(scale, { ref = object.find(kind, name, 2), replicas = replicas })
end

local restart = {
  name = "kube.restart", class = "compensable",
  key = function(input) return object.key(input.ref) .. " restart" end,
  look = function(input)
    local found = apply.read(input.ref)
    if not found then error({ kind = "missing", message = object.key(input.ref) .. " is not there" }, 0) end
    return (found.spec.template.metadata.annotations or {})["kubectl.kubernetes.io/restartedAt"]
  end,
  want = function(input) return input.at end,
  act = function(input)
    native.request {
      method = "PATCH", path = object.path(input.ref), content_type = patch_types.merge, query = { fieldManager = object.manager },
      body = { spec = { template = { metadata = { annotations = { ["kubectl.kubernetes.io/restartedAt"] = input.at } } } } },
      subject = "restart " .. object.key(input.ref),
    }
  end,
  undo_data = function() return { op = "none", why = "pods that were restarted are not brought back" } end,
}

-- kube.restart("Deployment", "ns/name"): a rollout of the same template.
function M.restart(kind, name)
  local ref = object.find(kind, name, 2)
  verb.drive(restart, { ref = ref, at = ("run-%s"):format(run.name("restart " .. object.key(ref), 12)) })
end

-- Secrets are never overwritten: other content, another name.
local function secret_list(namespace, name)
  local ok, page = pcall(native.request, {
    path = native.path("v1", "Secret", namespace), query = { labelSelector = "dosrun.io/secret=" .. name }, subject = "list secrets " .. name,
  })
  if ok then return page.items end
  if type(page) == "table" and page.kind == "missing" then return {} end
  error(page, 0)
end

local function holds(found, spec)
  for key in pairs(spec.generate or {}) do if not (found.data or {})[key] then return false end end
  for key, value in pairs(spec.data or {}) do if (found.data or {})[key] ~= object.hidden(script.base64(value)) then return false end end
  return true
end

-- kube.secret { namespace, name, generate = { password = 24 }, data = { user = "gameuser" }, set = "database" } -> its real name,
-- "<name>-<hash>". One that holds all of it already is kept. Generated values are letters and digits.
function M.secret(spec)
  play.check_names(spec, { namespace = true, name = true, generate = true, data = true, set = true }, "kube.secret", 2)
  if type(spec.namespace) ~= "string" or type(spec.name) ~= "string" then play.fail(2, "kube.secret needs namespace and name") end
  native.discover()
  if changes.mode() == "check" then return require("dosrun.offline").unknown(("name of Secret %s/%s"):format(spec.namespace, spec.name)) end
  for _, found in ipairs(secret_list(spec.namespace, spec.name)) do
    if not found.metadata.deletionTimestamp and holds(found, spec) then
      -- Applied again, so that its set and this run know it; its content stays.
      apply.apply({ { apiVersion = "v1", kind = "Secret", data = found.data, type = found.type, metadata = {
        name = found.metadata.name, namespace = spec.namespace, labels = { ["dosrun.io/secret"] = spec.name } } } }, nil,
        { set = spec.set or "secret-" .. spec.name, prune = false })
      return found.metadata.name
    end
  end
  local data, parts = {}, {}
  for key, length in pairs(spec.generate or {}) do
    data[key] = script.base64(run.secret(spec.namespace .. "/" .. spec.name .. "/" .. key, length))
  end
  for key, value in pairs(spec.data or {}) do
    data[key] = object.hidden(script.base64(value))
    parts[#parts + 1] = key .. "=" .. data[key]
  end
  local name = spec.name .. "-" .. run.name("secret " .. spec.namespace .. "/" .. spec.name .. " " .. table.concat(parts, " "), 8)
  apply.apply({ { apiVersion = "v1", kind = "Secret", type = "Opaque", data = data, metadata = {
    name = name, namespace = spec.namespace, labels = { ["dosrun.io/secret"] = spec.name } } } }, nil,
    { set = spec.set or "secret-" .. spec.name })
  return name
end

-- ---- what pods say ----

-- kube.logs("ns/pod", { container = "game", lines = 100, previous = true }) -> text
function M.logs(name, options)
  options = options or {}
  local ref = object.find("Pod", name, 2)
  local text = native.request {
    path = object.path(ref, "log"), stream = true,
    query = { container = options.container, tailLines = options.lines and tostring(options.lines), previous = options.previous and "true" or nil },
  }
  return type(text) == "string" and text or script.json(text)
end

-- kube.events(kind, "ns/name") -> { { type, reason, message, count, last } }, oldest first
function M.events(kind, name)
  local ref = object.find(kind, name, 2)
  local page = native.request {
    path = native.path("v1", "Event", ref.namespace or "default"),
    query = { fieldSelector = ("involvedObject.kind=%s,involvedObject.name=%s"):format(ref.kind, ref.name) },
  }
  local events = {}
  for i, event in ipairs(page.items) do
    events[i] = { type = event.type, reason = event.reason, message = event.message, count = event.count, last = event.lastTimestamp or event.eventTime }
  end
  table.sort(events, function(a, b) return (a.last or "") < (b.last or "") end)
  return events
end

return M
