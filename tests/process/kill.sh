#!/usr/bin/env bash
# kill.sh BINARY [KILLS] [SEED] - a fleet lives through its day while kill -9 hits gateway,
# dispatcher and optimizer at random. Afterwards:
#   the fleet has finished its day, and every saved command was acknowledged;
#   every command of every device's outbox has one stored result, and no command or request has two
#   facts (test_acknowledged);
#   `callout verify` and `callout replay` find nothing.
#
# BINARY lies in a build folder with tests: test_acknowledged is taken from beside it.
set -u
binary=$(realpath "${1:?usage: kill.sh BINARY [KILLS] [SEED]}")
kills=${2:-300}
RANDOM=${3:-1}
day=$(cd "$(dirname "$0")/../../sim/day" && pwd)
work=$(mktemp -d)
serve=
fleet=

failed=
clean_up() {
    [ -z "$fleet" ] || kill "$fleet" 2>/dev/null
    [ -z "$serve" ] || { kill "$serve" 2>/dev/null && wait "$serve"; }
    if [ -n "$failed" ]; then echo "kill: everything is left in $work" >&2; else rm -rf "$work"; fi
}
trap clean_up EXIT
die() {
    echo "kill: $*" >&2
    tail -n 30 "$work/serve.log" "$work/fleet.log" >&2
    failed=yes
    exit 1
}

# The fleet's day takes a little longer than the kills: 11.5 hours of it, 0.6 seconds a kill.
rate=$((41400 / (kills * 60 / 100 + 15)))
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
start_ms=$(now_ms)
"$binary" serve --data "$work/data" --listen tcp://127.0.0.1:0 --admin 127.0.0.1:0 --http none \
    --lab --clock "2026-11-23T05:30:00Z,$rate" >"$work/ready" 2>"$work/serve.log" &
serve=$!
until grep -q ready "$work/ready"; do
    kill -0 "$serve" 2>/dev/null || die "serve did not come up"
    sleep 0.05
done
ready_ms=$(($(now_ms) - start_ms))
"$binary" import --data "$work/data" --territory north --time-zone Europe/Vaduz \
    --known-at 2026-11-23T06:30 "$day/technicians.csv" "$day/orders.csv" >"$work/import" 2>&1 ||
    { cat "$work/import" >&2; die "the import failed"; }
"$binary" sim live --data "$work/data" --day "$day" --fleet "$work/fleet" --territory north \
    --time-zone Europe/Vaduz --json >"$work/summary" 2>"$work/fleet.log" &
fleet=$!

# Half a second from kill to kill on average, and never two at once to catch up: a role that is
# killed as soon as it is back waits the longer before it comes again, and nothing would be up at
# all. Up to four times as long where the system takes long to come up. A role that is just being
# restarted is spared.
step_ms=$((ready_ms / 4))
[ "$step_ms" -gt 500 ] || step_ms=500
[ "$step_ms" -lt 2000 ] || step_ms=2000
roles=(gateway dispatcher optimizer)
declare -A hit=([gateway]=0 [dispatcher]=0 [optimizer]=0)
done_kills=0
while [ "$done_kills" -lt "$kills" ] && kill -0 "$fleet" 2>/dev/null; do
    pause_ms=$((step_ms / 5 + RANDOM % (step_ms * 6 / 5)))
    sleep "$((pause_ms / 1000)).$(printf %03d $((pause_ms % 1000)))"
    role=${roles[RANDOM % 3]}
    pid=$(pgrep -P "$serve" -f "^callout $role ") || continue
    kill -9 "$pid" 2>/dev/null || continue
    hit[$role]=$((hit[$role] + 1))
    done_kills=$((done_kills + 1))
done
[ "$done_kills" -ge $((kills / 2)) ] || die "the fleet ended after $done_kills of $kills kills"
[ "$done_kills" -eq "$kills" ] || echo "note: too slow a machine for $kills kills in a day"

for _ in $(seq 1200); do # two minutes for the rest of the day
    kill -0 "$fleet" 2>/dev/null || break
    sleep 0.1
done
kill -0 "$fleet" 2>/dev/null && die "the fleet's day does not end"
wait "$fleet"
code=$?
fleet=
[ "$code" = 0 ] || { cat "$work/summary" >&2; die "the fleet's day ended with code $code"; }
for line in '"day_over": true' '"commands_lost": 0'; do
    grep -qF "$line" "$work/summary" || { cat "$work/summary" >&2; die "missing: $line"; }
done
kill "$serve"
wait "$serve" || die "serve ended with code $?"
serve=

"$(dirname "$binary")/test_acknowledged" "$work/data" "$work/fleet" >"$work/audit" 2>&1 ||
    { cat "$work/audit" >&2; die "something was lost, or happened twice"; }
"$binary" verify "$work/data" >"$work/verify" 2>&1 ||
    { cat "$work/verify" >&2; die "verify found something"; }
"$binary" replay "$work/data" >"$work/replay" 2>&1 ||
    { cat "$work/replay" >&2; die "replay leads elsewhere"; }
echo "note: $done_kills kills: ${hit[gateway]} gateway, ${hit[dispatcher]} dispatcher," \
    "${hit[optimizer]} optimizer; $(cat "$work/audit")"
