-- A small platform in four steps, for the flow tests: what each kind of object owes at deploy, undo and resume.
local dosrun = require "dosrun.v1"
local kube = dosrun.kube

local shop = dosrun.playbook { "shop", summary = "A web server, its settings, its secret, its volume",
  args = { { "text", default = "hello" }, { "tag", default = "good" } } }

shop:step("base", function(run)
  kube.apply("manifests/base.yaml", { text = run.args.text }):wait()
  return kube.secret { namespace = "shop", name = "key", generate = { password = 24 }, data = { user = "anna" } }
end)
shop:step("data", { needs = { "base" } }, function() kube.apply("manifests/data.yaml"):wait { timeout = "60s" } end)
shop:step("web", { needs = { "base" } }, function(run, from)
  kube.apply("manifests/web.yaml", { tag = run.args.tag, secret = from.base }):wait { timeout = "60s" }
end)
shop:step("tell", function()
  kube.apply({ { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "done", namespace = "shop" }, data = { state = "open" } } },
    nil, { set = "done" })
end)
return shop
