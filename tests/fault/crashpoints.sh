#!/usr/bin/env bash
# crashpoints.sh BINARY - gateway and optimizer die at their named places (base/crashpoint.def)
# under `serve` while a day comes in: it is started again, the day is in, each row once. The places
# of the dispatcher are test_crashpoints'.
set -u
name=crashpoints
binary=$(realpath "${1:?usage: crashpoints.sh BINARY}")
. "$(dirname "$0")/day.sh"

places="request-forwarded:1 request-forwarded:20 reply-passed-on:1 reply-passed-on:20
    candidate-proposed:1 candidate-proposed:3 batch-replied:5"
reached=0
for place in $places; do
    rm -rf "$work/data" "$work/mark"
    start_serve 1 env CALLOUT_CRASHPOINT="$place" CALLOUT_CRASHPOINT_MARK="$work/mark"
    import_day
    died() { [ -e "$work/mark" ]; }
    wait_for 60 "a death at $place" died
    import_day # the same rows again have no effect
    grep -q '40 orders' "$work/import.log" || die "after $place the day is not in"
    stop_serve
    "$binary" verify "$work/data" >"$work/verify.log" 2>&1 || die "verify found something"
    mkdir -p "$work/nobody"
    "$(dirname "$binary")/test_acknowledged" "$work/data" "$work/nobody" >"$work/audit.log" 2>&1
    # Its code is that of a fleet without devices; what it says of the requests is what counts.
    grep -q '49 facts of people and devices: 0 lost, 0 unsent, 0 twice' "$work/audit.log" ||
        die "after $place something is lost, or there twice"
    reached=$((reached + 1))
done
echo "note: $reached deaths of gateway, optimizer and dispatcher at named places"
