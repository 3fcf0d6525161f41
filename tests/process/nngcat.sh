#!/bin/bash
# nngcat.sh CALLOUT: Debian's own nngcat gets an error reply from a running system, over tcp and
# over a Unix socket, also after 400 connections that were half-closed and reset, and after 300
# peers of its kind were killed in the middle of whatever they did. A listener of nng's own is dead
# by then.
set -u
callout=$1
folder=$(mktemp -d)
touch "$folder/out" "$folder/log"
serve_pid=

finish() {
    [ -z "$serve_pid" ] || kill "$serve_pid" 2>/dev/null
    wait
    rm -rf "$folder"
}
trap finish EXIT

die() {
    echo "nngcat.sh: $*"
    tail -n 20 "$folder/log"
    exit 1
}

# The one place where time passes without an event: a shell has nothing better than asking again.
wait_for() { # WHAT COMMAND...
    local what=$1
    shift
    for _ in $(seq 3000); do
        "$@" && return
        sleep 0.02
    done
    die "waited in vain for $what"
}

expect_error_reply() { # URL WHEN
    timeout 60 nngcat --req --dial "$1" --data x --raw --recv-timeout 40 >"$folder/reply" 2>&1
    grep -aq 'request' "$folder/reply" ||
        die "no error reply from $1 $2: $(head -c 200 "$folder/reply")"
}

break_connections() { # PORT COUNT: each says nothing, half a greeting or all of it, then goes badly
    perl -MSocket -e '
        my ($port, $count) = @ARGV;
        for my $i (1 .. $count) {
            socket(my $peer, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
            connect($peer, sockaddr_in($port, INADDR_LOOPBACK)) or die "connect: $!";
            syswrite($peer, substr("\0SP\0\0\x30\0\0", 0, 4 * ($i % 3)));
            shutdown($peer, 1) if $i % 2;
            setsockopt($peer, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)) if $i % 4;
            close($peer);
        }' "$1" "$2"
}

kill_peers() { # URL BATCHES SIZE: every other batch is killed before it could connect properly
    local batch pids
    for batch in $(seq "$2"); do
        pids=()
        rm -f "$folder/peer"
        for _ in $(seq "$3"); do
            nngcat --req --dial "$1" --data x --interval 1 --raw >>"$folder/peer" 2>&1 &
            pids+=($!)
        done
        [ $((batch % 2)) = 0 ] || wait_for "a reply to a peer" test -s "$folder/peer"
        kill -9 "${pids[@]}"
        wait "${pids[@]}" 2>/dev/null
    done
}

command -v nngcat >/dev/null || die "nngcat is missing: apt-get install nng-utils"
"$callout" serve --data "$folder/data" --listen tcp://127.0.0.1:0 --listen "ipc://$folder/door" \
    --http none --admin 127.0.0.1:0 >"$folder/out" 2>"$folder/log" &
serve_pid=$!
wait_for "serve" grep -q '^ready' "$folder/out"
tcp=$(grep -o 'tcp://[0-9.:]*' "$folder/out" | head -n 1)
ipc=ipc://$folder/door

expect_error_reply "$tcp" "at first"
expect_error_reply "$ipc" "at first"
break_connections "${tcp##*:}" 400 || die "cannot connect any more"
expect_error_reply "$tcp" "after 400 broken connections"
kill_peers "$tcp" 6 50
expect_error_reply "$tcp" "after 300 killed peers"
kill_peers "$ipc" 2 50
expect_error_reply "$ipc" "after 100 killed peers"

kill "$serve_pid"
wait "$serve_pid" || die "serve ended with $?"
serve_pid=
echo "note: nngcat was answered after 400 broken connections and 400 killed peers"
