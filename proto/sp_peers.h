/* sp_peers.h - how many connections each address has.
 *
 * One address is an IPv4 address or an IPv6 /64, which is what one household or one attacker holds.
 * Owner and thread: the listener's.
 */
#ifndef CALLOUT_SP_PEERS_H
#define CALLOUT_SP_PEERS_H

#include <stdint.h>

struct sockaddr;

struct sp_address {
    uint64_t key; /* 0: not counted (a Unix socket) */
};

enum { SP_PEER_BUCKETS = 4096 };

struct sp_peers {
    struct sp_peer *buckets[SP_PEER_BUCKETS];
};

struct sp_address sp_address_of(const struct sockaddr *address);
/* Returns the number of connections of this address, this one included. */
uint32_t sp_peers_add(struct sp_peers *peers, struct sp_address address);
void sp_peers_remove(struct sp_peers *peers, struct sp_address address);

#endif
