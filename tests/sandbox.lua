-- What the sandbox's outside answers: the registry of playbooks/targets.lua, and the programs that build
-- images. A tag's manifest is a small document of its own, so its digest is computed as a real one's is.

local tags = {
  ["dos-games"] = { doom = true, civ = true },
  ["dos-games-stats"] = { latest = true },
  ["dos-games-postgres"] = { ["17-alpine"] = true },
}

local function problem(status, code, message)
  return { status = status, json = { errors = { { code = code, message = message } } } }
end

sandbox.http("https://registry.games.example/v2/", function(request)
  local name, tag = request.path:match("^/v2/(.+)/manifests/([^/]+)$")
  if request.path == "/v2/" then return { status = 200, json = {} } end
  if not name then return problem(404, "UNSUPPORTED", "not modelled: " .. request.path) end
  if not tags[name] then return problem(404, "NAME_UNKNOWN", "no repository " .. name) end
  if not tags[name][tag] then return problem(404, "MANIFEST_UNKNOWN", "no tag " .. tag) end
  return {
    status = 200,
    headers = { ["Content-Type"] = "application/vnd.oci.image.manifest.v1+json" },
    body = ('{"schemaVersion":2,"annotations":{"org.opencontainers.image.ref.name":"%s:%s"}}'):format(name, tag),
  }
end)

local function builder(argv)
  if argv[2] == "--version" or argv[2] == "version" then return { stdout = argv[1] .. " (simulated)\n" } end
  return { status = 1, stderr = argv[1] .. ": the sandbox builds no images; name them by tag: --set images=HOST/PREFIX\n" }
end
for _, name in ipairs { "docker", "podman", "buildah" } do sandbox.program(name, builder) end
