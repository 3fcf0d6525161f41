#!/usr/bin/env bash
# run.sh [NAME [OPTION...]] - runs one benchmark, or each in turn, and appends what it measured to
# results.csv. Options are the benchmark's own.
#
# A benchmark is a script NAME.sh here that prints "metric,value,unit" lines on standard output, and
# ends with 77 when what it needs is not there (it says what on standard error). CALLOUT_DATA names
# the folder with day-* folders.
set -u
cd "$(dirname "$0")/../.." || exit 1
results=tests/bench/results.csv
export CALLOUT=${CALLOUT:-build/callout}
export CALLOUT_DATA=${CALLOUT_DATA:-../shared/data/liechtenstein}
names=${1:-$(cd tests/bench && ls -- *.sh | grep -vx run.sh | sed 's/\.sh$//')}

machine="$(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1 | tr ',' ' ')"
commit=$(git rev-parse --short HEAD 2>/dev/null || echo none)
[ -f "$results" ] || echo "date,commit,machine,bench,metric,value,unit" >"$results"

code=0
for name in $names; do
    script=tests/bench/$name.sh
    [ -x "$script" ] || { echo "bench: there is no benchmark \"$name\"" >&2; exit 2; }
    echo "== $name"
    lines=$("$script" "${@:2}")
    case $? in
    0) ;;
    77) echo "== $name: skipped" && continue ;;
    *) echo "== $name: failed" && code=1 ;;
    esac
    printf '%s\n' "$lines"
    printf '%s\n' "$lines" | grep -E '^[a-z_0-9]+,[0-9.eE+-]+,' |
        sed "s|^|$(date -u +%Y-%m-%dT%H:%MZ),$commit,$machine,$name,|" >>"$results"
done
exit $code
