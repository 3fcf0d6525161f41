#include "dispatcher/core/id_index.h"

#include "base/check.h"
#include "base/digest.h"

#include <string.h>

void id_index_open(struct id_index *index, struct arena *arena, const void *pool, size_t item_size,
                   uint32_t items_max)
{
    uint32_t slot_count = 16;
    while (slot_count < items_max * 2)
        slot_count *= 2;
    *index = (struct id_index){pool, item_size, arena_need(arena, slot_count * sizeof(uint32_t)),
                               slot_count};
}

static uint32_t first_slot(const struct id_index *index, const char *id)
{
    struct digest digest = digest_start();
    digest_bytes(&digest, id, strlen(id));
    return (uint32_t)(digest.state >> 20) & (index->slot_count - 1);
}

static const char *item_id(const struct id_index *index, uint32_t item)
{
    return index->pool + item * index->item_size;
}

uint32_t id_index_find(const struct id_index *index, const char *id)
{
    uint32_t slot = first_slot(index, id);
    while (index->slots[slot] != 0) {
        uint32_t item = index->slots[slot] - 1;
        if (strcmp(item_id(index, item), id) == 0) return item;
        slot = (slot + 1) & (index->slot_count - 1);
    }
    return NONE;
}

void id_index_add(struct id_index *index, uint32_t item)
{
    uint32_t slot = first_slot(index, item_id(index, item));
    for (uint32_t tries = 0; index->slots[slot] != 0; tries++) {
        CHECK(tries < index->slot_count);
        slot = (slot + 1) & (index->slot_count - 1);
    }
    index->slots[slot] = item + 1;
}
