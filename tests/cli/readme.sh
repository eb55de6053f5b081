#!/usr/bin/env bash
# README.md says the truth: its playbook is the one that the loops run, its exit codes and commands are dosrun's.
set -u
cd "$(dirname "$0")/../.." || exit 1
dosrun=${DOSRUN:-build/dev/dosrun} passed=0 failed=0
ok() { # WHAT COMMAND...
    local output
    if output=$("${@:2}" 2>&1); then passed=$((passed + 1)); else
        failed=$((failed + 1))
        printf 'FAIL %s\n%s\n' "$1" "$output"
    fi
}
# shellcheck disable=SC2016 # the backquotes are README's
block() { awk '/^```/ { if (inside) exit; if ($0 == "```lua") { inside = 1; next } } inside' README.md; }
commands() { sed -n '/^## Commands/,/^Exit codes/p' README.md | grep -oE '^dosrun [a-z]+' | cut -d' ' -f2 | sort -u; }
kinds_named() { # each kind of fault in dosrun's own help, and in README
    local kind help
    help=$("$dosrun" help fault | tr -cs '[:alnum:]-' '\n')
    for kind in connect tls reset-before reset-after timeout late throttle throttle-after 5xx-before 5xx-after expired \
        forbidden conflict quota body twice stale ghost stuck foreign unready; do
        if ! grep -qxF -- "$kind" <<<"$help" || ! grep -qF -- "$kind" README.md; then echo "$kind" && return 1; fi
    done
}

ok "the playbook is tests/sandbox/readme's" diff <(block) tests/sandbox/readme/playbooks/release.lua
for command in $(commands); do
    ok "dosrun $command is a command" "$dosrun" help "$command"
done
ok "every kind of fault is named" kinds_named
for code in 0 1 2 3 4 5 64 70 77 130; do
    ok "exit $code stands in README" grep -qE "(^|· |: )$code " README.md
done
echo "$passed passed, $failed failed"
((failed == 0))
