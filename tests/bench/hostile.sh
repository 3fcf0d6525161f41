#!/usr/bin/env bash
# hostile.sh - what the worst messages cost their reader, against an honest one of the same size:
# CPU time and memory of a request. More than 10 ms or 4 MiB fails it. Takes seconds.
set -u
tools=$(dirname "$CALLOUT")
[ -x "$tools/bench_hostile" ] || {
    echo "hostile: there is no $tools/bench_hostile; it is built with the tests" >&2
    exit 77
}
"$tools/bench_hostile"
