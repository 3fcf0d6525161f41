/* replica.c - see replica.h. File: "CALLREP1", the size of a packed SnapshotReply (its appointments
 * and its cursor are all there is to keep), a checksum of it, the bytes.
 */
#include "gateway/client/replica.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/digest.h"
#include "message.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 64 << 20, ARENA_BYTES_MAX = 256 << 20, CURSOR_BYTES_MAX = 1024 };

static const char magic[8] = {'C', 'A', 'L', 'L', 'R', 'E', 'P', '1'};

struct file_head {
    char magic[8];
    uint64_t size, checksum;
};

struct visit_list {
    struct replica_visit *items;
    size_t count, room;
};

struct replica {
    char path[1024];
    struct visit_list visits;
    struct visit_list coming; /* pages of a snapshot that is not complete yet */
    uint8_t cursor[CURSOR_BYTES_MAX];
    size_t cursor_size;
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

static uint64_t checksum_of(const uint8_t *bytes, size_t size)
{
    struct digest digest = digest_start();
    digest_bytes(&digest, bytes, size);
    return digest.state;
}

/* The visits are packed already: the SnapshotReply around them is put together by hand. */
static size_t put_field(uint8_t *out, uint8_t tag, const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    out[at++] = (uint8_t)(tag << 3 | 2);
    size_t rest = size;
    for (; rest >= 0x80; rest >>= 7)
        out[at++] = (uint8_t)(rest | 0x80);
    out[at++] = (uint8_t)rest;
    memcpy(out + at, bytes, size);
    return at + size;
}

/* Failures are passed over: a replica that could not be kept is fetched again. */
static void save(const struct replica *replica)
{
    size_t room = sizeof(struct file_head) + 16 + replica->cursor_size;
    for (size_t i = 0; i < replica->visits.count; i++)
        room += 16 + replica->visits.items[i].packed_size;
    uint8_t *bytes = malloc(room);
    CHECK(bytes != NULL);
    size_t size = sizeof(struct file_head);
    for (size_t i = 0; i < replica->visits.count; i++)
        size += put_field(bytes + size, 1, replica->visits.items[i].packed,
                          replica->visits.items[i].packed_size);
    size += put_field(bytes + size, 4, replica->cursor, replica->cursor_size);
    struct file_head head = {.size = size - sizeof head};
    memcpy(head.magic, magic, sizeof magic);
    head.checksum = checksum_of(bytes + sizeof head, head.size);
    memcpy(bytes, &head, sizeof head);
    char fresh[sizeof replica->path + 8];
    snprintf(fresh, sizeof fresh, "%s.new", replica->path);
    int file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file >= 0) {
        bool whole = write(file, bytes, size) == (ssize_t)size;
        close(file);
        if (!whole || rename(fresh, replica->path) != 0) unlink(fresh);
    }
    free(bytes);
}

static void take_bytes(struct replica *replica, const uint8_t *bytes, size_t size)
{
    struct file_head head;
    if (size < sizeof head) return;
    memcpy(&head, bytes, sizeof head);
    if (memcmp(head.magic, magic, sizeof magic) != 0 || head.size != size - sizeof head ||
        head.checksum != checksum_of(bytes + sizeof head, size - sizeof head))
        return;
    struct arena arena;
    arena_open(&arena, ARENA_BYTES_MAX);
    ProtobufCMessage *message;
    if (message_decode(&callout__snapshot_reply__descriptor, bytes + sizeof head, head.size, &arena,
                       &message, NULL) == ERR_OK) {
        const Callout__SnapshotReply *reply = (const Callout__SnapshotReply *)message;
        replica_apply_snapshot(replica, reply, true, &(size_t){0});
    }
    arena_close(&arena);
}

static void load(struct replica *replica)
{
    int file = open(replica->path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    struct stat stat;
    if (fstat(file, &stat) == 0 && stat.st_size > 0 && stat.st_size <= FILE_BYTES_MAX) {
        size_t size = (size_t)stat.st_size;
        uint8_t *bytes = malloc(size);
        CHECK(bytes != NULL);
        if (read(file, bytes, size) == (ssize_t)size) take_bytes(replica, bytes, size);
        free(bytes);
    }
    close(file);
}

/* --- the door -------------------------------------------------------------------------------- */

struct replica *replica_open(const char *path)
{
    struct replica *replica = calloc(1, sizeof *replica);
    CHECK(replica != NULL);
    CHECK(strlen(path) < sizeof replica->path);
    snprintf(replica->path, sizeof replica->path, "%s", path);
    load(replica);
    return replica;
}

void replica_close(struct replica *replica)
{
    if (replica == NULL) return;
    list_clear(&replica->visits);
    list_clear(&replica->coming);
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
        save(replica);
    }
    *count = replica->change_count;
    return replica->changes;
}

void replica_forget(struct replica *replica)
{
    replica->cursor_size = 0;
}
