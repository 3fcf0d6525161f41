/* safe_seq.c - what of each device's commands is in a backup: told to it in Hello.
 *
 * A device keeps what was answered until it is in a backup, too (and 72 hours at least), since a
 * server that is restored asks for it again. What the copy has is read from the copy: the batch
 * that asks for a backup may have rows of its own that are not in it.
 */
#include "dispatcher/engine_impl.h"

#include <string.h>

struct safe_list {
    struct arena *arena;
    struct safe_item {
        const char *device_id;
        int64_t last_seq;
        struct safe_item *next;
    } * first;
};

static bool note_device(void *context, const void *visited)
{
    struct safe_list *list = context;
    const struct row_device *row = visited;
    struct safe_item *item = arena_need(list->arena, sizeof *item);
    *item = (struct safe_item){arena_text(list->arena, row->device_id), row->last_seq, list->first};
    list->first = item;
    return true;
}

static enum err keep_safe(struct call *call, const struct safe_item *item)
{
    union row row;
    const struct row_device key = {.device_id = item->device_id};
    enum err err = store_get(call->engine->store, ROW_DEVICE, &key, &row);
    if (err == ERR_NOT_FOUND) return ERR_OK;
    if (err != ERR_OK || row.device.safe_seq >= item->last_seq) return err;
    row.device.safe_seq = item->last_seq;
    return engine_put(call->engine, ROW_DEVICE, &row.device);
}

enum err note_safe_commands(struct call *call, const char *backup_folder)
{
    struct store *copy = NULL;
    struct safe_list list = {.arena = call->arena};
    enum err err = store_open_reader(&copy, backup_folder, &call->problem);
    if (err != ERR_OK) return err;
    err = store_each(copy, ROW_DEVICE, NULL, 0, false, note_device, &list);
    store_close(copy);
    for (const struct safe_item *it = list.first; it != NULL && err == ERR_OK; it = it->next)
        err = keep_safe(call, it);
    return err;
}
