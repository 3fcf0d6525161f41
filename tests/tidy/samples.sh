#!/usr/bin/env bash
# samples.sh - a rule that cannot fail guards nothing: each is shown one sample that breaks it, and
# one that does not.
set -u
tidy=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir -p proto/base proto/model optimizer/core dispatcher/core dispatcher/store sim tests/x
bad=0

expect() { # RULE PATTERN FILE TEXT...: the rule complains of the file with this text
    local rule=$1 pattern=$2 file=$3
    shift 3
    printf '%s\n' "$@" >"$file"
    run_rule "$rule" "$file" | grep -q "$pattern" || {
        echo "tidy: $rule does not see: $pattern"
        bad=1
    }
    rm -f "$file"
}
expect_quiet() { # RULE FILE TEXT...
    local rule=$1 file=$2 out
    shift 2
    printf '%s\n' "$@" >"$file"
    out=$(run_rule "$rule" "$file") && [ -z "$out" ] || {
        echo "tidy: $rule complains for nothing: $out"
        bad=1
    }
    rm -f "$file"
}
run_rule() {
    case $1 in
    layers) awk -f "$tidy/layers.awk" "$tidy/layers.txt" "$tidy/homes.txt" "$2" ;;
    house) awk -f "$tidy/house.awk" "$2" ;;
    purity)
        gcc -c "$2" -o sample.o && rm -f libsample.a && ar rc libsample.a sample.o &&
            "$tidy/purity.sh" libsample.a
        ;;
    apart)
        gcc -c -x c -o judged.o - <<<'int judged(int x) { return x; }' && rm -f libjudged.a &&
            ar rc libjudged.a judged.o && gcc -c "$2" -o sample.o && rm -f libsample.a &&
            ar rc libsample.a sample.o && "$tidy/apart.sh" libsample.a libjudged.a
        ;;
    esac
}

expect layers 'may not include' optimizer/core/a.c '#include "dispatcher/core/core.h"'
expect layers 'may not include' proto/base/a.c '#include "model/route.h"'
expect layers 'may not include' sim/a.c '#include "dispatcher/store/store.h"'
expect layers 'may not include' dispatcher/core/a.c '#include "pb/wire.pb-c.h"'
expect layers 'pure room' optimizer/core/a.c '#include <stdio.h>'
expect layers 'pure room' dispatcher/core/a.c '#include <event2/event.h>'
expect layers 'has its home' sim/a.c '#include <glpk.h>'
expect layers 'has its home' dispatcher/a.c '#include <sqlite3.h>'
expect_quiet layers dispatcher/store/a.c '#include <sqlite3.h>' '#include "dispatcher/core/core.h"'
expect_quiet layers optimizer/core/a.c '#include <stdint.h>' '#include "model/route.h"'

mark="TO""DO"
word="jo""b"
expect house 'longer than' sim/a.c "int x; /* $(printf '%0100d' 0) */"
expect house 'unfinished mark' sim/a.c "/* $mark: later */"
expect house 'work order' sim/a.c "int ${word}_count;"
expect house 'work order' proto/a.proto "message Bo""oking {"
expect house 'NDEBUG' sim/a.c '#define NDEBUG 1'
expect house 'CHECK' sim/a.c '    assert(x > 0);'
expect house 'banned call' sim/a.c '    sprintf(a, b);'
expect house 'setjmp' sim/a.c '    longjmp(a, 1);'
expect house '#if' sim/a.c '#ifdef FAST'
expect house 'a tab' sim/a.c "$(printf '\tint x;')"
expect house 'note:' sim/a.c 'int f(void)' '{' "$(yes '    x++;' | head -n 80)" '}'
expect_quiet house sim/a.c "/* a multitasking $word of the kernel */" 'const char *x = "task";'

expect purity malloc sim/a.c '#include <stdlib.h>' 'void *f(void) { return malloc(9); }'
expect purity time sim/a.c '#include <time.h>' 'long f(void) { return time(0); }'
expect purity printf sim/a.c '#include <stdio.h>' 'int f(int x) { return printf("%d", x); }'
expect_quiet purity sim/a.c '#include <string.h>' 'void f(char *a, int n) { memset(a, n, 99); }'

expect apart judged sim/a.c 'int judged(int x);' 'int f(int x) { return judged(x); }'
expect_quiet apart sim/a.c 'int f(int x) { return x; }'
exit $bad
