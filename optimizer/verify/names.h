/* names.h - from an id to its place in a list: a sorted index. */
#ifndef CALLOUT_OPTIMIZER_VERIFY_NAMES_H
#define CALLOUT_OPTIMIZER_VERIFY_NAMES_H

#include <stdint.h>

struct name {
    const char *id;
    uint32_t index;
};

/* Sorts them; returns one that comes twice, or NULL. */
const struct name *names_sort(struct name *names, uint32_t count);

/* The index, or UINT32_MAX if nobody has that id. */
uint32_t names_find(const struct name *names, uint32_t count, const char *id);

#endif
