#!/usr/bin/env bash
# run.sh CALLOUT [NAME...]: the console in a real browser, with a living fleet (see in_browser.sh).
exec "$(dirname "$0")/../in_browser.sh" console "$@"
