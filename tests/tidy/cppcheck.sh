#!/usr/bin/env bash
# cppcheck.sh - cppcheck's findings over every C file of ours. Left out are the three that
# take a CHECK for a doubt about the line below it.
cd "$(dirname "$0")/../.." || exit 1
cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr \
    --suppress=missingIncludeSystem --suppress=unknownMacro --suppress=nullPointerRedundantCheck \
    --suppress=arrayIndexOutOfBoundsCond --suppress=uninitvar -j "$(nproc)" -I proto -I . \
    -D_POSIX_C_SOURCE=200809L -D'noreturn=__attribute__((noreturn))' \
    proto optimizer dispatcher gateway sim
