/* sp_peers.h - whose an address is, and how many connections each has.
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
/* The same of an address as text ("192.0.2.7", "2001:db8::7", as sp_peer says it); what is neither
 * is not counted. */
struct sp_address sp_address_read(const char *text);
/* The IPv4 /24 or IPv6 /64 that an address lies in: for those who guess from many of them. */
uint64_t sp_address_neighbourhood(struct sp_address address);
/* Returns the number of connections of this address, this one included. */
uint32_t sp_peers_add(struct sp_peers *peers, struct sp_address address);
void sp_peers_remove(struct sp_peers *peers, struct sp_address address);

#endif
