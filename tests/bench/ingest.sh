#!/usr/bin/env bash
# ingest.sh [--clients N] [--seconds S] [--storm N] [--dir DIR] - check-ins a second that the real
# system acknowledges, each fsynced and applied once, beside what mosquitto acknowledges from memory
# in the same run: QoS 1, persistence on, nobody subscribed, messages of about the same size. Both
# are asked by as many clients on this machine, each its next one when the last was acknowledged.
# Then the memory of a held TLS connection, and a fleet that is cut off and comes back at once.
# DIR (default: $TMPDIR or /tmp) must be on a real disk.
set -u
tools=$(dirname "$CALLOUT")
clients=1000 seconds=20 storm=10000 dir=${TMPDIR:-/tmp}
while [ $# -ge 2 ]; do
    case $1 in
    --clients) clients=$2 ;;
    --seconds) seconds=$2 ;;
    --storm) storm=$2 ;;
    --dir) dir=$2 ;;
    *) break ;;
    esac
    shift 2
done
[ $# = 0 ] || {
    echo "ingest: --clients N, --seconds S, --storm N, --dir DIR; not \"$1\"" >&2
    exit 2
}
broker=$(PATH=$PATH:/usr/sbin command -v mosquitto) || {
    echo "ingest: there is no mosquitto; ./run bench installs it" >&2
    exit 77
}
for tool in bench_mqtt bench_checkins; do
    [ -x "$tools/$tool" ] && continue
    echo "ingest: there is no $tools/$tool; it is built with the tests" >&2
    exit 77
done
ulimit -n "$(ulimit -Hn)"
ulimit -n 65536 2>/dev/null # whoever may, raises the hard limit, too

work=$(mktemp -d "$dir/ingest.XXXXXX")
child=
finish() {
    [ -z "$child" ] || { kill "$child" && wait "$child"; }
    rm -rf "$work"
}
trap finish EXIT
die() {
    echo "ingest: $*" >&2
    tail -n 20 "$work"/*.log >&2
    exit 1
}

# --- ours ---
# start URL - the system on a new folder.
start() {
    rm -rf "$work/data"
    case $1 in
    tls+*) "$CALLOUT" admin tls-init --data "$work/data" 127.0.0.1 >"$work/tls.log" 2>&1 ||
        die "no certificates" ;;
    esac
    : >"$work/ready"
    "$CALLOUT" serve --data "$work/data" --listen "$1" --http 127.0.0.1:0 --admin 127.0.0.1:0 \
        --lab >"$work/ready" 2>"$work/serve.log" &
    child=$!
    until grep -q ready "$work/ready"; do
        kill -0 "$child" 2>/dev/null || die "serve did not come up"
        sleep 0.05
    done
}
stop() {
    kill "$child"
    wait "$child" || die "$1 ended with code $?"
    child=
}
# load OPTION... - one run of `callout load`; its JSON is in $work/load.
load() {
    "$CALLOUT" load --data "$work/data" --json "$@" >"$work/load" 2>"$work/load.log" ||
        die "callout load $* failed"
}
value() { # NAME: a number of the JSON; the first of that name
    sed -n "s/.*\"$1\": \(-\{0,1\}[0-9.e+-]*\).*/\1/p" "$work/load" | head -n 1
}
report() { # PREFIX: rate and latency of the last load
    echo "$1,$(value per_second),1/s"
    echo "$1_p50,$(value p50),ms"
    echo "$1_p99,$(value p99),ms"
}

# --- mosquitto ---
start_broker() {
    mkdir -p "$work/broker"
    cat >"$work/broker.conf" <<TEXT
listener $1 127.0.0.1
allow_anonymous true
persistence true
persistence_location $work/broker/
log_dest file $work/broker.log
log_type error
user $(id -un)
TEXT
    "$broker" -c "$work/broker.conf" &
    child=$!
}
mqtt() { # WINDOW: rate and latency, as "RATE P50 P99"
    "$tools/bench_mqtt" 127.0.0.1 "$port" "$clients" "$seconds" "$1" 100 |
        awk '{ printf "%.0f %.3f %.3f\n", $1 / $2, $3, $5 }'
}
port=$((20000 + RANDOM % 10000))
start_broker "$port"
for _ in $(seq 100); do
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.05
done
read -r mqtt_rate mqtt_p50 mqtt_p99 <<<"$(mqtt 1)"
read -r mqtt_window_rate _ _ <<<"$(mqtt 10)"
stop mosquitto
[ -n "$mqtt_rate" ] || die "mosquitto was not measured"
echo "mosquitto_single,$mqtt_rate,1/s"
echo "mosquitto_single_p50,$mqtt_p50,ms"
echo "mosquitto_single_p99,$mqtt_p99,ms"
echo "mosquitto_windows_of_10,$mqtt_window_rate,1/s"

# What a command costs the dispatcher by itself: CPU time, which tells builds apart when the machine
# is not quiet.
alone() { # NAME BATCH ROUNDS
    "$tools/bench_checkins" "$work/alone" "$clients" "$2" "$3" >"$work/alone.out" \
        2>"$work/alone.log" || die "bench_checkins failed"
    sed "s/^/dispatcher_$1_/" "$work/alone.out"
    rm -rf "$work/alone"
}
alone single 1 20
alone batches_of_10 10 5

start tcp://127.0.0.1:0
load --clients "$clients" --for "${seconds}s"
report single
single=$(value per_second)
load --clients "$clients" --for "${seconds}s" --batch 10
report batches_of_10
batches=$(value per_second)
stop serve
"$CALLOUT" verify "$work/data" >"$work/verify.log" 2>&1 || die "verify found something"
awk -v s="$single" -v b="$batches" -v m="$mqtt_rate" 'BEGIN {
    printf "single_to_mosquitto,%.3f,ratio\n", s / m
    printf "batches_of_10_to_mosquitto,%.3f,ratio\n", b / m }'

start tls+tcp://127.0.0.1:0
load --clients "$clients" --for 0 --hold
echo "tls_held_bytes,$(value gateway_bytes_per_device),B"
stop serve

start tcp://127.0.0.1:0
load --clients "$storm" --for 5s --storm
echo "storm_devices,$(value synced),count"
echo "storm_all_synced,$(value all_synced_seconds),s"
echo "storm_ack_p99,$(value ack_p99_ms),ms"
echo "storm_ack_with_refusals_p99,$(value ack_with_refusals_p99_ms),ms"
echo "storm_gateway_peak,$(value gateway_peak_mib),MiB"
stop serve
