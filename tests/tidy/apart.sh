#!/usr/bin/env bash
# apart.sh AUDITOR ARCHIVE... - the auditor judges others' work, so it needs nothing of theirs.
#
# No symbol that the auditor's archive leaves undefined may be defined in one of the others.
set -u
auditor=$1
shift
shared=$(comm -12 <(nm -u "$auditor" | awk '$1 == "U" { print $2 }' | sort -u) \
    <(nm --defined-only "$@" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u))
[ -z "$shared" ] && exit 0
echo "$(basename "$auditor") does not stand apart, it needs:" $shared
exit 1
