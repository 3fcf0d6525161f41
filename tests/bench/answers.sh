#!/usr/bin/env bash
# answers.sh - how long people wait for an answer, in CPU time through the engine: candidates, a
# move that is checked, each explanation, an emergency's options; on made-up days of two sizes.
# Takes a minute.
set -u
tools=$(dirname "$CALLOUT")
[ -x "$tools/bench_answers" ] || {
    echo "answers: there is no $tools/bench_answers; it is built with the tests" >&2
    exit 77
}
"$tools/bench_answers" answers_300_50 300 50 200 &&
    "$tools/bench_answers" answers_1000_150 1000 150 200
