#!/usr/bin/env bash
# planted.sh [NAME...] - the negative control of the fuzzers: each (or those named) with a bug that
# was planted behind the header of one function (planted/NAME.c, put in its place by the linker). It
# must be found within a minute, from the same corpus; as it is, the corpus has no findings.
set -eu
cd "$(dirname "$0")/../.."
out=build-fuzz limit_s=60
names=$*
[ -n "$names" ] || names=$(cd tests/fuzz && ls -- *.c | sed 's/\.c$//')

# shellcheck disable=SC2046,SC2086 # one word per name
{
    cmake -S . -B "$out" -G Ninja -DCMAKE_C_COMPILER=clang -DCALLOUT_TESTS=OFF -DCALLOUT_FUZZ=ON \
        -DCALLOUT_SANITIZE=fuzzer-no-link,address,undefined &&
        ninja -C "$out" $names $(printf 'planted_%s ' $names)
} >"$out.log" 2>&1 || { tail -n 20 "$out.log"; exit 1; }

run() { # BINARY OPTION...: from the corpus, into one that nobody keeps
    local corpus=$out/$1.new
    rm -rf "$corpus"
    mkdir -p "$corpus" "tests/fuzz/${1#planted_}"
    "$out/$1" "${@:2}" -max_len=65536 -rss_limit_mb=1024 -timeout=10 -seed=1 \
        -artifact_prefix="$out/$1-" "$corpus" "tests/fuzz/${1#planted_}" >"$out/$1.log" 2>&1
}
failed=0
for name in $names; do
    from=$SECONDS
    if ! run "$name" -runs=0; then
        echo "planted: $name finds something in its corpus without any bug"
        failed=1
    elif run "planted_$name" -max_total_time=$limit_s; then
        echo "planted: $name did not find its bug in $limit_s s"
        failed=1
    else
        echo "note: $name found its bug in $((SECONDS - from)) s:" \
            "$(grep -m 1 -oE '(ERROR|runtime error): .*' "$out/planted_$name.log" | cut -c 1-50)"
    fi
done
exit $failed
