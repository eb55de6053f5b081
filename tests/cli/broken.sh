#!/usr/bin/env bash
# Every case of tests/broken: exit 64, one error, its place where a file is wrong, and nothing changed: neither the
# project, nor the state folder, nor the simulated cloud.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/cli/frame
. "$(dirname "$0")/frame"

print_of() { (cd "$1" && find . -exec stat -c '%n %F %a %s' {} + | sort && find . -type f -exec sha256sum {} + | sort); }

one() {
    local argv env before files want at errors
    cd "$case/project"
    mapfile -t argv <"$case/argv"
    mapfile -t env <"$case/env"
    want=$(<"$case/error") at=$(<"$case/at")
    mkdir -m 700 "$DOSRUN_STATE"
    # A simulated cloud comes to be when it is first opened.
    [[ ${argv[0]} != --sandbox ]] || "$DOSRUN" sandbox show >"$work/shown" 2>/dev/null || true
    before=$(print_of "$DOSRUN_STATE") files=$(print_of .)
    exits 64 env "${env[@]}" "$DOSRUN" "${argv[@]}" </dev/null
    errors=$(grep -c '^error' <<<"$talk") || true
    [[ $errors == 1 ]] || { echo "$errors errors: $talk"; return 1; }
    has "$talk" "error(\[[A-Z][0-9]+\])?: .*$want"
    [[ -z $at ]] || has "$talk" "$at([^0-9]|$)"
    [[ $talk != *"traceback"* && $talk != *"dosrun/"*".lua:"* ]] || { echo "the engine's own frames: $talk"; return 1; }
    [[ $before == "$(print_of "$DOSRUN_STATE")" ]] || { echo "the state folder changed:"; print_of "$DOSRUN_STATE"; return 1; }
    [[ ${argv[0]} != --sandbox ]] || { "$DOSRUN" sandbox show 2>/dev/null || true; } | cmp - "$work/shown"
    [[ $files == "$(print_of .)" ]] || { echo "the project changed"; return 1; }
}

(cd "$project" && lua5.4 tests/broken/write.lua "$work")
for case in "$work"/[0-9][0-9][0-9]; do
    check "broken: $(<"$case/name")" one
done
((tests >= 60)) || { echo "FAIL broken: only $tests cases"; exit 1; }
finish
