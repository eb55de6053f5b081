# Paths and process helpers shared by the scripts of this folder (sourced).
# shellcheck shell=bash disable=SC2034,SC2154
cache=${DOSRUN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dosrun-tests}
bin=$cache/bin
istio_crds=$cache/istio-crds.yaml

die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# state_of DIR: sets $state and reads its env file.
state_of() {
    [[ -e $1/env ]] || die "$1 is no state folder of up"
    state=$(cd "$1" && pwd)
    # shellcheck source=/dev/null
    . "$state/env"
}

# start NAME COMMAND...: remember the command, then launch it.
start() {
    local name=$1
    shift
    printf '%q ' "$@" >"$state/command/$name"
    launch "$name"
}

# launch NAME: run the remembered command in the background in $state, log appended, pid in a file.
# Forked twice, so that its parent is init: some programs end when their parent does.
launch() {
    local name=$1 command
    eval "command=($(<"$state/command/$name"))"
    rm -f "$state/pid/$name"
    (cd "$state" && {
        echo "$BASHPID" >"$state/pid/$name"
        DOSRUN_TEST_STATE=$state exec setsid "${command[@]}" >>"$state/log/$name" 2>&1 </dev/null
    } &)
    until [[ -s $state/pid/$name ]]; do sleep 0.01; done
}

# ours NAME: print its pid if that process still runs and carries this state folder's mark.
ours() {
    local pid
    pid=$(cat "$state/pid/$1" 2>/dev/null) || return 1
    grep -qzFx "DOSRUN_TEST_STATE=$state" "/proc/$pid/environ" 2>/dev/null || return 1
    echo "$pid"
}

# finish NAME: wait until it is gone (KILL after 5 s), then forget its pid.
finish() {
    local pid i
    for ((i = 0; i < 250; i++)); do
        ours "$1" >/dev/null || break
        sleep 0.02
    done
    if pid=$(ours "$1"); then
        kill -KILL "$pid"
        while ours "$1" >/dev/null; do sleep 0.02; done
    fi
    rm -f "$state/pid/$1"
}

# signal SIGNAL NAME
signal() {
    local pid
    if pid=$(ours "$2"); then kill "-$1" "$pid"; fi
}

# wait_for WHAT COMMAND...: poll until the command is true, 60 s at most.
wait_for() {
    local what=$1 end=$((SECONDS + 60))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || die "not ready: $what (see ${state:-}/log)"
        sleep 0.05
    done
}
