#!/usr/bin/env bash
# aws.ensure in the sandbox: each kind's fields there and back, what others did since, what is not empty, kinds of one's own.
# shellcheck disable=SC2016,SC2317 # Lua's ${name}; functions are called by check
# shellcheck source=tests/cli/frame
. "$(dirname "$0")/frame"

place() {
    mkdir -p "$1/playbooks" "$1/tests" && cd "$1"
    echo 'return { here = { kind = "local", region = "eu-central-1", default = true } }' >playbooks/targets.lua
    export DOSRUN_SANDBOX=1
}
# shellcheck disable=SC2120 # further options may be given
ensure() { # RESOURCE OPTION...: one run; $run is its id
    cat >playbooks/ensure.lua <<EOT
local dosrun = require "dosrun.v1"
local aws = dosrun.aws
local p = dosrun.playbook { "ensure" }
${kind:-}
p:step("one", function() aws.ensure $1 end)
return p
EOT
    run "$DOSRUN" playbooks/ensure.lua "${@:2}" --output jsonl
    run=$(grep -o '"run":"[^"]*"' <<<"$all" | tail -n 1 | cut -d'"' -f4)
}
makes() { # CHANGES RESOURCE: it ends well, and that many were changed
    ensure "$2"
    [[ $code == 0 && $out == *"\"changes\":$1,"* ]] || { grep -E '"(change|error|summary)' <<<"$out" | cut -c1-600 | tail -n 4; echo "$talk"; return 1; }
}
others() { # CALL...: somebody else's, not undone
    cat >playbooks/others.lua <<EOT
local dosrun = require "dosrun.v1"
local aws = dosrun.aws
local p, done = dosrun.playbook { "others" }, false
local other = dosrun.verb { "other", class = "reversible", undo = function() end, key = function() return "other" end, want = function() return true end,
  look = function() return done end, act = function() $* done = true end }
p:step("one", function() other {} end)
return p
EOT
    exits 0 "$DOSRUN" playbooks/others.lua
}
shown() {
    exits 0 "$DOSRUN" sandbox show
    has "$out" "$1"
}
rolls() { # CODE RUN PATTERN...: rollback of a run
    exits "$1" "$DOSRUN" rollback "$2" --output plain
    for pattern in "${@:3}"; do has "$all" "$pattern"; done
}
store() { run "$DOSRUN" sandbox show && echo "$out"; }
there_and_back() { # FIRST SECOND: a second run changes nothing; undo of each leads back
    local empty made first second
    empty=$(store)
    makes 1 "$1"
    first=$run
    made=$(store)
    makes 0 "$1"
    makes 1 "$2"
    second=$run
    [[ $(store) != "$made" ]]
    makes 0 "$2"
    rolls 0 "$second"
    [[ $(store) == "$made" ]]
    rolls 0 "$first"
    [[ $(store) == "$empty" ]]
}

bucket() {
    place bucket
    there_and_back '{ kind = "s3.bucket", name = "games-saves", versioning = "Enabled" }' '{ kind = "s3.bucket", name = "games-saves",
      versioning = "Suspended", encryption = "aws:kms", encryption_key = "alias/games", bucket_key = true, tags = { a = "b" },
      lifecycle = { { ID = "old", Status = "Enabled", Filter = { Prefix = "" }, Expiration = { Days = 3 } } },
      public_access_block = dosrun.null, policy = { Version = "2012-10-17", Statement = { { Effect = "Allow",
        Principal = "*", Action = { "s3:GetObject" }, Resource = "arn:aws:s3:::games-saves/*" } } } }'
}

repository() {
    place repository
    there_and_back '{ kind = "ecr.repository", name = "games/doom", scan_on_push = true, encryption = "KMS", encryption_key = "alias/a",
      policy = { Version = "2012-10-17", Statement = { { Effect = "Allow", Principal = { AWS = "111122223333" },
        Action = { "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer" } } } } }' '{ kind = "ecr.repository", name = "games/doom",
      scan_on_push = false, tag_mutability = "IMMUTABLE", policy = dosrun.null, tags = { a = "b" },
      lifecycle = { rules = { { rulePriority = 1, action = { type = "expire" }, selection = { tagStatus = "untagged",
        countType = "imageCountMoreThan", countNumber = 3 } } } } }'
}

policies_alike() { # services keep a policy's meaning, not its form
    place alike
    local pull='{ kind = "ecr.repository", name = "games/doom", policy = { Version = "2012-10-17", Statement = %s } }'
    # shellcheck disable=SC2059 # the format is above
    makes 1 "$(printf "$pull" '{ { Effect = "Allow", Principal = { AWS = "111122223333" }, Action = { "ecr:A", "ecr:B" } } }')"
    # shellcheck disable=SC2059
    makes 0 "$(printf "$pull" '{ Effect = "Allow", Principal = { AWS = { "arn:aws:iam::111122223333:root" } }, Action = { "ecr:B", "ecr:A" } }')"
    # shellcheck disable=SC2059
    makes 1 "$(printf "$pull" '{ Effect = "Allow", Principal = { AWS = { "arn:aws:iam::111122224444:root" } }, Action = { "ecr:B", "ecr:A" } }')"
}

trust='trust = { Version = "2012-10-17", Statement = { { Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "*" } } } }'
role() {
    place role
    there_and_back "{ kind = 'iam.role', name = 'node', boundary = 'arn:aws:iam::aws:policy/Boundary', $trust,
      policies = { 'arn:aws:iam::aws:policy/One', 'arn:aws:iam::aws:policy/Two' } }" \
        '{ kind = "iam.role", name = "node", boundary = dosrun.null, policies = dosrun.null, max_session = 7200 / 2 + 1800,
          description = "d", inline = { logs = { Version = "2012-10-17", Statement = { { Effect = "Allow", Action = { "logs:*" },
          Resource = "*" } } } } }'
}

secrets() { # a description is no place for one, but it neither fails nor shows
    place secrets
    makes 1 "{ kind = 'iam.role', name = 'node', description = 'key ' .. dosrun.secret('node', 24), $trust }"
    shown 'description: key [A-Za-z0-9]{24}'
    local plain
    plain=$(grep -oP 'description: key \K\w+' <<<"$out")
    [[ $all != *secret* ]]
    rolls 0 "$run"
    [[ $all != *"$plain"* ]]
    [[ -n $(find "$DOSRUN_STATE" -name "$run*.jsonl") ]]
    if grep -rqF --include="r*.jsonl" -e "$plain" "$DOSRUN_STATE"; then return 1; fi
    run "$DOSRUN" sandbox show
    [[ $out != *iam/Role* ]]
}

not_empty() { # what others put into what a run made: it stays, as it was
    local first before
    place not-empty
    makes 1 '{ kind = "s3.bucket", name = "games-saves" }'
    first=$run
    others 'aws.s3:put_object { Bucket = "games-saves", Key = "theirs", Body = "x" }'
    before=$(store)
    rolls 4 "$first" 'not empty'
    [[ $(store) == "$before" ]]
    others 'aws.s3:delete_object { Bucket = "games-saves", Key = "theirs" }'
    rolls 0 "$first"
    makes 1 '{ kind = "ecr.repository", name = "games/doom" }'
    first=$run
    others 'aws.ecr:put_image { repositoryName = "games/doom", imageTag = "1", imageManifest = "{}" }'
    before=$(store)
    rolls 4 "$first" 'still contains images'
    [[ $(store) == "$before" ]]
    makes 1 "{ kind = 'iam.role', name = 'node', $trust, policies = { 'arn:aws:iam::aws:policy/One' } }"
    first=$run
    others 'aws.iam:attach_role_policy { RoleName = "node", PolicyArn = "arn:aws:iam::aws:policy/Theirs" }'
    before=$(store)
    rolls 4 "$first" 'policies\[arn:aws:iam::aws:policy/Theirs\]'
    [[ $(store) == "$before" ]]
    others 'aws.iam:detach_role_policy { RoleName = "node", PolicyArn = "arn:aws:iam::aws:policy/Theirs" }
      aws.iam:create_instance_profile { InstanceProfileName = "theirs" }
      aws.iam:add_role_to_instance_profile { InstanceProfileName = "theirs", RoleName = "node" }'
    before=$(store)
    rolls 4 "$first" 'instance_profiles\[theirs\]'
    [[ $(store) == "$before" ]]
    others 'aws.iam:remove_role_from_instance_profile { InstanceProfileName = "theirs", RoleName = "node" }'
    rolls 0 "$first"
}

edited() { # a field that somebody else changed since is left and listed, all others go back
    local first
    place edited
    makes 1 '{ kind = "ecr.repository", name = "games/doom" }'
    makes 1 '{ kind = "ecr.repository", name = "games/doom", scan_on_push = true, tag_mutability = "IMMUTABLE", tags = { a = "1", b = "1" } }'
    first=$run
    others 'aws.ecr:put_image_tag_mutability { repositoryName = "games/doom", imageTagMutability = "IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters = { { filterType = "WILDCARD", filter = "dev-*" } } }
      local arn = aws.ecr:describe_repositories { repositoryNames = { "games/doom" } }.repositories[1].repositoryArn
      aws.ecr:tag_resource { resourceArn = arn, tags = { { Key = "a", Value = "theirs" }, { Key = "c", Value = "theirs" } } }'
    rolls 4 "$first" 'tag_mutability is now IMMUTABLE_WITH_EXCLUSION' 'tags\[a\] is now theirs'
    shown 'mutability: IMMUTABLE_WITH_EXCLUSION'
    has "$out" 'scan: false'
    has "$out" 'a: theirs'
    [[ $out != *"b: "* && $out == *"c: theirs"* ]]
    makes 1 '{ kind = "s3.bucket", name = "games-saves" }'
    makes 1 '{ kind = "s3.bucket", name = "games-saves", versioning = "Enabled", tags = { a = "1", b = "1" } }'
    first=$run
    others 'local tags = aws.s3:get_bucket_tagging { Bucket = "games-saves" }.TagSet
      for _, tag in ipairs(tags) do if tag.Key == "a" then tag.Value = "theirs" end end
      aws.s3:put_bucket_tagging { Bucket = "games-saves", Tagging = { TagSet = tags } }'
    rolls 4 "$first" 'tags\[a\] is now theirs'
    shown 'versioning: Suspended'
    makes 1 "{ kind = 'iam.role', name = 'node', $trust }"
    makes 1 '{ kind = "iam.role", name = "node", description = "ours", max_session = 7200, policies = { "arn:aws:iam::aws:policy/One" } }'
    first=$run
    others 'aws.iam:update_role { RoleName = "node", Description = "theirs", MaxSessionDuration = 7200 }'
    rolls 4 "$first" 'description is now theirs'
    shown $'attached: \{\}\ndescription: theirs\n'
    has "$out" 'max_session: 3600'
}

gone() { # deleted by somebody else
    place gone
    makes 1 '{ kind = "s3.bucket", name = "games-saves" }'
    local first=$run
    makes 1 '{ kind = "s3.bucket", name = "games-saves", versioning = "Enabled" }'
    local second=$run
    others 'aws.s3:delete_bucket { Bucket = "games-saves" }'
    rolls 4 "$second" 'somebody deleted it'
    rolls 0 "$first"
}

own_kind() { # README's, with the service scripted
    place own
    kind=$(awk '/^aws.kind/ { inside = 1 } /^```/ { inside = 0 } inside' "$project/README.md")
    [[ $kind == *'"${name}"'* ]]
    cat >tests/sandbox.lua <<'EOT'
local groups = sandbox.state
groups["games/doom-old"] = { logGroupName = "games/doom-old", logGroupArn = "arn:aws:logs:eu-central-1:111122223333:log-group:games/doom-old" }
sandbox.http("https://logs.eu-central-1.amazonaws.com/", function(request)
  local call, input = request.headers["x-amz-target"]:match("[^.]+$"), request.json
  local name = input.logGroupName
  local function refuse(code) return { status = 400, json = { __type = code, message = "no" } } end
  if call == "DescribeLogGroups" then
    local list = {}
    for _, group in pairs(groups) do if group.logGroupName:find(input.logGroupNamePrefix, 1, true) == 1 then list[#list + 1] = group end end
    table.sort(list, function(a, b) return a.logGroupName > b.logGroupName end)
    local from = input.nextToken and 2 or 1 -- one a page
    return { status = 200, json = { logGroups = { list[from] }, nextToken = from == 1 and list[2] and "2" or nil } }
  elseif call == "CreateLogGroup" then
    if groups[name] then return refuse("ResourceAlreadyExistsException") end
    groups[name] = { logGroupName = name, logGroupArn = "arn:aws:logs:eu-central-1:111122223333:log-group:" .. name }
    return { status = 200, json = {} }
  end
  if not groups[name] then return refuse("ResourceNotFoundException") end
  if call == "DeleteLogGroup" then groups[name] = nil
  elseif call == "PutRetentionPolicy" then groups[name].retentionInDays = input.retentionInDays
  elseif call == "DeleteRetentionPolicy" then groups[name].retentionInDays = nil
  else return refuse("UnknownOperationException") end
  return { status = 200, json = {} }
end)
EOT
    there_and_back '{ kind = "logs.group", name = "games/doom", days = 3 }' '{ kind = "logs.group", name = "games/doom", days = 14 }'
    makes 1 '{ kind = "logs.group", name = "games/doom", days = 3 }'
    makes 1 '{ kind = "logs.group", name = "games/doom", days = dosrun.null }'
    rm playbooks/ensure.lua # undo needs none
    rolls 0 "$run"
}

check "ensure: s3.bucket, every field" bucket
check "ensure: ecr.repository, every field" repository
check "ensure: iam.role, every field" role
check "ensure: policies that mean the same" policies_alike
check "ensure: secrets in fields" secrets
check "ensure: what is not empty stays as it is" not_empty
check "ensure: fields that others changed" edited
check "ensure: what others deleted" gone
check "ensure: README's own kind" own_kind
finish
