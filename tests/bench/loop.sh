#!/usr/bin/env bash
# loop.sh - the main measure: a day of 300 orders and 50 technicians at 120 times the speed, from
# the commit of each event to the receipt of the new plan by each device that it concerns; and at
# ten instants the live plan against a fresh solve. Takes some seven minutes. A missed bar fails it.
set -u
day=$CALLOUT_DATA/day-300x50
[ -d "$day" ] || { echo "loop: there is no $day; CALLOUT_DATA names its parent" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$CALLOUT" sim demo --rate 120 --emergencies 70 --day "$day" --data "$work/data" \
    --metrics "$work/metrics" >"$work/board" &
demo=$!
# From the end of the first hour on, every 28 s: ten instants in the 340 s of the shifts.
sleep 45
"$CALLOUT" compare --data "$work/data" --times 10 --every 28 >"$work/compare"
compared=$?
wait "$demo"
code=$?
cat "$work/metrics" "$work/compare"
worst=$(sed -n 's/^cost_over_fresh_worst,\([^,]*\),.*/\1/p' "$work/compare")
awk -v worst="${worst:-100}" 'BEGIN { exit !(worst <= 5) }' || {
    echo "missed: at one instant the live plan was ${worst:-?} % worse than a fresh one" >&2
    code=3
}
[ "$code" = 0 ] && [ "$compared" = 0 ]
