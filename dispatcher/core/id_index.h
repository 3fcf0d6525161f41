/* id_index.h - finds an entity's number by its id: open addressing over a pool that only grows.
 *
 * Owner: the arena. The pool's items begin with their id text, so that the index needs no copy.
 */
#ifndef CALLOUT_CORE_ID_INDEX_H
#define CALLOUT_CORE_ID_INDEX_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

#define NONE UINT32_MAX /* no such entity */

struct id_index {
    const char *pool; /* first item; an item starts with its id, a NUL-ended text */
    size_t item_size;
    uint32_t *slots;     /* item number + 1; 0: free */
    uint32_t slot_count; /* a power of two, at least twice the pool's limit */
};

void id_index_open(struct id_index *index, struct arena *arena, const void *pool, size_t item_size,
                   uint32_t items_max);
uint32_t id_index_find(const struct id_index *index, const char *id); /* NONE if it is not there */
void id_index_add(struct id_index *index, uint32_t item); /* its id must be set and new */

#endif
