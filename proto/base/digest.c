#include "base/digest.h"

/* Least significant byte first, on every machine; compilers make one load of it. */
static uint64_t word_at(const unsigned char *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
           (uint64_t)at[7] << 56;
}

void digest_bytes(struct digest *digest, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    size_t done = 0;
    digest_u64(digest, size);
    for (; size - done >= 8; done += 8) {
        digest_u64(digest, word_at(at + done));
    }
    if (done == size) return;
    uint64_t word = 0;
    for (size_t i = 0; done + i < size; i++) {
        word |= (uint64_t)at[done + i] << (8 * i);
    }
    digest_u64(digest, word);
}
