#include "dispatcher/blobs.h"

#include <stddef.h>
#include <string.h>

static const char *const types[] = {"image/jpeg", "image/png", "image/webp"};

bool blob_type_known(const char *media_type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i], media_type) == 0) return true;
    return false;
}
