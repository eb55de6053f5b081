-- Carries secrets everywhere a playbook can: for secrets.test, which looks for them afterwards.
local dosrun = require "dosrun.v1"
local kube, http, process = dosrun.kube, dosrun.http, dosrun.process

local secrets = dosrun.playbook { "secrets", args = {
  { "token", "string", secret = true }, { "url" }, { "ending", dosrun.choice("well", "error", "argv", "hang") },
} }

secrets:step("manifest", function(run)
  kube.apply("manifests/secrets.yaml", { token = run.args.token }):wait()
  return kube.secret { namespace = "shop", name = "made", generate = { password = 24 }, data = { token = run.args.token } }
end)

secrets:step("read", function(run, from)
  for _, name in ipairs { "shop/planted", "shop/" .. from.manifest } do
    local found = kube.get("Secret", name)
    run:log("read %s", dosrun.json.encode(found))
    for key, value in pairs(found.data) do run:log("%s is %s, of %d bytes: %s", key, value, #value, dosrun.sha256(value)) end
  end
  run:log("token %s, in base64 %s", run.args.token, dosrun.base64(run.args.token))
end)

secrets:step("child", function(run)
  local said = process.run({ "cat" }, { reads = true, input = "the token is " .. run.args.token })
  run:log("cat said %s", said.stdout)
  local _, problem = dosrun.try(process.run, { "sh", "-c", "cat >&2; exit 3" }, { reads = true, input = run.args.token })
  run:warn("sh said %s", problem.message)
  process.run({ "sleep", "0.3" }, { reads = true, env = { TOKEN = run.args.token, PATH = "/usr/bin:/bin" } })
end)

secrets:step("web", function(run)
  local told = http.get(run.args.url .. "/echo", { headers = { ["x-token"] = run.args.token } })
  run:log("the server said %s", told.body)
  local _, problem = dosrun.try(http.get, run.args.url .. "/fail", { headers = { ["x-token"] = run.args.token }, attempts = 1 })
  run:warn("the server said %s", problem.message)
  run:report { title = "what there is", columns = { "token" }, rows = { { run.args.token } } }
end)

secrets:step("end", function(run)
  if run.args.ending == "error" then
    http.get(run.args.url .. "/fail", { headers = { ["x-token"] = run.args.token }, attempts = 1 })
  elseif run.args.ending == "argv" then
    process.run({ "echo", run.args.token }, { reads = true })
  elseif run.args.ending == "hang" then
    run:sleep "60s"
  end
  kube.apply({ { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "last", namespace = "shop" },
    data = { note = "a config map that somebody put it into: " .. run.args.token } } }, nil, { set = "last" })
end)
return secrets
