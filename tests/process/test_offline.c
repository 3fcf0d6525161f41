/* A device that was away for long, and a server that lost what it had: against the real system,
 * through a link that counts its bytes and can be cut.
 *
 *   test_offline               the tests
 *   test_offline KBIT          the first of them over a link of KBIT kbit/s each way
 *
 * Idea: a client (gateway/client) dials a proxy of the test's own; behind it is `callout serve`, on
 * whatever port it chose last. How long a slow link would take is counted, not timed: bytes, and
 * round trips.
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/spawn.h"
#include "dispatcher/store/store.h"
#include "gateway/client/client.h"
#include "message.h"
#include "pb/fact.pb-c.h"
#include "sim/scratch.h"
#include "tests/process/slow_link.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { COMMANDS = 5000, AWAY_DAYS = 30, LINK_KBIT = 256, SECONDS_MAX = 60, ROUND_TRIP_MS = 300 };
enum { PATH_BYTES = 300, WAIT_S = 120 };

struct scene {
    char folder[SCRATCH_PATH];
    char data[PATH_BYTES]; /* of the server that runs */
    pid_t serve;
    struct slow_link link;
    struct client_loop *loop;
    struct client *client;
    char appointment_id[LIMIT_ID + 1];
    uint64_t results_in_order, next_result;
};

/* --- the system ------------------------------------------------------------------------------ */

/* The first line that a command prints. */
static void first_line(const char *command, char *line, size_t size)
{
    FILE *output = popen(command, "r");
    CHECK(output != NULL);
    line[0] = '\0';
    char rest[4096];
    if (fgets(line, (int)size, output) != NULL)
        while (fgets(rest, sizeof rest, output) != NULL)
            ;
    line[strcspn(line, "\n")] = '\0';
    if (pclose(output) != 0) fail_msg("%s: %s", command, line);
}

static void callout(const struct scene *scene, const char *words, const char *more, char *line,
                    size_t size)
{
    char command[1024];
    snprintf(command, sizeof command, "%s %s --data %s %s", CALLOUT_BINARY, words, scene->data,
             more);
    first_line(command, line, size);
}

/* Reads what serve prints until it says where it listens. */
static uint16_t read_port(int output)
{
    static const char where[] = "ready gateway tcp://127.0.0.1:";
    char text[1024];
    size_t have = 0;
    for (;;) {
        ssize_t got = read(output, text + have, sizeof text - 1 - have);
        if (got <= 0) fail_msg("serve did not come up");
        have += (size_t)got;
        text[have] = '\0';
        const char *url = strstr(text, where);
        if (url != NULL && strchr(text, '\n') != NULL)
            return (uint16_t)strtoul(url + strlen(where), NULL, 10);
    }
}

/* Not --lab: the limits are those of a real installation. */
static void serve(struct scene *scene, const char *clock)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    for (int i = 0; i < 2; i++)
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    const char *const arguments[] = {
        "callout",           "serve",  "--data",      scene->data, "--listen",
        "tcp://127.0.0.1:0", "--http", "127.0.0.1:0", "--admin",   "127.0.0.1:0",
        "--clock",           clock,    NULL};
    struct spawn spawn = {.program = CALLOUT_BINARY,
                          .arguments = arguments,
                          .input = -1,
                          .output = ends[1],
                          .ends_with_us = true}; /* a test that failed leaves nothing behind */
    CHECK(spawn_start(&spawn, &scene->serve, NULL) == ERR_OK);
    close(ends[1]);
    slow_link_to(&scene->link, read_port(ends[0]));
}

static void end_serve(struct scene *scene)
{
    int status;
    assert_int_equal(kill(scene->serve, SIGTERM), 0);
    assert_int_equal(waitpid(scene->serve, &status, 0), scene->serve);
    assert_int_equal(status, 0);
    scene->serve = 0;
}

/* --- the device ------------------------------------------------------------------------------ */

static void on_result(void *context, struct client *client, const Callout__CommandResult *result)
{
    struct scene *scene = context;
    (void)client;
    if (result->seq == scene->next_result + 1) scene->results_in_order++;
    scene->next_result = result->seq;
}

static void on_stopped(void *context, struct client *client, enum err err, const char *text)
{
    (void)context;
    (void)client;
    fail_msg("the device was stopped: %s: %s", err_name(err), text);
}

static void open_device(struct scene *scene, const char *token)
{
    char url[64], folder[PATH_BYTES];
    snprintf(url, sizeof url, "tcp://127.0.0.1:%u", (unsigned)scene->link.port);
    snprintf(folder, sizeof folder, "%s/device", scene->folder);
    struct client_options options = {.url = url,
                                     .folder = folder,
                                     .enrol_token = token,
                                     .device_name = "away",
                                     .app_build = "test",
                                     .volatile_outbox = true,
                                     .events = {.on_result = on_result, .on_stopped = on_stopped},
                                     .context = scene};
    struct problem problem = {0};
    if (client_open(&scene->client, scene->loop, &options, &problem) != ERR_OK)
        fail_msg("%s: %s", problem.field, problem.text);
}

/* Lives until `done` says so. */
static void live_until(struct scene *scene, bool (*done)(const struct scene *scene))
{
    int64_t limit_us = clock_mono_us() + WAIT_S * US_PER_SECOND;
    while (!done(scene)) {
        if (clock_mono_us() > limit_us)
            fail_msg("waited in vain: state %d, %u hellos, %u failures, connected %d",
                     (int)client_state(scene->client),
                     (unsigned)client_counters(scene->client)->hellos,
                     (unsigned)client_counters(scene->client)->failures,
                     client_connected(scene->client));
        client_loop_run(scene->loop, clock_mono_us() + 5000);
    }
}

static bool has_a_visit(const struct scene *scene)
{
    size_t count;
    client_appointments(scene->client, &count);
    return count > 0;
}

static bool all_is_sent(const struct scene *scene)
{
    return client_state(scene->client) == CLIENT_LIVE && client_unsent(scene->client) == 0;
}

/* What a working day is made of: the states of a visit, places, signs of life. */
static void save(struct scene *scene, int i)
{
    static const Callout__AppointmentStatus day[] = {CALLOUT__APPOINTMENT_STATUS__WORKING,
                                                     CALLOUT__APPOINTMENT_STATUS__PAUSED};
    Callout__Command command;
    Callout__StatusReport status;
    Callout__PositionBatch positions;
    Callout__Heartbeat heartbeat;
    Callout__Point point;
    Callout__Fix fix, *fixes[] = {&fix};
    callout__command__init(&command);
    callout__status_report__init(&status);
    callout__position_batch__init(&positions);
    callout__heartbeat__init(&heartbeat);
    callout__point__init(&point);
    callout__fix__init(&fix);
    point.lat_e7 = 473574477 + i;
    point.lon_e7 = 96096165 - i;
    if (i % 10 == 9) {
        command.body_case = CALLOUT__COMMAND__BODY_HEARTBEAT;
        command.heartbeat = &heartbeat;
        heartbeat.battery_percent = 50;
    } else if (i % 10 >= 5) {
        command.body_case = CALLOUT__COMMAND__BODY_POSITIONS;
        command.positions = &positions;
        fix.point = &point;
        fix.fix_time_us = client_domain_us(scene->client);
        fix.accuracy_m = 12;
        positions.n_fixes = 1;
        positions.fixes = fixes;
    } else {
        command.body_case = CALLOUT__COMMAND__BODY_STATUS;
        command.status = &status;
        status.appointment_id = scene->appointment_id;
        status.status = day[i % 2];
        status.point = &point;
    }
    uint64_t seq;
    struct problem problem = {0};
    if (client_save(scene->client, &command, &seq, &problem) != ERR_OK)
        fail_msg("%s: %s", problem.field, problem.text);
}

/* --- the stage ------------------------------------------------------------------------------- */

static int open_scene(void **state)
{
    static struct scene scene;
    scene = (struct scene){0};
    char token[200], line[400];
    assert_int_equal(scratch_make(scene.folder, NULL), ERR_OK);
    snprintf(scene.data, sizeof scene.data, "%s/data", scene.folder);
    slow_link_open(&scene.link);
    serve(&scene, "2026-11-23T07:00:00Z,1");
    callout(&scene, "import",
            "--territory north --time-zone Europe/Vaduz sim/day/technicians.csv "
            "sim/day/orders.csv 2>&1",
            line, sizeof line);
    callout(&scene, "admin enrol", "T01", token, sizeof token);
    CHECK(client_loop_open(&scene.loop) == ERR_OK);
    char *word = strrchr(token, ' ');
    open_device(&scene, word != NULL ? word + 1 : token);
    live_until(&scene, has_a_visit);
    size_t count;
    snprintf(scene.appointment_id, sizeof scene.appointment_id, "%s",
             client_appointments(scene.client, &count)->appointment_id);
    *state = &scene;
    return 0;
}

static int close_scene(void **state)
{
    struct scene *scene = *state;
    client_close(scene->client);
    client_loop_close(scene->loop);
    if (scene->serve > 0) {
        kill(scene->serve, SIGKILL);
        waitpid(scene->serve, NULL, 0);
    }
    slow_link_close(&scene->link);
    scratch_remove(scene->folder);
    return 0;
}

/* --- what the server has --------------------------------------------------------------------- */

struct count {
    int64_t results, last_seq;
    uint64_t facts, last_fact;
    bool in_order;
};

static bool count_result(void *context, const void *row)
{
    struct count *count = context;
    const struct row_command_result *result = row;
    count->in_order = count->in_order && result->seq == count->last_seq + 1;
    count->last_seq = result->seq;
    count->results++;
    return true;
}

static bool count_fact(void *context, const void *row)
{
    struct count *count = context;
    const struct row_fact *fact = row;
    struct arena arena;
    ProtobufCMessage *message;
    arena_open(&arena, LIMIT_REQUEST_ARENA);
    if (fact->body.size > 0 && message_decode(&callout__fact_body__descriptor, fact->body.bytes,
                                              fact->body.size, &arena, &message, NULL) == ERR_OK) {
        const Callout__FactBody *body = (const Callout__FactBody *)message;
        if (body->command != NULL) {
            count->in_order = count->in_order && body->command->seq > count->last_fact;
            count->last_fact = body->command->seq;
            count->facts++;
        }
    }
    arena_close(&arena);
    return true;
}

/* One result for each of the commands 1 to `commands`; the facts of the `statuses` among them once
 * each, in their order. */
static void assert_stored(const struct scene *scene, int commands, int statuses)
{
    struct store *store;
    struct count count = {.in_order = true};
    assert_int_equal(store_open_reader(&store, scene->data, NULL), ERR_OK);
    assert_int_equal(store_each(store, ROW_COMMAND_RESULT, NULL, 0, false, count_result, &count),
                     ERR_OK);
    assert_int_equal(store_each(store, ROW_FACT, NULL, 0, false, count_fact, &count), ERR_OK);
    store_close(store);
    assert_true(count.in_order);
    assert_int_equal(count.results, commands);
    assert_int_equal(count.facts, statuses);
}

/* --- the tests ------------------------------------------------------------------------------- */

static void be_away(struct scene *scene)
{
    slow_link_cut(&scene->link);
    struct problem problem;
    assert_int_equal(client_set_online(scene->client, false, &problem), ERR_OK);
    for (int i = 0; i < COMMANDS; i++) {
        int64_t ago_us = AWAY_DAYS * US_PER_DAY / COMMANDS * (COMMANDS - i);
        client_set_clock(scene->client, -ago_us);
        save(scene, i);
    }
    client_set_clock(scene->client, 0);
    assert_int_equal(client_unsent(scene->client), COMMANDS);
    assert_int_equal(client_set_online(scene->client, true, &problem), ERR_OK);
}

static void thirty_days_go_up_within_a_minute(void **state)
{
    struct scene *scene = *state;
    be_away(scene);
    slow_link_count(&scene->link);
    slow_link_heal(&scene->link);
    int64_t from_us = clock_mono_us();
    live_until(scene, all_is_sent);
    int64_t took_us = clock_mono_us() - from_us;
    struct slow_link_counters counters = slow_link_count(&scene->link);
    const struct client_counters *device = client_counters(scene->client);
    assert_int_equal(device->acknowledged, COMMANDS);
    assert_int_equal(device->rejected, 0);
    assert_int_equal(scene->results_in_order, COMMANDS);
    double link_bytes_per_s = LINK_KBIT * 1000.0 / 8;
    double seconds = (double)(counters.up + counters.down) * 1.05 / link_bytes_per_s +
                     (double)counters.turns * ROUND_TRIP_MS / 1000;
    print_message("note: %d commands: %lld bytes up, %lld down, %lld turns: %.1f s at %d kbit/s "
                  "and %d ms, counted; took %.1f s\n",
                  COMMANDS, (long long)counters.up, (long long)counters.down,
                  (long long)counters.turns, seconds, LINK_KBIT, ROUND_TRIP_MS,
                  (double)took_us / 1e6);
    assert_true(seconds < 0.8 * SECONDS_MAX);
    end_serve(scene);
    assert_stored(scene, COMMANDS, COMMANDS / 2);
}

static bool server_has_what_it_lost(const struct scene *scene)
{
    return client_counters(scene->client)->acknowledged == 30 && all_is_sent(scene);
}

/* The backup knows 10 commands of 20; the device has nothing new to say. */
static void a_restored_server_gets_again_what_it_lost(void **state)
{
    struct scene *scene = *state;
    char words[2 * PATH_BYTES], line[400];
    for (int i = 0; i < 10; i++)
        save(scene, i);
    live_until(scene, all_is_sent);
    snprintf(words, sizeof words, "%s/backup 2>&1", scene->folder);
    callout(scene, "admin backup", words, line, sizeof line);
    for (int i = 10; i < 20; i++)
        save(scene, i);
    live_until(scene, all_is_sent);
    slow_link_cut(&scene->link);
    end_serve(scene);
    assert_stored(scene, 20, 10);
    snprintf(scene->data, sizeof scene->data, "%s/restored", scene->folder);
    callout(scene, "admin restore", words, line, sizeof line);
    serve(scene, "2026-11-23T07:30:00Z,1");
    slow_link_heal(&scene->link);
    live_until(scene, server_has_what_it_lost);
    save(scene, 20);
    live_until(scene, all_is_sent);
    end_serve(scene);
    assert_stored(scene, 21, 11);
}

/* The same for a person with a watch. */
static int time_it(uint32_t kbit)
{
    void *scene = NULL;
    open_scene(&scene);
    slow_link_limit(&((struct scene *)scene)->link, kbit);
    thirty_days_go_up_within_a_minute(&scene);
    close_scene(&scene);
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    if (argc == 2) return time_it((uint32_t)strtoul(argv[1], NULL, 10));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(thirty_days_go_up_within_a_minute, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_restored_server_gets_again_what_it_lost, open_scene,
                                        close_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
