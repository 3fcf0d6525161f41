#!/usr/bin/env bash
# run.sh CALLOUT [NAME...]: the technician's app in a real browser (see in_browser.sh).
exec "$(dirname "$0")/../in_browser.sh" technician "$@"
