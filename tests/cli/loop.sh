#!/usr/bin/env bash
# The loops find what is wrong: tests/sandbox/broken leaks on undo and doubles an effect.
set -u
cd "$(dirname "$0")/../.." || exit 1
passed=0 failed=0
said=$(python3 tests/sandbox/loop.py --dosrun "${DOSRUN:-build/dev/dosrun}" --limit 1000 tests/sandbox/broken.scenario)
code=$?
ok() { # WHAT COMMAND...
    if "${@:2}" >/dev/null; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "FAIL $1"
    fi
}
wrong() { grep -A 1 -E "^WRONG playbooks/leaky.lua  $1" <<<"$said" | grep -qF -- "$2"; } # POINT TEXT
ok "it ends 1" test "$code" = 1
ok "what undo leaves is found" wrong '[0-9]+\+:forbidden' 'the store is not as before'
ok "what a crash's rollback leaves is found" wrong '[0-9]+:outcome' 'the store is not as before after rollback'
ok "an effect that doubled is found" wrong '[0-9]+:twice' 'the store is not the wanted one'
ok "each failure says how to repeat it" test "$(grep -c '^WRONG' <<<"$said")" = "$(grep -c -- '--point .* --keep DIR' <<<"$said")"
[[ $failed == 0 ]] || tail -n 60 <<<"$said"
echo "$passed passed, $failed failed"
((failed == 0))
