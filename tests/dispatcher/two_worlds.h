/* two_worlds.h - a desk with two territories: "north" and all that is in it, and "zulu", of which
 * every name, id and text begins with "zulu". Who is granted north alone must never read that word.
 *
 * A request is made complete with north's ids, and then one field after the other names something
 * of zulu's, or something called the same with "zola", which is nowhere.
 */
#ifndef CALLOUT_TESTS_TWO_WORLDS_H
#define CALLOUT_TESTS_TWO_WORLDS_H

#include "desk.h"
#include "pb/people.pb-c.h"
#include "pb/roster.pb-c.h"

#include <stdlib.h>

#define FOREIGN "zulu"
#define MISSING "zola"

enum { FOREIGN_CONFLICT = 1009, MISSING_NUMBER = 1008, OWN_CONFLICT = 1001 };

/* Fields that name something, the end of such a name, and north's own. */
static const struct named_field {
    const char *field, *end, *own;
} named_fields[] = {
    {"territory_id", "", "north"},
    {"technician_id", "-T", "T1"},
    {"technician_ids", "-T", NULL},
    {"required_technician_ids", "-T", NULL},
    {"preferred_technician_ids", "-T", NULL},
    {"excluded_technician_ids", "-T", NULL},
    {"work_order_id", "-W", "W1"},
    {"follow_up_of", "-W", NULL},
    {"appointment_id", "-W.1", "W1.1"},
    {"other_appointment_id", "-W.1", "W2.1"},
    {"appointment_ids", "-W.1", NULL},
    {"device_id", "-D", "D1"},
    {"site_id", "-S", "S1"},
    {"customer_id", "-C", "C1"},
    {"contact_id", "-K", "K1"},
    {"asset_id", "-A", "A1"},
    {"csv", "", NULL},
    {"seq", NULL, NULL},
    {"in_reply_to", NULL, NULL},
};

static const struct named_field *named_field(const char *name)
{
    for (size_t i = 0; i < sizeof named_fields / sizeof named_fields[0]; i++)
        if (strcmp(named_fields[i].field, name) == 0) return &named_fields[i];
    return NULL;
}

static char *joined(struct desk *desk, const char *a, const char *b)
{
    char text[512];
    snprintf(text, sizeof text, "%s%s", a, b);
    return arena_text(&desk->arena, text);
}

static char *csv_naming(struct desk *desk, const char *world)
{
    char text[512];
    snprintf(text, sizeof text,
             "order_id,received_at,lon,lat,address,work_type,service_minutes,priority,skill,"
             "window_start,window_end,due_at\n%s-W,2026-11-23T07:00,9.52,47.14,Mill Lane,repair,"
             "30,5,,2026-11-23T09:00,2026-11-23T12:00,\n",
             world);
    return arena_text(&desk->arena, text);
}

/* --- the worlds --- */

static Callout__UpsertWorkOrderRequest *full_order(struct desk *desk, const char *territory,
                                                   const char *end_id, const char *name)
{
    Callout__UpsertWorkOrderRequest *request = desk_order(desk, end_id);
    Callout__WorkOrder *order = request->work_order;
    bool own = strcmp(territory, "north") == 0;
    DESK_NEW(desk, Callout__Customer, customer);
    DESK_NEW(desk, Callout__Contact, contact);
    callout__customer__init(customer);
    callout__contact__init(contact);
    customer->customer_id = own ? words("C1") : joined(desk, territory, "-C");
    contact->contact_id = own ? words("K1") : joined(desk, territory, "-K");
    order->site->site_id = own ? words("S1") : joined(desk, territory, "-S");
    order->asset_id = own ? words("A1") : joined(desk, territory, "-A");
    customer->name = contact->name = contact->phone = contact->email = words(name);
    customer->external_id = customer->locale = order->external_id = order->note = words(name);
    order->site->address = order->site->access_note = order->work_type = words(name);
    order->territory_id = words(territory);
    order->customer = customer;
    order->contact = contact;
    return request;
}

static Callout__UpsertTechnicianRequest *technician_of(struct desk *desk, const char *territory,
                                                       const char *id)
{
    Callout__UpsertTechnicianRequest *request =
        (Callout__UpsertTechnicianRequest *)(uintptr_t)desk_technician(desk, id);
    request->technician->territory_id = words(territory);
    request->technician->name = words(strcmp(territory, "north") == 0 ? "Ann" : "zulu Anton");
    return request;
}

static void write_to(struct desk *desk, const char *territory, const char *text)
{
    DESK_NEW(desk, Callout__SendMessageRequest, request);
    callout__send_message_request__init(request);
    request->territory_id = words(territory);
    request->text = words(text);
    desk_do(desk, "SendMessage", &request->base);
}

static Callout__Command *note_on(struct desk *desk, uint64_t seq, const char *appointment_id,
                                 const char *text)
{
    DESK_NEW(desk, Callout__Command, command);
    DESK_NEW(desk, Callout__FieldNote, note);
    callout__command__init(command);
    callout__field_note__init(note);
    note->appointment_id = words(appointment_id);
    note->text = words(text);
    command->seq = seq;
    command->body_case = CALLOUT__COMMAND__BODY_NOTE;
    command->note = note;
    return command;
}

static void put_numbered(struct desk *desk)
{
    const struct row_device devices[] = {
        {.device_id = "D1", .technician_id = "T1", .epoch = 7, .name = "phone"},
        {.device_id = "zulu-D", .technician_id = "zulu-T", .epoch = 7, .name = "zulu phone"}};
    const struct row_conflict conflicts[] = {{.seq = OWN_CONFLICT, .territory_id = "north"},
                                             {.seq = FOREIGN_CONFLICT,
                                              .territory_id = "zulu",
                                              .appointment_id = "zulu-W.1",
                                              .technician_id = "zulu-T",
                                              .kind = CONFLICT_TAKEN_BACK}};
    assert_int_equal(store_begin(desk->store), ERR_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(store_put(desk->store, ROW_DEVICE, &devices[i]), ERR_OK);
        assert_int_equal(store_put(desk->store, ROW_CONFLICT, &conflicts[i]), ERR_OK);
    }
    assert_int_equal(store_commit(desk->store), ERR_OK);
}

/* Something has happened everywhere: visits, notes, refused commands, messages, an absence. */
static void furnish_zulu(struct desk *desk)
{
    const ProtobufCMessage *territory = desk_territory(desk, "UTC");
    ((const Callout__UpsertTerritoryRequest *)territory)->territory->territory_id = words("zulu");
    ((const Callout__UpsertTerritoryRequest *)territory)->territory->name = words("zulu land");
    desk_do(desk, "UpsertTerritory", territory);
    desk_do(desk, "UpsertTechnician", &technician_of(desk, "zulu", "zulu-T")->base);
    desk_do(desk, "UpsertTechnician", &technician_of(desk, "zulu", "zulu-U")->base);
    desk_do(desk, "UpsertWorkOrder", &full_order(desk, "zulu", "zulu-W", "zulu Corp")->base);
    desk_do(desk, "Assign", &desk_assign(desk, "zulu-W.1", "zulu-T")->base);
    struct desk_device phone = desk_device(desk, "zulu-T");
    desk_push_one(desk, &phone, note_on(desk, 1, "zulu-W.1", "zulu note"));
    desk_push_one(desk, &phone, note_on(desk, 2, "zulu-X.1", "zulu lost"));
    desk_push_one(desk, &phone,
                  desk_status(desk, 3, "zulu-W.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED));
    DESK_NEW(desk, Callout__ReportAbsenceRequest, absence);
    callout__report_absence_request__init(absence);
    DESK_NEW(desk, Callout__Absence, away);
    callout__absence__init(away);
    away->technician_id = words("zulu-U");
    away->start_us = desk->now_us;
    away->end_us = desk->now_us + 10 * HOUR_US;
    away->reason = words("zulu flu");
    absence->absence = away;
    desk_do(desk, "ReportAbsence", &absence->base);
    write_to(desk, "zulu", "zulu word");
}

static void grant_north(struct desk *desk, const char *role)
{
    char hash[65];
    memset(hash, 'a', 64);
    hash[64] = '\0';
    assert_int_equal(store_begin(desk->store), ERR_OK);
    assert_int_equal(
        store_put(desk->store, ROW_API_KEY, &(struct row_api_key){role, hash, role, 0, "north"}),
        ERR_OK);
    assert_int_equal(store_commit(desk->store), ERR_OK);
}

static void two_worlds_open(struct desk *desk)
{
    desk_open(desk, store_open_mem(), NULL);
    desk_furnish(desk);
    desk_do(desk, "UpsertWorkOrder", &full_order(desk, "north", "W1", "Corp")->base);
    desk_do(desk, "Assign", &desk_assign(desk, "W1.1", "T1")->base);
    furnish_zulu(desk);
    put_numbered(desk);
    write_to(desk, "north", "word");
}

/* Everything that is kept of zulu: whoever may not touch it changes not one bit of this. */
struct zulu_sum {
    enum row_kind kind;
    uint64_t sum;
};

static bool add_zulu(void *context, const void *row)
{
    struct zulu_sum *it = context;
    const struct row_column *first = row_table(it->kind)->columns;
    if (first->type == COLUMN_TEXT && strncmp(row_text(row, first), FOREIGN, 4) == 0)
        it->sum += row_digest(it->kind, row);
    return true;
}

static uint64_t digest_of_kind(struct store *store, enum row_kind kind)
{
    struct zulu_sum it = {kind, 0};
    assert_int_equal(store_each(store, kind, NULL, 0, false, add_zulu, &it), ERR_OK);
    return it.sum;
}

static uint64_t zulu_digest(struct desk *desk)
{
    uint64_t sum = 0;
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        if (row_table(kind)->class == ROW_NOUN) sum = sum * 31 + digest_of_kind(desk->store, kind);
    return sum;
}

/* --- requests --- */

static ProtobufCMessage *new_message(struct desk *desk, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = arena_need(&desk->arena, type->sizeof_message);
    protobuf_c_message_init(type, message);
    return message;
}

/* North's ids wherever one is asked for and none stands yet. */
static void name_own(ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        void *member = (char *)message + field->offset;
        const struct named_field *named = named_field(field->name);
        if (field->label == PROTOBUF_C_LABEL_REPEATED) continue;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && *(ProtobufCMessage **)member != NULL)
            name_own(*(ProtobufCMessage **)member);
        if (field->type == PROTOBUF_C_TYPE_STRING && named != NULL && named->own != NULL &&
            (*(char **)member)[0] == '\0')
            *(char **)member = words(named->own);
    }
}

struct naming {
    struct desk *desk;
    const char *world;
    int left; /* fields to pass over */
    char path[160];
};

static bool set_member(struct naming *it, const ProtobufCFieldDescriptor *field, void *member,
                       size_t *count)
{
    const struct named_field *named = named_field(field->name);
    bool number = field->type == PROTOBUF_C_TYPE_UINT64;
    if (named == NULL || (!number && field->type != PROTOBUF_C_TYPE_STRING) ||
        number != (named->end == NULL) || it->left-- > 0)
        return false;
    char *id = number                            ? NULL
               : strcmp(field->name, "csv") == 0 ? csv_naming(it->desk, it->world)
                                                 : joined(it->desk, it->world, named->end);
    if (number) {
        *(uint64_t *)member = strcmp(it->world, FOREIGN) == 0 ? FOREIGN_CONFLICT : MISSING_NUMBER;
    } else if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        char **list = arena_need(&it->desk->arena, sizeof *list);
        list[0] = id;
        *count = 1;
        *(char ***)member = list;
    } else {
        *(char **)member = id;
    }
    return true;
}

/* Names something of the world in field number `left`; false: there are not so many. */
static bool name_one(struct naming *it, ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        void *member = (char *)message + field->offset;
        size_t *count = (size_t *)(void *)((char *)message + field->quantifier_offset);
        size_t end = strlen(it->path);
        snprintf(it->path + end, sizeof it->path - end, ".%s", field->name);
        if (set_member(it, field, member, count)) return true;
        ProtobufCMessage *child = NULL;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            child = field->label != PROTOBUF_C_LABEL_REPEATED ? *(ProtobufCMessage **)member
                    : *count > 0                              ? **(ProtobufCMessage ***)member
                                                              : NULL;
        if (child != NULL && name_one(it, child)) return true;
        it->path[end] = '\0';
    }
    return false;
}

#endif
