#include "gateway/gzip.h"

#include "base/check.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP_WINDOW_BITS = 15 + 16 }; /* 16 more: gzip's frame, not zlib's */

uint8_t *gzip_pack(const void *bytes, size_t size, size_t *packed_size)
{
    CHECK(size <= UINT_MAX);
    uint8_t *packed = malloc(size + 1);
    z_stream stream = {.next_in = (z_const Bytef *)(uintptr_t)bytes,
                       .avail_in = (uInt)size,
                       .next_out = packed,
                       .avail_out = (uInt)size};
    CHECK(packed != NULL && deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW_BITS,
                                         MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK);
    int end = deflate(&stream, Z_FINISH);
    *packed_size = stream.total_out;
    deflateEnd(&stream);
    if (end == Z_STREAM_END) return packed;
    free(packed);
    return NULL;
}
