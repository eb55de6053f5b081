-- dosrun.istio: who gets the players. Both versions run, each behind a Service of its own; what moves are
-- the weights of one route of one VirtualService.
local native = require "dosrun.native.kube"
local script = require "dosrun.native.script"
local changes = require "dosrun.native.change"
local run = require "dosrun.native.run"
local play = require "dosrun.playbook"
local values = require "dosrun.values"
local verb = require "dosrun.verb"
local object = require "dosrun.kube.object"
local apply = require "dosrun.kube.apply"
local offline = require "dosrun.offline"

local M = {}

local KIND = "virtualservices.networking.istio.io"

local function fail(code, message, ...)
  error({ kind = "conflict", code = "Route", explain = code, message = message:format(...) }, 0)
end

-- ---- routes as documents ----

local function route_in(http, name)
  for _, rule in ipairs(http or {}) do if rule.name == name then return rule.route or {} end end
end

-- "game-civ", or "game/civ" when one host's subsets are the versions: the destination's name in undo data.
local function key_of(entry)
  local destination = entry.destination or {}
  return destination.subset and destination.host .. "/" .. destination.subset or destination.host
end

-- One destination alone may leave its weight out: it gets everything.
local function weights_of(route)
  local weights = {}
  for _, entry in ipairs(route) do weights[key_of(entry)] = entry.weight or (#route == 1 and 100 or 0) end
  return weights
end

-- Service and namespace of a host as a VirtualService of this namespace means it.
local function service_of(host, namespace)
  local name, rest = host:match("^([^.]+)%.?(.*)$")
  return name, rest ~= "" and rest:match("^[^.]+") or namespace
end

-- ---- the verb: one step of weights ----

local function undo_of(input, before)
  return {
    op = "route.weights", ref = input.ref, uid = before.uid, route = input.route, weights = before.weights,
    steps = script.array(input.steps),
  }
end

local function state_of(input, found)
  local route = route_in(found.spec and found.spec.http, input.route)
  if not route then
    fail("K111", "%s has no route named %q in spec.http", object.key(input.ref), input.route)
  end
  return { weights = weights_of(route), uid = found.metadata.uid, object = found }
end

-- spec.http is one list with one owner: who else owns it decides what stands in it.
local function check_owner(input, found, applied)
  if applied and applied.spec and applied.spec.http then return end
  local owner = native.manager_of(found, "/spec/http") or "nobody"
  error({
    kind = "conflict", code = "FieldManagerConflict", explain = "K101",
    message = ("%s: spec.http is one list with one owner, and that is %s, not dosrun. "
      .. "Let dosrun apply the VirtualService, or take it over: istio.traffic(%q, { force = true })")
      :format(object.key(input.ref), owner, input.route),
  }, 0)
end

local function explain_conflict(input, problem)
  if type(problem) == "table" and problem.kind == "conflict" and problem.message:find("Apply failed with", 1, true) then
    problem.code, problem.explain = "FieldManagerConflict", "K101"
    problem.message = ("%s: spec.http is one list with one owner, and somebody else owns it too: %s. Take it over with istio.traffic(%q, { force = true })")
      :format(object.key(input.ref), problem.message, input.route)
  end
  error(problem, 0)
end

-- The list as it was looked at, with these weights, applied with all that dosrun owns of the object.
local function send(input, now)
  local body = native.applied(now.object, object.manager)
  if not input.force then check_owner(input, now.object, body) end
  body = body or { apiVersion = input.ref.apiVersion, kind = input.ref.kind, metadata = { name = input.ref.name, namespace = input.ref.namespace } }
  body.spec = body.spec or {}
  body.spec.http = script.copy(now.object.spec.http)
  for _, entry in ipairs(route_in(body.spec.http, input.route)) do entry.weight = input.weights[key_of(entry)] or 0 end
  body.metadata.resourceVersion, body.metadata.uid = now.object.metadata.resourceVersion, now.uid
  local ok, answer = pcall(native.request, {
    method = "PATCH", path = object.path(input.ref), content_type = "application/apply-patch+yaml", body = body, guarded = true,
    query = { fieldManager = object.manager, fieldValidation = "Strict", force = input.force and "true" or nil },
    subject = ("weights of %s"):format(object.key(input.ref)),
  })
  if not ok then explain_conflict(input, answer) end
  return answer
end

local weights = {
  name = "istio.weights", class = "reversible", answers = true,
  key = function(input) return ("Route %s/%s %s"):format(input.ref.namespace, input.ref.name, input.route) end,
  look = function(input)
    local found = apply.read(input.ref)
    if not found then
      error({ kind = "missing", explain = "K111", code = "NotFound", message = object.key(input.ref) .. " is not there: no game was deployed yet" }, 0)
    end
    return state_of(input, found)
  end,
  want = function(input) return { weights = input.weights } end,
  same = function(now, want) return now ~= nil and values.equal(now.weights, want.weights) end,
  fields = function(now, want)
    local fields = {}
    for key, weight in pairs(want.weights) do
      if now.weights[key] ~= weight then fields[#fields + 1] = { path = "weight of " .. key, old = now.weights[key], new = weight } end
    end
    return fields
  end,
  record = function(state) return { weights = state.weights, uid = state.uid } end,
  undo_data = undo_of,
  act = function(input, now, change)
    change:undo(undo_of(input, change:before())) -- of a later call of traffic:to too, whose steps are others
    return state_of(input, send(input, now))
  end,
  result = function(after) return after.weights end,
}

-- ---- checks that no API server does ----

local function subset_exists(namespace, host, subset)
  local path = native.path("networking.istio.io/v1", "DestinationRule", namespace)
  for _, rule in ipairs(native.request({ path = path, subject = "list DestinationRules" }).items) do
    local name, where = service_of(rule.spec.host or "", rule.metadata.namespace)
    if name == host and where == namespace then
      for _, one in ipairs(rule.spec.subsets or {}) do if one.name == subset then return true end end
    end
  end
  return false
end

local function check_destination(ref, route_name, entry)
  local destination = entry.destination
  local name, namespace = service_of(destination.host, ref.namespace)
  local where = ("%s, route %s"):format(object.key(ref), route_name)
  local service = apply.read { apiVersion = "v1", kind = "Service", namespace = namespace, name = name }
  if not service then fail("K111", "%s: no Service %s/%s; players sent there would get 503", where, namespace, name) end
  local number, found = destination.port and destination.port.number, false
  for _, port in ipairs(service.spec.ports or {}) do found = found or not number or port.port == number end
  if not found then fail("K111", "%s: Service %s/%s has no port %d", where, namespace, name, number) end
  if destination.subset and not subset_exists(namespace, name, destination.subset) then
    fail("K111", "%s: no DestinationRule of %s/%s has a subset %q", where, namespace, name, destination.subset)
  end
end

local function check_sum(ref, route_name, route)
  local sum = 0
  for _, weight in pairs(weights_of(route)) do sum = sum + weight end
  if sum ~= 100 then fail("K111", "%s, route %s: the weights add up to %d, not 100", object.key(ref), route_name, sum) end
end

-- ---- the face ----

local Traffic = {}
Traffic.__index = Traffic

-- istio.traffic("game", { virtual_service = "dos-game/games", prefix = "game-", force = false }): the element of spec.http
-- named "game", whose destinations are the Services "game-<version>" (or subsets "<version>" of one Service).
function M.traffic(name, options)
  options = options or {}
  if type(name) ~= "string" then play.fail(2, 'istio.traffic takes the name of a route: istio.traffic("game")') end
  play.check_names(options, { virtual_service = true, prefix = true, force = true }, "istio.traffic", 2)
  if changes.mode() == "check" then return offline.unknown("the route " .. name) end
  return setmetatable({
    route = name, ref = object.find(KIND, options.virtual_service or "dos-game/games", 2), prefix = options.prefix or name .. "-",
    force = options.force,
  }, Traffic)
end

local function version_of(traffic, entry)
  if entry.destination.subset then return entry.destination.subset end
  local name = service_of(entry.destination.host, "")
  return name:sub(1, #traffic.prefix) == traffic.prefix and name:sub(#traffic.prefix + 1) or name
end

local function read_route(traffic)
  local found = apply.read(traffic.ref)
  return found and route_in(found.spec and found.spec.http, traffic.route)
end

-- traffic:weights() -> { doom = 100, civ = 0 }, or nil when there is no such route.
function Traffic:weights()
  local route = read_route(self)
  if not route then return nil end
  local shares = {}
  for _, entry in ipairs(route) do shares[version_of(self, entry)] = entry.weight or (#route == 1 and 100 or 0) end
  return shares
end

-- The others share what the target leaves, as they shared before.
local function share(start, target, weight)
  local shares, rest, total, largest = { [target] = weight }, 100 - weight, 0, nil
  for key, old in pairs(start) do
    if key ~= target then
      total = total + old
      if not largest or old > start[largest] then largest = key end
    end
  end
  local given = 0
  for key, old in pairs(start) do
    if key ~= target then
      shares[key] = total > 0 and rest * old // total or 0
      given = given + shares[key]
    end
  end
  if largest then shares[largest] = shares[largest] + rest - given end
  return shares
end

local function check_steps(steps)
  if type(steps) ~= "table" or #steps == 0 then play.fail(3, "traffic:to: steps is a list of percentages: { 10, 50, 100 }") end
  local last = -1
  for _, weight in ipairs(steps) do
    if math.type(weight) ~= "integer" or weight < 0 or weight > 100 or weight <= last then
      play.fail(3, "traffic:to: steps are whole numbers from 0 to 100, each above the one before; not %s", tostring(weight))
    end
    last = weight
  end
  return steps
end

local function pass_gate(traffic, version, gate, weight)
  local passed, why = gate(weight)
  if passed == false then
    error({
      kind = "conflict", code = "GateFailed", explain = "K112",
      message = ("route %s, %d %% on %s: %s"):format(traffic.route, weight, version, why or "the gate said no"),
    }, 0)
  end
end

-- traffic:to("civ", { steps = { 10, 30, 50, 80, 100 }, interval = "30s", gate = function(weight) return true end }):
-- the version's share, step by step; without steps all at once. A gate that returns false and why, or raises,
-- ends it. What the weights are already (a run that goes on) is not done again, but asked by the gate again.
function Traffic:to(version, options)
  options = options or {}
  play.check_names(options, { steps = true, interval = true, gate = true }, "traffic:to", 2)
  local forward, steps = changes.mode() == "forward", check_steps(options.steps or { 100 })
  local interval = options.interval and play.duration(options.interval, "interval") or 0
  local route = read_route(self)
  if not route then
    if not forward then return end -- its VirtualService comes with the same plan
    fail("K111", "%s has no route %q: deploy a game first", object.key(self.ref), self.route)
  end
  local target, names = nil, {}
  for i, entry in ipairs(route) do
    names[i] = version_of(self, entry)
    if names[i] == version then target = entry end
  end
  if not target and forward then
    fail("K111", "%s, route %s leads to %s, not to %s: deploy it first", object.key(self.ref), self.route, table.concat(names, ", "), version)
  end
  local start, last = weights_of(route), steps[#steps]
  local key = target and key_of(target) or self.prefix .. version
  local input = { ref = self.ref, route = self.route, force = self.force, steps = { start } }
  for _, weight in ipairs(steps) do table.insert(input.steps, share(start, key, weight)) end
  if not forward then
    input.weights = share(start, key, last)
    verb.drive(weights, input)
    return
  end
  check_sum(self.ref, self.route, route)
  check_destination(self.ref, self.route, target)
  if options.gate and start[key] > 0 then pass_gate(self, version, options.gate, start[key]) end
  local moved = false
  for _, weight in ipairs(steps) do
    if weight > start[key] or #steps == 1 then
      if moved and interval > 0 then run.sleep(interval) end
      moved = true
      input.weights = share(start, key, weight)
      verb.drive(weights, input)
      if options.gate then pass_gate(self, version, options.gate, weight) end
    end
  end
end

local known_gateway = { service = true }

-- istio.gateway_url() -> "http://203.0.113.7": where players reach the ingress gateway, from its Service's load balancer.
function M.gateway_url(options)
  options = options or {}
  play.check_names(options, known_gateway, "istio.gateway_url", 2)
  if changes.mode() == "check" then return offline.unknown("the gateway's address") end
  local name = options.service or "istio-system/istio-ingressgateway"
  local service = apply.read(object.find("Service", name, 2))
  if not service then fail("K113", "there is no Service %s: Istio's ingress gateway is not installed here", name) end
  local ingress = service.status and service.status.loadBalancer and service.status.loadBalancer.ingress
  local address = ingress and ingress[1] and (ingress[1].ip or ingress[1].hostname)
  if not address then fail("K113", "Service %s has no load balancer address yet", name) end
  if address:find(":", 1, true) then address = "[" .. address .. "]" end
  local port = M.gateway_port(service)
  return ("http://%s%s"):format(address, port == 80 and "" or ":" .. port)
end

-- istio.gateway_port() -> 80: the port of that Service that is named http2 or http.
function M.gateway_port(service)
  if changes.mode() == "check" then return offline.unknown("the gateway's port") end
  service = service or apply.read(object.find("Service", "istio-system/istio-ingressgateway", 2))
  if not service then fail("K113", "there is no Service istio-system/istio-ingressgateway: Istio's ingress gateway is not installed here") end
  for _, wanted in ipairs { "http2", "http" } do
    for _, port in ipairs(service.spec.ports or {}) do if port.name == wanted then return port.port end end
  end
  fail("K113", "Service %s has no port named http2 or http", service.metadata.name)
end

return setmetatable(M, {
  __index = function(self, name)
    local near = run.suggest(tostring(name), { traffic = self.traffic, gateway_url = true, gateway_port = true })
    play.fail(2, "dosrun.istio has no %q%s", tostring(name), near and ("; did you mean %q?"):format(near) or "")
  end,
})
