#!/usr/bin/env bash
# clang_tidy.sh BUILD-DIR - the checks of .clang-tidy over every C file of ours, two at a time.
cd "$(dirname "$0")/../.." || exit 1
build=${1:?usage: clang_tidy.sh BUILD-DIR}
find proto optimizer dispatcher gateway sim -name '*.c' -print0 |
    xargs -0 -P "$(nproc)" -n 4 clang-tidy-14 -p "$build" --quiet
