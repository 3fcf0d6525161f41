/* What must not get in: each hostile input gets an error that names what is wrong, changes nothing,
 * and the system goes on. Against the real processes, over tcp.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "gateway/client/api.h"
#include "gateway/client/identity.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "sim/system.h"
#include "tests/proto/raw_sp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ANSWER_MS = 20000, BIG = 10 * 1000 * 1000, REPLY_ROOM = 65536 };

static struct {
    char folder[64];
    struct system system;
    struct client_loop *loop;
    struct api *api;
    uint16_t port;
} rig;

/* protobuf-c wants texts that it could write to. */
static char territory_id[] = "north", time_zone[] = "Europe/Vaduz", skill_hvac[] = "hvac";
static char order_id[] = "W1", site_id[] = "S1", address[] = "Feldweg 1", work_type[] = "repair";

/* --- the rig --- */

static enum err ask(const char *method, const ProtobufCMessage *message, struct problem *problem)
{
    struct arena arena;
    const ProtobufCMessage *reply = NULL;
    arena_open(&arena, LIMIT_REQUEST_ARENA);
    enum err err = api_call(rig.api, method, message, NULL, ANSWER_MS, &arena, &reply, problem);
    arena_close(&arena);
    return err;
}

static int start(void **state)
{
    (void)state;
    snprintf(rig.folder, sizeof rig.folder, "/tmp/callout-hostile-XXXXXX");
    assert_non_null(mkdtemp(rig.folder));
    char data[128], log[128];
    snprintf(data, sizeof data, "%s/data", rig.folder);
    snprintf(log, sizeof log, "%s/log", rig.folder);
    const char *const more[] = {"--listen", "tcp://127.0.0.1:0",      "--admin", "127.0.0.1:0",
                                "--clock",  "2026-11-23T06:00:00Z,0", NULL};
    struct problem problem = {0};
    if (system_start(&rig.system, data, more, log, &problem) != ERR_OK)
        fail_msg("%s: %s", problem.field, problem.text);
    rig.port = (uint16_t)strtoul(strrchr(rig.system.gateway, ':') + 1, NULL, 10);
    const struct api_options options = {.url = rig.system.gateway, .key = rig.system.key};
    assert_int_equal(client_loop_open(&rig.loop), ERR_OK);
    assert_int_equal(api_open(&rig.api, rig.loop, &options, &problem), ERR_OK);

    Callout__Territory territory;
    callout__territory__init(&territory);
    Callout__UpsertTerritoryRequest request;
    callout__upsert_territory_request__init(&request);
    char *skills[] = {skill_hvac};
    territory.territory_id = territory_id;
    territory.name = territory_id;
    territory.time_zone = time_zone;
    request.territory = &territory;
    request.n_skill_names = 1;
    request.skill_names = skills;
    if (ask("UpsertTerritory", &request.base, &problem) != ERR_OK)
        fail_msg("%s: %s", problem.field, problem.text);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_close(rig.api);
    client_loop_close(rig.loop);
    assert_true(system_stop(&rig.system));
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", rig.folder);
    assert_int_equal(system(command), 0);
    return 0;
}

static void note_seq(void *context, const struct api_answer *answer)
{
    uint64_t *seq = context;
    assert_int_equal(answer->err, ERR_OK);
    *seq = answer->log_seq;
    client_loop_stop(rig.loop);
}

/* The log's last fact: the same before and after means that nothing changed. The clock stands
 * still, so that time brings no fact. */
static uint64_t log_seq(void)
{
    Callout__BoardRequest request;
    callout__board_request__init(&request);
    uint64_t seq = 0;
    request.territory_id = territory_id;
    api_ask(rig.api, "Board", &request.base, NULL, note_seq, &seq);
    client_loop_run(rig.loop, clock_mono_us() + ANSWER_MS * INT64_C(1000));
    assert_true(seq > 0);
    return seq;
}

/* --- a work order with one thing wrong --- */

struct order {
    Callout__UpsertWorkOrderRequest request;
    Callout__WorkOrder work_order;
    Callout__Site site;
    Callout__Point point;
    Callout__ArrivalWindow window, *windows[1];
    Callout__Skill skill, *skills[1];
};

static void order_init(struct order *order)
{
    callout__upsert_work_order_request__init(&order->request);
    callout__work_order__init(&order->work_order);
    callout__site__init(&order->site);
    callout__point__init(&order->point);
    callout__arrival_window__init(&order->window);
    callout__skill__init(&order->skill);
    int64_t day_us = 0;
    assert_true(clock_parse_utc("2026-11-23T00:00:00Z", &day_us));
    order->request.work_order = &order->work_order;
    order->work_order.work_order_id = order_id;
    order->work_order.territory_id = territory_id;
    order->work_order.work_type = work_type;
    order->work_order.service_seconds = 1800;
    order->work_order.priority = 3;
    order->work_order.site = &order->site;
    order->site.site_id = site_id;
    order->site.address = address;
    order->site.point = &order->point;
    order->point.lat_e7 = 471400000;
    order->point.lon_e7 = 95200000;
    order->window.start_us = day_us + 10 * 3600 * US_PER_SECOND;
    order->window.end_us = day_us + 12 * 3600 * US_PER_SECOND;
    order->windows[0] = &order->window;
    order->work_order.n_windows = 1;
    order->work_order.windows = order->windows;
    order->skill.name = skill_hvac;
    order->skill.level = 2;
    order->skills[0] = &order->skill;
    order->work_order.n_skills = 1;
    order->work_order.skills = order->skills;
}

static void refused(const struct order *order, const char *field)
{
    struct problem problem = {0};
    uint64_t before = log_seq();
    assert_int_equal(ask("UpsertWorkOrder", &order->request.base, &problem), ERR_INVALID);
    if (strstr(problem.field, field) == NULL)
        fail_msg("\"%s\" (%s) should name %s", problem.field, problem.text, field);
    assert_true(problem.text[0] != '\0');
    assert_int_equal(log_seq(), before);
}

static void reversed_windows_are_refused(void **state)
{
    (void)state;
    struct order order;
    order_init(&order);
    int64_t start_us = order.window.start_us;
    order.window.start_us = order.window.end_us;
    order.window.end_us = start_us;
    refused(&order, "windows[0]");
}

static void an_unknown_skill_is_refused(void **state)
{
    (void)state;
    static char unknown[] = "alchemy";
    struct order order;
    order_init(&order);
    order.skill.name = unknown;
    refused(&order, "skills");
}

static void places_off_the_earth_are_refused(void **state)
{
    (void)state;
    struct order order;
    order_init(&order);
    order.point.lat_e7 = 910000000;
    refused(&order, "point");
    order_init(&order);
    order.point.lon_e7 = -1810000000;
    refused(&order, "point");
}

static void a_time_far_away_is_refused(void **state)
{
    (void)state;
    struct order order;
    order_init(&order);
    order.window.end_us = INT64_MAX;
    refused(&order, "windows");
}

/* --- bytes --- */

static int raw_open(void)
{
    int fd = raw_connect(rig.port);
    assert_true(fd >= 0);
    assert_true(raw_greet(fd));
    return fd;
}

/* Reads a reply and decodes it; its status. */
static Callout__Status raw_status(int fd)
{
    static uint8_t bytes[REPLY_ROOM];
    uint32_t id;
    ssize_t size = raw_reply(fd, &id, bytes, sizeof bytes);
    assert_true(size > 0);
    assert_int_equal(id, 7);
    Callout__Reply *reply = callout__reply__unpack(NULL, (size_t)size, bytes);
    assert_non_null(reply);
    Callout__Status status = reply->status;
    assert_true(reply->text[0] != '\0' || reply->n_errors > 0);
    callout__reply__free_unpacked(reply, NULL);
    return status;
}

static void ten_megabytes_are_too_large(void **state)
{
    (void)state;
    uint64_t before = log_seq();
    char *bytes = calloc(1, BIG);
    assert_non_null(bytes);
    int fd = raw_open();
    assert_true(raw_request(fd, 7, bytes, BIG));
    free(bytes);
    assert_int_equal(raw_status(fd), CALLOUT__STATUS__TOO_LARGE);
    close(fd);
    assert_int_equal(log_seq(), before);
}

static void garbage_in_a_frame_gets_an_error_reply(void **state)
{
    (void)state;
    static const char *const garbage[] = {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                                          "\x0a\x7f", "GET / HTTP/1.1\r\n\r\n", "\x0b\x0b\x0b"};
    uint64_t before = log_seq();
    int fd = raw_open();
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        assert_true(raw_request(fd, 7, garbage[i], strlen(garbage[i])));
        assert_int_equal(raw_status(fd), CALLOUT__STATUS__INVALID);
    }
    close(fd);
    assert_int_equal(log_seq(), before);
}

/* Pseudo-random bytes behind a good greeting, and instead of one. Whether a frame's length makes
 * the listener wait or close, nothing may come of it. */
static void garbage_on_the_line_changes_nothing(void **state)
{
    (void)state;
    uint64_t before = log_seq();
    uint32_t word = 2463534242u;
    for (int round = 0; round < 100; round++) {
        uint8_t bytes[512];
        for (size_t i = 0; i < sizeof bytes; i++) {
            word ^= word << 13;
            word ^= word >> 17;
            word ^= word << 5;
            bytes[i] = (uint8_t)(word >> 24);
        }
        int fd = round % 2 == 0 ? raw_open() : raw_connect(rig.port);
        assert_true(fd >= 0);
        (void)!raw_write(fd, bytes, sizeof bytes); /* it may be closed already */
        close(fd);
    }
    assert_int_equal(log_seq(), before);
}

static void nobody_without_a_key_gets_in(void **state)
{
    (void)state;
    uint64_t before = log_seq();
    struct order order;
    order_init(&order);
    uint8_t body[1024], bytes[2048];
    Callout__Request request;
    callout__request__init(&request);
    static char method[] = "UpsertWorkOrder";
    static uint8_t token[32] = {1, 2, 3};
    request.proto_major = 1;
    request.method = method;
    request.session_token = (ProtobufCBinaryData){sizeof token, token};
    request.body.len = callout__upsert_work_order_request__pack(&order.request, body);
    request.body.data = body;
    size_t size = callout__request__pack(&request, bytes);
    int fd = raw_open();
    assert_true(raw_request(fd, 7, bytes, size));
    assert_int_equal(raw_status(fd), CALLOUT__STATUS__UNAUTH);
    close(fd);
    assert_int_equal(log_seq(), before);
}

/* --- enrolment --- */

static void add_technician(void)
{
    static char technician_id[] = "T1";
    Callout__Point home;
    Callout__Technician technician;
    Callout__UpsertTechnicianRequest request;
    struct problem problem = {0};
    callout__point__init(&home);
    callout__technician__init(&technician);
    callout__upsert_technician_request__init(&request);
    home.lat_e7 = 471400000;
    home.lon_e7 = 95200000;
    technician.technician_id = technician_id;
    technician.territory_id = territory_id;
    technician.name = technician_id;
    technician.home = &home;
    request.technician = &technician;
    if (ask("UpsertTechnician", &request.base, &problem) != ERR_OK)
        fail_msg("%s: %s", problem.field, problem.text);
}

/* Enrolls with the identity in a file; the status, and the device's id when it is OK. */
static Callout__Status enroll(const char *file, char *token, char device_id[LIMIT_ID + 1])
{
    static char algorithm[] = "ed25519", method[] = "Enroll";
    static uint8_t body[1024], bytes[2048];
    struct identity identity;
    struct problem problem;
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    assert_int_equal(identity_load(&identity, file, &problem), ERR_OK);
    identity_sign(&identity, token, signature);
    Callout__EnrollRequest enroll;
    Callout__Request request;
    callout__enroll_request__init(&enroll);
    callout__request__init(&request);
    enroll.enrol_token = token;
    enroll.key_algorithm = algorithm;
    enroll.public_key = (ProtobufCBinaryData){IDENTITY_PUBLIC_BYTES, identity.public_key};
    enroll.signature = (ProtobufCBinaryData){sizeof signature, signature};
    request.proto_major = 1;
    request.method = method;
    request.body.len = callout__enroll_request__pack(&enroll, body);
    request.body.data = body;
    int fd = raw_open();
    assert_true(raw_request(fd, 7, bytes, callout__request__pack(&request, bytes)));
    uint32_t id;
    ssize_t size = raw_reply(fd, &id, bytes, sizeof bytes);
    close(fd);
    assert_true(size > 0);
    Callout__Reply *reply = callout__reply__unpack(NULL, (size_t)size, bytes);
    assert_non_null(reply);
    Callout__Status status = reply->status;
    if (status == CALLOUT__STATUS__OK) {
        Callout__EnrollReply *enrolled =
            callout__enroll_reply__unpack(NULL, reply->body.len, reply->body.data);
        snprintf(device_id, LIMIT_ID + 1, "%s", enrolled->device_id);
        callout__enroll_reply__free_unpacked(enrolled, NULL);
    }
    callout__reply__free_unpacked(reply, NULL);
    return status;
}

/* The reply to an enrolment can be lost: the same device may ask again, and is not two devices. */
static void a_token_is_for_one_device_however_often_it_asks(void **state)
{
    (void)state;
    add_technician();
    char token[512], first[LIMIT_ID + 1], again[LIMIT_ID + 1], mine[128], theirs[128];
    struct problem problem;
    const char *const arguments[] = {"callout",           "admin", "enrol", "--data",
                                     rig.system.data_dir, "T1",    NULL};
    assert_int_equal(system_command(arguments, token, sizeof token, &problem), ERR_OK);
    token[strcspn(token, "\r\n")] = '\0';
    char *word = strrchr(token, ' ') == NULL ? token : strrchr(token, ' ') + 1;
    snprintf(mine, sizeof mine, "%s/mine", rig.folder);
    snprintf(theirs, sizeof theirs, "%s/theirs", rig.folder);
    assert_int_equal(enroll(mine, word, first), CALLOUT__STATUS__OK);
    assert_int_equal(enroll(mine, word, again), CALLOUT__STATUS__OK);
    assert_string_equal(first, again);
    assert_int_equal(enroll(theirs, word, again), CALLOUT__STATUS__UNAUTH);
}

/* --- files --- */

static void write_file(char path[128], const char *name, const char *text)
{
    snprintf(path, 128, "%s/%s", rig.folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void broken_rows_are_named_and_nothing_is_imported(void **state)
{
    (void)state;
    char technicians[128], orders[128], said[8192] = "", command[1024];
    write_file(technicians, "technicians.csv",
               "technician_id,name,home_lon,home_lat,shift_start,shift_end,break_earliest,"
               "break_latest,break_minutes,skills,overtime_minutes_max\n"
               "T1,Anna,9.52,47.14,2026-11-23T08:00,2026-11-23T16:30,,,0,hvac:2,30\n"
               "T2,Beat,NaN,47.14,2026-11-23T08:00,2026-11-23T16:30,,,0,hvac:2,30\n");
    write_file(orders, "orders.csv",
               "order_id,received_at,lon,lat,address,work_type,service_minutes,priority,skill,"
               "window_start,window_end,due_at\n"
               "A1,2026-11-23T00:00,9.52,47.14,Feldweg 1,repair,30,3,hvac:1,2026-11-23T10:00,"
               "2026-11-23T12:00,\n"
               "A2,2026-11-23T00:00,9.52,inf,Feldweg 2,repair,30,3,hvac:1,2026-11-23T10:00,"
               "2026-11-23T12:00,\n"
               "A3,2026-11-23T00:00,9.52,47.14,Feldweg 3,repair,30,3,hvac:1,2026-11-23T12:00,"
               "2026-11-23T10:00,\n"
               "A4,yesterday,9.52\n");
    uint64_t before = log_seq();
    snprintf(command, sizeof command, "%s import --data %s --territory north %s %s 2>&1",
             CALLOUT_BINARY, rig.system.data_dir, technicians, orders);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    size_t size = fread(said, 1, sizeof said - 1, output);
    said[size] = '\0';
    assert_int_equal(WEXITSTATUS(pclose(output)), 5);
    static const char *const named[] = {
        "technicians.csv line 3", "home_lon",   "orders.csv line 3", "lat",
        "orders.csv line 4",      "window_end", "orders.csv line 5"};
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (strstr(said, named[i]) == NULL) fail_msg("%s is not named in:\n%s", named[i], said);
    assert_int_equal(log_seq(), before);
}

/* Last: the same system still takes what is right. */
static void a_good_order_is_taken(void **state)
{
    (void)state;
    struct order order;
    struct problem problem = {0};
    order_init(&order);
    uint64_t before = log_seq();
    if (ask("UpsertWorkOrder", &order.request.base, &problem) != ERR_OK)
        fail_msg("%s: %s", problem.field, problem.text);
    assert_true(log_seq() > before);
}

int main(int argc, char **argv)
{
    /* system_start starts this program again: then it is the real one. */
    if (argc > 1) return execv(CALLOUT_BINARY, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reversed_windows_are_refused),
        cmocka_unit_test(an_unknown_skill_is_refused),
        cmocka_unit_test(places_off_the_earth_are_refused),
        cmocka_unit_test(a_time_far_away_is_refused),
        cmocka_unit_test(ten_megabytes_are_too_large),
        cmocka_unit_test(garbage_in_a_frame_gets_an_error_reply),
        cmocka_unit_test(garbage_on_the_line_changes_nothing),
        cmocka_unit_test(nobody_without_a_key_gets_in),
        cmocka_unit_test(broken_rows_are_named_and_nothing_is_imported),
        cmocka_unit_test(a_token_is_for_one_device_however_often_it_asks),
        cmocka_unit_test(a_good_order_is_taken),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
