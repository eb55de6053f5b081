#!/usr/bin/env bash
# new: what it writes passes check and test at once; nothing is overwritten.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/cli/frame
. "$(dirname "$0")/frame"

passes() {
    mkdir passes && cd passes
    exits 0 "$DOSRUN" new hello
    exits 0 "$DOSRUN" check playbooks/hello.lua
    has "$out" "no mistakes found"
    exits 0 "$DOSRUN" test
    has "$out" "2 passed, 0 failed"
    exits 0 "$DOSRUN" --sandbox playbooks/hello.lua Ada
    [[ ! -e hello.txt ]]
}

keeps() {
    mkdir keeps && cd keeps
    exits 0 "$DOSRUN" new hello
    echo mine >playbooks/hello.lua
    exits 64 "$DOSRUN" new hello
    has "$talk" "playbooks/hello.lua is there already; nothing was written"
    [[ $(<playbooks/hello.lua) == mine ]]
    rm playbooks/hello.lua # the spec is still there
    exits 64 "$DOSRUN" new hello
    [[ ! -e playbooks/hello.lua ]]
    echo mine >.luarc.json
    exits 0 "$DOSRUN" new other
    [[ $(<.luarc.json) == mine ]]
}

game() {
    mkdir game && cd game
    exits 0 "$DOSRUN" new game quake
    has "$(<manifests/games/quake.yaml)" "digest: unresolved"
    exits 64 "$DOSRUN" new game quake
}

names() {
    mkdir names && cd names
    for name in ../x Hello 1st 'a b' ''; do
        exits 64 "$DOSRUN" new "$name"
        [[ ! -e playbooks ]]
    done
}

types() { # the editor's types are those of this dosrun, and Lua
    mkdir types && cd types
    exits 0 "$DOSRUN" new hello
    cmp .luals/dosrun.lua "$project/lua/meta/dosrun.lua"
    python3 -m json.tool .luarc.json >/dev/null
}

check "new: a playbook that check and test pass" passes
check "new: nothing is overwritten" keeps
check "new game: a manifest" game
check "new: names that are no names" names
check "new: editor types" types
finish
