#!/usr/bin/env bash
# run.sh BUILD-DIR COUNT [SEED]: COUNT random messages through our JSON mapping and protobuf-es', in
# both directions (json_cases.c, compare.mjs). Prints what was compared; 0: nothing differs. 77, and
# it says so, when npm's registry cannot be reached.
set -u -o pipefail
build=$(realpath "${1:?usage: run.sh BUILD-DIR COUNT [SEED]}")
count=${2:?usage: run.sh BUILD-DIR COUNT [SEED]}
seed=${3:-20261122}
source=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cp "$source/package.json" "$source/package-lock.json" "$source/compare.mjs" "$folder"
cd "$folder" || exit 1
if ! npm ci --no-audit --no-fund --ignore-scripts >npm.log 2>&1; then
    npm ping >>npm.log 2>&1 && { cat npm.log; exit 1; }
    echo "note: json mapping: skipped, as npm's registry cannot be reached"
    exit 77
fi
echo "seed $seed"
"$build/json_cases" make "$seed" "$count" | node compare.mjs "$build/pb/contract.bin" |
    "$build/json_cases" read
