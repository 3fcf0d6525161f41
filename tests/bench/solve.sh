#!/usr/bin/env bash
# solve.sh [--set NAME]... [--jobs N] [--fresh] - `callout solve` on files with known best costs.
#
# Sets are the rows of the table below; --set takes those whose name begins with NAME (all but
# ortec, when nothing is said). CALLOUT_DATA names the folder that has bench/ and data/, or its
# data/liechtenstein. Each plan is checked apart from the solver. What was solved by the same
# program is kept under build/bench and taken from there when the run is repeated, unless --fresh.
# --jobs N solves N files at a time: the effort is CPU time, so only the machine's caches mind.
set -u
callout=$(realpath "${CALLOUT:-build/callout}")
tools=$(cd "$(dirname "$0")" && pwd)

bench=$CALLOUT_DATA/bench days=$CALLOUT_DATA/data/liechtenstein
[ -d "$bench" ] || bench=$CALLOUT_DATA/../../bench days=$CALLOUT_DATA
[ -d "$bench/solomon" ] || {
    echo "solve: there is no $CALLOUT_DATA/bench/solomon; CALLOUT_DATA names the folder" >&2
    exit 77
}

# NAME SECONDS KIND FILE...
sets() {
    echo "solomon_10s 10 solomon $(echo "$bench"/solomon/*.txt)"
    echo "homberger_200_10s 10 solomon $(echo "$bench"/homberger/*_2_1.txt)"
    echo "homberger_400_10s 10 solomon $(echo "$bench"/homberger/*_4_1.txt)"
    echo "homberger_1000_10s 10 solomon $(echo "$bench"/homberger/*_10_1.txt)"
    echo "homberger_1000_60s 60 solomon $(echo "$bench"/homberger/*_10_1.txt)"
    echo "d20_200_1s 1 vroom $bench/dispatch/d20_200_s1.vroom.json"
    echo "d100_1000_5s 5 vroom $bench/dispatch/d100_1000_s1.vroom.json"
    echo "d100_1000_60s 60 vroom $bench/dispatch/d100_1000_s1.vroom.json"
    echo "day_300x50_1s 1 day $days/day-300x50"
    echo "day_1000x150_5s 5 day $days/day-1000x150"
    echo "ortec_10s 10 vrplib $(echo "$bench"/ortec/*.txt)"
}

wanted= jobs=1 fresh=
while [ $# -gt 0 ]; do
    case $1 in
    --set) wanted="$wanted ${2:?--set NAME}" && shift ;;
    --jobs) jobs=${2:?--jobs N} && shift ;;
    --fresh) fresh=1 ;;
    *) echo "solve: there is no option \"$1\"" >&2 && exit 2 ;;
    esac
    shift
done
is_wanted() { # SET
    local name
    [ -n "$wanted" ] || { [ "${1#ortec}" = "$1" ] && return 0 || return 1; }
    for name in $wanted; do
        [ "${1#"$name"}" != "$1" ] && return 0
    done
    return 1
}

kept=build/bench/solve-$(sha256sum "$callout" | cut -c1-12)
[ -z "$fresh" ] || rm -rf "$kept"
mkdir -p "$kept"
"${CC:-cc}" -O1 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE "$tools/measure.c" -o "$kept/measure" ||
    exit 1

# Solves one file, checks the plan, and keeps a line: INSTANCE CPU KIB OBJECTIVE TRAVEL VEHICLES
# UNASSIGNED PRIORITY, or INSTANCE failed.
solve_one() { # SET SECONDS KIND FILE
    local instance plan words
    instance=$(basename "$4") && instance=${instance%%.*}
    local line=$kept/$1-$instance.line
    [ ! -s "$line" ] || grep -q failed "$line" || return 0
    plan=$kept/$1-$instance.json
    words=(--format "$3" --cpu-seconds "$2" --json)
    [ "$3" != day ] || words+=(--no-overtime)
    if "$kept/measure" "$line.used" "$callout" solve "$4" "${words[@]}" >"$plan" 2>"$plan.err" &&
        figures=$(check "$3" "$4" "$plan"); then
        echo "$instance $(cat "$line.used") $figures" >"$line"
    else
        echo "$instance failed" >"$line"
    fi
    echo "solve: $1 $(cat "$line")" >&2
}
# By the auditor; Solomon's also by awk, which shares not even the reader.
check() { # KIND FILE PLAN
    local words=(--format "$1") text=
    [ "$1" != day ] || words+=(--no-overtime)
    [ "$1" != solomon ] || text=$2
    "$callout" audit "$2" "$3" "${words[@]}" >"$3.audit" || return 1
    # shellcheck disable=SC2086 # a text, or none
    awk -f "$tools/plan.awk" $text "$3"
}
export -f solve_one check
export kept callout tools

sets | {
    code=0
    while read -r name seconds kind files; do
        is_wanted "$name" || continue
        # shellcheck disable=SC2086 # one word per file
        printf '%s\n' $files |
            xargs -P "$jobs" -I FILE bash -c "solve_one $name $seconds $kind FILE"
        cat "$kept/$name"-*.line |
            awk -v name="$name" -f "$tools/solve.awk" "$bench/best_known.csv" - || code=1
    done
    exit $code
}
