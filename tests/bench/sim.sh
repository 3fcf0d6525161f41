#!/usr/bin/env bash
# sim.sh - what a simulated day costs: CPU time and events per second of day-300x50, where every
# event is planned for again, and the memory of seven days of 200 technicians. Takes some six
# minutes of CPU; CALLOUT_SHORT=1 a quarter of one.
set -u
days=$CALLOUT_DATA/data/liechtenstein
[ -d "$days" ] || days=$CALLOUT_DATA
[ -d "$days/day-300x50" ] || {
    echo "sim: there is no $days/day-300x50; CALLOUT_DATA names its parent" >&2
    exit 77
}

# The member "times" of a run holds what this machine took.
figure() {
    sed -n "s/.*\"times\":{.*\"$2\":\([0-9]*\).*/\1/p" "$1"
}
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

"$CALLOUT" sim run "$days/day-300x50" --json --no-progress >"$out" || exit 1
awk -v cpu="$(figure "$out" cpu_us)" 'BEGIN { printf "day_300x50_cpu,%.2f,s\n", cpu / 1e6 }'
echo "day_300x50_events,$(figure "$out" events_per_s),1/s"
[ -n "${CALLOUT_SHORT:-}" ] && exit 0
"$CALLOUT" sim run week --set workforce.technicians=200 --set demand.orders=1100 --json \
    --no-progress >"$out" || exit 1
awk -v kib="$(figure "$out" memory_peak_kib)" \
    'BEGIN { printf "week_200_peak,%.1f,MiB\n", kib / 1024 }'
awk -v cpu="$(figure "$out" cpu_us)" 'BEGIN { printf "week_200_cpu,%.2f,s\n", cpu / 1e6 }'
