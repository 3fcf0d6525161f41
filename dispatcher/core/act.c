#include "dispatcher/core/act.h"

#include <string.h>

enum { FIRST_ROOM = 6 }; /* what a check-in wants done */

void acts_init(struct acts *acts, struct arena *arena)
{
    *acts = (struct acts){.arena = arena};
}

static struct act *add(struct acts *acts)
{
    if (acts->count == acts->room) {
        uint32_t room = acts->room == 0 ? FIRST_ROOM : acts->room * 2;
        struct act *items = arena_need(acts->arena, room * sizeof *items);
        if (acts->count > 0) memcpy(items, acts->items, acts->count * sizeof *items);
        acts->items = items;
        acts->room = room;
    }
    return &acts->items[acts->count++];
}

void acts_put(struct acts *acts, enum row_kind kind, const void *row)
{
    struct act *act = add(acts);
    act->kind = ACT_PUT;
    act->row_kind = kind;
    memcpy(&act->row, row, row_table(kind)->size);
}

void acts_erase(struct acts *acts, enum row_kind kind, const void *key, uint32_t key_columns)
{
    acts_put(acts, kind, key);
    struct act *act = &acts->items[acts->count - 1];
    act->kind = ACT_ERASE;
    act->key_columns = key_columns;
}

void acts_solve(struct acts *acts, const char *territory_id, int64_t service_day, bool event)
{
    struct act *act = add(acts);
    act->kind = ACT_SOLVE;
    act->territory_id = territory_id;
    act->service_day = service_day;
    act->event = event;
}
