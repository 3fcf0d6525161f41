#!/usr/bin/env bash
# json.sh [SEED]: 100,000 random messages through our JSON mapping and protobuf-es', both ways
# (tests/json_mapping). CALLOUT_CASES says another number.
cases=${CALLOUT_CASES:-100000}
build=$(dirname "$CALLOUT")
begin=$(date +%s%N)
tests/json_mapping/run.sh "$build" "$cases" "${1:-20261122}" >&2
code=$?
[ "$code" = 0 ] || exit "$code"
echo "messages_equal,$cases,messages"
echo "seconds,$((($(date +%s%N) - begin) / 1000000000)),s"
