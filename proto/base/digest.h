/* digest.h - a 64-bit running hash for digests of state. Not for secrets: those use libsodium.
 *
 * Order matters; lengths are mixed in, so that ("ab","c") and ("a","bc") differ.
 */
#ifndef CALLOUT_BASE_DIGEST_H
#define CALLOUT_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct digest {
    uint64_t state;
};

static inline struct digest digest_start(void)
{
    return (struct digest){0xcbf29ce484222325u};
}

static inline void digest_u64(struct digest *digest, uint64_t value)
{
    uint64_t z = digest->state ^ value;
    z = (z ^ (z >> 32)) * 0xd6e8feb86659fd93u;
    z = (z ^ (z >> 32)) * 0xd6e8feb86659fd93u;
    digest->state = (z ^ (z >> 32)) + 0x9e3779b97f4a7c15u;
}

void digest_bytes(struct digest *digest, const void *bytes, size_t size);

#endif
