#!/usr/bin/env bash
# whoami, doctor, pins: with a simulated cluster, and without any.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/cli/frame
. "$(dirname "$0")/frame"

nobody() {
    mkdir nobody && cd nobody
    exits 77 "$DOSRUN" whoami
    has "$talk" "H301"
    has "$talk" "KUBECONFIG \(not set\)"
    has "$talk" "$HOME/.kube/config \(missing\)"
    has "$talk" "--sandbox"
    KUBECONFIG=$PWD/gone exits 77 "$DOSRUN" whoami
    has "$talk" "$PWD/gone"
    exits 77 "$DOSRUN" doctor
    has "$out" "next: dosrun new hello"
    [[ ! -e $DOSRUN_STATE && -z $(ls -A) ]]
}

somebody() {
    mkdir somebody && cd somebody
    exits 0 "$DOSRUN" --sandbox whoami
    has "$out" "context +sandbox"
    has "$out" "identity +token"
    has "$out" "cluster +[0-9a-f]{8}-"
    run "$DOSRUN" --sandbox doctor
    has "$out" "ok +cluster"
    has "$out" "StorageClass ebs-gp3"
    has "$out" "next: dosrun "
}

unreachable() { # a port that nobody listens on
    mkdir unreachable && cd unreachable
    cat >config <<'EOT'
apiVersion: v1
kind: Config
current-context: c
contexts: [{ name: c, context: { cluster: k, user: u } }]
clusters: [{ name: k, cluster: { server: "https://127.0.0.1:1" } }]
users: [{ name: u, user: { token: planted-token-7f3a } }]
EOT
    KUBECONFIG=$PWD/config exits 77 "$DOSRUN" whoami
    has "$talk" "127.0.0.1:1"
    [[ $all != *planted-token* ]]
}

pinned() {
    mkdir pinned && cd pinned
    exits 0 "$DOSRUN" pins
    has "$out" "no pins.yaml"
    cat >pins.yaml <<'EOT'
pins:
  - name: shop
    version: "1"
    image: registry.test/shop:1
    digest: unresolved # kept
    supported_until: 2020-01-01
EOT
    exits 0 "$DOSRUN" pins
    has "$out" "registry.test/shop:1 +unresolved +until 2020-01-01: that is over"
    has "$out" "1 unresolved; next: dosrun pins update"
    exits 0 "$DOSRUN" --sandbox pins update
    has "$out" "shop stays unresolved"
    has "$(<pins.yaml)" "digest: unresolved # kept"
    cd "$project"
    exits 0 "$DOSRUN" pins
    has "$out" "postgres"
}

resolved() { # by the bytes of what a scripted registry sends
    mkdir -p resolved/tests resolved/playbooks && cd resolved
    cat >tests/sandbox.lua <<'EOT'
sandbox.http("https://registry.test/v2/shop/manifests/1", function()
  return { status = 200, headers = { ["content-type"] = "application/vnd.oci.image.manifest.v1+json" }, body = '{"schemaVersion":2}' }
end)
EOT
    cat >pins.yaml <<'EOT'
pins:
  - name: shop
    image: registry.test/shop:1
    digest: unresolved # kept
EOT
    exits 0 "$DOSRUN" --sandbox pins update
    has "$out" "shop: unresolved -> sha256:$(printf '{"schemaVersion":2}' | sha256sum | cut -d' ' -f1)"
    has "$out" "1 changed in pins.yaml"
    has "$(<pins.yaml)" "unresolved" # the sandbox writes to its overlay
    exits 0 "$DOSRUN" --sandbox sandbox show
    has "$out" "pins.yaml"
}

check "whoami, doctor: without a cluster" nobody
check "whoami, doctor: in the sandbox" somebody
check "whoami: a cluster that is not there" unreachable
check "pins: a table, and what cannot be resolved" pinned
check "pins update: a digest from the bytes" resolved
finish
