#!/usr/bin/env bash
# in_browser.sh FOLDER CALLOUT [NAME...]: pages in a real browser (Debian's Chromium) against the
# running system. Each NAME.test.ts of tests/FOLDER, or those named, is bundled for Node and run by
# node:test. The pages are those beside CALLOUT, built anew if they are older than their sources.
# CALLOUT_SHOTS=DIR keeps pictures of the screens.
#
# Skipped, and it says so, only when there is no Chromium, or npm's registry cannot be reached.
set -u
suite=${1:?usage: in_browser.sh FOLDER CALLOUT [NAME...]}
callout=$(realpath "${2:?usage: in_browser.sh FOLDER CALLOUT [NAME...]}")
shift 2
root=$(cd "$(dirname "$0")/.." && pwd)
web=$root/gateway/web
folder=$(mktemp -d)
bundles=$web/node_modules/.cache/callout-$suite-$$
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$folder" "$bundles"' EXIT

die() {
    echo "$suite: $*" >&2
    exit 1
}
skip() {
    echo "note: $suite: skipped, as $*"
    exit 0
}

failed() { # the blocks of node:test's report that begin with "not ok"
    awk '/^not ok/ { on = 1 } /^(ok|# Subtest)/ { on = 0 } on' | head -n 60
}

CALLOUT_CHROMIUM=${CALLOUT_CHROMIUM:-$(command -v chromium)} || skip "there is no chromium"
build=$(dirname "$callout")
built=$build/web/technician/index.html
if [ ! -e "$built" ] || [ ! -d "$web/node_modules/playwright-core" ] ||
    [ -n "$(find "$web" "$root"/proto/*.proto -name node_modules -prune -o \
        -type f ! -name wire.ts -newer "$built" -print -quit)" ]; then
    if ! ninja -C "$build" web >"$folder/web.log" 2>&1; then
        npm ping >>"$folder/web.log" 2>&1 || skip "npm's registry cannot be reached"
        tail -n 20 "$folder/web.log" >&2
        die "the pages cannot be built"
    fi
fi

# The tests stand beside the packages that they use, so that Node finds those.
tests=()
for name in "${@:-}"; do
    for file in "$root/tests/$suite/"${name:-*}.test.ts; do tests+=("$file"); done
done
"$web/node_modules/.bin/esbuild" "${tests[@]}" --bundle --platform=node --format=esm \
    --target=node18 --external:playwright-core --external:axe-core \
    --tsconfig="$web/tsconfig.json" --out-extension:.js=.mjs --outdir="$bundles" \
    --log-level=warning || die "the tests cannot be bundled"
export CALLOUT_CHROMIUM CALLOUT_BINARY=$callout CALLOUT_WEB=$build/web
export CALLOUT_DAY=$root/sim/day CALLOUT_SHOTS=${CALLOUT_SHOTS:-}

limit=(timeout -k 20 720 node --test) # ends with all that it started
finished() { # PID LOG
    wait "$1"
    local code=$?
    [ "$code" != 124 ] || echo "not ok 0 - $(basename "$2" .log) hung" >>"$2"
    return "$code"
}

# Each file has a system and a browser of its own, and waits more than it computes: all at once.
# One that fails is run again when the others are done: a page that had no processor for a minute is
# told in a note, not a reason to hold up the work of others.
pids=() ended=0
for bundle in "$bundles"/*.mjs; do
    "${limit[@]}" "$bundle" >"$folder/$(basename "$bundle").log" 2>&1 &
    pids+=("$!:$bundle")
done
again=()
for started in "${pids[@]}"; do
    bundle=${started#*:}
    finished "${started%%:*}" "$folder/$(basename "$bundle").log" || again+=("$bundle")
done
for bundle in ${again[@]+"${again[@]}"}; do
    log=$folder/$(basename "$bundle").log
    failed <"$log" >"$folder/first.log"
    "${limit[@]}" "$bundle" >"$log" 2>&1 &
    if finished $! "$log"; then
        cat "$folder/first.log"
        sed -nE "s/^ *not ok [0-9]+ - /note: $suite passed the second time only: /p" \
            "$folder/first.log" | grep -v '\.mjs$'
    else
        ended=1
    fi
done
cat "$folder"/*.mjs.log >"$folder/tests.log"
awk '/^# (tests|pass|fail) / { sum[$2] += $3 }
     END { printf "%s: %d tests, %d passed, %d failed\n", suite, sum["tests"], sum["pass"],
                  sum["fail"] }' suite="$suite" "$folder/tests.log"
grep -oE 'note: .*' "$folder/tests.log"
# What failed comes last, where a reader of the end looks.
[ $ended = 0 ] || { cat "$folder/tests.log" && failed <"$folder/tests.log"; } >&2
exit $ended
