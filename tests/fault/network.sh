#!/usr/bin/env bash
# network.sh BINARY - a fleet's day over a network that, one after the other,
#   loses a fifth of all packets;
#   is cut for so long that the gateway gives its connections up (half-open: 45 s at most);
#   answers every packet with a reset.
# System and fleet live in network namespaces of their own; the trouble is nft's. Each time
# check-ins go on within 30 s of the end of it, and at the end of the day nothing that was
# acknowledged is lost, and nothing is there twice. Needs root, ip and nft; without them it says so
# and ends.
set -u
name=network
binary=$(realpath "${1:?usage: network.sh BINARY}")
house=callout-$(mktemp -u XXXXXX) # namespaces
field=$house-f
near=(ip netns exec "$house")
far=(ip netns exec "$field")
listen=tcp://10.0.0.1:0

make_network() {
    ip netns add "$house" && ip netns add "$field" &&
        ip -n "$house" link add road type veth peer name road netns "$field" &&
        ip -n "$house" addr add 10.0.0.1/30 dev road &&
        ip -n "$field" addr add 10.0.0.2/30 dev road &&
        ip -n "$house" link set lo up && ip -n "$house" link set road up &&
        ip -n "$field" link set lo up && ip -n "$field" link set road up &&
        "${far[@]}" nft add table inet trouble
}
take_down() {
    ip netns del "$field"
    ip netns del "$house"
}
if ! make_network >/dev/null 2>&1; then
    take_down >/dev/null 2>&1
    echo "note: a bad network: skipped (needs root, ip and nft)"
    exit 0
fi
. "$(dirname "$0")/day.sh"
trap 'clean_up; take_down' EXIT

metric() { # PATTERN: sum of the metrics' lines that begin so
    local port
    port=$(sed -nE 's/.* admin 127\.0\.0\.1:([0-9]+) .*/\1/p' "$work/ready")
    "${near[@]}" bash -c "exec 3<>/dev/tcp/127.0.0.1/$port
        printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3; cat <&3" |
        awk -v of="$1" 'index($0, of) == 1 { n += $NF } END { print n + 0 }'
}
acknowledged() { metric 'callout_gateway_requests_total{method="Push",status="ok"}'; }
goes_on() { [ "$(acknowledged)" -gt "$1" ]; }
nobody_is_connected() { [ "$(metric 'callout_gateway_connections ')" = 0 ]; }

trouble() { # RULE: for all that the fleet sends and gets
    "${far[@]}" nft flush table inet trouble
    local side
    for side in input output; do
        "${far[@]}" nft add chain inet trouble "$side" \
            "{ type filter hook $side priority 0; }" || die "no chain"
        [ -z "$1" ] || "${far[@]}" nft add rule inet trouble "$side" oifname != lo iifname != lo \
            ip protocol tcp counter $1 || die "nft does not know $1"
    done
}
packets() { # that met the trouble
    "${far[@]}" nft list table inet trouble | awk '{ for (i = 1; i < NF; i++)
        if ($i == "packets") n += $(i + 1) } END { print n + 0 }'
}
have_met() { [ "$(packets)" -ge "$1" ]; }
heal() { # WHAT
    local before from
    before=$(acknowledged)
    trouble ''
    from=$(date +%s%N)
    wait_for 30 "a check-in after $1" goes_on "$before"
    echo "note: $((($(date +%s%N) - from) / 1000000)) ms from $1 to the next check-in"
}

start_serve 300
import_day
start_fleet
wait_for 60 "the first check-in" goes_on 0

trouble 'numgen random mod 100 < 20 drop'
before=$(acknowledged)
wait_for 60 "check-ins while packets are lost" goes_on "$((before + 20))"
heal "the loss"

trouble 'drop'
wait_for 60 "the gateway to give up who is gone" nobody_is_connected
heal "the cut"

trouble 'reject with tcp reset'
wait_for 30 "connections that are refused" have_met 20
heal "the resets"

end_day
echo "note: a bad network is survived"
