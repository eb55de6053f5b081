#!/usr/bin/env bash
# dosrun alone, help on Lua words and playbooks, and that the one description tells all there is.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/cli/frame
. "$(dirname "$0")/frame"

intro() {
    mkdir intro && cd intro
    exits 0 "$DOSRUN"
    has "$out" "dosrun --sandbox playbooks/deploy.lua doom"
    [[ ! -e $DOSRUN_STATE ]]
    exits 0 "$DOSRUN" new hello
    exits 0 "$DOSRUN" --sandbox playbooks/hello.lua
    exits 0 "$DOSRUN"
    has "$out" "The last run on .* in the sandbox: r1-[0-9a-f]+ of playbooks/hello.lua, .*: done"
}

words() {
    exits 0 "$DOSRUN" help kube.apply
    has "$out" "server-side apply"
    exits 0 "$DOSRUN" help dosrun.kube.apply
    exits 0 "$DOSRUN" help run:sleep
    exits 0 "$DOSRUN" help istio
    has "$out" "istio.gateway_url"
    exits 0 "$DOSRUN" help lua
    has "$out" "t:rollback"
    exits 64 "$DOSRUN" help kube.aply
}

playbook() {
    mkdir playbook && cd playbook
    exits 0 "$DOSRUN" new hello
    exits 0 "$DOSRUN" playbooks/hello.lua --help
    has "$out" "Usage: dosrun playbooks/hello.lua \[WHO\]"
    has "$out" "Steps: greeting, tell"
    [[ ! -e $DOSRUN_STATE ]]
}

described() {
    cd "$project"
    lua5.4 tests/cli/meta.lua check
    lua5.4 tests/cli/described.lua
}

examples() {
    cd "$project"
    mkdir -p "$work/examples/playbooks"
    lua5.4 tests/cli/examples.lua "$work/examples/playbooks" >"$work/names"
    cd "$work/examples"
    (($(wc -l <"$work/names") > 40))
    while read -r name; do
        exits 0 "$DOSRUN" check "playbooks/$name.lua"
    done <"$work/names"
}

check "intro: examples and the last run" intro
check "help: Lua words" words
check "help: a playbook's arguments" playbook
check "api: described and fresh" described
check "api: every example passes check" examples
finish
