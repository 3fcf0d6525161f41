#!/usr/bin/env bash
# record.sh CALLOUT CLIENT - keeps a day of a client's requests for test_golden, in
# tests/golden/CLIENT.
#
# CLIENT is `library` (gateway/client, as a technician of `callout sim live`) or `second_client`.
# What was released stays: a new release's day goes into a folder of its own, with a test of its
# own.
set -u
callout=$(realpath "${1:?usage: record.sh CALLOUT CLIENT}")
client=${2:?usage: record.sh CALLOUT CLIENT}
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
speed=1
[ "$client" = library ] && speed=120
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$folder"' EXIT

await() { # FILE: until there is something in it
    for _ in $(seq 500); do [ -s "$1" ] && return; sleep 0.02; done
    echo "record.sh: nothing in $1"
    exit 1
}
mkdir "$folder/day"
head -n 2 "$root/sim/day/technicians.csv" >"$folder/day/technicians.csv"
orders=$root/sim/day/orders.csv
(head -n 1 "$orders" && grep -m 4 'plumbing:1\|electrical:[12]' "$orders") \
    >"$folder/day/orders.csv"
"$callout" serve --data "$folder/data" --lab --listen tcp://127.0.0.1:0 --admin 127.0.0.1:0 \
    --http none --clock "2026-11-23T06:00:00Z,$speed" >"$folder/ready" 2>"$folder/serve.log" &
await "$folder/ready"
gateway=$(grep -o 'tcp://[0-9.:]*' "$folder/ready" | head -n 1)
"$callout" import --data "$folder/data" --territory north --time-zone Europe/Vaduz \
    "$folder/day/technicians.csv" "$folder/day/orders.csv" || exit
node "$root/tests/golden/tap.mjs" "${gateway#tcp://}" "$root/tests/golden/$client" >"$folder/tap" &
await "$folder/tap"
url=tcp://127.0.0.1:$(cat "$folder/tap")
"$callout" admin enrol --data "$folder/data" T01 | awk 'END { print $NF }' >"$folder/tokens"
if [ "$client" = library ]; then
    "$callout" sim live --gateway "$url" --key-file "$folder/data/keys/local.key" \
        --tokens "$folder/tokens" --day "$folder/day" --territory north --ill 0 --emergencies 0 \
        --cancels 0 --for 100s --seed 3
else
    cp -r "$root/tests/second_client/src" "$root/tests/second_client/"package*.json "$folder"
    (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts && npm run build) || exit
    node "$folder/dist/second_client.js" --folder "$folder/device" --proto "$root/proto" \
        --url "$url" --token "$(cat "$folder/tokens")" --linger 20
fi
