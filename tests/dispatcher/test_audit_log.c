/* The audit log: what is in it, and that nothing in it can be changed without being found. */
#include "desk.h"
#include "dispatcher/audit.h"

#include <stdlib.h>
#include <unistd.h>

enum { ENTRIES_MAX = 128 };

struct entries {
    struct arena *arena;
    struct row_audit rows[ENTRIES_MAX];
    int count;
};

static bool note_entry(void *context, const void *visited)
{
    struct entries *entries = context;
    const struct row_audit *row = visited;
    assert_true(entries->count < ENTRIES_MAX);
    struct row_audit *copy = &entries->rows[entries->count++];
    *copy = *row;
    copy->event = arena_text(entries->arena, row->event);
    copy->actor = arena_text(entries->arena, row->actor);
    copy->peer = arena_text(entries->arena, row->peer);
    copy->subject = arena_text(entries->arena, row->subject);
    copy->detail = arena_text(entries->arena, row->detail);
    void *chain = arena_need(entries->arena, row->chain.size);
    memcpy(chain, row->chain.bytes, row->chain.size);
    copy->chain.bytes = chain;
    return true;
}

static struct entries *entries_of(struct desk *desk)
{
    DESK_NEW(desk, struct entries, entries);
    entries->arena = &desk->arena;
    assert_int_equal(store_each(desk->store, ROW_AUDIT, NULL, 0, false, note_entry, entries),
                     ERR_OK);
    return entries;
}

static const struct row_audit *find(const struct entries *entries, const char *event)
{
    for (int i = entries->count; i-- > 0;)
        if (strcmp(entries->rows[i].event, event) == 0) return &entries->rows[i];
    fail_msg("there is no \"%s\" in the audit log", event);
    return NULL;
}

static int64_t bad_entry(struct desk *desk, const char *folder)
{
    int64_t bad, count;
    assert_int_equal(audit_verify(desk->store, folder, &bad, &count), ERR_OK);
    return bad;
}

static void put(struct desk *desk, const struct row_audit *row)
{
    assert_int_equal(store_begin(desk->store), ERR_OK);
    assert_int_equal(store_put(desk->store, ROW_AUDIT, row), ERR_OK);
    assert_int_equal(store_commit(desk->store), ERR_OK);
}

static void erase(struct desk *desk, int64_t number)
{
    assert_int_equal(store_begin(desk->store), ERR_OK);
    assert_int_equal(store_erase(desk->store, ROW_AUDIT, &(struct row_audit){.number = number}, 1),
                     ERR_OK);
    assert_int_equal(store_commit(desk->store), ERR_OK);
}

/* Some life: enrolments, a forged Hello, a forged command, a revocation. */
static void live(struct desk *desk)
{
    desk_furnish(desk);
    struct desk_device device = desk_device(desk, "T1");
    device.hello.nonce.len = device.hello.signature.len = 0;
    Callout__HelloReply *challenge =
        desk_body(desk, desk_ask_as(desk, nobody_yet(), "Hello", "", &device.hello.base),
                  &callout__hello_reply__descriptor);
    phone_key_hello(device.key, challenge, &device.hello);
    device.hello.signature.data[7] ^= 1;
    assert_int_equal(desk_ask_as(desk, nobody_yet(), "Hello", "", &device.hello.base)->status,
                     CALLOUT__STATUS__UNAUTH);
    assert_int_equal(desk_enroll(desk, "guess")->status, CALLOUT__STATUS__UNAUTH);
    desk_admin(desk, "revoke", device.who.id);
}

static void what_touches_access_is_written_down(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    live(&desk);
    const struct entries *entries = entries_of(&desk);
    const char *device = find(entries, "device enrolled")->subject;
    assert_string_equal(find(entries, "enrolment token made")->subject, "T1");
    assert_string_equal(find(entries, "hello refused")->subject, device);
    assert_string_equal(find(entries, "access revoked")->subject, device);
    find(entries, "enrolment refused");
    assert_int_equal(bad_entry(&desk, NULL), 0);
    desk_close(&desk);
}

static void whatever_is_changed_is_found(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    live(&desk);
    const struct entries *entries = entries_of(&desk);
    for (int i = 0; i < entries->count; i++) {
        struct row_audit row = entries->rows[i];
        const struct row_audit kept = row;
        row.wall_us++;
        put(&desk, &row);
        assert_int_equal(bad_entry(&desk, NULL), kept.number);
        const char **texts[] = {&row.event, &row.actor, &row.peer, &row.subject, &row.detail};
        for (size_t t = 0; t < 5; t++) {
            row = kept;
            *texts[t] = "someone";
            put(&desk, &row);
            assert_int_equal(bad_entry(&desk, NULL), kept.number);
        }
        uint8_t chain[32];
        memcpy(chain, kept.chain.bytes, sizeof chain);
        chain[i % 32] ^= 4;
        row = kept;
        row.chain.bytes = chain;
        put(&desk, &row);
        assert_int_equal(bad_entry(&desk, NULL), kept.number);
        erase(&desk, kept.number);
        assert_int_equal(bad_entry(&desk, NULL), kept.number);
        put(&desk, &kept);
        assert_int_equal(bad_entry(&desk, NULL), 0);
    }
    desk_close(&desk);
}

static int64_t tomorrow_us; /* beyond the machine's clock */

static int64_t wall_us(void *context)
{
    (void)context;
    return DESK_DAY_US + tomorrow_us;
}

/* Who rewrites the whole log, ends included, is found by the head that was carried away. */
static void the_head_of_a_day_is_exported(void **state)
{
    (void)state;
    char folder[] = "/tmp/callout-audit-XXXXXX", path[96], line[128];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/" AUDIT_HEADS_FILE, folder);
    struct desk desk;
    struct problem problem;
    const struct engine_options options = {.folder = folder, .wall_us = wall_us};
    desk = (struct desk){.store = store_open_mem(), .now_us = DESK_DAY_US + 6 * HOUR_US};
    arena_open(&desk.arena, (size_t)256 << 20);
    assert_int_equal(engine_open(&desk.engine, desk.store, &options, &problem), ERR_OK);
    tomorrow_us = 0;
    live(&desk);
    assert_int_not_equal(access(path, F_OK), 0);
    tomorrow_us = US_PER_DAY;
    desk_admin(&desk, "enrol", "T2");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    assert_memory_equal(line, "2026-11-23 ", 11);
    assert_int_equal(bad_entry(&desk, folder), 0);
    line[strlen(line) - 2] = line[strlen(line) - 2] == '0' ? '1' : '0';
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(line, file) >= 0);
    fclose(file);
    assert_int_equal(bad_entry(&desk, folder), strtol(line + 11, NULL, 10));
    assert_int_equal(bad_entry(&desk, NULL), 0);
    desk_close(&desk);
    snprintf(path, sizeof path, "rm -rf %s", folder);
    assert_int_equal(system(path), 0);
}

/* A stranger's guesses do not fill the disk: so many a minute are written, the rest are counted. */
static void put_person(struct desk *desk, const char *name)
{
    const struct row_person row = {name, "dispatcher", "*", "", 0, 1};
    assert_int_equal(store_begin(desk->store), ERR_OK);
    assert_int_equal(store_put(desk->store, ROW_PERSON, &row), ERR_OK);
    assert_int_equal(store_commit(desk->store), ERR_OK);
}

/* By people, and not each time that their screen asks again. */
static void who_looks_at_a_customer_is_written_down(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W7");
    Callout__Contact contact;
    callout__contact__init(&contact);
    contact.contact_id = words("K7");
    contact.name = words("Ada Marker");
    order->work_order->contact = &contact;
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    Callout__Principal dora = a_key("dora", "dispatcher");
    Callout__WorkOrderDetailRequest request;
    callout__work_order_detail_request__init(&request);
    put_person(&desk, "dora");
    struct entries *entries = NULL;
    for (int i = 0; i < 4; i++) {
        dora.kind = i == 0 ? CALLOUT__PRINCIPAL_KIND__KEY : CALLOUT__PRINCIPAL_KIND__PERSON;
        request.appointment_id = words(i == 1 ? "W1.1" : "W7.1"); /* W1 is nobody's in particular */
        assert_int_equal(desk_ask_as(&desk, &dora, "WorkOrderDetail", "", &request.base)->status,
                         CALLOUT__STATUS__OK);
        entries = entries_of(&desk);
        int count = 0;
        for (int k = 0; k < entries->count; k++)
            count += strcmp(entries->rows[k].event, "customer data read") == 0;
        assert_int_equal(count, i >= 2);
    }
    const struct row_audit *row = find(entries, "customer data read");
    assert_string_equal(row->actor, "dora");
    assert_string_equal(row->subject, "W7.1");
    desk_close(&desk);
}

static void refusals_are_rationed(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    for (int i = 0; i < 3 * AUDIT_FAILURES_PER_MINUTE; i++)
        assert_int_equal(desk_enroll(&desk, "guess")->status, CALLOUT__STATUS__UNAUTH);
    int count = entries_of(&desk)->count;
    assert_true(count >= AUDIT_FAILURES_PER_MINUTE && count <= 2 * AUDIT_FAILURES_PER_MINUTE);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_touches_access_is_written_down),
        cmocka_unit_test(whatever_is_changed_is_found),
        cmocka_unit_test(the_head_of_a_day_is_exported),
        cmocka_unit_test(who_looks_at_a_customer_is_written_down),
        cmocka_unit_test(refusals_are_rationed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
