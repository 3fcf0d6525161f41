#!/usr/bin/env bash
# technician.sh - what the technicians' app costs in Debian's Chromium against the running system:
# bytes of the first load, without and with its service worker; a tap until it is saved; a change of
# the plan until an open app shows it; an offline start until the day can be used (starting the page
# anew is in it).
set -u
cd "$(dirname "$0")/../.." || exit 1
[ $# = 0 ] || { echo "technician: takes no option, not \"$1\"" >&2; exit 2; }
web=gateway/web/node_modules
pages=$(dirname "$CALLOUT")/web
for need in /usr/bin/chromium $web/playwright-core $web/.bin/esbuild \
    "$pages/technician/index.html"; do
    [ -e "$need" ] || { echo "technician: there is no $need" >&2; exit 77; }
done
bundle=$web/.cache/callout-measure-$$.mjs
trap 'rm -f "$bundle"' EXIT
$web/.bin/esbuild tests/technician/measure.ts --bundle --platform=node --format=esm \
    --target=node18 --external:playwright-core --tsconfig=gateway/web/tsconfig.json \
    --outfile="$bundle" --log-level=warning || exit 1
export CALLOUT_CHROMIUM=/usr/bin/chromium CALLOUT_DAY=$PWD/sim/day
CALLOUT_BINARY=$(realpath "$CALLOUT") CALLOUT_WEB=$(realpath "$pages") node "$bundle"
