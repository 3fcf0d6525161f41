#!/usr/bin/env bash
# solver_kills.sh [--clients N] [--seconds S] [--pairs N] - what killing the solver every 5 seconds
# does to acknowledgements: pairs of runs of `callout load`, without and with kills, on one system.
# Prints the 99th percentiles of each pair and the median of their ratios.
set -u
clients=100 seconds=15 pairs=5
while [ $# -ge 2 ]; do
    case $1 in
    --clients) clients=$2 ;;
    --seconds) seconds=$2 ;;
    --pairs) pairs=$2 ;;
    *) break ;;
    esac
    shift 2
done
[ $# = 0 ] || { echo "solver_kills: --clients N, --seconds S, --pairs N; not \"$1\"" >&2; exit 2; }

work=$(mktemp -d)
serve= killer=
finish() {
    [ -z "$killer" ] || kill "$killer" 2>/dev/null
    [ -z "$serve" ] || { kill "$serve" && wait "$serve"; }
    rm -rf "$work"
}
trap finish EXIT
die() {
    echo "solver_kills: $*" >&2
    tail -n 20 "$work"/*.log >&2
    exit 1
}
: >"$work/ready"
"$CALLOUT" serve --data "$work/data" --listen tcp://127.0.0.1:0 --http 127.0.0.1:0 \
    --admin 127.0.0.1:0 --lab >"$work/ready" 2>"$work/serve.log" &
serve=$!
until grep -q ready "$work/ready"; do
    kill -0 "$serve" 2>/dev/null || die "serve did not come up"
    sleep 0.05
done

kill_solvers() {
    while sleep 5; do pkill -KILL -P "$serve" -f '^callout optimizer' && echo x; done
}
load() { # prints the 99th percentile
    "$CALLOUT" load --data "$work/data" --clients "$clients" --for "${seconds}s" --json \
        >"$work/load" 2>"$work/load.log" || die "callout load failed"
    sed -n 's/.*"p99": \([0-9.]*\).*/\1/p' "$work/load"
}
# Whichever comes first finds a younger store: the order changes from pair to pair.
with_kills() {
    kill_solvers >>"$work/kills" & # its last sleep holds nobody up
    killer=$!
    killed=$(load) || exit 1
    kill "$killer"
    wait "$killer" 2>/dev/null
    killer=
}
for pair in $(seq "$pairs"); do
    [ $((pair % 2)) = 0 ] && with_kills
    calm=$(load) || exit 1
    [ $((pair % 2)) = 1 ] && with_kills
    echo "pair_${pair}_calm_p99,$calm,ms"
    echo "pair_${pair}_killed_p99,$killed,ms"
    awk -v a="$killed" -v b="$calm" 'BEGIN { printf "%.4f\n", a / b }' >>"$work/ratios"
done
kills=$(wc -l <"$work/kills")
echo "solver_kills,$kills,count"
[ "$kills" -ge $((pairs * ((seconds - 1) / 5))) ] || die "the solver was killed $kills times only"
sort -n "$work/ratios" | awk '{ r[NR] = $1 } END {
    low = int((NR + 1) / 2); high = int(NR / 2) + 1
    printf "p99_ratio_median,%.3f,ratio\n", (r[low] + r[high]) / 2 }'
