#!/usr/bin/env bash
# events.sh - what an event costs: the repaired plan in CPU time and in orders that change hands, on
# full days and on streams of events, and a day of events against the best plan of hindsight. Takes
# some eight minutes of CPU; CALLOUT_SHORT=1 takes one.
#
# One seed says little of what a day of events travels: another one sends other technicians to far
# places, and orders of later hours may or may not ask for their skills. So eight are summed up too.
set -u
tools=$(dirname "$CALLOUT")
instances=$CALLOUT_DATA/bench/dispatch days=$CALLOUT_DATA/data/liechtenstein
[ -d "$instances" ] || instances=$CALLOUT_DATA/../../bench/dispatch days=$CALLOUT_DATA
[ -x "$tools/bench_events" ] || {
    echo "events: there is no $tools/bench_events; it is built with the tests" >&2
    exit 77
}
[ -d "$days/day-300x50" ] || {
    echo "events: there is no $days/day-300x50; CALLOUT_DATA names its parent" >&2
    exit 77
}
work=2000 events=200 step_small=1 step_large=5 short=
[ -n "${CALLOUT_SHORT:-}" ] && work=300 events=50 step_small=10 step_large=100 short=short_

for day in d20_200:$step_small d100_1000:$step_large; do
    file=$instances/${day%:*}_s1.vroom.json
    [ -f "$file" ] || { echo "events: there is no $file, so no urgent orders" >&2; continue; }
    "$tools/bench_events" urgent "${short}urgent_${day%:*}" "$file" $((20 * work)) "${day#*:}" ||
        exit 1
done
"$tools/bench_events" stream "${short}stream_200_30" 200 30 "$events" "$work" 1 || exit 1
"$tools/bench_events" stream "${short}stream_1000_150" 1000 150 "$events" "$work" 1 || exit 1
"$tools/bench_day" "${short}day_300x50" "$days/day-300x50" --work "$work" || exit 1
[ -z "$short" ] || exit 0

for seed in 1 2 3 4 5 6 7 8; do
    "$tools/bench_day" one "$days/day-300x50" --work "$work" --seed "$seed" ||
        echo "one_failed,1,runs"
done | awk -F, -f "$(dirname "$0")/seeds.awk" -v name=day_300x50
