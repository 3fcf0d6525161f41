#include "gateway/client/replica.h"

#include "base/arena.h"
#include "base/check.h"
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES_MAX = 4 << 20, CURSOR_BYTES_MAX = 1024 };

/* The statements, in the order of their SQL. */
enum { PUT, DROP, DROP_ALL, SET_CURSOR, STATEMENTS };

static const char *const sqls[STATEMENTS] = {
    [PUT] = "INSERT OR REPLACE INTO visit VALUES(?1, ?2, ?3)",
    [DROP] = "DELETE FROM visit WHERE appointment_id = ?1",
    [DROP_ALL] = "DELETE FROM visit",
    [SET_CURSOR] = "UPDATE mark SET cursor = ?1, cursor_checksum = ?2",
};

struct visit_list {
    struct replica_visit *items;
    size_t count, room;
};

struct replica {
    struct device_file *file;
    sqlite3_stmt *statements[STATEMENTS];
    struct visit_list visits;
    struct visit_list coming; /* pages of a snapshot that is not complete yet */
    uint8_t cursor[CURSOR_BYTES_MAX];
    size_t cursor_size;
    bool behind; /* the file is behind what is here */
    struct replica_change *changes;
    size_t change_count, change_room;
};

/* --- visits ---------------------------------------------------------------------------------- */

static size_t list_place(const struct visit_list *list, const char *appointment_id)
{
    size_t i = 0;
    while (i < list->count && strcmp(list->items[i].appointment_id, appointment_id) != 0)
        i++;
    return i;
}

static void visit_fini(struct replica_visit *visit)
{
    union {
        const uint8_t *borrowed;
        void *owned;
    } packed = {visit->packed}; /* const for readers, ours to free */
    free(packed.owned);
}

static void list_clear(struct visit_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        visit_fini(&list->items[i]);
    free(list->items);
    *list = (struct visit_list){0};
}

static struct replica_visit *list_add(struct visit_list *list)
{
    if (list->count == list->room) {
        list->room = list->room == 0 ? 16 : list->room * 2;
        list->items = realloc(list->items, list->room * sizeof *list->items);
        CHECK(list->items != NULL);
    }
    return &list->items[list->count++];
}

static void list_remove(struct visit_list *list, size_t place)
{
    visit_fini(&list->items[place]);
    memmove(list->items + place, list->items + place + 1,
            (--list->count - place) * sizeof *list->items);
}

static void copy_id(char out[LIMIT_ID + 1], const char *id)
{
    snprintf(out, LIMIT_ID + 1, "%s", id);
}

static void visit_read_order(struct replica_visit *visit, const Callout__WorkOrder *order)
{
    copy_id(visit->work_order_id, order->work_order_id);
    visit->service_s = order->service_seconds;
    visit->priority = order->priority;
    visit->emergency = order->emergency;
    if (order->site != NULL && order->site->point != NULL)
        visit->at = (struct point){order->site->point->lat_e7, order->site->point->lon_e7};
    if (order->n_windows > 0) {
        visit->window_start_us = order->windows[0]->start_us;
        visit->window_end_us = order->windows[0]->end_us;
    }
}

/* False: the reply's entry has no appointment, which a sound server never sends. */
static bool visit_read(struct replica_visit *out, const Callout__FieldAppointment *field)
{
    const Callout__Appointment *appointment = field->appointment;
    if (appointment == NULL || appointment->appointment_id[0] == '\0') return false;
    struct replica_visit visit = {
        .status = appointment->status,
        .planned_start_us = appointment->planned_start_us,
        .planned_end_us = appointment->planned_end_us,
        .service_day = appointment->service_day,
        .late = appointment->late,
        .version = appointment->version,
    };
    copy_id(visit.appointment_id, appointment->appointment_id);
    if (appointment->assignment != NULL) {
        visit.position = appointment->assignment->position;
        visit.tentative = appointment->assignment->tentative;
    }
    if (field->work_order != NULL) visit_read_order(&visit, field->work_order);
    visit.packed_size = callout__field_appointment__get_packed_size(field);
    uint8_t *packed = malloc(visit.packed_size);
    CHECK(packed != NULL);
    callout__field_appointment__pack(field, packed);
    visit.packed = packed;
    *out = visit;
    return true;
}

/* --- changes --------------------------------------------------------------------------------- */

static void note_change(struct replica *replica, const struct replica_visit *before,
                        const struct replica_visit *after)
{
    struct replica_change change = {.kind = REPLICA_STATUS};
    copy_id(change.appointment_id, (before != NULL ? before : after)->appointment_id);
    if (before != NULL) change.start_before_us = before->planned_start_us;
    if (after != NULL) change.start_after_us = after->planned_start_us;
    if (before == NULL)
        change.kind = REPLICA_CAME;
    else if (after == NULL)
        change.kind = REPLICA_LEFT;
    else if (before->planned_start_us != after->planned_start_us ||
             before->position != after->position)
        change.kind = REPLICA_MOVED;
    else if (before->packed_size == after->packed_size &&
             memcmp(before->packed, after->packed, after->packed_size) == 0)
        return;
    if (replica->change_count == replica->change_room) {
        replica->change_room = replica->change_room == 0 ? 16 : replica->change_room * 2;
        replica->changes =
            realloc(replica->changes, replica->change_room * sizeof *replica->changes);
        CHECK(replica->changes != NULL);
    }
    replica->changes[replica->change_count++] = change;
}

static void put_visit(struct replica *replica, const Callout__FieldAppointment *field)
{
    struct replica_visit visit;
    if (!visit_read(&visit, field)) return;
    size_t place = list_place(&replica->visits, visit.appointment_id);
    if (place == replica->visits.count) {
        note_change(replica, NULL, &visit);
        *list_add(&replica->visits) = visit;
        return;
    }
    note_change(replica, &replica->visits.items[place], &visit);
    visit_fini(&replica->visits.items[place]);
    replica->visits.items[place] = visit;
}

static void drop_visit(struct replica *replica, const char *appointment_id)
{
    size_t place = list_place(&replica->visits, appointment_id);
    if (place == replica->visits.count) return;
    note_change(replica, &replica->visits.items[place], NULL);
    list_remove(&replica->visits, place);
}

/* --- the file -------------------------------------------------------------------------------- */

static enum err put_row(struct replica *replica, const struct replica_visit *visit)
{
    sqlite3_stmt *put = replica->statements[PUT];
    sqlite3_bind_text(put, 1, visit->appointment_id, -1, SQLITE_STATIC);
    sqlite3_bind_blob(put, 2, visit->packed, (int)visit->packed_size, SQLITE_STATIC);
    sqlite3_bind_int64(put, 3, device_file_checksum(0, 0, visit->packed, visit->packed_size));
    return device_file_run(replica->file, put, NULL);
}

static enum err drop_row(struct replica *replica, const char *appointment_id)
{
    sqlite3_stmt *drop = replica->statements[DROP];
    sqlite3_bind_text(drop, 1, appointment_id, -1, SQLITE_STATIC);
    return device_file_run(replica->file, drop, NULL);
}

/* The cursor's checksum covers how many visits there are: one that went missing is noticed. */
static int64_t cursor_checksum(const struct replica *replica)
{
    return device_file_checksum((int64_t)replica->visits.count, 0, replica->cursor,
                                replica->cursor_size);
}

static enum err put_cursor(struct replica *replica)
{
    sqlite3_stmt *set = replica->statements[SET_CURSOR];
    sqlite3_bind_blob(set, 1, replica->cursor, (int)replica->cursor_size, SQLITE_STATIC);
    sqlite3_bind_int64(set, 2, cursor_checksum(replica));
    return device_file_run(replica->file, set, NULL);
}

static enum err put_changes(struct replica *replica)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < replica->change_count && err == ERR_OK; i++) {
        const char *id = replica->changes[i].appointment_id;
        const struct replica_visit *visit = replica_find(replica, id);
        err = visit != NULL ? put_row(replica, visit) : drop_row(replica, id);
    }
    return err;
}

static enum err put_all(struct replica *replica)
{
    enum err err = device_file_run(replica->file, replica->statements[DROP_ALL], NULL);
    for (size_t i = 0; i < replica->visits.count && err == ERR_OK; i++)
        err = put_row(replica, &replica->visits.items[i]);
    return err;
}

/* Failures are passed over: a replica that could not be kept is fetched again. After one the file
 * is behind what is in memory, so the next time all is written. */
static void save(struct replica *replica)
{
    enum err err = device_file_begin(replica->file, NULL);
    if (err == ERR_OK) {
        err = replica->behind ? put_all(replica) : put_changes(replica);
        if (err == ERR_OK) err = put_cursor(replica);
        if (err == ERR_OK)
            err = device_file_commit(replica->file, NULL);
        else
            device_file_rollback(replica->file);
    }
    replica->behind = err != ERR_OK;
}

static bool take_visit(struct replica *replica, const uint8_t *bytes, size_t size,
                       struct arena *arena)
{
    ProtobufCMessage *message;
    struct replica_visit visit;
    arena_rewind(arena);
    if (message_decode(&callout__field_appointment__descriptor, bytes, size, arena, &message,
                       NULL) != ERR_OK ||
        !visit_read(&visit, (const Callout__FieldAppointment *)message))
        return false;
    *list_add(&replica->visits) = visit;
    return true;
}

static bool load_visits(struct replica *replica)
{
    sqlite3_stmt *statement;
    if (device_file_prepare(replica->file, &statement, "SELECT packed, checksum FROM visit",
                            NULL) != ERR_OK)
        return false;
    struct arena arena;
    arena_open(&arena, ARENA_BYTES_MAX);
    bool sound = true;
    while (sound && device_file_step(replica->file, statement, NULL) == ERR_OK) {
        const uint8_t *bytes = sqlite3_column_blob(statement, 0);
        size_t size = (size_t)sqlite3_column_bytes(statement, 0);
        sound = sqlite3_column_int64(statement, 1) == device_file_checksum(0, 0, bytes, size) &&
                take_visit(replica, bytes, size, &arena);
    }
    arena_close(&arena);
    sqlite3_finalize(statement);
    return sound;
}

static bool load_cursor(struct replica *replica)
{
    sqlite3_stmt *statement;
    if (device_file_prepare(replica->file, &statement, "SELECT cursor, cursor_checksum FROM mark",
                            NULL) != ERR_OK)
        return false;
    bool sound = device_file_step(replica->file, statement, NULL) == ERR_OK;
    if (sound) {
        replica->cursor_size = (size_t)sqlite3_column_bytes(statement, 0);
        sound = replica->cursor_size <= sizeof replica->cursor;
    }
    if (sound && replica->cursor_size > 0)
        memcpy(replica->cursor, sqlite3_column_blob(statement, 0), replica->cursor_size);
    sound = sound && sqlite3_column_int64(statement, 1) == cursor_checksum(replica);
    sqlite3_finalize(statement);
    return sound;
}

/* What is not sound is fetched again. */
static void load(struct replica *replica)
{
    replica->behind = !load_visits(replica) || !load_cursor(replica);
    if (!replica->behind) return;
    list_clear(&replica->visits);
    replica->cursor_size = 0;
}

/* --- the door -------------------------------------------------------------------------------- */

enum err replica_open(struct replica **out, struct device_file *file, struct problem *problem)
{
    struct replica *replica = calloc(1, sizeof *replica);
    CHECK(replica != NULL);
    replica->file = file;
    for (int i = 0; i < STATEMENTS; i++) {
        enum err err = device_file_prepare(file, &replica->statements[i], sqls[i], problem);
        if (err == ERR_OK) continue;
        replica_close(replica);
        return err;
    }
    load(replica);
    *out = replica;
    return ERR_OK;
}

void replica_close(struct replica *replica)
{
    if (replica == NULL) return;
    list_clear(&replica->visits);
    list_clear(&replica->coming);
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(replica->statements[i]);
    free(replica->changes);
    free(replica);
}

ProtobufCBinaryData replica_cursor(const struct replica *replica)
{
    union {
        const uint8_t *borrowed;
        uint8_t *data;
    } cursor = {replica->cursor}; /* protobuf-c has no const in its bytes; it only reads them */
    return (ProtobufCBinaryData){replica->cursor_size, cursor.data};
}

const struct replica_visit *replica_visits(const struct replica *replica, size_t *count)
{
    *count = replica->visits.count;
    return replica->visits.items;
}

const struct replica_visit *replica_find(const struct replica *replica, const char *appointment_id)
{
    size_t place = list_place(&replica->visits, appointment_id);
    return place < replica->visits.count ? &replica->visits.items[place] : NULL;
}

static void set_cursor(struct replica *replica, ProtobufCBinaryData cursor)
{
    if (cursor.len > sizeof replica->cursor) cursor.len = 0; /* not one of ours: take a Snapshot */
    if (cursor.len > 0) memcpy(replica->cursor, cursor.data, cursor.len);
    replica->cursor_size = cursor.len;
}

const struct replica_change *replica_apply(struct replica *replica, const Callout__PullReply *reply,
                                           size_t *count)
{
    replica->change_count = 0;
    for (size_t i = 0; i < reply->n_appointments; i++)
        put_visit(replica, reply->appointments[i]);
    for (size_t i = 0; i < reply->n_left_scope; i++)
        drop_visit(replica, reply->left_scope[i]);
    bool moved = reply->cursor.len != replica->cursor_size ||
                 (replica->cursor_size > 0 &&
                  memcmp(reply->cursor.data, replica->cursor, replica->cursor_size) != 0);
    set_cursor(replica, reply->cursor);
    if (moved) save(replica);
    *count = replica->change_count;
    return replica->changes;
}

/* The collected visits become the visits; the old ones are compared and dropped. */
static void swap_in(struct replica *replica)
{
    struct visit_list old = replica->visits;
    replica->visits = replica->coming;
    replica->coming = (struct visit_list){0};
    for (size_t i = 0; i < replica->visits.count; i++) {
        const struct replica_visit *after = &replica->visits.items[i];
        size_t place = list_place(&old, after->appointment_id);
        note_change(replica, place < old.count ? &old.items[place] : NULL, after);
    }
    for (size_t i = 0; i < old.count; i++)
        if (list_place(&replica->visits, old.items[i].appointment_id) == replica->visits.count)
            note_change(replica, &old.items[i], NULL);
    list_clear(&old);
}

const struct replica_change *replica_apply_snapshot(struct replica *replica,
                                                    const Callout__SnapshotReply *page, bool first,
                                                    size_t *count)
{
    if (first) list_clear(&replica->coming);
    replica->change_count = 0;
    for (size_t i = 0; i < page->n_appointments; i++) {
        struct replica_visit visit;
        if (visit_read(&visit, page->appointments[i])) *list_add(&replica->coming) = visit;
    }
    if (page->next_page_token[0] == '\0') {
        swap_in(replica);
        set_cursor(replica, page->cursor);
        replica->behind = true; /* also by what a comparison cannot tell */
        save(replica);
    }
    *count = replica->change_count;
    return replica->changes;
}

void replica_erase(struct replica *replica)
{
    replica_forget(replica);
    list_clear(&replica->visits);
    list_clear(&replica->coming);
    replica->behind = true;
    save(replica);
    if (device_file_clean(replica->file, NULL) != ERR_OK) replica->behind = true;
}

void replica_forget(struct replica *replica)
{
    replica->cursor_size = 0;
}
