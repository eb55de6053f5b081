#!/usr/bin/env bash
# check: mistakes are found offline; what only a run can know is told, not an error.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/cli/frame
. "$(dirname "$0")/frame"

begin() { # NAME: a project
    mkdir -p "$1/playbooks" "$1/manifests" && cd "$1"
    cat >manifests/game.yaml <<'EOT'
apiVersion: v1
kind: ConfigMap
metadata: { name: "settings-${game}", namespace: games }
data: { image: "${image}", count: "${count}" }
EOT
}

walked() {
    begin walked
    cat >playbooks/p.lua <<'EOT'
local dosrun = require "dosrun.v1"
local kube, http, process = dosrun.kube, dosrun.http, dosrun.process
local banner = dosrun.verb { "banner", key = function(i) return "banner" end,
  look = function(i) local c = kube.get("ConfigMap", "games/banner") return c and c.data.text end,
  want = function(i) return i.text end,
  act = function(i) error("act is never walked") end, undo = function() end }
local p = dosrun.playbook { "p", args = { { "game", "string" } } }
p:step("image", function() return { name = process.run({ "git", "rev-parse" }, { reads = true }).stdout:match("%w+") } end)
p:step("apply", function(run, from)
  local s = kube.get("svc", "games/game")
  kube.apply("manifests/game.yaml", { game = run.args.game, image = from.image.name, count = s.spec.ports[1].port }):wait()
  banner { text = "playing " .. run.args.game }
  run:sleep("1h")
end)
p:step("list", function(run) if #kube.list("Pod", { namespace = "games" }) > 3 then error("never") end end)
p:step("poll", function(run) while http.get("https://shop.test/").body ~= "up" do run:sleep("5s") end end)
p:step("after", function(run, from) run:log("%s", from.list) end)
return p
EOT
    exits 0 "$DOSRUN" check playbooks/p.lua doom --render out
    has "$out" 'not checked further: step "list": it needs the list of Pod \(playbooks/p.lua:15\)'
    has "$out" 'not checked further: step "poll": it asks again and again'
    has "$(<out/manifests/game.yaml)" "name: settings-doom"
    has "$(<out/manifests/game.yaml)" "known after step image"
    [[ ! -e $DOSRUN_STATE ]]
}

# The step's body, the expected error.
mistake() {
    local body=$1 pattern=$2
    cat >playbooks/p.lua <<EOT
local dosrun = require "dosrun.v1"
local kube, http, process, file = dosrun.kube, dosrun.http, dosrun.process, dosrun.file
local p = dosrun.playbook { "p" }
p:step("one", function(run, from)
  $body
end)
return p
EOT
    exits 64 "$DOSRUN" check playbooks/p.lua
    has "$talk" "$pattern"
    has "$talk" "playbooks/p.lua:5"
    [[ ! -e $DOSRUN_STATE ]]
}

mistakes() {
    begin mistakes
    mistake 'kube.aply("manifests/game.yaml")' 'did you mean "?apply'
    mistake 'kube.apply("manifests/game.yaml", { game = "a", image = "b" })' 'manifests/game.yaml:4:[0-9]+: no value is named "count"'
    mistake 'kube.apply("manifests/game.yaml", { game = "a", image = "b", count = 1, more = 2 })' 'more'
    mistake 'kube.apply("manifests/gone.yaml")' 'manifests/gone.yaml'
    mistake 'kube.scale("Deployment", "a/b", "three")' 'whole number'
    mistake 'kube.get("Deploymnet", "a/b")' 'did you mean "Deployment"'
    mistake 'kube.patch("ConfigMap", "a/b", {})' 'outside of a verb'
    mistake 'http.put("https://shop.test/", { body = "x" })' 'outside of a verb'
    mistake 'process.run { "rm", "x" }' 'reads = true'
    mistake 'file.write("x")' 'content'
    mistake 'kube.secret { namespace = "a", name = "b", generat = {} }' 'did you mean "generate"'
    mistake 'run:sleep("5 minutes")' 'is no duration'
}

fields() {
    begin fields
    cat >manifests/game.yaml <<'EOT'
apiVersion: v1
kind: ConfigMap
metadata: { name: a, namespace: b, lables: { x: y } }
EOT
    printf '%s\n' 'local dosrun = require "dosrun.v1"' 'local kube = dosrun.kube' 'local p = dosrun.playbook { "p" }' \
        'p:step("one", function() kube.apply("manifests/game.yaml") end)' 'return p' >playbooks/p.lua
    exits 0 "$DOSRUN" check playbooks/p.lua
    has "$out" 'note: manifests/game.yaml:1: .*unknown field "metadata.lables"'
    [[ ! -e $DOSRUN_STATE ]]
}

ours() {
    cd "$project"
    exits 0 "$DOSRUN" check playbooks/deploy.lua doom
    has "$out" "objects"
    [[ ! -e $DOSRUN_STATE ]]
    for playbook in "switch.lua civ" destroy.lua status.lua; do
        # shellcheck disable=SC2086 # words
        exits 0 "$DOSRUN" check playbooks/$playbook
    done
}

check "check: a playbook is walked with nothing outside" walked
check "check: mistakes have a place" mistakes
check "check: fields that no cluster knows are told" fields
check "check: the playbooks of this project" ours
finish
