/* blobs.h - the bytes of photos and signatures: what they may be. */
#ifndef CALLOUT_DISPATCHER_BLOBS_H
#define CALLOUT_DISPATCHER_BLOBS_H

#include <stdbool.h>

enum { BLOB_HASH = 32, BLOB_SIZE_MAX = 4 << 20 };

/* Is it a kind of picture that we take? */
bool blob_type_known(const char *media_type);

#endif
