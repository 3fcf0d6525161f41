#!/usr/bin/env bash
# purity.sh ARCHIVE... - a pure room needs nothing that reads a clock, allocates, prints or talks.
#
# What an archive leaves undefined must be its own, of the pure rooms below it, or named here. So
# the linker's view is tested, and not what a header promises.
set -u
libc='mem(cpy|move|set|cmp|chr)|__mem(cpy|move|set)_chk|bcmp'
libc="$libc|str(len|nlen|cmp|ncmp|chr|rchr|cpy|cat)"
libm='(a?sin|a?cos|tan|atan2?|sqrt|floor|ceil|round|trunc|fabs|hypot|exp|log|pow|fmod)f?'
libm="$libm|l?lround|l?lrint"
base='check_failed|arena_[a-z]+|digest_[a-z0-9]+|problem_set|err_name'
tools='__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|_?_?(ASAN|TSAN|UBSAN)_[A-Z_]*'
tools="$tools|__(asan|ubsan|tsan|sanitizer|sancov|lsan|gcov)[a-z0-9_]*"

known=$(mktemp)
trap 'rm -f "$known"' EXIT
bad=0
for archive in "$@"; do
    [ -f "$archive" ] || continue
    nm --defined-only "$archive" "$(dirname "$archive")/libmodel.a" 2>/dev/null |
        awk 'NF == 3 { print $3 }' >"$known"
    foreign=$(nm -u "$archive" | awk '$1 == "U" || $1 == "w" { print $2 }' | sort -u |
        grep -vxE "$libc|$libm|$base|$tools" |
        grep -vxF -f "$known")
    [ -z "$foreign" ] && continue
    echo "$(basename "$archive") is not pure, it needs:" $foreign
    bad=1
done
exit $bad
