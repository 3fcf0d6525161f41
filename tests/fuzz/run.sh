#!/usr/bin/env bash
# run.sh [SECONDS [NAME...]] - each fuzz target (or those named) for so long (60), from the corpus
# that lies beside it. What it finds is left in build-fuzz/ with the input's name; a found input
# belongs into the corpus. `./run bench faults` adds up the minutes of many calls.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
out=build-fuzz
names=${*:2}
[ -n "$names" ] || names=$(cd tests/fuzz && ls -- *.c | sed 's/\.c$//')

# shellcheck disable=SC2086 # one word per name
{
    cmake -S . -B "$out" -G Ninja -DCMAKE_C_COMPILER=clang -DCALLOUT_TESTS=OFF -DCALLOUT_FUZZ=ON \
        -DCALLOUT_SANITIZE=fuzzer-no-link,address,undefined && ninja -C "$out" $names
} >"$out.log" 2>&1 || { tail -n 20 "$out.log"; exit 1; }

# A corpus of its own grows under build-fuzz; what is worth keeping lies in tests/fuzz/NAME.
fuzz() { # NAME
    mkdir -p "$out/$1.corpus" "tests/fuzz/$1"
    "$out/$1" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=1024 -timeout=10 \
        -print_final_stats=1 -artifact_prefix="$out/$1-" "$out/$1.corpus" "tests/fuzz/$1" \
        2>"$out/$1.log" || { tail -n 40 "$out/$1.log"; return 1; }
    echo "note: $1 $(awk '/stat::number_of_executed_units/ { print $2 }' "$out/$1.log") inputs"
}
for name in $names; do fuzz "$name"; done
