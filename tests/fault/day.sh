# day.sh - a fleet's day against the real processes, for the scripts beside it: they bring trouble
# upon it, and what was acknowledged must be there afterwards, once. To be read with `.`.
#
# Wants: binary (of a build folder with tests), name (of the script, for messages). May have: near
# and far (arrays, the commands that go before what runs beside the system, and before the fleet),
# listen (where the gateway listens).
day=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../sim/day" && pwd)
work=$(mktemp -d)
serve=
fleet=
failed=
listen=${listen:-tcp://127.0.0.1:0}
[ -n "${near+is}" ] || near=() far=()

clean_up() {
    [ -z "$fleet" ] || { kill -CONT "$fleet" && kill "$fleet"; } 2>/dev/null
    [ -z "$serve" ] || { kill "$serve" 2>/dev/null && wait "$serve"; }
    ! mountpoint -q "$work/data" || umount "$work/data"
    if [ -n "$failed" ]; then echo "$name: everything is left in $work" >&2; else rm -rf "$work"; fi
}
trap clean_up EXIT

die() {
    echo "$name: $*" >&2
    tail -n 30 "$work"/*.log >&2
    failed=yes
    exit 1
}

# A shell has nothing better than asking again.
wait_for() { # SECONDS WHAT COMMAND...
    local tries=$(($1 * 20)) what=$2
    shift 2
    for _ in $(seq "$tries"); do
        "$@" && return
        sleep 0.05
    done
    die "waited in vain for $what"
}

role_pid() { # ROLE: of the process that serve keeps; fails while it is restarted
    pgrep -P "$serve" -f "^callout $1 "
}

is_ready() {
    kill -0 "$serve" 2>/dev/null || die "serve did not come up"
    grep -q ready "$work/ready"
}

start_serve() { # RATE [COMMAND...]: domain time is so much faster; COMMAND goes before the program
    local rate=$1
    shift
    : >"$work/ready"
    "${near[@]}" "$@" "$binary" serve --data "$work/data" --listen "$listen" --admin 127.0.0.1:0 \
        --http none --lab --clock "2026-11-23T05:30:00Z,$rate" >"$work/ready" 2>>"$work/serve.log" &
    serve=$!
    wait_for 60 "serve" is_ready
}

stop_serve() {
    kill "$serve"
    wait "$serve" || die "serve ended with code $?"
    serve=
}

import_day() {
    "${near[@]}" "$binary" import --data "$work/data" --territory north --time-zone Europe/Vaduz \
        --known-at 2026-11-23T06:30 "$day/technicians.csv" "$day/orders.csv" \
        >"$work/import.log" 2>&1 || die "the import failed"
}

start_fleet() {
    "${far[@]}" "$binary" sim live --data "$work/data" --day "$day" --fleet "$work/fleet" \
        --territory north --time-zone Europe/Vaduz --json >"$work/summary" 2>"$work/fleet.log" &
    fleet=$!
}

acknowledged() { # what devices pushed and the gateway answered with OK, since it started
    local port
    port=$(sed -nE 's/.* admin 127\.0\.0\.1:([0-9]+) .*/\1/p' "$work/ready")
    exec 3<>"/dev/tcp/127.0.0.1/$port" || return
    printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
    awk '/requests_total\{method="Push",status="ok"\}/ { n = $2 } END { print n + 0 }' <&3
    exec 3>&-
}
goes_on() { # after the count BEFORE
    [ "$(acknowledged)" -gt "$1" ]
}

fleet_lives() {
    kill -0 "$fleet" 2>/dev/null
}

fleet_is_home() {
    ! fleet_lives
}

# The fleet ends its day, and all of it is true.
end_day() {
    wait_for 180 "the end of the fleet's day" fleet_is_home
    wait "$fleet"
    local code=$?
    fleet=
    [ "$code" = 0 ] || { cat "$work/summary" >&2; die "the fleet's day ended with code $code"; }
    grep -qF '"commands_lost": 0' "$work/summary" || die "the fleet lost something"
    stop_serve
    "$(dirname "$binary")/test_acknowledged" "$work/data" "$work/fleet" >"$work/audit.log" 2>&1 ||
        die "something was lost, or happened twice"
    "$binary" verify "$work/data" >"$work/verify.log" 2>&1 || die "verify found something"
}

