#include "sp_peers.h"

#include "base/check.h"
#include "base/rng.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct sp_peer {
    struct sp_peer *next;
    struct sp_address address;
    uint32_t count;
};

#define IPV4_PREFIX UINT64_C(0xffffffff)

/* The IPv4 address below a prefix that no IPv6 network has, or the upper half of an IPv6 address.
 */
struct sp_address sp_address_of(const struct sockaddr *address)
{
    struct sp_address out = {0};
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        out.key = IPV4_PREFIX << 32 | ntohl(in.sin_addr.s_addr);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        const uint8_t *bytes = in6.sin6_addr.s6_addr;
        unsigned from = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) ? 12 : 0;
        if (from > 0) out.key = IPV4_PREFIX;
        for (unsigned i = from; i < (from > 0 ? 16 : 8); i++)
            out.key = out.key << 8 | bytes[i];
        if (out.key == 0) out.key = 1; /* ::1 and its like */
    }
    return out;
}

struct sp_address sp_address_read(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return sp_address_of((const struct sockaddr *)&in);
    if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
        return sp_address_of((const struct sockaddr *)&in6);
    return (struct sp_address){0};
}

uint64_t sp_address_neighbourhood(struct sp_address address)
{
    return address.key >> 32 == IPV4_PREFIX ? address.key >> 8 : address.key;
}

static struct sp_peer **find(struct sp_peers *peers, struct sp_address address)
{
    struct rng hash = {address.key};
    struct sp_peer **at = &peers->buckets[rng_next(&hash) % SP_PEER_BUCKETS];
    while (*at != NULL && (*at)->address.key != address.key)
        at = &(*at)->next;
    return at;
}

uint32_t sp_peers_add(struct sp_peers *peers, struct sp_address address)
{
    if (address.key == 0) return 1;
    struct sp_peer **at = find(peers, address);
    if (*at == NULL) {
        *at = calloc(1, sizeof **at);
        CHECK(*at != NULL);
        (*at)->address = address;
    }
    return ++(*at)->count;
}

void sp_peers_remove(struct sp_peers *peers, struct sp_address address)
{
    if (address.key == 0) return;
    struct sp_peer **at = find(peers, address), *peer = *at;
    CHECK(peer != NULL && peer->count > 0);
    if (--peer->count > 0) return;
    *at = peer->next;
    free(peer);
}
