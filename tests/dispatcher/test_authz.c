/* Who may do what: every operation of every service, asked by every role about what is granted to
 * it, what is not, and what does not exist. authz.golden holds the answers; an operation that is
 * not
 * in it, or answers otherwise, fails. `test_authz --print` writes what it should hold. */
#include "desk.h"
#include "dispatcher/authz.h"
#include "pb/people.pb-c.h"
#include "pb/roster.pb-c.h"

#include <stdlib.h>

enum { LINES_MAX = 100, LINE_SIZE = 512 };

static const char *const names[] = {"anybody", "technician", "gone",    "dispatcher",
                                    "planner", "integrator", "auditor", "admin"};
enum { WHO = sizeof names / sizeof names[0] };

struct stage {
    struct desk desk;
    struct desk_device device, gone;
    Callout__Principal keys[WHO];
    unsigned asked;
};

/* What a request is about: own, foreign, missing; by the kind of the last part of a path. */
static const struct {
    const char *field, *ids[3];
} objects[] = {
    {"territory_id", {"north", "south", "westn"}},
    {"technician_id", {"T1", "T9", "T8"}},
    {"work_order_id", {"W1", "W9", "W8"}},
    {"appointment_id", {"W1.1", "W9.1", "W8.1"}},
    {"other_appointment_id", {"W1.1", "W9.1", "W8.1"}},
    {"device_id", {"D1", "D9", "D8"}},
    {"seq", {"1001", "1009", "1008"}},
};

static const char *id_for(const char *path, int which)
{
    const char *dot = strrchr(path, '.'), *field = dot == NULL ? path : dot + 1;
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++)
        if (strcmp(objects[i].field, field) == 0) return objects[i].ids[which];
    fail_msg("what is %s?", path);
    return "";
}

static void set_text(struct desk *desk, ProtobufCMessage *message, const char *path,
                     const char *text)
{
    char name[64];
    for (;;) {
        size_t length = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)length, path);
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
        assert_non_null(field);
        char *member = (char *)message + field->offset;
        if (path[length] == '\0' && field->type == PROTOBUF_C_TYPE_UINT64) {
            *(uint64_t *)(void *)member = strtoull(text, NULL, 10);
            return;
        }
        if (path[length] == '\0') {
            *(char **)(void *)member = words(text);
            return;
        }
        ProtobufCMessage **child = (ProtobufCMessage **)(void *)member;
        const ProtobufCMessageDescriptor *type = field->descriptor;
        if (*child == NULL) {
            *child = arena_need(&desk->arena, type->sizeof_message);
            protobuf_c_message_init(type, *child);
        }
        message = *child;
        path += length + 1;
    }
}

static ProtobufCMessage *request_of(struct desk *desk, const ProtobufCMethodDescriptor *method,
                                    int which)
{
    ProtobufCMessage *message = arena_need(&desk->arena, method->input->sizeof_message);
    protobuf_c_message_init(method->input, message);
    for (int i = 0; i < 2; i++) {
        const char *path = authorize_path(method->name, i);
        if (path[0] != '\0') set_text(desk, message, path, id_for(path, which));
    }
    return message;
}

/* --- the stage --- */

static void add_key(struct desk *desk, const char *name, const char *territories)
{
    char hash[65];
    memset(hash, 'a', 64);
    hash[64] = '\0';
    assert_int_equal(store_begin(desk->store), ERR_OK);
    assert_int_equal(store_put(desk->store, ROW_API_KEY,
                               &(struct row_api_key){name, hash, name, 0, territories}),
                     ERR_OK);
    assert_int_equal(store_commit(desk->store), ERR_OK);
}

static void furnish_south(struct desk *desk)
{
    const ProtobufCMessage *territory = desk_territory(desk, "UTC");
    ((const Callout__UpsertTerritoryRequest *)territory)->territory->territory_id = words("south");
    desk_do(desk, "UpsertTerritory", territory);
    const ProtobufCMessage *technician = desk_technician(desk, "T9");
    ((const Callout__UpsertTechnicianRequest *)technician)->technician->territory_id =
        words("south");
    desk_do(desk, "UpsertTechnician", technician);
    Callout__UpsertWorkOrderRequest *order = desk_order(desk, "W9");
    order->work_order->territory_id = words("south");
    desk_do(desk, "UpsertWorkOrder", &order->base);
}

/* Devices and conflicts whose ids one knows. */
static void put_numbered(struct desk *desk)
{
    const struct row_device devices[] = {{.device_id = "D1", .technician_id = "T1", .epoch = 7},
                                         {.device_id = "D9", .technician_id = "T9", .epoch = 7}};
    const struct row_conflict conflicts[] = {{.seq = 1001, .territory_id = "north"},
                                             {.seq = 1009, .territory_id = "south"}};
    assert_int_equal(store_begin(desk->store), ERR_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(store_put(desk->store, ROW_DEVICE, &devices[i]), ERR_OK);
        assert_int_equal(store_put(desk->store, ROW_CONFLICT, &conflicts[i]), ERR_OK);
    }
    assert_int_equal(store_commit(desk->store), ERR_OK);
}

static void stage_open(struct stage *stage)
{
    struct desk *desk = &stage->desk;
    desk_open(desk, store_open_mem(), NULL);
    desk_furnish(desk);
    furnish_south(desk);
    put_numbered(desk);
    stage->gone = desk_device(desk, "T1");
    stage->device = desk_device(desk, "T1");
    for (int i = 3; i < WHO; i++) {
        bool all = strcmp(names[i], "admin") == 0 || strcmp(names[i], "auditor") == 0;
        add_key(desk, names[i], all ? "*" : "east,north");
        stage->keys[i] = a_key(names[i], names[i]);
    }
    stage->keys[0] = *nobody_yet();
    stage->keys[1] = stage->device.who;
    stage->keys[2] = stage->gone.who;
    stage->asked = 0;
}

/* NULL: the request is held. */
static const Callout__Reply *ask(struct stage *stage, int who, const char *method,
                                 const ProtobufCMessage *request)
{
    char id[32];
    snprintf(id, sizeof id, "ask-%04u", stage->asked++);
    struct engine_item item = desk_item(&stage->desk, &stage->keys[who], method,
                                        arena_text(&stage->desk.arena, id), request);
    engine_batch(stage->desk.engine, &item, 1, stage->desk.now_us);
    return item.held == HELD_NOT ? desk_reply(&stage->desk, &item, true) : NULL;
}

static const char *word_of(const Callout__Reply *reply)
{
    static const char *const statuses[] = {
        "ok",   "invalid", "unauth", "not-found", "conflict",   "gone",  "large",    "version",
        "rate", "busy",    "retry",  "gap",       "superseded", "reset", "internal", "io"};
    if (reply == NULL) return "held";
    assert_in_range(reply->status, 0, 15);
    return statuses[reply->status];
}

static void same_to_the_byte(const Callout__Reply *a, const Callout__Reply *b)
{
    assert_int_equal(a->status, b->status);
    assert_string_equal(a->text, b->text);
    assert_int_equal(a->n_errors, b->n_errors);
    if (a->n_errors > 0) {
        assert_string_equal(a->errors[0]->field, b->errors[0]->field);
        assert_string_equal(a->errors[0]->problem, b->errors[0]->problem);
    }
    assert_int_equal(a->body.len, b->body.len);
}

static void ask_all(struct stage *stage, const ProtobufCMethodDescriptor *method,
                    char line[LINE_SIZE])
{
    bool about = authorize_path(method->name, 0)[0] != '\0';
    size_t at = (size_t)snprintf(line, LINE_SIZE, "%s", method->name);
    for (int who = 0; who < WHO; who++) {
        const Callout__Reply *replies[3];
        at += (size_t)snprintf(line + at, LINE_SIZE - at, " %s=", names[who]);
        for (int which = 0; which < (about ? 3 : 1); which++) {
            replies[which] = ask(stage, who, method->name, request_of(&stage->desk, method, which));
            at += (size_t)snprintf(line + at, LINE_SIZE - at, "%s%s", which > 0 ? "/" : "",
                                   word_of(replies[which]));
        }
        bool restricted = who >= 3 && who < WHO - 2;
        if (about && restricted) same_to_the_byte(replies[1], replies[2]);
    }
}

/* --- the table --- */

static int tell(char lines[LINES_MAX][LINE_SIZE])
{
    const ProtobufCServiceDescriptor *const services[] = {
        &callout__field__descriptor, &callout__people__descriptor, &callout__dispatch__descriptor,
        &callout__roster__descriptor, &callout__inner__descriptor};
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    int count = 0;
    for (size_t s = 0; s < sizeof services / sizeof services[0]; s++) {
        for (unsigned m = 0; m < services[s]->n_methods; m++) {
            assert_true(count < LINES_MAX);
            stage_open(stage); /* each operation finds the same world */
            ask_all(stage, &services[s]->methods[m], lines[count++]);
            desk_close(&stage->desk);
        }
    }
    free(stage);
    return count;
}

static char told[LINES_MAX][LINE_SIZE];

static void everybody_may_what_is_written_down(void **state)
{
    (void)state;
    char line[LINE_SIZE];
    int count = tell(told), at = 0;
    FILE *file = fopen(CALLOUT_SOURCE_DIR "/tests/dispatcher/authz.golden", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#') continue;
        assert_true(at < count);
        assert_string_equal(told[at], line);
        at++;
    }
    fclose(file);
    if (at < count) fail_msg("%s is not in authz.golden", told[at]);
}

/* Without a list of territories there is none; a key that was revoked has nothing at all. */
static void what_is_revoked_is_nobody(void **state)
{
    (void)state;
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage_open(stage);
    Callout__BoardRequest board;
    callout__board_request__init(&board);
    board.territory_id = words("north");
    assert_string_equal(word_of(ask(stage, 3, "Board", &board.base)), "ok");
    desk_admin(&stage->desk, "revoke", "dispatcher");
    assert_string_equal(word_of(ask(stage, 3, "Board", &board.base)), "unauth");
    desk_close(&stage->desk);
    free(stage);
}

/* What an order says of its site is written, and what was done there is told to who goes there: so
 * nobody may name a site that only others' orders are at, by its own name or by its order's. */
static void the_site_of_another_territory_is_not_taken_over(void **state)
{
    (void)state;
    enum { INTEGRATOR = 5 };
    const char *const foreign[] = {"tower", "W9"}; /* W9 is south's, and its site has no name */
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage_open(stage);
    struct desk *desk = &stage->desk;
    assert_string_equal(names[INTEGRATOR], "integrator");
    Callout__UpsertWorkOrderRequest *order = desk_order(desk, "W8");
    order->work_order->territory_id = words("south");
    order->work_order->site->site_id = words("tower");
    desk_do(desk, "UpsertWorkOrder", &order->base);
    for (int i = 0; i < 2; i++) {
        order = desk_order(desk, "N1");
        order->work_order->site->site_id = words(foreign[i]);
        const Callout__Reply *reply = ask(stage, INTEGRATOR, "UpsertWorkOrder", &order->base);
        assert_string_equal(word_of(reply), "not-found");
        assert_string_equal(reply->errors[0]->field, "work_order.site.site_id");
    }
    order = desk_order(desk, "tower"); /* its site would have that name */
    assert_string_equal(word_of(ask(stage, INTEGRATOR, "UpsertWorkOrder", &order->base)),
                        "not-found");
    for (int i = 0; i < 2; i++) { /* new, and then one's own */
        order = desk_order(desk, "N1");
        order->work_order->site->site_id = words("mill");
        assert_string_equal(word_of(ask(stage, INTEGRATOR, "UpsertWorkOrder", &order->base)), "ok");
    }
    desk_close(desk);
    free(stage);
}

/* A feed has what is granted, and goes on behind what is not. */
static void a_feed_leaves_out_what_is_foreign(void **state)
{
    (void)state;
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage_open(stage);
    Callout__EventFeedRequest request;
    callout__event_feed_request__init(&request);
    const Callout__Reply *reply = ask(stage, 3, "EventFeed", &request.base);
    const Callout__EventFeedReply *feed =
        desk_body(&stage->desk, reply, &callout__event_feed_reply__descriptor);
    assert_true(feed->n_events >= 5);
    assert_int_equal(feed->next_after_seq, desk_seq(&stage->desk));
    for (size_t i = 0; i < feed->n_events; i++) {
        const char *subject = feed->events[i]->subject;
        assert_string_not_equal(subject, "south");
        assert_string_not_equal(subject, "T9");
        assert_string_not_equal(subject, "W9");
    }
    desk_close(&stage->desk);
    free(stage);
}

/* However much happens elsewhere, what is granted is heard in the first answer. */
static void a_feed_reads_on_behind_what_is_foreign(void **state)
{
    (void)state;
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage_open(stage);
    Callout__EventFeedRequest request;
    callout__event_feed_request__init(&request);
    request.after_seq = (uint64_t)desk_seq(&stage->desk);
    const ProtobufCMessage *foreign = desk_technician(&stage->desk, "T9");
    Callout__Technician *t9 = ((const Callout__UpsertTechnicianRequest *)foreign)->technician;
    t9->territory_id = words("south");
    for (unsigned i = 0; i < 220; i++) { /* each is a change: else there is no fact */
        t9->name = words(i % 2 == 0 ? "even" : "odd");
        desk_do(&stage->desk, "UpsertTechnician", foreign);
    }
    assert_true((uint64_t)desk_seq(&stage->desk) >= request.after_seq + 220);
    desk_do(&stage->desk, "UpsertWorkOrder", &desk_order(&stage->desk, "W3")->base);
    const Callout__Reply *reply = ask(stage, 3, "EventFeed", &request.base);
    const Callout__EventFeedReply *feed =
        desk_body(&stage->desk, reply, &callout__event_feed_reply__descriptor);
    assert_true(feed->n_events >= 1);
    assert_string_equal(feed->events[0]->subject, "W3");
    desk_close(&stage->desk);
    free(stage);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_may_what_is_written_down),
        cmocka_unit_test(what_is_revoked_is_nobody),
        cmocka_unit_test(the_site_of_another_territory_is_not_taken_over),
        cmocka_unit_test(a_feed_leaves_out_what_is_foreign),
        cmocka_unit_test(a_feed_reads_on_behind_what_is_foreign),
    };
    if (argc > 1 && strcmp(argv[1], "--print") == 0) {
        int count = tell(told);
        puts("# authz.golden - a line for each operation: what each role is answered when it asks");
        puts(
            "# about what is granted to it / what is not / what does not exist. See test_authz.c.");
        for (int i = 0; i < count; i++)
            puts(told[i]);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
