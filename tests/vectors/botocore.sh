#!/bin/sh
# botocore.sh FOLDER: brings botocore's source distribution (PyPI, Apache-2.0) with its tests, by version and hash, as
# FOLDER/botocore, and what it imports as FOLDER/botocore-needs. Does nothing when they are there already.
# With PYTHONPATH=FOLDER/botocore:FOLDER/botocore-needs, python3 has that botocore.
set -eu

folder=${1:?usage: botocore.sh FOLDER}
version=1.44.5
sum=a988f39e3a4484def0b8010f41128f71157da0515a4804fccce4739aa8f216da
needs=$(dirname "$0")/botocore.txt

# Debian's python3 has no pip of its own, but a venv has.
pip() {
    if python3 -m pip --version >/dev/null 2>&1; then
        python3 -m pip "$@"
    else
        [ -x "$folder/pip/bin/pip" ] || python3 -m venv "$folder/pip"
        "$folder/pip/bin/pip" "$@"
    fi
}

if [ "$(cat "$folder/botocore/.sum" 2>/dev/null)" != "$sum" ]; then
    rm -rf "${folder:?}/botocore"
    mkdir -p "$folder/botocore"
    pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest "$folder" "botocore==$version"
    echo "$sum  $folder/botocore-$version.tar.gz" | sha256sum --check --quiet
    tar -xzf "$folder/botocore-$version.tar.gz" -C "$folder/botocore" --strip-components=1
    rm "$folder/botocore-$version.tar.gz"
    echo "$sum" >"$folder/botocore/.sum"
fi
if ! cmp -s "$needs" "$folder/botocore-needs/.pins"; then
    rm -rf "${folder:?}/botocore-needs"
    pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
        --target "$folder/botocore-needs" --requirement "$needs"
    cp "$needs" "$folder/botocore-needs/.pins"
fi
