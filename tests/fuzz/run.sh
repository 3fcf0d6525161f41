#!/usr/bin/env bash
# run.sh [SECONDS] - each fuzz target for so long (60), from the corpus that lies beside it. What it
# finds is left in build-fuzz/ with the input's name; a found input belongs into the corpus.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
out=build-fuzz
mkdir -p "$out/pb/pb"
protoc-c --proto_path=proto --c_out="$out/pb/pb" proto/*.proto

flags="-std=c11 -D_POSIX_C_SOURCE=200809L -g -O1 -fsanitize=fuzzer,address,undefined
    -fno-sanitize-recover=all -Iproto -I. -isystem $out/pb -isystem $out/pb/pb"
build() { # NAME SOURCE...
    local name=$1
    shift
    # shellcheck disable=SC2086 # one word per flag
    clang $flags "tests/fuzz/$name.c" "$@" proto/base/*.c -o "$out/$name" -lprotobuf-c -lm
}
# A corpus of its own grows under build-fuzz; what is worth keeping lies in tests/fuzz/NAME.
fuzz() { # NAME
    mkdir -p "$out/$1.corpus" "tests/fuzz/$1"
    "$out/$1" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=512 -timeout=10 \
        -print_final_stats=1 -artifact_prefix="$out/$1-" "$out/$1.corpus" "tests/fuzz/$1" \
        2>"$out/$1.log" || { tail -n 40 "$out/$1.log"; return 1; }
    echo "note: $1 $(awk '/stat::number_of_executed_units/ { print $2 }' "$out/$1.log") inputs"
}
# The rooms that read files and solve, watched as the targets are; each takes what it needs of them.
rooms="scenario optimizer optimizer_core day model base"
build_rooms() {
    cmake -S . -B "$out/rooms" -G Ninja -DCMAKE_C_COMPILER=clang -DCALLOUT_TESTS=OFF \
        -DCALLOUT_SANITIZE=fuzzer-no-link,address,undefined >"$out/rooms.log"
    # shellcheck disable=SC2086 # one word per room
    ninja -C "$out/rooms" $rooms >>"$out/rooms.log" || { tail -n 20 "$out/rooms.log"; return 1; }
}
build_reader() { # NAME
    local room libraries=
    for room in $rooms; do
        libraries="$libraries $out/rooms/lib$room.a"
    done
    # shellcheck disable=SC2086 # one word per flag
    clang $flags "tests/fuzz/$1.c" $libraries -o "$out/$1" -ljansson -lglpk -lpthread -lm
}
build fuzz_message proto/message.c "$out"/pb/pb/*.c
build_rooms
for reader in fuzz_scenario fuzz_day fuzz_solomon fuzz_vrplib fuzz_vroom; do
    build_reader "$reader"
done
fuzz fuzz_message
fuzz fuzz_day
fuzz fuzz_scenario
fuzz fuzz_solomon
fuzz fuzz_vrplib
fuzz fuzz_vroom
