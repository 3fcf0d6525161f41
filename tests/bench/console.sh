#!/usr/bin/env bash
# console.sh [--seconds S] [--only small|large|day] - what the operator console costs in Debian's
# Chromium, on one core without a GPU, while a fleet lives: what is loaded and how soon it is ready,
# frames a second, script for an update, frames while a bar is dragged, and how soon the other
# dispatcher sees a change; 100 technicians x 1,000 visits at ten updates a second (small), 500 x
# 5,000 (large), and how much the page's heap grows over eight hours of a day (day).
#
# The browser has one core to itself, the system and the fleet have the other.
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=10 only=
while [ $# -ge 2 ]; do
    case $1 in
    --seconds) seconds=$2 ;;
    --only) only=$2 ;;
    *) break ;;
    esac
    shift 2
done
[ $# = 0 ] || { echo "console: --seconds S, --only small, large or day; not \"$1\"" >&2; exit 2; }
web=gateway/web/node_modules/playwright-core
for need in /usr/bin/chromium $web "$(dirname "$CALLOUT")/web"; do
    [ -e "$need" ] || { echo "console: there is no $need" >&2; exit 77; }
done
[ "$(nproc)" -ge 2 ] || { echo "console: one core is not enough for both sides" >&2; exit 77; }

work=$(mktemp -d)
serve='' fleet=''
stop() {
    [ -z "$fleet" ] || { kill "$fleet" && wait "$fleet"; }
    [ -z "$serve" ] || { kill "$serve" && wait "$serve"; }
    serve='' fleet=''
} 2>/dev/null
trap 'stop; rm -rf "$work"' EXIT
die() {
    echo "console: $*" >&2
    tail -n 5 "$work"/*.log >&2
    exit 1
}

# start TECHNICIANS ORDERS RATE START - the system, a day of that size, and its people on the road.
start() {
    local data=$work/data-$1
    "$CALLOUT" sim scenario town-300x50 --set workforce.technicians="$1" --set demand.orders="$2" \
        --csv "$work/days" >"$work/scenario.log" 2>&1 || die "no day could be made"
    day=$(dirname "$(find "$work/days" -name orders.csv | head -n 1)")
    : >"$work/ready"
    taskset -c 1 "$CALLOUT" serve --data "$data" --listen tcp://127.0.0.1:0 --http 127.0.0.1:0 \
        --admin 127.0.0.1:0 --lab --work 20 --clock "$4,$3" >"$work/ready" 2>"$work/serve.log" &
    serve=$!
    until grep -q ready "$work/ready"; do
        kill -0 "$serve" 2>/dev/null || die "serve did not come up"
        sleep 0.05
    done
    "$CALLOUT" import --data "$data" --territory main --time-zone Europe/Vaduz \
        "$day/technicians.csv" "$day/orders.csv" >"$work/import.log" 2>&1 || die "the import failed"
    printf '%s\n' "a dispatcher at his desk" | "$CALLOUT" admin person add dora --data "$data" \
        --role dispatcher --territory main >"$work/person.log" 2>&1 || die "dora cannot log in"
    taskset -c 1 "$CALLOUT" sim live --data "$data" --day "$day" --json >"$work/live.log" \
        2>"$work/fleet.log" &
    fleet=$!
    address=$(sed -n 's/^http //p' "$data/endpoints")
    until grep -q "lives" "$work/fleet.log" || [ -S "$data/fleet.sock" ]; do
        kill -0 "$fleet" 2>/dev/null || die "the fleet did not come up"
        sleep 0.1
    done
}

# measure NAME [OPTION...] - its lines go to standard output.
measure() {
    taskset -c 0 node tests/bench/console.mjs --name "$1" --url "http://$address/" --user dora \
        --password "a dispatcher at his desk" --seconds "$seconds" "${@:2}" || die "$1 failed"
    stop
}

wanted() { [ -z "$only" ] || [ "$only" = "$1" ]; }
if wanted small; then
    start 100 1000 50 2026-11-23T07:30:00Z
    measure small
fi
if wanted large; then
    start 500 5000 10 2026-11-23T07:30:00Z
    measure large
fi
if wanted day; then
    start 20 120 90 2026-11-23T06:00:00Z
    measure day --heap-hours 8 --rate 90
fi
