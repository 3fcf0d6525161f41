#!/usr/bin/env bash
# format.sh - every C file is as clang-format writes it.
cd "$(dirname "$0")/../.." || exit 1
find proto optimizer dispatcher gateway sim tests -name '*.[ch]' -print0 |
    xargs -0 clang-format-14 --dry-run --Werror
