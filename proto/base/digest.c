#include "base/digest.h"

void digest_bytes(struct digest *digest, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    digest_u64(digest, size);
    for (size_t done = 0; done < size; done += 8) {
        uint64_t word = 0;
        for (size_t i = 0; i < 8 && done + i < size; i++) {
            word |= (uint64_t)at[done + i] << (8 * i);
        }
        digest_u64(digest, word);
    }
}
