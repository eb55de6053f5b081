#!/usr/bin/env bash
# Targets of kind eks: what targets.lua must say, and the whole way in the sandbox.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/cli/frame
. "$(dirname "$0")/frame"

place() { # NAME FIELDS: a project with one target
    mkdir -p "$1/playbooks" && cd "$1"
    echo "return { prod = { $2 } }" >playbooks/targets.lua
    cat >playbooks/p.lua <<'EOT'
local dosrun = require "dosrun.v1"
local kube = dosrun.kube
local p = dosrun.playbook { "p" }
p:step("one", function(run) kube.get("Namespace", "kube-system") run:log("on %s", run.kind) end)
return p
EOT
}
whole='kind = "eks", account = "123456789012", region = "eu-west-1", cluster = "dos-games"'

wrong() { # WHAT FIELDS PATTERN...
    place "$1" "$2"
    exits 64 "$DOSRUN" --sandbox playbooks/p.lua
    shift 2
    for pattern; do has "$talk" "$pattern"; done
    [[ ! -e $DOSRUN_STATE ]]
}

fields() {
    (wrong no-account 'kind = "eks", region = "eu-west-1", cluster = "c"' 'kind "eks" needs account = "123456789012"')
    (wrong no-region 'kind = "eks", account = "123456789012", cluster = "c"' 'needs region = "eu-west-1"')
    (wrong no-cluster 'kind = "eks", account = "123456789012", region = "eu-west-1"' 'needs cluster = "dos-games"')
    (wrong short 'kind = "eks", account = "1234", region = "eu-west-1", cluster = "c"' 'account is 12 digits, not "1234"')
    (wrong number 'kind = "eks", account = 123456789012, region = "eu-west-1", cluster = "c"' 'account is a text')
    (wrong empty 'kind = "eks", account = "123456789012", region = "", cluster = "c"' 'region is a text')
    (wrong kubes "$whole, context = \"x\"" 'context is for kind "kube"')
    (wrong uid "$whole, uid = \"x\"" 'uid is for kind "kube"')
    (wrong field "$whole, acount = \"1\"" 'no field "acount"; did you mean "account"?')
    (wrong kind 'kind = "ekz"' 'kind is "kube", "eks" or "local", not "ekz"; did you mean "eks"?')
}

options() {
    place options "$whole"
    exits 64 "$DOSRUN" --sandbox --region us-east-1 playbooks/p.lua
    has "$talk" "C603"
    has "$talk" "target prod is in eu-west-1, but --region says us-east-1; nothing was touched"
    exits 64 "$DOSRUN" --sandbox --context x playbooks/p.lua
    has "$talk" '--context is for targets of kind "kube"'
    exits 0 "$DOSRUN" --sandbox --region eu-west-1 playbooks/p.lua
    has "$all" "on eks"
}

nobody() { # the sandbox is never chosen silently
    place nobody "$whole"
    export AWS_EC2_METADATA_DISABLED=true
    exits 77 "$DOSRUN" playbooks/p.lua
    has "$talk" "A203"
    has "$talk" "tried: +environment"
    has "$talk" "--sandbox"
}

# The cluster that EKS tells of, scripted.
told() { # CLUSTER_LUA: what DescribeCluster answers
    mkdir -p tests
    cat >tests/sandbox.lua <<EOT
sandbox.http("https://eks.eu-west-1.amazonaws.com/", function(request)
  local cluster = $1
  if cluster then return { status = 200, json = { cluster = cluster } } end
  return { status = 404, headers = { ["x-amzn-ErrorType"] = "ResourceNotFoundException" },
    json = { message = "No cluster found for name: dos-games." } }
end)
EOT
}
arn=arn:aws:eks:eu-west-1:123456789012:cluster/dos-games

another() {
    place another "$whole"
    told nil
    exits 64 "$DOSRUN" --sandbox playbooks/p.lua
    has "$talk" "C603"
    has "$talk" "there is no EKS cluster dos-games in eu-west-1 of account 123456789012.*nothing was touched"
    told '{ name = "dos-games", status = "ACTIVE", arn = "arn:aws:eks:eu-west-1:999999999999:cluster/dos-games" }'
    exits 64 "$DOSRUN" --sandbox playbooks/p.lua
    has "$talk" "C603"
    has "$talk" "EKS answers with cluster arn:aws:eks:eu-west-1:999999999999:cluster/dos-games"
    for status in CREATING DELETING FAILED; do
        told "{ name = 'dos-games', status = '$status', arn = '$arn' }"
        exits 64 "$DOSRUN" --sandbox playbooks/p.lua
        has "$talk" "C606"
        has "$talk" "cluster $arn is $status: it .*nothing was touched"
    done
    told "{ name = 'dos-games', status = 'ACTIVE', arn = '$arn' }"
    run "$DOSRUN" --sandbox playbooks/p.lua
    [[ $code == 77 && $talk == *"EKS tells no endpoint"* ]]
    run "$DOSRUN" --sandbox runs
    [[ $all != *playbooks/p.lua* ]] # nothing began
}

account() { # other credentials than the target's
    place account "$whole"
    account_answers
    exits 64 "$DOSRUN" --sandbox playbooks/p.lua
    has "$talk" "C603"
    has "$talk" "belong to account 999999999999 \(arn:aws:iam::999999999999:user/ann\), but target prod is account 123456789012"
}

account_answers() { # sts tells of another account
    mkdir -p tests
    cat >tests/sandbox.lua <<'EOT'
sandbox.http("https://sts.eu-west-1.amazonaws.com/", function()
  return { status = 200, headers = { ["content-type"] = "text/xml" }, body = "<GetCallerIdentityResponse><GetCallerIdentityResult>"
    .. "<Arn>arn:aws:iam::999999999999:user/ann</Arn><UserId>A</UserId><Account>999999999999</Account>"
    .. "</GetCallerIdentityResult></GetCallerIdentityResponse>" }
end)
EOT
}

account_alone() { # a playbook that takes nothing but aws, on any kind of target
    place alone 'kind = "local", account = "123456789012", region = "eu-west-1"'
    account_answers
    cat >playbooks/p.lua <<'EOT'
local dosrun = require "dosrun.v1"
local aws = dosrun.aws
local p = dosrun.playbook { "p" }
p:step("one", function(run) run:log("it began") end)
return p
EOT
    exits 64 "$DOSRUN" --sandbox playbooks/p.lua
    has "$talk" "C603"
    has "$talk" "but target prod is account 123456789012; nothing was touched"
    [[ $all != *"it began"* ]]
    rm tests/sandbox.lua # the simulated account is the target's
    exits 0 "$DOSRUN" --sandbox playbooks/p.lua
    has "$all" "it began"
    sed -i '/^local aws/d; s/run:log("it began")/dosrun.aws.eks:list_clusters {}/' playbooks/p.lua
    exits 64 "$DOSRUN" --sandbox playbooks/p.lua
    has "$talk" "S410"
    has "$talk" "local aws = dosrun.aws"
}

games() { # the platform's own playbooks
    mkdir games && cp -r "$project"/{playbooks,manifests,lib,pins.yaml,tests} games/
    cd games
    echo "return { prod = { $whole, values = { images = \"registry.games.example/dos-games\" } } }" >playbooks/targets.lua
    export DOSRUN_SANDBOX=1
    exits 0 "$DOSRUN" sandbox show
    before=$out
    has "$before" "# aws eks/Cluster eu-west-1/dos-games"
    exits 0 "$DOSRUN" playbooks/deploy.lua doom
    exits 0 "$DOSRUN" playbooks/switch.lua civ
    exits 0 "$DOSRUN" playbooks/status.lua
    exits 0 "$DOSRUN" playbooks/destroy.lua --yes=prod
    exits 0 "$DOSRUN" sandbox show
    [[ $out == "$before" ]]
    exits 0 "$DOSRUN" whoami
    has "$out" "kind +eks"
    has "$out" "aws account +123456789012"
    has "$out" "identity +EKS token"
    has "$out" "cluster +$arn"
    exits 0 "$DOSRUN" playbooks/deploy.lua doom --fault 40:expired # a token refused in the middle is made anew
}

kubectls() { # what kubectl gets; that it works is shown in tests/conformance
    place kubectls "$whole"
    export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=hidden
    cd playbooks # anywhere
    exits 0 "$DOSRUN" kubeconfig --cluster-token dos-games --region eu-west-1
    has "$out" '^\{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential"'
    has "$out" '"token":"k8s-aws-v1\.aHR0cHM6Ly9zdHMuZXUtd2VzdC0xLmFtYXpvbmF3cy5jb20v' # https://sts.eu-west-1.amazonaws.com/
    [[ -z $talk ]]
    exits 64 "$DOSRUN" kubeconfig --cluster-token dos-games
    has "$talk" "--cluster-token needs --region"
    exits 64 "$DOSRUN" kubeconfig --cluster-token dos-games prod
    exits 64 "$DOSRUN" --sandbox kubeconfig prod
    has "$talk" "has no address that kubectl could reach"
    unset AWS_ACCESS_KEY_ID
    export AWS_EC2_METADATA_DISABLED=true
    exits 64 "$DOSRUN" kubeconfig prdo
    has "$talk" "did you mean prod"
    unset AWS_SECRET_ACCESS_KEY
    exits 77 "$DOSRUN" kubeconfig --cluster-token dos-games --region eu-west-1
    has "$talk" "A203"
    echo 'return { prod = { kind = "kube", context = "games" } }' >targets.lua
    exits 64 "$DOSRUN" kubeconfig
    has "$talk" 'target prod is not of kind "eks"; its cluster is in your kubeconfig, as context games'
}

check "eks: what a target must say" fields
check "eks: options that contradict the target" options
check "eks: no credentials" nobody
check "eks: another cluster, or one that is not ACTIVE" another
check "eks: another account" account
check "aws: another account than the target's" account_alone
check "eks: deploy, switch, status, destroy in the sandbox" games
check "eks: kubeconfig and tokens" kubectls
finish
