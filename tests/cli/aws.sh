#!/usr/bin/env bash
# AWS from a playbook and from the command line: names, help, who we are, the gate, pages and waiters; the services are
# scripted in the sandbox.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/cli/frame
. "$(dirname "$0")/frame"

project() {
    mkdir -p "$1/playbooks" "$1/tests" && cd "$1"
    echo 'return { here = { kind = "local", default = true } }' >playbooks/targets.lua
    cat >tests/sandbox.lua <<'EOT'
sandbox.state.asked = 0
sandbox.http("https://eks.eu-central-1.amazonaws.com/", function(request)
  local name = request.path:match("^/clusters/([^/]+)$")
  if request.method == "GET" and request.path == "/clusters" then
    local second = request.query and request.query.nextToken == "two"
    return { status = 200, json = second and { clusters = { "c" } } or { clusters = { "a", "b" }, nextToken = "two" } }
  elseif name == "slow" then
    sandbox.state.asked = sandbox.state.asked + 1
    return { status = 200, json = { cluster = { name = name, status = sandbox.state.asked < 3 and "CREATING" or "ACTIVE" } } }
  elseif name == "broken" then
    return { status = 200, json = { cluster = { name = name, status = "FAILED" } } }
  end
  return { status = 404, headers = { ["x-amzn-ErrorType"] = "ResourceNotFoundException:http://internal/" },
    json = { message = "No cluster found for name: " .. tostring(name) .. "." } }
end)
EOT
}
playbook() { # BODY of its one step
    cat >playbooks/p.lua <<EOT
local dosrun = require "dosrun.v1"
local aws = dosrun.aws
local p = dosrun.playbook { "p" }
p:step("one", function(run) $1 end)
return p
EOT
    run "$DOSRUN" --sandbox playbooks/p.lua --output plain
}

helps() {
    run "$DOSRUN" help aws
    [[ $code == 0 && $out == *"2371 operations of 28 services"* && $out == *"aws.sso_oidc"* ]]
    run "$DOSRUN" help aws.eks
    [[ $code == 0 && $out == *describe_cluster* && $out == *cluster_active* ]]
    run "$DOSRUN" help aws.eks.create_cluster
    [[ $code == 0 && $out == *"resourcesVpcConfig"*"table, required"* && $out == *"made by dosrun when left out"* ]]
    run "$DOSRUN" help aws.query
    [[ $code == 0 && $out == *JMESPath* ]]
    run "$DOSRUN" help aws.eks.describe_clusters
    [[ $code == 64 && $talk == *'did you mean "describe_cluster"'* && $talk == *A104* ]]
}

sources() {
    mkdir sources && cd sources
    export AWS_EC2_METADATA_DISABLED=true
    run "$DOSRUN" whoami --region eu-west-1
    [[ $code == 77 && $talk == *"error[A203]"* && $(grep -c "= tried:" <<<"$talk") -ge 10 && $talk == *"--sandbox"* ]]
    run "$DOSRUN" whoami --profile nope
    [[ $code == 64 && $talk == *A202* ]]
}

names() {
    project names
    playbook 'aws.ekz:describe_cluster { name = "a" }'
    [[ $code != 0 && $talk == *'did you mean "eks"'* && $talk == *"playbooks/p.lua:4"* ]]
    playbook 'aws.eks:describe_clustr { name = "a" }'
    [[ $code != 0 && $talk == *'did you mean "describe_cluster"'* ]]
    playbook 'aws.eks:describe_cluster { nam = 7 }'
    [[ $code != 0 && $talk == *A101* && $talk == *'"name"'* && $talk == *"playbooks/p.lua:4"* ]]
    playbook 'aws.eks.describe_cluster { name = "a" }'
    [[ $code != 0 && $talk == *"call it with a colon"* ]]
    playbook 'aws.eks:wait("cluster_activ", { name = "a" })'
    [[ $code != 0 && $talk == *'did you mean "cluster_active"'* ]]
}

ensure() {
    project ensure
    sed -i 's/default = true/region = "eu-central-1", default = true/' playbooks/targets.lua
    local repository='local r = aws.ensure { kind = "ecr.repository", name = "games/doom", tag_mutability = "IMMUTABLE" }'
    playbook "$repository dosrun.log(r.repositoryUri)"
    [[ $code == 0 && $out$talk == *"111122223333.dkr.ecr.eu-central-1.amazonaws.com/games/doom"* ]]
    playbook "$repository"
    [[ $code == 0 && $out$talk == *"nothing to change"* ]]
    playbook 'aws.ensure { kind = "ecr.repository", name = "games/doom", scan_on_push = true }'
    [[ $code == 0 && $out$talk == *"1 change"* ]]
    run "$DOSRUN" --sandbox rollback --output plain
    [[ $code == 0 && $out$talk == *"undone ecr.repository games/doom"* ]]
    run "$DOSRUN" --sandbox sandbox show
    [[ $out == *"mutability: IMMUTABLE"* && $out == *"scan: false"* ]]
    playbook 'aws.ensure { kind = "ecr.repositry", name = "a" }'
    [[ $code == 64 && $talk == *'did you mean "ecr.repository"'* ]]
    playbook 'aws.ensure { kind = "ecr.repository", name = "a", tag_mutabilty = "IMMUTABLE" }'
    [[ $code == 64 && $talk == *'did you mean "tag_mutability"'* ]]
    playbook 'dosrun.verb { "raw", key = function() return "raw" end, want = function() return true end, undo = function() end,
      look = function() return #aws.ecr:items("describe_repositories") == 2 end,
      act = function() aws.ecr:create_repository { repositoryName = "theirs" } end } {}'
    [[ $code == 0 ]]
    playbook 'aws.ensure { kind = "ecr.repository", name = "theirs", tag_mutability = "MUTABLE" }'
    [[ $code == 0 && $out$talk == *"nothing to change"* ]]
    playbook 'aws.ensure { kind = "ecr.repository", name = "theirs", tag_mutability = "IMMUTABLE" }'
    [[ $code == 1 && $talk == *A106* && $talk == *'--adopt "ecr.repository theirs"'* ]]
    playbook 'aws.ensure { kind = "ecr.repository", name = "theirs", tag_mutability = "IMMUTABLE", adopt = true }'
    [[ $code == 0 && $out$talk == *"1 change"* ]]
    run "$DOSRUN" --sandbox rollback --output plain
    [[ $code == 0 ]]
    run "$DOSRUN" --sandbox sandbox show
    [[ $out == *$'name: theirs\nregion: eu-central-1\nscan: false\ntags: {}'* ]]
}

tokens() { # in the journal before the call, the same when it is repeated
    project tokens
    sed -i '/return { status = 404/i\  if request.method == "POST" then return { status = 503, json = { message = "later" } } end' tests/sandbox.lua
    playbook 'dosrun.verb { "addon", key = function() return "addon" end, want = function() return true end,
      undo = function() end, look = function() return false end,
      act = function() aws.eks:create_addon { clusterName = "a", addonName = "vpc-cni" } end } {}'
    [[ $code != 0 ]]
    local seen
    run "$DOSRUN" --sandbox runs --output plain
    run "$DOSRUN" --sandbox show "$(grep -o 'r1-[0-9a-f]*' <<<"$out")" --events --output plain
    seen=$(grep '"type":"call.intent"' <<<"$out" | grep -o '"token":"[0-9a-f-]\{36\}"')
    [[ $(wc -l <<<"$seen") -ge 2 && $(sort -u <<<"$seen" | wc -l) == 1 ]]
}

gate() {
    project gate
    playbook 'aws.eks:delete_cluster { name = "a" }'
    [[ $code != 0 && $talk == *S401* ]]
    run "$DOSRUN" --sandbox runs
    [[ $all != *"done"* ]]
}

answers() {
    project answers
    playbook 'local n = {} for page in aws.eks:pages("list_clusters", {}) do n[#n + 1] = #page.clusters end
      run:log("pages %s", table.concat(n, ",")) run:log("items %s", table.concat(aws.eks:items("list_clusters"), ","))
      run:log("last %s", aws.query("clusters[-1]", aws.eks:list_clusters {}))'
    [[ $code == 0 && $talk == *"pages 2,1"* && $talk == *"items a,b,c"* && $talk == *"last b"* ]]
    playbook 'local _, e = dosrun.try(function() return aws.eks:describe_cluster { name = "x" } end)
      run:log("%s %s %d", e.kind, e.code, e.status)'
    [[ $code == 0 && $talk == *"missing ResourceNotFoundException 404"* ]]
}

waits() {
    project waits
    playbook 'run:log("is %s", aws.eks:wait("cluster_active", { name = "slow" }).cluster.status)'
    [[ $code == 0 && $talk == *"is ACTIVE"* ]]
    playbook 'aws.eks:wait("cluster_active", { name = "broken" })'
    [[ $code == 1 && $talk == *"cluster_active"* && $talk == *FAILED* ]]
}

offline() {
    project offline
    playbook 'run:log("%s", aws.eks:describe_cluster { name = "x" }.cluster.arn)' || true
    run "$DOSRUN" check playbooks/p.lua
    [[ $code == 0 ]]
    playbook 'aws.eks:describe_cluster { name = 7 }' || true
    run "$DOSRUN" check playbooks/p.lua
    [[ $code == 64 && $talk == *A101* ]]
}

check "help knows every service and operation" helps
check "without credentials every source says why" sources
check "wrong names and parameters are told with the line" names
check "aws.ensure makes, changes, refuses, takes over, undoes" ensure
check "idempotency tokens are in the journal" tokens
check "what changes something needs a verb" gate
check "answers, pages, items, queries, errors" answers
check "waiters wait, and end early when it is hopeless" waits
check "check looks at names and parameters, offline" offline
finish
