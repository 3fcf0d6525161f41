#include "base/arena.h"

#include "base/check.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_MIN = 16 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    size_t soiled; /* bytes below this were used before a rewind; above it calloc's zeros still
                      stand */
    alignas(max_align_t) unsigned char bytes[];
};

void arena_open(struct arena *arena, size_t cap)
{
    *arena = (struct arena){.cap = cap};
}

static struct arena_block *block_add(struct arena *arena, size_t size)
{
    size_t room = size > BLOCK_MIN ? size : BLOCK_MIN;
    struct arena_block *block = calloc(1, sizeof *block + room);
    CHECK(block != NULL);
    block->next = arena->first;
    block->size = room;
    arena->first = block;
    return block;
}

void *arena_take(struct arena *arena, size_t size)
{
    size_t step = alignof(max_align_t);
    if (size > arena->cap || arena->used > arena->cap - size) return NULL;
    size = (size + step - 1) / step * step;
    struct arena_block *block = arena->first;
    if (block == NULL || block->size - block->used < size) block = block_add(arena, size);
    size_t start = block->used;
    void *memory = block->bytes + start;
    block->used += size;
    arena->used += size;
    size_t soiled = start < block->soiled ? block->soiled - start : 0;
    return memset(memory, 0, soiled < size ? soiled : size);
}

void *arena_need(struct arena *arena, size_t size)
{
    void *memory = arena_take(arena, size);
    CHECK(memory != NULL);
    return memory;
}

char *arena_text(struct arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = arena_take(arena, size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

void arena_rewind(struct arena *arena)
{
    while (arena->first != NULL && arena->first->next != NULL) {
        struct arena_block *next = arena->first->next;
        free(arena->first);
        arena->first = next;
    }
    if (arena->first != NULL) {
        if (arena->first->used > arena->first->soiled) arena->first->soiled = arena->first->used;
        arena->first->used = 0;
    }
    arena->used = 0;
}

void arena_close(struct arena *arena)
{
    arena_rewind(arena);
    free(arena->first);
    arena->first = NULL;
}
