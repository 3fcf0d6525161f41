#!/usr/bin/env bash
# badmachine.sh BINARY - a fleet's day on a machine (shim.c) on which, one after the other,
#   writing the database fails with EIO: questions are answered, nothing is acknowledged, and work
#     goes on as soon as it does not;
#   the clock jumps two hours on, two hours back, thirty days on, and is put right: check-ins go on;
#   reading the database fails with EIO while the dispatcher starts: it serves nothing, and all goes
#     on by itself once it can read.
# Afterwards nothing that was acknowledged is lost, and nothing is there twice. Then a system by the
# wall clock takes check-ins while that jumps, and its log is sound; at last copies of its files are
# damaged, which verify and serve name.
set -u
name=badmachine
binary=$(realpath "${1:?usage: badmachine.sh BINARY}")
. "$(dirname "$0")/day.sh"
cc -shared -fPIC -O2 "$(dirname "$0")/shim.c" -o "$work/shim.so" -ldl || die "no shim"
control=$work/control
set_machine() { # READS WRITES SECONDS: R or -, W or -, and by how much UTC is wrong
    printf '%s%s%+014d\n%015d' "$1" "$2" "$3" 0 1<>"$control"
}
injected() {
    [ "$(dd if="$control" bs=1 skip=16 count=1 2>/dev/null)" = i ]
}
check_in() { # SECONDS WHILE WHAT: one more is acknowledged
    local before
    before=$(acknowledged)
    wait_for "$1" "a check-in $2" goes_on "$before"
}
under_shim=(env "LD_PRELOAD=$work/shim.so" "CALLOUT_SHIM=$control")

set_machine - - 0
mkdir -m 700 "$work/data"
start_serve 900 "${under_shim[@]}"
import_day
start_fleet
wait_for 60 "the first check-in" goes_on 0

# --- writes fail
set_machine - W 0
wait_for 30 "a write that fails" injected
refused() { tail -n 50 "$work/serve.log" | grep -q 'commit failed'; }
wait_for 30 "a refused commit" refused
timeout 60 "$binary" ask kpis --data "$work/data" >"$work/ask.log" 2>&1 ||
    die "a question was not answered while writing failed"
before=$(acknowledged)
sleep 1 # what is to be seen is that nothing happens
after=$(acknowledged)
[ "$after" -le "$((before + 1))" ] || die "check-ins were acknowledged while writing failed"
set_machine - - 0
check_in 30 "after writing failed"

# --- the clock jumps
for seconds in 7200 -7200 2592000 0; do
    set_machine - - "$seconds"
    check_in 60 "with UTC wrong by $seconds s"
done

# --- reads fail at a start
set_machine R - 0
pid=$(role_pid dispatcher) || die "there is no dispatcher"
kill -9 "$pid"
wait_for 30 "a read that fails" injected
set_machine - - 0
check_in 60 "after reading failed"
end_day

# --- by the wall clock
"${under_shim[@]}" "$binary" serve --data "$work/wall" --listen tcp://127.0.0.1:0 \
    --admin 127.0.0.1:0 --http none --lab >"$work/ready" 2>>"$work/serve.log" &
serve=$!
wait_for 60 "serve" is_ready
"$binary" load --data "$work/wall" --clients 10 --for 4s --json >"$work/load" 2>"$work/load.log" &
load=$!
for seconds in 3600 -3600 86400 0; do
    check_in 60 "by a wall clock wrong by $seconds s"
    set_machine - - "$seconds"
done
wait "$load" || die "callout load ended with code $?"
grep -qF '"connections_lost": 0' "$work/load" || die "devices were cut off when the clock jumped"
cp -r "$work/wall" "$work/running" # with a log of writes that is not taken over yet
stop_serve
"$binary" verify "$work/wall" >"$work/verify.log" 2>&1 || die "verify found something"

# --- damaged files
damage() { # FOLDER WHAT WORD COMMAND...: does COMMAND to a copy; who opens it says WORD and ends
    local what=$2 word=$3
    rm -rf "$work/damaged"
    cp -r "$work/$1" "$work/damaged"
    shift 3
    "$@" || die "there is no damage: $what"
    "$binary" verify "$work/damaged" >"$work/verify.log" 2>&1 && die "verify does not see $what"
    grep -qF "$word" "$work/verify.log" || die "verify does not name $what"
    timeout 60 "$binary" serve --data "$work/damaged" --listen tcp://127.0.0.1:0 \
        --admin 127.0.0.1:0 --http none --lab >"$work/refused.log" 2>&1
    case $? in 0 | 124) die "serve runs on $what" ;; esac
    grep -qF "$word" "$work/refused.log" || die "serve does not name $what"
}
overwrite() { # FILE AT BYTES
    head -c "$3" /dev/urandom | dd of="$work/damaged/$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
damage wall "a database without its head" "callout.db" overwrite callout.db 0 64
damage wall "a cut database" "callout.db" truncate -s 300000 "$work/damaged/callout.db"
damage running "a bent log of writes" "callout.db-wal" overwrite callout.db-wal 50000 1000
echo "note: a bad machine is survived"
