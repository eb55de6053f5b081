local dosrun = require "dosrun.v1"
local platform = require "platform"
local kube, istio = dosrun.kube, dosrun.istio

local status = dosrun.playbook {
  "status", summary = "What runs, who gets the players, where to click, and what differs from what was deployed", reads = true,
}

local function digest_of(workload)
  local image = workload.spec.template.spec.containers[1].image
  local name, digest = image:match("^(.-)@sha256:(%x%x%x%x%x%x%x%x%x%x%x%x)")
  return name and ("%s@%s"):format(name, digest) or image
end

local function row(workload, share)
  local found = workload.status or {}
  local wanted = workload.spec.replicas or 1
  local ready = found.readyReplicas or 0
  return {
    workload.metadata.name, ("%d/%d"):format(ready, wanted), ready == wanted and "ready" or "not ready",
    share and ("%d %%"):format(share) or "", digest_of(workload),
  }
end

status:step("status", function(run)
  local rows, shares = {}, platform.shares()
  local here = { namespace = platform.namespace }
  for _, workload in ipairs(kube.list("Deployment", here)) do
    local game = workload.metadata.name:match("^game%-(.+)$")
    rows[#rows + 1] = row(workload, game and (shares[game] or 0))
  end
  for _, workload in ipairs(kube.list("StatefulSet", here)) do rows[#rows + 1] = row(workload) end
  if #rows == 0 then
    run:report { text = "nothing is deployed here: dosrun playbooks/deploy.lua GAME" }
    return
  end
  run:report { title = "dos-game", columns = { "what", "ready", "state", "players", "image" }, rows = rows }
  local url = istio.gateway_url()
  local title, why = platform.page_title(run, url)
  run:report { text = title and ("%s/ shows %s"):format(url, title) or ("%s/ does not answer: %s"):format(url, why) }
end)

status:step("drift", function(run) run:drift(platform.drift()) end)

return status
