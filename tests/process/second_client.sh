#!/usr/bin/env bash
# second_client.sh CALLOUT: a device that was written from proto/README.md alone, in TypeScript
# (tests/second_client), lives through a small day against the running system. It is killed in the
# middle and started again, over TLS this time, and its connection is cut while a Push is on its
# way. Afterwards:
#   every visit of the day is completed, as the server says;
#   every command that it saved was acknowledged, none refused, each with one effect.
#
# Skipped, and it says so, only when npm's registry cannot be reached.
set -u
callout=$(realpath "${1:?usage: second_client.sh CALLOUT}")
root=$(cd "$(dirname "$0")/../.." && pwd)
source=$root/tests/second_client
folder=$(mktemp -d)
serve=
device=

finish() {
    [ -z "$device" ] || kill -9 "$device" 2>/dev/null
    [ -z "$serve" ] || { kill "$serve" 2>/dev/null && wait "$serve"; }
    rm -rf "$folder"
}
trap finish EXIT
die() {
    echo "second_client.sh: $*"
    tail -n 30 "$folder"/*.log
    exit 1
}
wait_for() { # WHAT COMMAND...
    local what=$1
    shift
    for _ in $(seq 3000); do
        "$@" && return
        sleep 0.02
    done
    die "waited in vain for $what"
}

# --- the client ----------------------------------------------------------------------------------
cp -r "$source/src" "$source/package.json" "$source/package-lock.json" "$folder"
if ! (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts) >"$folder/npm.log" 2>&1; then
    (cd "$folder" && npm ping) >>"$folder/npm.log" 2>&1 && die "npm ci failed"
    echo "note: second client: skipped, as npm's registry cannot be reached"
    exit 0
fi
(cd "$folder" && npm run build) >"$folder/build.log" 2>&1 || die "it cannot be built"

# --- the system, with a day of one technician ----------------------------------------------------
mkdir "$folder/day"
head -n 2 "$root/sim/day/technicians.csv" >"$folder/day/technicians.csv"
orders=$root/sim/day/orders.csv
(head -n 1 "$orders" && grep -m 4 'plumbing:1\|electrical:[12]' "$orders") \
    >"$folder/day/orders.csv"
"$callout" admin tls-init --data "$folder/data" localhost >"$folder/tls.log" 2>&1 ||
    die "no certificates"
"$callout" serve --data "$folder/data" --listen tcp://127.0.0.1:0 --listen tls+tcp://127.0.0.1:0 \
    --http 127.0.0.1:0 --admin 127.0.0.1:0 --clock 2026-11-23T06:30:00Z,1 \
    >"$folder/ready" 2>"$folder/serve.log" &
serve=$!
wait_for "serve" grep -q '^ready' "$folder/ready"
plain=$(grep -o ' tcp://[0-9.:]*' "$folder/ready" | head -n 1)
secure=$(grep -o 'tls+tcp://[0-9.:]*' "$folder/ready" | head -n 1)
"$callout" import --data "$folder/data" --territory north --time-zone Europe/Vaduz \
    "$folder/day/technicians.csv" "$folder/day/orders.csv" >"$folder/import.log" 2>&1 ||
    die "the import failed"
token=$("$callout" admin enrol --data "$folder/data" T01) || die "no token"

# --- its day -------------------------------------------------------------------------------------
live() { # LOG ARGUMENT...
    local log=$1
    shift
    exec node "$folder/dist/second_client.js" --folder "$folder/device" --proto "$root/proto" \
        "$@" >"$folder/$log.log" 2>&1
}
live first --url "${plain# }" --token "$token" --stop-after 6 &
device=$!
wait_for "some acknowledgements" grep -q '^acknowledged 6 ' "$folder/first.log"
kill -9 "$device"
wait "$device" 2>/dev/null
(live second --url "${secure/127.0.0.1/localhost}" --ca "$folder/data/tls/ca.pem" --cut-at-push 2) &
device=$!
wait "$device" || die "its day did not end well"
device=

# --- what came of it -----------------------------------------------------------------------------
summary=$(tail -n 1 "$folder/second.log")
for part in '"open":0,' '"saved":20,' '"duplicates":1,' '"rejected":0,' '"snapshots":1,'; do
    case $summary in *"$part"*) ;; *) die "not $part in $summary" ;; esac
done
"$callout" ask kpis --data "$folder/data" >"$folder/kpis.log" || die "no figures"
grep -q ' 4: 4 completed' "$folder/kpis.log" || die "the server says otherwise"
kill "$serve"
wait "$serve" || die "serve ended with code $?"
serve=
"$callout" verify "$folder/data" >"$folder/verify.log" 2>&1 || die "verify found something"
echo "note: second client: $summary"
