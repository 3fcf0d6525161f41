/* arena.h - memory with the life of one request, solve or program: taken forward, rewound whole.
 *
 * Owner: whoever called arena_open. Thread: one at a time. Memory is zeroed when taken and aligned
 * for any type. arena_take returns NULL when the cap would be passed (sizes from outside);
 * arena_need stops the program instead (sizes that limits.h already bounds).
 */
#ifndef CALLOUT_BASE_ARENA_H
#define CALLOUT_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *first; /* newest block */
    size_t used;               /* bytes taken over all blocks */
    size_t cap;                /* no more than this many bytes are ever taken */
};

void arena_open(struct arena *arena, size_t cap);
void *arena_take(struct arena *arena, size_t size);
void *arena_need(struct arena *arena, size_t size);
char *arena_text(struct arena *arena, const char *text); /* a copy; NULL when full */
void arena_rewind(struct arena *arena); /* all memory is free again, one block kept */
void arena_close(struct arena *arena);

#endif
