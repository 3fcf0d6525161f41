#!/usr/bin/env bash
# bound.sh - how small the proven gap is: of made-up days (bench_bound.c) and of Solomon's instances
# in the CPU seconds that each has, and what it costs to carry a proof over an event. Takes minutes.
set -u
tools=$(dirname "$CALLOUT")
bench=${CALLOUT_BENCH:-../shared/bench}
[ -x "$tools/bench_bound" ] || {
    echo "bound: there is no $tools/bench_bound; it is built with the tests" >&2
    exit 77
}
days=$(mktemp -d)
trap 'rm -rf "$days"' EXIT

# figures NAME FILE SECONDS OPTIONS...
figures() {
    "$CALLOUT" solve "$2" --bound --json --cpu-seconds "$3" "${@:4}" |
        awk -v name="$1" '$1 == "\"gap_percent\":" { sub(",", "", $2); print name "_gap," $2 ",%" }
            $1 == "\"bound\":" { sub(",", "", $2); print name "_bound," $2 ",s" }'
}

# day NAME VISITS TECHNICIANS SEED SECONDS OPTIONS...
day() {
    mkdir -p "$days/$1"
    "$tools/bench_bound" make "$days/$1" "$2" "$3" "$4" && figures "$1" "$days/$1" "${@:5}"
}

for seed in 1 2 3 4 5 6 7; do
    day "day_50_10_seed$seed" 50 10 "$seed" 2
done
day day_100_20 100 20 1 30
day day_200_30 200 30 1 30
day day_1000_150 1000 150 1 120 --threads 2 --searches 2
"$tools/bench_bound" events "$days/day_50_10_seed1" events_50_10
"$tools/bench_bound" events "$days/day_200_30" events_200_30
for name in C101 R101 R102 R105 RC101 RC105; do
    [ -f "$bench/solomon/$name.txt" ] || continue
    figures "$(echo "$name" | tr '[:upper:]' '[:lower:]')" "$bench/solomon/$name.txt" 10
done
