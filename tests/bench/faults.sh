#!/usr/bin/env bash
# faults.sh [--resume FILE] [--seconds S] [--only PART] - the long sums of what must be survived,
# added up over as many calls as it takes. FILE keeps them (build/faults.sums, if not said); each
# call goes on where the last one ended, works for about S seconds (300) and prints the sums.
#
#   seeds    a simulated week of 100 phones a seed (tests/fault/ordeal); aim: 500
#   large    the same with 1,000 phones and half a day; aim: 1
#   small    half a day of 6 phones a seed, 50 at a time; aim: 2,000
#   restores the same, with disks brought back from a copy; aim: 200
#   kills    a fleet's day under 150 times kill -9 (tests/process/kill.sh); aim: 1,000 a daemon
#   power    disks after a power cut (tests/fault/test_powerloss); aim: 100,000
#   deaths   every crash point, the first 50 passings (tests/fault/test_crashpoints); aim: 1 round
#   fuzz     minutes of each fuzzer (tests/fuzz/run.sh); aim: 10
#
# The part that is furthest from its aim is next. A unit once begun is ended; what it finds is
# printed on standard error and ends the whole with 1, and its sum is kept as well.
set -u
file=build/faults.sums seconds=300 only=
while [ $# -ge 2 ]; do
    case $1 in
    --resume) file=$2 ;;
    --seconds) seconds=$2 ;;
    --only) only=$2 ;;
    *) break ;;
    esac
    shift 2
done
[ $# = 0 ] || { echo "faults: --resume FILE, --seconds S, --only PART; not \"$1\"" >&2; exit 2; }
bin=$(dirname "$CALLOUT")
for tool in ordeal test_powerloss test_crashpoints test_acknowledged; do
    [ -x "$bin/$tool" ] || { echo "faults: there is no $bin/$tool" >&2; exit 77; }
done

declare -A sum
parts="seeds large small restores kills power deaths fuzz"
declare -A aim=([seeds]=500 [large]=1 [small]=2000 [restores]=200 [kills]=1000 [power]=100000
    [deaths]=1 [fuzz]=10)
if [ -f "$file" ]; then
    while read -r name value; do sum[$name]=$value; done <"$file"
fi
get() { echo "${sum[$1]:-0}"; }
add() { sum[$1]=$(($(get "$1") + $2)); }
save() {
    local name
    for name in "${!sum[@]}"; do echo "$name ${sum[$name]}"; done | sort >"$file.new" &&
        mv "$file.new" "$file"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
found=0
report() { # CODE WHAT
    [ "$1" = 0 ] && return
    echo "faults: $2 ended with code $1" >&2
    tail -n 20 "$log" >&2
    add "findings" 1
    found=1
}
figure() { # NAME: a number of the ordeal's sums
    sed -nE "s/.*\"$1\": ([0-9]+).*/\1/p" "$log" | tail -n 1
}

simulate() { # PART SEEDS OPTION...: seeds that no call has run yet
    local part=$1 seeds=$2 name code
    shift 2
    "$bin/ordeal" --seed $(($(get "$part") + 100001)) --seeds "$seeds" "$@" >"$log" 2>&1
    code=$?
    report "$code" "ordeal $* from seed $(($(get "$part") + 100001))"
    for name in device_days commands_acknowledged steps gateway_kills dispatcher_kills \
        optimizer_kills power_cuts_in_a_write device_crashes lost twice leaked stuck; do
        add "${part}_$name" "$(figure "$name" | grep . || echo 0)"
    done
    add "$part" "$seeds"
}
part_seeds() { simulate seeds 1 --devices 100 --half-days 14; }
part_large() { simulate large 1 --devices 1000 --half-days 1; }
part_small() { simulate small 50; }
part_restores() { simulate restores 20 --restores --half-days 2; }
part_kills() { # the sum that counts is the smallest of the three daemons'
    local round=$(($(get kill_rounds) + 1)) daemon least=
    tests/process/kill.sh "$CALLOUT" 150 $((1000 + round)) >"$log" 2>&1
    report $? "kill.sh with seed $((1000 + round))"
    add kill_rounds 1
    for daemon in gateway dispatcher optimizer; do
        add "kills_$daemon" \
            "$(sed -nE "s/^note:.* ([0-9]+) $daemon.*/\1/p" "$log" | grep . || echo 0)"
        [ -n "$least" ] && [ "$least" -le "$(get "kills_$daemon")" ] || least=$(get "kills_$daemon")
    done
    sum[kills]=$least
}
part_power() {
    local round=$(($(get power_rounds) + 1))
    CALLOUT_CASE=$round "$bin/test_powerloss" >"$log" 2>&1
    report $? "test_powerloss with case $round"
    add power_rounds 1
    add power "$(sed -nE 's/^([0-9]+) disks, .*/\1/p' "$log" | grep . || echo 0)"
}
part_deaths() {
    CALLOUT_CASES=50 "$bin/test_crashpoints" >"$log" 2>&1
    report $? "test_crashpoints"
    add deaths 1
    add deaths_died "$(sed -nE 's/^([0-9]+) deaths$/\1/p' "$log" | grep . || echo 0)"
}
part_fuzz() {
    tests/fuzz/run.sh 60 >"$log" 2>&1
    report $? "fuzz/run.sh"
    add fuzz 1
}

next_part() { # the one with the smallest share of its aim, in thousandths; none: all are reached
    local part share best= least=1000
    for part in $parts; do
        share=$(($(get "$part") * 1000 / aim[$part]))
        [ "$share" -lt "$least" ] && least=$share best=$part
    done
    echo "$best"
}

while [ "$SECONDS" -lt "$seconds" ] && [ "$found" = 0 ]; do
    part=${only:-$(next_part)}
    [ -n "$part" ] || break
    "part_$part"
    save
done
for name in $(printf '%s\n' "${!sum[@]}" | sort); do echo "$name,${sum[$name]},sum"; done
exit "$found"
