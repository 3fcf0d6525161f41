#!/usr/bin/env bash
# badday.sh BINARY - a fleet's day in which, one after the other,
#   a second system is started on the same folder, which refuses;
#   the optimizer hangs for a while, and is killed every second: check-ins go on being taken;
#   the fleet does not read for a while: the gateway's memory stays where it is;
#   a sync of the disk fails (strace): questions are answered, and work goes on after a restart;
#   the disk is full (a tmpfs, as root): questions are answered, and work goes on with the space.
# Afterwards nothing that was acknowledged is lost, and nothing is there twice.
set -u
name=badday
binary=$(realpath "${1:?usage: badday.sh BINARY}")
. "$(dirname "$0")/day.sh"
skipped=

# --- the folder, on a small disk of its own where that can be had
mkdir "$work/data"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=96m,mode=700 tmpfs "$work/data" 2>/dev/null; then
    small_disk=yes
else
    small_disk=
    skipped="$skipped, full disk (needs root)"
fi
start_serve 900
import_day
start_fleet
wait_for 60 "the first check-in" goes_on 0

# --- double start
timeout 60 "$binary" serve --data "$work/data" --listen tcp://127.0.0.1:0 --admin 127.0.0.1:0 \
    --http none --lab >"$work/second.log" 2>&1
code=$?
[ "$code" != 0 ] && [ "$code" != 124 ] || die "a second system on the folder ended with $code"

# --- the optimizer hangs, then dies again and again
pid=$(role_pid optimizer) || die "there is no optimizer"
kill -STOP "$pid"
before=$(acknowledged)
wait_for 60 "a check-in while the optimizer hangs" goes_on "$((before + 5))"
kill -CONT "$pid"
for _ in 1 2 3 4; do
    pid=$(role_pid optimizer) && kill -9 "$pid"
    before=$(acknowledged)
    wait_for 60 "a check-in while the optimizer is dead" goes_on "$before"
done

# --- nobody reads
gateway=$(role_pid gateway) || die "there is no gateway"
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$gateway/status"; }
rss=$(resident)
kill -STOP "$fleet"
sleep 3 # the one wait for nothing: what is to be seen is that nothing happens
kill -CONT "$fleet"
grown=$(($(resident) - rss))
[ "$grown" -lt 16384 ] || die "the gateway grew by $grown KiB while nobody read"
before=$(acknowledged)
wait_for 60 "a check-in after the fleet slept" goes_on "$before"

# --- a sync fails
if [ "$(id -u)" = 0 ] && command -v strace >/dev/null && pid=$(role_pid dispatcher) &&
    strace -qq -e trace=none true 2>/dev/null; then
    timeout 90 strace -f -qq -o "$work/strace.log" -e trace=fdatasync,fsync \
        -e inject=fdatasync,fsync:error=EIO:when=3..6 -p "$pid" 2>/dev/null &
    tracer=$!
    failed_sync() { grep -q INJECTED "$work/strace.log" 2>/dev/null; }
    wait_for 60 "a sync that fails" failed_sync
    kill "$tracer" 2>/dev/null
    wait "$tracer" 2>/dev/null
    timeout 60 "$binary" ask kpis --data "$work/data" >"$work/ask.log" 2>&1 ||
        die "a question was not answered after a failed sync"
    before=$(acknowledged)
    kill -9 "$pid" # by hand: what the kernel dropped looks stored until the file is opened anew
    wait_for 60 "a check-in after a failed sync" goes_on "$before"
else
    skipped="$skipped, failed sync (needs root and strace)"
fi

# --- the disk is full
if [ -n "$small_disk" ]; then
    dd if=/dev/zero of="$work/data/ballast" bs=64k 2>/dev/null
    refused() { tail -n 50 "$work/serve.log" | grep -q 'commit failed'; }
    wait_for 60 "a refused commit" refused
    timeout 60 "$binary" ask kpis --data "$work/data" >"$work/ask.log" 2>&1 ||
        die "a question was not answered while the disk was full"
    before=$(acknowledged)
    rm "$work/data/ballast"
    from=$(date +%s%N)
    wait_for 60 "a check-in after there was space" goes_on "$before"
    echo "note: $((($(date +%s%N) - from) / 1000000)) ms from space to the next check-in"
fi

end_day
echo "note: a bad day is survived; left out: ${skipped:-nothing}"
