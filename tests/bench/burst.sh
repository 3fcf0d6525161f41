#!/usr/bin/env bash
# burst.sh [--seconds S] [--per-second N] [--seed N] - a day of 300 orders and 50 technicians in
# which twenty things a second happen, for ten minutes: does any stale or broken plan get out, how
# many late candidates still count, how many events does one solve cover? The real processes; what
# was published is judged anew from the fact log, and `callout verify` must find nothing.
set -u
day=$CALLOUT_DATA/day-300x50 tools=$(dirname "$CALLOUT")
[ -d "$day" ] || day=$CALLOUT_DATA/data/liechtenstein/day-300x50
[ -d "$day" ] || { echo "burst: there is no $day; CALLOUT_DATA names its parent" >&2; exit 77; }
if [ ! -x "$tools/bench_burst" ] || [ ! -x "$tools/bench_judge" ]; then
    echo "burst: there is no $tools/bench_burst or bench_judge; they are built with the tests" >&2
    exit 77
fi
seconds=600 per_second=20 seed=1
while [ $# -ge 2 ]; do
    case $1 in
    --seconds) seconds=$2 ;;
    --per-second) per_second=$2 ;;
    --seed) seed=$2 ;;
    *) break ;;
    esac
    shift 2
done
[ $# = 0 ] || { echo "burst: --seconds S, --per-second N, --seed N; not \"$1\"" >&2; exit 2; }

work=$(mktemp -d)
serve=
finish() {
    [ -z "$serve" ] || { kill "$serve" && wait "$serve"; }
    if [ "${code:-0}" = 3 ]; then
        echo "burst: what was found wrong is kept: $work" >&2
    else
        rm -rf "$work"
    fi
}
trap finish EXIT
die() {
    echo "burst: $*" >&2
    tail -n 20 "$work/serve.log" >&2
    exit 1
}

# start CLOCK - the system on the folder, with an optimizer that knows of nothing yet.
start() {
    : >"$work/ready"
    "$CALLOUT" serve --data "$work/data" --listen tcp://127.0.0.1:0 --admin 127.0.0.1:0 --lab \
        --seed "$seed" --clock "$1" >"$work/ready" 2>"$work/serve.log" &
    serve=$!
    until grep -q ready "$work/ready"; do
        kill -0 "$serve" 2>/dev/null || die "serve did not come up"
        sleep 0.05
    done
}
stop() {
    kill "$serve"
    wait "$serve" || die "serve ended with code $?"
    serve=
}

start 2026-11-23T05:00:00Z,1
"$CALLOUT" import --data "$work/data" --territory main --time-zone Europe/Vaduz \
    "$day/technicians.csv" "$day/orders.csv" >"$work/import" 2>&1 || die "the import failed"
mapfile -t ids < <(tail -n +2 "$day/technicians.csv" | cut -d, -f1)
"$CALLOUT" admin enrol --data "$work/data" "${ids[@]}" >"$work/tokens" || die "nobody was enrolled"
stop
before=$("$CALLOUT" replay --json "$work/data" | sed -n 's/^{"facts": \([0-9]*\),.*/\1/p')
[ -n "$before" ] || die "the fact log cannot be read"

# From the middle of the morning on, ten times as fast: ten minutes are an hour and forty.
start 2026-11-23T08:00:00Z,10
mkdir "$work/devices"
name=events_$per_second code=0
"$tools/bench_burst" "$name" "$work/data" "$day" "$work/tokens" "$work/devices" "$seconds" \
    "$per_second" "$seed" >"$work/figures" || die "the burst failed"
cat "$work/figures"
stop

solves=$(sed -n 's/.* \([0-9]*\) problems were solved.*/\1/p' "$work/serve.log" | tail -n 1)
refused_whole=$(grep -c 'routes refused, 0 published' "$work/serve.log")
"$tools/bench_judge" "$name" "$work/data" "$before" "${solves:-0}" "$refused_whole" || code=3
"$CALLOUT" verify "$work/data" >"$work/verify" 2>&1 || { cat "$work/verify" >&2; code=3; }
restarts=$(grep -cE 'restart|ended with|was killed' "$work/serve.log")
echo "${name}_seconds,$seconds,s"
echo "${name}_restarts,$restarts,count"
exit $code
