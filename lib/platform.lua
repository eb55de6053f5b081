-- The platform's parts, as deploy, switch, destroy and status share them. Each function makes one part so and
-- waits until it works; all of them can be called again and then change nothing.
local dosrun = require "dosrun.v1"
local kube, istio, image, http = dosrun.kube, dosrun.istio, dosrun.image, dosrun.http

local M = { namespace = "dos-game" }

-- Everything that these playbooks apply is in sets of this name: so that destroy takes nothing else.
local SETS = M.namespace .. "."

-- Every file is read when the playbook loads: the run keeps them from its beginning, and to go on it needs
-- none of those that are there by then.
for _, folder in ipairs { "manifests/platform/", "manifests/games/" } do
  for _, name in ipairs(dosrun.files(folder:sub(1, -2)) or {}) do dosrun.read(folder .. name) end
end

local function apply(file, values, set)
  return kube.apply("manifests/platform/" .. file .. ".yaml", values, { set = SETS .. (set or file) })
end

-- ---- games ----

local known = { title = true, stats = true, bundle = true, digest = true, start = true }

-- What manifests/games/NAME.yaml says.
function M.game(name)
  local path = "manifests/games/" .. name .. ".yaml"
  if not dosrun.known(name) then return { title = "title of " .. name } end -- a check, before a step told which game
  local game = dosrun.yaml.decode(dosrun.read(path), path)[1]
  if type(game) ~= "table" or type(game.title) ~= "string" then error(path .. ": a game needs a title", 0) end
  for field in pairs(game) do
    if not known[field] then error(("%s: a game has no field %q"):format(path, field), 0) end
  end
  return game
end

-- ---- images ----

local function prefix_of(run)
  local prefix = run:value("images")
  if type(prefix) ~= "string" then error("no images are named: --set images=HOST/PREFIX, or images in playbooks/targets.lua", 0) end
  if prefix:match("^[^/]+%.example/") and not run.sandbox and not run:planning() then
    error(("images are still %q, an example: write your own in playbooks/targets.lua, or --set images=HOST/PREFIX"):format(prefix), 0)
  end
  return prefix
end

-- The game's image by digest.
function M.game_image(run, name) return image.resolve(prefix_of(run) .. ":" .. name) end

-- What every game needs besides its own: { stats, postgres }, by digest.
function M.shared_images(run)
  local prefix = prefix_of(run)
  local stats, postgres = dosrun.parallel(
    function() return image.resolve(run:value("stats_image", prefix .. "-stats:latest")) end,
    function() return image.resolve(run:value("postgres_image", prefix .. "-postgres:17-alpine")) end)
  return { stats = stats, postgres = postgres }
end

-- ---- parts ----

function M.make_namespace() apply("namespace"):wait() end

-- The name of the Secret with the database's password.
function M.make_database(postgres)
  local secret = kube.secret { namespace = M.namespace, name = "postgres", generate = { password = 24 }, set = SETS .. "secret" }
  apply("postgres", { image = postgres, secret = secret }):wait { timeout = "10m" }
  return secret
end

-- The autoscaler brings a new Deployment from one pod to its minimum: those are waited for, too.
local function wait_scaled(applied, name)
  applied:wait { timeout = "10m" }
  kube.wait("Deployment", M.namespace .. "/" .. name, { timeout = "10m" })
end

function M.make_stats_api(stats, secret)
  wait_scaled(apply("stats-api", { image = stats, secret = secret }), "stats-api")
end

function M.make_game(name, by_digest)
  local values = { game = name, title = M.game(name).title, image = by_digest }
  wait_scaled(apply("game", values, "game-" .. name), "game-" .. name)
end

-- The image that a game's Deployment has, or nil.
function M.image_of(name)
  local found = kube.get("Deployment", M.namespace .. "/game-" .. name)
  return found and found.spec.template.spec.containers[1].image
end

-- ---- traffic ----

local RETRIES = { attempts = 2, retryOn = "gateway-error,connect-failure,refused-stream" }

local function host_of(run) return run:value("host", "*") end

local function virtual_service(run, shares)
  local route = {}
  for name, weight in pairs(shares) do
    route[#route + 1] = { destination = { host = "game-" .. name, port = { number = 80 } }, weight = weight }
  end
  return {
    apiVersion = "networking.istio.io/v1", kind = "VirtualService", metadata = { name = "games", namespace = M.namespace },
    spec = {
      hosts = { host_of(run) }, gateways = { "games" },
      http = {
        {
          name = "stats", match = { { uri = { prefix = "/api" } } }, timeout = "30s",
          route = { { destination = { host = "stats-api", port = { number = 3001 } } } },
          -- a play that was counted is not counted again
          retries = { attempts = 2, retryOn = "connect-failure,refused-stream" },
        },
        { name = "game", route = route, timeout = "30s", retries = RETRIES },
      },
    },
  }
end

function M.traffic() return istio.traffic "game" end

-- { doom = 100, civ = 0 }, empty when nothing is deployed.
function M.shares() return M.traffic():weights() or {} end

-- The gateway's listener, and a route on which the game has a place. Nobody is moved: on the very first
-- deploy the game gets all, later it begins with nothing. without: a game that leaves the route.
function M.make_route(run, name, without)
  apply("gateway", { port = istio.gateway_port(), host = host_of(run) })
  local shares = M.shares()
  if next(shares) == nil then shares[name] = 100 end
  shares[name] = shares[name] or 0
  if without then shares[without] = nil end
  kube.apply({ virtual_service(run, shares) }, nil, { set = SETS .. "routes" })
end

-- ---- what players see ----

-- The title of the page behind the gateway, or nil and why there is none.
function M.page_title(run, url)
  local host = host_of(run)
  local answer, problem = dosrun.try(http.get, url .. "/", {
    attempts = 1, timeout = "10s", plain = true, headers = host ~= "*" and { host = host } or nil,
  })
  if not answer then return nil, type(problem) == "table" and problem.message or tostring(problem) end
  local title = answer.body:match("<title>%s*(.-)%s*</title>")
  return title, not title and "the page has no title" or nil
end

-- The page has this title: asked up to 60 times, 5 s apart.
function M.check_page(run, title)
  local url = istio.gateway_url()
  if run:planning() then return url end
  local last
  for try = 1, 60 do
    local found, why = M.page_title(run, url)
    if found == title then return url end
    last = why or ("it was %q"):format(found)
    if try < 60 then run:sleep("5s") end
  end
  error({
    kind = "timeout", code = "NoPage", explain = "K113",
    message = ("%s/ never had the title %s (asked 60 times, 5 s apart); last: %s"):format(url, title, last),
  }, 0)
end

local PAGES = 10      -- of one round
local ROUNDS = 10     -- until the new weights must have been seen
local WRONG_ROUNDS = 2

local function ask_round(run, url, titles)
  local counts, wrong, last = {}, 0, nil
  for _ = 1, PAGES do
    local title, why = M.page_title(run, url)
    if title and titles[title] then
      counts[titles[title]] = (counts[titles[title]] or 0) + 1
    else
      wrong, last = wrong + 1, why or ("an unknown title %q"):format(title)
    end
  end
  return counts, wrong, last
end

-- A gate for traffic:to: pages asked through the gateway are those of the games on the route, all of them whole;
-- the new one was seen among them, and at 100 % no other one.
function M.page_gate(run, name)
  local url, titles = istio.gateway_url(), {}
  for other in pairs(M.shares()) do titles[M.game(other).title] = other end
  return function(weight)
    local seen, bad, last = 0, 0, nil
    for _ = 1, ROUNDS do
      local counts, wrong, why = ask_round(run, url, titles)
      seen = seen + (counts[name] or 0)
      if wrong > 0 then
        bad, last = bad + 1, ("%d of %d pages were not as they should be: %s"):format(wrong, PAGES, why)
        if bad == WRONG_ROUNDS then return false, last end
      elseif seen > 0 and (weight < 100 or counts[name] == PAGES) then
        return true
      end
      run:sleep "1s"
    end
    return false, last or ("after %d pages %s had been seen %d times: the gateway does not follow"):format(ROUNDS * PAGES, name, seen)
  end
end

-- ---- taking away ----

-- Routes first, the namespace last: the reverse of how deploy makes them.
local order = { "routes", "gateway", "game-", "stats-api", "postgres", "secret", "namespace" }
M.parts = order

-- The sets of one part that are there: their full names.
function M.sets_of(part)
  local names = {}
  for _, set in ipairs(kube.sets()) do
    local name = set.name:sub(1, #SETS) == SETS and set.name:sub(#SETS + 1)
    if name and (name == part or part:sub(-1) == "-" and name:sub(1, #part) == part) then names[#names + 1] = set.name end
  end
  return names
end

function M.remove_part(part)
  for _, name in ipairs(M.sets_of(part)) do kube.remove { set = name, timeout = "10m" } end
end

-- A game that has no players any more leaves the route and goes.
function M.remove_game(run, name, staying)
  M.make_route(run, staying, name)
  kube.apply({}, nil, { set = SETS .. "game-" .. name }) -- a set of nothing: all that it had is pruned, which can be undone
end

-- ---- what stands ----

-- Differences between what the inventories list and what is there.
function M.drift() return kube.drift { prefix = SETS } end

return M
