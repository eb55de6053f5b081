-- Waiting until objects are ready: one watch per kind and namespace, rules from ready.lua.
local native = require "dosrun.native.kube"
local run = require "dosrun.native.run"
local object = require "dosrun.kube.object"
local ready = require "dosrun.kube.ready"

local M = {}

local DEFAULT_MS = 300000
local LOOK_MS = 15000 -- graces pass without an event, so rules are asked again

-- Milliseconds of an RFC 3339 time as Kubernetes writes it.
function M.time_ms(text)
  local year, month, day, hour, minute, second = (text or ""):match("^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)")
  if not year then return nil end
  year, month, day = math.tointeger(tonumber(year)), math.tointeger(tonumber(month)), math.tointeger(tonumber(day))
  if month <= 2 then year, month = year - 1, month + 12 end
  local days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719469
  return math.tointeger(((days * 24 + tonumber(hour)) * 60 + tonumber(minute)) * 60 + tonumber(second)) * 1000
end

local function close_all(watches)
  for _, watch in pairs(watches) do watch:close() end
end

-- Watches by "apiVersion|kind|namespace", opened when first asked for.
local function opener(watches)
  return function(api_version, kind, namespace)
    local id = api_version .. "|" .. kind .. "|" .. (namespace or "")
    if not watches[id] then watches[id] = native.watch(api_version, kind, namespace) end
    return watches[id]
  end
end

-- `lists` holds what this look has already taken from the watches: a list of pods serves every workload.
local function context_for(ref, open, lists)
  local context = { now_ms = run.now(), time_ms = M.time_ms }
  function context.list(api_version, kind)
    local id = api_version .. "|" .. kind .. "|" .. (ref.namespace or "")
    if not lists[id] then lists[id] = open(api_version, kind, ref.namespace):list() end
    return lists[id]
  end
  function context.get(api_version, kind, namespace, name)
    local ok, found = pcall(native.request, { path = native.path(api_version, kind, namespace, name) })
    return ok and found or nil
  end
  return context
end

-- The newest warning about an object, and the last log lines of the container that failed, as lines of context.
local function evidence(ref, uid, pod, container)
  local lines = {}
  local about = pod or { metadata = { uid = uid, namespace = ref.namespace, name = ref.name } }
  local ok, events = pcall(native.request, {
    path = native.path("v1", "Event", about.metadata.namespace),
    query = { fieldSelector = "involvedObject.uid=" .. (about.metadata.uid or ""), limit = "20" }, attempts = 1,
  })
  if ok and ref.namespace then
    local newest
    for _, event in ipairs(events.items) do
      if event.type == "Warning" and (not newest or (event.lastTimestamp or "") >= (newest.lastTimestamp or "")) then newest = event end
    end
    if newest then lines[#lines + 1] = ("\n= event: %s: %s"):format(newest.reason, newest.message) end
  end
  if pod and container then
    local request = {
      path = native.path("v1", "Pod", pod.metadata.namespace, pod.metadata.name, "log"),
      query = { container = container, tailLines = "5", previous = "true" }, stream = true, attempts = 1,
    }
    local got, text = pcall(native.request, request)
    if not got then
      request.query.previous = nil
      got, text = pcall(native.request, request)
    end
    if got and type(text) == "string" and text ~= "" then
      lines[#lines + 1] = "\n= log: " .. text:gsub("%s+$", ""):gsub("\n", " | ")
    end
  end
  return table.concat(lines)
end

local function fail(ref, found, why, code, pod, container, waited_ms, late)
  local waited = ("\n= waited: %d s%s"):format((waited_ms or 0) // 1000, late and ", which is all that was allowed" or "")
  error({
    kind = late and "timeout" or "conflict", code = "NeverReady", explain = code or "K104",
    message = ("%s never became ready%s\n= cause: %s%s"):format(object.key(ref), waited, why,
      evidence(ref, found and found.metadata.uid, pod, container)),
  }, 0)
end

-- All of { {ref}, ... } ready, or an error for the first that never will be.
function M.all(list, options)
  local watches, begun = {}, run.now()
  local limit = begun + (options and options.timeout_ms or DEFAULT_MS)
  local open, pending = opener(watches), {}
  for _, one in ipairs(list) do
    if not one.object or ready.needs_wait(one.object) then pending[#pending + 1] = one end
  end
  local function look()
    local still, told, lists = {}, nil, {}
    for _, one in ipairs(pending) do
      local ref = one.ref
      local watch = open(ref.apiVersion, ref.kind, ref.namespace)
      for _, other in ipairs(ready.looks_at[ref.kind] or {}) do open(other[1], other[2], ref.namespace) end
      local found = watch:get(ref.namespace, ref.name)
      local verdict, why, code, pod, container
      if not watch:synced() then
        verdict, why = "wait", watch:trouble() or "reading the cluster"
      elseif not found then
        verdict, why = "wait", "it is not there"
      else
        verdict, why, code, pod, container = ready.judge(found, context_for(ref, open, lists))
      end
      if verdict == "failed" then
        fail(ref, found, why, code, pod, container, run.now() - begun)
      elseif verdict == "wait" then
        still[#still + 1] = one
        one.why, one.found = why, found
        told = told or one
      end
    end
    pending = still
    if told then
      run.wait { object = object.key(told.ref), condition = "ready", newest = told.why, since_ms = begun }
    end
  end
  local ok, problem = pcall(function()
    look()
    while #pending > 0 do
      local left = limit - run.now()
      if left <= 0 then fail(pending[1].ref, pending[1].found, pending[1].why, "K104", nil, nil, run.now() - begun, true) end
      M.any(watches, math.min(left, LOOK_MS))
      look()
    end
  end)
  close_all(watches)
  if not ok then error(problem, 0) end
end

-- Until one of the watches has something new, or the time is over.
function M.any(watches, ms)
  native.watch_any(watches, ms)
end

-- Until the object (by uid, if known) is gone. A finalizer that holds it is named.
function M.gone(ref, uid, options)
  local begun = run.now()
  local limit = begun + (options and options.timeout_ms or DEFAULT_MS)
  local watch <close> = native.watch(ref.apiVersion, ref.kind, ref.namespace)
  while true do
    local found = watch:get(ref.namespace, ref.name)
    if watch:synced() and (not found or (uid and found.metadata.uid ~= uid)) then return end
    local left = limit - run.now()
    if left <= 0 then
      local finalizers = found and table.concat(found.metadata.finalizers or {}, ", ") or ""
      error({
        kind = "timeout", code = "StillThere", explain = "K108",
        message = ("%s is still there after %d s%s"):format(object.key(ref), (run.now() - begun) // 1000,
          finalizers ~= "" and "; its finalizers hold it: " .. finalizers or ""),
      }, 0)
    end
    local finalizers = found and found.metadata.finalizers
    run.wait {
      object = object.key(ref), condition = "gone", since_ms = begun,
      newest = finalizers and "finalizers: " .. table.concat(finalizers, ", ") or "being deleted",
    }
    watch:wait(math.min(left, LOOK_MS))
  end
end

return M
