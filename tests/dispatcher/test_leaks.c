/* Nothing of a territory that is not granted comes out of any operation: not in an answer, not as a
 * difference between what is foreign and what there is not, and nothing of it is changed. Every
 * operation is asked by everybody who has one territory, about each field that can name something.
 */
#define _GNU_SOURCE /* memmem */
#include "dispatcher/store/store_ops.h"
#include "two_worlds.h"

static const char *const roles[] = {"dispatcher", "planner", "integrator", "auditor", "admin"};
enum { ROLES = sizeof roles / sizeof roles[0], FIELDS_MAX = 40 };

static const ProtobufCServiceDescriptor *const services[] = {
    &callout__people__descriptor, &callout__dispatch__descriptor, &callout__roster__descriptor,
    &callout__field__descriptor};

/* Names that are the whole installation's: a new one is taken, so a foreign one is told apart from
 * it by being refused. It must be refused, and as what there is not. */
static const char *const global_names[] = {
    ".technician.technician_id",
    ".work_order.work_order_id",
    ".work_order.site.site_id",
    ".work_order.customer.customer_id",
    ".work_order.contact.contact_id",
    ".work_order.asset_id",
    ".csv",
};

static bool is_global(const char *path)
{
    for (size_t i = 0; i < sizeof global_names / sizeof global_names[0]; i++)
        if (strcmp(global_names[i], path) == 0) return true;
    return false;
}

/* A request of that kind that is right, as far as a general one can be. */
static ProtobufCMessage *own_request(struct desk *desk, const ProtobufCMethodDescriptor *method)
{
    ProtobufCMessage *message = new_message(desk, method->input);
    const char *name = method->name;
    if (strcmp(name, "UpsertWorkOrder") == 0) return &full_order(desk, "north", "W1", "Corp")->base;
    if (strcmp(name, "UpsertTechnician") == 0) return &technician_of(desk, "north", "T1")->base;
    if (strcmp(name, "SendMessage") == 0)
        ((Callout__SendMessageRequest *)message)->text = words("hello");
    if (strcmp(name, "CheckImport") == 0) {
        ((Callout__CheckImportRequest *)message)->table = CALLOUT__IMPORT_TABLE__IMPORT_WORK_ORDERS;
        ((Callout__CheckImportRequest *)message)->csv = csv_naming(desk, "north");
    }
    if (strcmp(name, "ResolveConflict") == 0)
        ((Callout__ResolveConflictRequest *)message)->seq = OWN_CONFLICT;
    if (strcmp(name, "Explain") == 0)
        ((Callout__ExplainRequest *)message)->question = CALLOUT__QUESTION__WHY_CHANGED;
    if (strcmp(name, "ReportStatus") == 0)
        ((Callout__ReportStatusRequest *)message)->status = CALLOUT__APPOINTMENT_STATUS__ACCEPTED;
    if (strcmp(name, "RollBackPlan") == 0) ((Callout__RollBackPlanRequest *)message)->version = 1;
    if (strcmp(name, "SetPin") == 0) {
        Callout__Pin *pin = (Callout__Pin *)new_message(desk, &callout__pin__descriptor);
        pin->technician = true;
        ((Callout__SetPinRequest *)message)->pin = pin;
    }
    if (strcmp(name, "ReportAbsence") == 0)
        ((Callout__ReportAbsenceRequest *)message)->absence =
            (Callout__Absence *)new_message(desk, &callout__absence__descriptor);
    name_own(message);
    return message;
}

/* All that somebody is told, as bytes; a world's name in it is the other's. */
struct told {
    bool held;
    Callout__Status status;
    size_t size;
    uint8_t *bytes;
};

static void blank_world(struct told *told)
{
    for (size_t i = 0; i + 4 <= told->size; i++)
        if (memcmp(told->bytes + i, MISSING, 4) == 0) memcpy(told->bytes + i, FOREIGN, 4);
}

static struct told ask(struct desk *desk, const Callout__Principal *who, const char *method,
                       const ProtobufCMessage *request)
{
    char id[32];
    snprintf(id, sizeof id, "ask-%04u", desk->asked++);
    struct engine_item item = desk_item(desk, who, method, arena_text(&desk->arena, id), request);
    engine_batch(desk->engine, &item, 1, desk->now_us);
    if (item.held != HELD_NOT) return (struct told){.held = true};
    Callout__Reply *reply = desk_reply(desk, &item, true);
    Callout__Reply said;
    callout__reply__init(&said);
    said.text = reply->text;
    said.errors = reply->errors;
    said.n_errors = reply->n_errors;
    said.body = reply->body;
    ProtobufCBinaryData bytes = message_encode(&said.base, &desk->arena);
    return (struct told){false, reply->status, bytes.len, bytes.data};
}

static bool says(const struct told *told, const char *text)
{
    return told->size > 0 && memmem(told->bytes, told->size, text, strlen(text)) != NULL;
}

static Callout__Principal grant(struct desk *desk, const char *role)
{
    grant_north(desk, role);
    return a_key(role, role);
}

static void tells_nothing(const ProtobufCMethodDescriptor *method, struct desk *desk,
                          const Callout__Principal *who)
{
    struct told told = ask(desk, who, method->name, own_request(desk, method));
    if (says(&told, FOREIGN)) fail_msg("%s tells a %s of zulu", method->name, who->role);
}

static bool same(const struct told *a, const struct told *b)
{
    return a->held == b->held && a->status == b->status && a->size == b->size &&
           (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
}

/* One field after the other, until there is none left. */
static void is_blind(const ProtobufCMethodDescriptor *method, struct desk *desk,
                     const Callout__Principal *who)
{
    for (int at = 0; at < FIELDS_MAX; at++) {
        struct told told[2];
        struct naming naming;
        uint64_t before = zulu_digest(desk);
        for (int i = 0; i < 2; i++) {
            naming = (struct naming){desk, i == 0 ? FOREIGN : MISSING, at, ""};
            ProtobufCMessage *request = own_request(desk, method);
            if (!name_one(&naming, request)) return;
            if (i == 1 && is_global(naming.path)) continue;
            told[i] = ask(desk, who, method->name, request);
            blank_world(&told[i]);
        }
        if (zulu_digest(desk) != before)
            fail_msg("%s%s lets a %s change zulu", method->name, naming.path, who->role);
        if (is_global(naming.path)) {
            bool import = strcmp(naming.path, ".csv") == 0;
            bool refused = told[0].status == CALLOUT__STATUS__NOT_FOUND;
            if (import) refused = !says(&told[0], "another territory");
            if (!refused) fail_msg("%s%s is taken from a %s", method->name, naming.path, who->role);
            continue;
        }
        if (!same(&told[0], &told[1]) &&
            (told[0].status != CALLOUT__STATUS__OK || told[1].status != CALLOUT__STATUS__OK ||
             method->output != &callout__mutation_reply__descriptor))
            fail_msg("%s%s tells a %s that there is such a thing", method->name, naming.path,
                     who->role);
    }
    fail_msg("%s has more fields than are looked at", method->name);
}

static void with_everybody(void (*look)(const ProtobufCMethodDescriptor *, struct desk *,
                                        const Callout__Principal *))
{
    struct desk desk;
    for (size_t role = 0; role < ROLES; role++) {
        two_worlds_open(&desk);
        Callout__Principal who = grant(&desk, roles[role]);
        for (size_t s = 0; s < sizeof services / sizeof services[0]; s++)
            for (unsigned m = 0; m < services[s]->n_methods; m++)
                look(&services[s]->methods[m], &desk, &who);
        desk_close(&desk);
    }
}

static void no_answer_names_what_is_not_granted(void **state)
{
    (void)state;
    with_everybody(tells_nothing);
}

static void what_is_foreign_is_answered_as_what_there_is_not(void **state)
{
    (void)state;
    with_everybody(is_blind);
}

/* --- the work that an answer takes --- */

/* Every question that is put to the store, and everything that is written. */
static struct work {
    unsigned gets, writes;
} work;
static const struct store_ops *kept_ops;

static enum err counting_get(struct store *store, enum row_kind kind, const void *key,
                             union row *out)
{
    work.gets++;
    return kept_ops->get(store, kind, key, out);
}

static enum err counting_each(struct store *store, enum row_kind kind, const void *key,
                              uint32_t columns, bool after, store_visit *visit, void *context)
{
    work.gets++;
    return kept_ops->each(store, kind, key, columns, after, visit, context);
}

static enum err counting_put(struct store *store, enum row_kind kind, const void *row)
{
    work.writes++;
    return kept_ops->put(store, kind, row);
}

/* Who is asked about a field with a foreign name, and with one that is nowhere. */
static void works_alike(const ProtobufCMethodDescriptor *method, struct desk *desk,
                        const Callout__Principal *who)
{
    for (int at = 0; at < FIELDS_MAX; at++) {
        struct work done[2];
        struct told told[2];
        struct naming naming;
        for (int i = 0; i < 2; i++) {
            naming = (struct naming){desk, i == 0 ? FOREIGN : MISSING, at, ""};
            ProtobufCMessage *request = own_request(desk, method);
            if (!name_one(&naming, request)) return;
            if (is_global(naming.path)) break; /* a new one would be made */
            work = (struct work){0, 0};
            told[i] = ask(desk, who, method->name, request);
            done[i] = work;
        }
        if (is_global(naming.path) || told[0].status != CALLOUT__STATUS__NOT_FOUND) continue;
        int more = (int)done[0].gets - (int)done[1].gets;
        if (done[0].writes != done[1].writes || more < -1 || more > 1)
            fail_msg("%s%s: %u reads and %u writes of what is foreign, %u and %u else",
                     method->name, naming.path, done[0].gets, done[0].writes, done[1].gets,
                     done[1].writes);
    }
}

/* A world for each: of refusals so many are noted in a minute, and no more. */
static void work_alike(const ProtobufCMethodDescriptor *method)
{
    struct desk desk;
    two_worlds_open(&desk);
    struct store_ops ops = *desk.store->ops;
    kept_ops = desk.store->ops;
    ops.get = counting_get;
    ops.each = counting_each;
    ops.put = counting_put;
    desk.store->ops = &ops;
    Callout__Principal who = grant(&desk, "dispatcher");
    works_alike(method, &desk, &who);
    desk_close(&desk);
}

static void what_is_foreign_is_as_much_work_as_what_there_is_not(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof services / sizeof services[0]; s++)
        for (unsigned m = 0; m < services[s]->n_methods; m++)
            work_alike(&services[s]->methods[m]);
}

/* --- devices --- */

/* A command whose body is that member of the oneof, about the technician's own visit. */
static Callout__Command *own_command(struct desk *desk, const ProtobufCFieldDescriptor *field,
                                     uint64_t seq)
{
    DESK_NEW(desk, Callout__Command, command);
    callout__command__init(command);
    ProtobufCMessage *body = new_message(desk, field->descriptor);
    command->seq = seq;
    command->body_case = (Callout__Command__BodyCase)field->id;
    command->status = (Callout__StatusReport *)body; /* all members of the union are pointers */
    name_own(body);
    if (field->id == CALLOUT__COMMAND__BODY_STATUS)
        command->status->status = CALLOUT__APPOINTMENT_STATUS__ACCEPTED;
    if (field->id == CALLOUT__COMMAND__BODY_MESSAGE) command->message->text = words("hello");
    if (field->id == CALLOUT__COMMAND__BODY_NOTE) command->note->text = words("hello");
    if (field->id == CALLOUT__COMMAND__BODY_RUNNING_LATE)
        command->running_late->delay_seconds = 600;
    if (field->id == CALLOUT__COMMAND__BODY_NEED)
        command->need->kind = CALLOUT__NEED_KIND__NEED_HELP;
    if (field->id == CALLOUT__COMMAND__BODY_ANSWER) command->answer->item_id = words("item");
    return command;
}

/* What a device is told of a command, less its numbers. */
static struct told push(struct desk *desk, const struct desk_device *device,
                        Callout__Command *command)
{
    Callout__CommandResult *result = desk_push_one(desk, device, command);
    result->seq = result->log_seq = 0;
    ProtobufCBinaryData bytes = message_encode(&result->base, &desk->arena);
    struct told told = {false, CALLOUT__STATUS__OK, bytes.len, bytes.data};
    blank_world(&told);
    return told;
}

static void a_device_cannot_tell_what_is_foreign_from_what_there_is_not(void **state)
{
    (void)state;
    struct desk desk;
    two_worlds_open(&desk);
    struct desk_device phone = desk_device(&desk, "T1");
    uint64_t seq = 0, before = zulu_digest(&desk);
    const ProtobufCMessageDescriptor *type = &callout__command__descriptor;
    unsigned asked = 0;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0) continue;
        for (int at = 0;; at++) {
            struct told told[2];
            struct naming naming;
            bool named = true;
            for (int k = 0; k < 2 && named; k++) {
                naming = (struct naming){&desk, k == 0 ? FOREIGN : MISSING, at, ""};
                Callout__Command *command = own_command(&desk, field, seq + 1);
                named = name_one(&naming, &command->status->base);
                if (named) told[k] = push(&desk, &phone, command);
                seq += named;
            }
            if (!named) break;
            asked++;
            if (!same(&told[0], &told[1])) fail_msg("%s%s", field->name, naming.path);
        }
    }
    assert_in_range(asked, 10, 100);
    assert_true(zulu_digest(&desk) == before);
    desk_close(&desk);
}

static void no_device_is_told_of_another_territory(void **state)
{
    (void)state;
    struct desk desk;
    two_worlds_open(&desk);
    struct desk_device phone = desk_device(&desk, "T1");
    for (unsigned m = 0; m < callout__field__descriptor.n_methods; m++)
        tells_nothing(&callout__field__descriptor.methods[m], &desk, &phone.who);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_answer_names_what_is_not_granted),
        cmocka_unit_test(what_is_foreign_is_answered_as_what_there_is_not),
        cmocka_unit_test(what_is_foreign_is_as_much_work_as_what_there_is_not),
        cmocka_unit_test(a_device_cannot_tell_what_is_foreign_from_what_there_is_not),
        cmocka_unit_test(no_device_is_told_of_another_territory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
