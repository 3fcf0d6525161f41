/* A store in plain memory: tables as sorted lists, and a log of what a batch undoes when it is
 * rolled back. The digest is kept up with every write: a row's digest is added when it comes and
 * subtracted when it goes. */
#include "dispatcher/store/nearest.h"
#include "dispatcher/store/row_copy.h"
#include "dispatcher/store/sorted.h"
#include "dispatcher/store/store_ops.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

/* One write: what it took away and what it brought, both owned by the store until it is settled. */
struct undo {
    enum row_kind kind;
    void *before; /* NULL: there was none */
    void *after;  /* NULL: it was erased */
};

struct store_mem {
    struct store store;
    struct sorted tables[ROW_KINDS];
    uint64_t digest;
    struct undo *undos; /* of the batch, oldest first */
    size_t undo_count, undo_room;
};

static struct store_mem *mem_of(struct store *store)
{
    return (struct store_mem *)store;
}

static void digest_change(struct store_mem *mem, enum row_kind kind, const void *before,
                          const void *after)
{
    if (row_table(kind)->class != ROW_NOUN) return;
    if (before != NULL) mem->digest -= row_digest(kind, before);
    if (after != NULL) mem->digest += row_digest(kind, after);
}

static void undo_note(struct store_mem *mem, struct undo undo)
{
    if (mem->undo_count == mem->undo_room) {
        mem->undo_room = mem->undo_room == 0 ? 64 : 2 * mem->undo_room;
        mem->undos = realloc(mem->undos, mem->undo_room * sizeof *mem->undos);
        CHECK(mem->undos != NULL);
    }
    mem->undos[mem->undo_count++] = undo;
    digest_change(mem, undo.kind, undo.before, undo.after);
}

/* The place of the row with this key, or where it would be; *found says which. */
static struct sorted_place seek_key(const struct sorted *table, const void *key, bool *found)
{
    uint32_t columns = row_key_count(table->table);
    struct sorted_place place = sorted_seek(table, key, columns, false);
    const void *row = sorted_at(table, place);
    *found = row != NULL && row_compare(table->table, row, key, columns) == 0;
    return place;
}

static void mem_close(struct store *store)
{
    struct store_mem *mem = mem_of(store);
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++) {
        struct sorted_place place = {0, 0};
        for (void *row; (row = sorted_at(&mem->tables[kind], place)) != NULL;) {
            place = sorted_next(&mem->tables[kind], place);
            free(row);
        }
        sorted_fini(&mem->tables[kind]);
    }
    free(mem->undos);
    free(mem);
}

static enum err mem_begin(struct store *store)
{
    CHECK(mem_of(store)->undo_count == 0);
    return ERR_OK;
}

static enum err mem_commit(struct store *store)
{
    struct store_mem *mem = mem_of(store);
    for (size_t i = 0; i < mem->undo_count; i++) {
        free(mem->undos[i].before);
    }
    mem->undo_count = 0;
    return ERR_OK;
}

static void undo_write(struct store_mem *mem, const struct undo *undo)
{
    bool found;
    struct sorted *table = &mem->tables[undo->kind];
    const void *key = undo->after != NULL ? undo->after : undo->before;
    struct sorted_place place = seek_key(table, key, &found);
    CHECK(found == (undo->after != NULL));
    digest_change(mem, undo->kind, undo->after, undo->before);
    if (undo->after == NULL) {
        sorted_insert(table, place, undo->before);
    } else if (undo->before == NULL) {
        free(sorted_remove(table, place));
    } else {
        free(sorted_replace(table, place, undo->before));
    }
}

static void mem_rollback(struct store *store)
{
    struct store_mem *mem = mem_of(store);
    while (mem->undo_count > 0) {
        undo_write(mem, &mem->undos[--mem->undo_count]);
    }
}

static enum err mem_put(struct store *store, enum row_kind kind, const void *row)
{
    struct store_mem *mem = mem_of(store);
    struct sorted *table = &mem->tables[kind];
    bool found;
    struct sorted_place place = seek_key(table, row, &found);
    void *copy = row_copy(row_table(kind), row);
    void *before = NULL;
    if (found) {
        before = sorted_replace(table, place, copy);
    } else {
        sorted_insert(table, place, copy);
    }
    undo_note(mem, (struct undo){kind, before, copy});
    return ERR_OK;
}

static enum err mem_erase(struct store *store, enum row_kind kind, const void *key,
                          uint32_t key_columns)
{
    struct store_mem *mem = mem_of(store);
    struct sorted *table = &mem->tables[kind];
    for (;;) {
        struct sorted_place place = sorted_seek(table, key, key_columns, false);
        const void *row = sorted_at(table, place);
        if (row == NULL || row_compare(table->table, row, key, key_columns) != 0) return ERR_OK;
        undo_note(mem, (struct undo){kind, sorted_remove(table, place), NULL});
    }
}

static enum err mem_get(struct store *store, enum row_kind kind, const void *key, union row *out)
{
    const struct sorted *table = &mem_of(store)->tables[kind];
    bool found;
    struct sorted_place place = seek_key(table, key, &found);
    if (!found) return ERR_NOT_FOUND;
    memcpy(out, sorted_at(table, place), table->table->size);
    return ERR_OK;
}

static enum err mem_last_fact(struct store *store, struct row_fact *out)
{
    const struct row_fact *last = sorted_last(&mem_of(store)->tables[ROW_FACT]);
    if (last == NULL) return ERR_NOT_FOUND;
    *out = *last;
    return ERR_OK;
}

static enum err mem_each(struct store *store, enum row_kind kind, const void *key,
                         uint32_t key_columns, bool after, store_visit *visit, void *context)
{
    const struct sorted *table = &mem_of(store)->tables[kind];
    struct sorted_place place = {0, 0};
    if (key_columns > 0 || after) {
        place = sorted_seek(table, key, key_columns + (after ? 1 : 0), after);
    }
    for (const void *row; (row = sorted_at(table, place)) != NULL;) {
        if (row_compare(table->table, row, key, key_columns) != 0) break;
        if (!visit(context, row)) break;
        place = sorted_next(table, place);
    }
    return ERR_OK;
}

static enum err mem_changes_of(struct store *store, const char *technician_id, int64_t after_seq,
                               store_visit *visit, void *context)
{
    const struct sorted *table = &mem_of(store)->tables[ROW_CHANGE];
    struct row_change key = {.seq = after_seq};
    struct sorted_place place = sorted_seek(table, &key, 1, true);
    for (const struct row_change *row; (row = sorted_at(table, place)) != NULL;) {
        bool touches = strcmp(row->owner_before, technician_id) == 0 ||
                       strcmp(row->owner_after, technician_id) == 0;
        if (touches && !visit(context, row)) break;
        place = sorted_next(table, place);
    }
    return ERR_OK;
}

/* Forward through the table, so the last one is found by keeping all. */
struct found {
    const void **rows;
    size_t count, room;
};

static void found_add(struct found *found, const void *row)
{
    if (found->count == found->room) {
        found->room = found->room == 0 ? 16 : 2 * found->room;
        found->rows = realloc(found->rows, found->room * sizeof *found->rows);
        CHECK(found->rows != NULL);
    }
    found->rows[found->count++] = row;
}

/* From the last one to the first. */
static void found_visit(struct found *found, store_visit *visit, void *context)
{
    while (found->count > 0 && visit(context, found->rows[found->count - 1]))
        found->count--;
    free(found->rows);
}

static enum err mem_history_of(struct store *store, const char *appointment_id, store_visit *visit,
                               void *context)
{
    const struct sorted *table = &mem_of(store)->tables[ROW_CHANGE];
    struct found found = {0};
    struct sorted_place place = {0, 0};
    for (const struct row_change *row; (row = sorted_at(table, place)) != NULL;
         place = sorted_next(table, place))
        if (strcmp(row->appointment_id, appointment_id) == 0) found_add(&found, row);
    found_visit(&found, visit, context);
    return ERR_OK;
}

static const char *named_by(const struct row_work_order *row, enum order_link link)
{
    const char *const names[ORDER_LINKS] = {[ORDER_SITE] = row->site_id,
                                            [ORDER_CUSTOMER] = row->customer_id,
                                            [ORDER_CONTACT] = row->contact_id,
                                            [ORDER_ASSET] = row->asset_id};
    return names[link];
}

static enum err mem_orders_of(struct store *store, enum order_link link, const char *id,
                              store_visit *visit, void *context)
{
    const struct sorted *table = &mem_of(store)->tables[ROW_WORK_ORDER];
    struct found found = {0};
    struct sorted_place place = {0, 0};
    for (const void *row; (row = sorted_at(table, place)) != NULL;
         place = sorted_next(table, place))
        if (strcmp(named_by(row, link), id) == 0) found_add(&found, row);
    found_visit(&found, visit, context);
    return ERR_OK;
}

static enum err mem_nearest(struct store *store, struct point from, uint32_t limit,
                            store_visit *visit, void *context)
{
    const struct sorted *table = &mem_of(store)->tables[ROW_POSITION];
    struct nearest nearest;
    nearest_init(&nearest, from, limit);
    struct sorted_place place = {0, 0};
    for (const void *row; (row = sorted_at(table, place)) != NULL;) {
        nearest_offer(&nearest, row);
        place = sorted_next(table, place);
    }
    nearest_visit(&nearest, visit, context);
    nearest_fini(&nearest);
    return ERR_OK;
}

static enum err mem_digest(struct store *store, uint64_t *out)
{
    *out = mem_of(store)->digest;
    return ERR_OK;
}

static enum err mem_row_count(struct store *store, enum row_kind kind, uint64_t *out)
{
    *out = mem_of(store)->tables[kind].row_count;
    return ERR_OK;
}

/* There is no file, so there is nothing wrong with it. */
static enum err mem_scrub(struct store *store)
{
    (void)store;
    return ERR_OK;
}

static enum err mem_verify_file(struct store *store, struct problem *problem)
{
    (void)store;
    (void)problem;
    return ERR_OK;
}

static enum err mem_backup(struct store *store, const char *folder, struct problem *problem)
{
    (void)store;
    return problem_set(problem, ERR_INVALID, "folder", "a store in memory has no backup in %s",
                       folder);
}

static const struct store_ops mem_ops = {
    .close = mem_close,
    .begin = mem_begin,
    .commit = mem_commit,
    .rollback = mem_rollback,
    .put = mem_put,
    .erase = mem_erase,
    .get = mem_get,
    .last_fact = mem_last_fact,
    .each = mem_each,
    .changes_of = mem_changes_of,
    .history_of = mem_history_of,
    .orders_of = mem_orders_of,
    .nearest = mem_nearest,
    .digest = mem_digest,
    .row_count = mem_row_count,
    .verify_file = mem_verify_file,
    .scrub = mem_scrub,
    .backup = mem_backup,
};

struct store *store_open_mem(void)
{
    struct store_mem *mem = calloc(1, sizeof *mem);
    CHECK(mem != NULL);
    mem->store.ops = &mem_ops;
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++) {
        sorted_init(&mem->tables[kind], row_table(kind));
    }
    enum err err = store_opened(&mem->store, NULL);
    CHECK(err == ERR_OK);
    return &mem->store;
}
