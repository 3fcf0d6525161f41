/* A technician of a living fleet changes hands: a phone in a terminal takes him over while he
 * works, does what he is at and more, and gives him back. The log says who said what: first the
 * one, then the other, never both; nothing is lost or there twice, and the others live on. */
#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/spawn.h"
#include "dispatcher/store/store.h"
#include "message.h"
#include "pb/fact.pb-c.h"
#include "sim/control.h"
#include "sim/scratch.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_S = 60, OUTPUT_BYTES = 64 * 1024, ORDERS = 50, DEVICES = 3, STEP_MS = 100 };

/* --- processes -------------------------------------------------------------------------------- */

struct child {
    pid_t pid;
    int in, out; /* its standard input and output, from our side */
    char text[OUTPUT_BYTES];
    size_t size, seen; /* `seen`: a later await looks behind it */
};

/* `words` after "callout", NULL at the end. */
static void child_start(struct child *child, const char *const *words)
{
    const char *arguments[24] = {"callout"};
    int to[2], from[2];
    for (int i = 0; words[i] != NULL; i++)
        arguments[i + 1] = words[i];
    *child = (struct child){0};
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    for (int i = 0; i < 2; i++) {
        fcntl(to[i], F_SETFD, FD_CLOEXEC);
        fcntl(from[i], F_SETFD, FD_CLOEXEC);
    }
    struct spawn spawn = {.program = CALLOUT_BINARY,
                          .arguments = arguments,
                          .input = to[0],
                          .output = from[1],
                          .ends_with_us = true}; /* a test that failed leaves nobody behind */
    assert_int_equal(spawn_start(&spawn, &child->pid, NULL), ERR_OK);
    close(to[0]);
    close(from[1]);
    child->in = to[1];
    child->out = from[0];
}

/* Waits until the output has the text behind what was awaited before; points behind it. */
static const char *child_await(struct child *child, const char *text)
{
    int64_t until_us = clock_mono_us() + PATIENCE_S * US_PER_SECOND;
    for (;;) {
        child->text[child->size] = '\0';
        const char *at = strstr(child->text + child->seen, text);
        if (at != NULL) {
            child->seen = (size_t)(at - child->text) + strlen(text);
            return at + strlen(text);
        }
        struct pollfd ready = {.fd = child->out, .events = POLLIN};
        if (clock_mono_us() > until_us || child->size == sizeof child->text - 1) break;
        if (poll(&ready, 1, STEP_MS) <= 0) continue;
        ssize_t got =
            read(child->out, child->text + child->size, sizeof child->text - 1 - child->size);
        if (got <= 0) break;
        child->size += (size_t)got;
    }
    fail_msg("\"%s\" did not come; what came: %s", text, child->text + child->seen);
    return NULL;
}

static void child_say(const struct child *child, const char *line)
{
    assert_int_equal(write(child->in, line, strlen(line)), (ssize_t)strlen(line));
}

/* Reads what is left and waits for the end; the exit code. `signal` 0: it ends by itself. */
static int child_end(struct child *child, int signal)
{
    int status = 0;
    if (signal != 0) kill(child->pid, signal);
    close(child->in);
    for (ssize_t got = 1; got > 0 && child->size < sizeof child->text - 1;) {
        got = read(child->out, child->text + child->size, sizeof child->text - 1 - child->size);
        if (got > 0) child->size += (size_t)got;
    }
    child->text[child->size] = '\0';
    close(child->out);
    waitpid(child->pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int callout(struct child *child, const char *const *words)
{
    child_start(child, words);
    return child_end(child, 0);
}

/* --- the fleet as its tool lists it ----------------------------------------------------------- */

struct member {
    char id[LIMIT_ID + 1], doing[16], visit[LIMIT_ID + 1]; /* visit "-": none */
};

static size_t list_fleet(const char *data, struct member *members, size_t room)
{
    const char *const words[] = {"sim", "take-over", "--data", data, NULL};
    static struct child child;
    size_t count = 0;
    if (callout(&child, words) != 0) return 0; /* it does not live yet */
    for (char *line = child.text; count < room && *line != '\0'; line = strchr(line, '\n') + 1) {
        struct member *it = &members[count++];
        assert_int_equal(sscanf(line, "%64[^\t]\t%15[^\t]\t%64[^\n]", it->id, it->doing, it->visit),
                         3);
    }
    return count;
}

/* Looks at the fleet again and again until somebody is as wanted; who. */
static struct member await_member(const char *data,
                                  bool (*wanted)(const struct member *member,
                                                 const struct member *like),
                                  const struct member *like)
{
    struct member members[64];
    int64_t until_us = clock_mono_us() + PATIENCE_S * US_PER_SECOND;
    while (clock_mono_us() < until_us) {
        size_t count = list_fleet(data, members, sizeof members / sizeof members[0]);
        for (size_t i = 0; i < count; i++)
            if (wanted(&members[i], like)) return members[i];
        poll(NULL, 0, STEP_MS);
    }
    fail_msg("nobody of the fleet came to be as wanted within %d s", PATIENCE_S);
    return (struct member){.id = ""};
}

static bool works(const struct member *member, const struct member *like)
{
    (void)like;
    return strcmp(member->doing, "works") == 0;
}

static bool somebody_else_is_busy_anew(const struct member *member, const struct member *like)
{
    return strcmp(member->id, like->id) != 0 && strcmp(member->doing, "drives") == 0;
}

static bool is_beyond(const struct member *member, const struct member *like)
{
    return strcmp(member->id, like->id) == 0 && strcmp(member->visit, like->visit) != 0 &&
           strcmp(member->doing, "taken") != 0 && strcmp(member->doing, "off") != 0;
}

/* --- the log ---------------------------------------------------------------------------------- */

struct log {
    const char *technician_id, *taken_visit, *given_visit;
    struct arena arena;
    char devices[DEVICES][LIMIT_ID + 1]; /* of the technician, in the order of their first word */
    size_t device_count;
    uint64_t last_seq;           /* of the present device */
    bool word[DEVICES][2][16];   /* who reported which status of the taken and the given visit */
    size_t completed;            /* the taken visit, so often */
    size_t orders, others_since; /* facts of others since the terminal became he */
};

static void note_command(struct log *log, const Callout__FactBody *body)
{
    if (strcmp(body->actor->technician_id, log->technician_id) != 0) {
        log->others_since += log->device_count >= 2;
        return;
    }
    if (log->device_count == 0 ||
        strcmp(log->devices[log->device_count - 1], body->actor->id) != 0) {
        for (size_t i = 0; i < log->device_count; i++)
            assert_string_not_equal(log->devices[i], body->actor->id); /* who left is silent */
        assert_true(log->device_count < DEVICES);
        snprintf(log->devices[log->device_count++], LIMIT_ID + 1, "%s", body->actor->id);
        log->last_seq = 0;
    }
    assert_true(body->command->seq > log->last_seq);
    log->last_seq = body->command->seq;
    const Callout__StatusReport *report = body->command->status;
    if (body->command->body_case != CALLOUT__COMMAND__BODY_STATUS) return;
    bool taken = strcmp(report->appointment_id, log->taken_visit) == 0;
    bool given = strcmp(report->appointment_id, log->given_visit) == 0;
    if (taken || given) log->word[log->device_count - 1][given][report->status] = true;
    log->completed += taken && report->status == CALLOUT__APPOINTMENT_STATUS__COMPLETED;
}

static bool note_fact(void *context, const void *visited)
{
    struct log *log = context;
    const struct row_fact *row = visited;
    ProtobufCMessage *message;
    assert_int_equal(message_decode(&callout__fact_body__descriptor, row->body.bytes,
                                    row->body.size, &log->arena, &message, NULL),
                     ERR_OK);
    const Callout__FactBody *body = (const Callout__FactBody *)message;
    log->orders += body->body_case == CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER;
    if (body->command != NULL) note_command(log, body);
    arena_rewind(&log->arena);
    return true;
}

static bool count_row(void *context, const void *visited)
{
    (void)visited;
    ++*(size_t *)context;
    return true;
}

static void check_log(const char *data, const char *id, const char *taken, const char *given)
{
    static struct log log;
    struct store *store;
    struct problem problem = {0};
    size_t appointments = 0;
    union row row;
    log = (struct log){.technician_id = id, .taken_visit = taken, .given_visit = given};
    arena_open(&log.arena, (size_t)32 << 20);
    if (store_open_reader(&store, data, &problem) != ERR_OK) fail_msg("%s", problem.text);
    assert_int_equal(store_each(store, ROW_FACT, NULL, 0, false, note_fact, &log), ERR_OK);
    assert_int_equal(store_each(store, ROW_APPOINTMENT, NULL, 0, false, count_row, &appointments),
                     ERR_OK);
    const struct row_appointment key = {.appointment_id = taken};
    assert_int_equal(store_get(store, ROW_APPOINTMENT, &key, &row), ERR_OK);
    assert_int_equal(row.appointment.status, CALLOUT__APPOINTMENT_STATUS__COMPLETED);
    store_close(store);
    arena_close(&log.arena);
    print_message("%s: %zu devices, %zu facts of others since, %zu orders, %zu appointments\n", id,
                  log.device_count, log.others_since, log.orders, appointments);
    assert_int_equal(log.device_count, DEVICES);
    assert_true(log.word[0][0][CALLOUT__APPOINTMENT_STATUS__WORKING]);
    assert_false(log.word[0][0][CALLOUT__APPOINTMENT_STATUS__COMPLETED]);
    assert_true(log.word[1][0][CALLOUT__APPOINTMENT_STATUS__COMPLETED]);
    assert_int_equal(log.completed, 1);
    assert_true(log.word[1][1][CALLOUT__APPOINTMENT_STATUS__ON_SITE]);
    assert_true(log.word[2][1][CALLOUT__APPOINTMENT_STATUS__WORKING] ||
                log.word[2][1][CALLOUT__APPOINTMENT_STATUS__NO_ACCESS]);
    assert_true(log.others_since > 0);
    assert_int_equal(appointments, log.orders);
    assert_true(appointments >= ORDERS);
}

/* --- the story -------------------------------------------------------------------------------- */

static void start_system(struct child *serve, const char *data)
{
    const char *const serving[] = {"serve",
                                   "--data",
                                   data,
                                   "--listen",
                                   "tcp://127.0.0.1:0",
                                   "--admin",
                                   "127.0.0.1:0",
                                   "--clock",
                                   "2026-11-23T06:45,160",
                                   "--http",
                                   "none",
                                   "--lab",
                                   NULL};
    const char *const importing[] = {
        "import", "--data", data, "sim/day/technicians.csv", "sim/day/orders.csv", NULL};
    static struct child import;
    child_start(serve, serving);
    child_await(serve, "ready");
    assert_int_equal(callout(&import, importing), 0);
}

static bool is_taken(const struct member *member, const struct member *like)
{
    return strcmp(member->id, like->id) == 0 && strcmp(member->doing, "taken") == 0;
}

static void read_gateway(const char *data, char url[128])
{
    char path[SCRATCH_PATH + 16], line[256];
    snprintf(path, sizeof path, "%s/endpoints", data);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    url[0] = '\0';
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "gateway ", 8) == 0)
            snprintf(url, 128, "%.*s", (int)strcspn(line + 8, "\r\n"), line + 8);
    fclose(file);
}

/* As with the app's link of a demo: the virtual one makes way when another device is he. */
static void somebody_enrols_unasked(const char *data, const struct member *taken)
{
    static struct child enrol, phone;
    char url[128], token[128];
    struct member other = await_member(data, somebody_else_is_busy_anew, taken);
    const char *const enrolling[] = {"admin", "enrol", "--data", data, other.id, NULL};
    assert_int_equal(callout(&enrol, enrolling), 0);
    snprintf(token, sizeof token, "%.*s", (int)strcspn(enrol.text, "\r\n"), enrol.text);
    read_gateway(data, url);
    const char *const phoning[] = {"sim", "phone",   other.id, "--gateway",
                                   url,   "--token", token,    NULL};
    child_start(&phone, phoning);
    child_await(&phone, " visits\n");
    await_member(data, is_taken, &other);
    child_say(&phone, "quit\n");
    assert_int_equal(child_end(&phone, 0), 0);
}

static void a_technician_changes_hands_and_comes_back(void **state)
{
    (void)state;
    static struct child serve, fleet, phone, other;
    char data[SCRATCH_PATH];
    struct problem problem;
    assert_int_equal(scratch_make(data, &problem), ERR_OK);
    start_system(&serve, data);
    const char *const living[] = {"sim",   "live", "--data",        data, "--day",  "sim/day",
                                  "--ill", "0",    "--emergencies", "2",  "--json", NULL};
    child_start(&fleet, living);

    struct member taken = await_member(data, works, NULL);
    const char *const phoning[] = {"sim", "phone", "--data", data, taken.id, NULL};
    child_start(&phone, phoning);
    child_await(&phone, taken.visit);
    child_await(&phone, "is in hand");
    child_await(&phone, " visits\n");

    const char *const again[] = {"sim", "take-over", "--data", data, taken.id, NULL};
    assert_int_equal(callout(&other, again), 1); /* there is one of him */
    child_say(&phone, "done\n");
    child_await(&phone, " done\n");
    child_await(&phone, "recorded\n");
    child_say(&phone, "leave\n");
    child_await(&phone, "recorded\n");
    await_member(data, somebody_else_is_busy_anew, &taken);

    child_say(&phone, "arrive\n");
    child_await(&phone, "recorded\n");
    struct member given = taken;
    const char *arrived = strstr(phone.text, " on site\n");
    assert_non_null(arrived);
    const char *line = arrived;
    while (line[-1] != '\n')
        line--;
    snprintf(given.visit, sizeof given.visit, "%.*s", (int)(arrived - line), line);
    child_say(&phone, "quit\n");
    assert_int_equal(child_end(&phone, 0), 0);
    assert_non_null(strstr(phone.text, "is virtual again"));

    await_member(data, is_beyond, &given); /* he is where the phone left him, and then further */
    somebody_enrols_unasked(data, &taken);
    assert_int_equal(child_end(&fleet, SIGTERM), 0);
    assert_non_null(strstr(fleet.text, "\"ok\": true"));
    assert_non_null(strstr(fleet.text, "\"handovers\": 2"));
    assert_int_equal(child_end(&serve, SIGTERM), 0);
    check_log(data, taken.id, taken.visit, given.visit);
    scratch_remove(data);
}

static void where_no_fleet_lives_nobody_is_taken(void **state)
{
    (void)state;
    static struct child child;
    char data[SCRATCH_PATH], path[SCRATCH_PATH + 16];
    struct problem problem;
    assert_int_equal(scratch_make(data, &problem), ERR_OK);
    snprintf(path, sizeof path, "%s/control", data);
    const char *const taking[] = {"sim", "take-over", "--control", path, "T01", NULL};
    const char *const lacking[] = {"sim", "give-back", "--control", path, "T01", NULL};
    assert_int_equal(callout(&child, taking), 4);
    assert_int_equal(callout(&child, lacking), 2);
    scratch_remove(data);
}

/* --- the line to the fleet -------------------------------------------------------------------- */

struct answering {
    struct control *control;
    size_t lines, answer_size;
    char last[CONTROL_LINE];
};

static void on_line(void *context, struct control_caller caller, const char *line)
{
    struct answering *answering = context;
    char *text = malloc(answering->answer_size + 1);
    assert_non_null(text);
    memset(text, 'a', answering->answer_size);
    text[answering->answer_size] = '\0';
    snprintf(answering->last, sizeof answering->last, "%s", line);
    answering->lines++;
    control_answer(answering->control, caller, strcmp(line, "refuse") != 0, text);
    control_answer(answering->control, caller, true, "nobody hears this");
    free(text);
}

/* Asks from another process; its exit code says what came. */
static int ask(struct answering *answering, const char *path, const char *line)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static char answer[1 << 21];
        struct problem problem;
        enum err err = control_call(path, line, answer, sizeof answer, &problem);
        bool whole = err != ERR_OK || strlen(answer) == answering->answer_size;
        _exit(whole ? (int)err : 100);
    }
    int64_t until_us = clock_mono_us() + PATIENCE_S * US_PER_SECOND;
    while (waitpid(child, &status, WNOHANG) == 0 && clock_mono_us() < until_us) {
        if (answering->control != NULL) control_serve(answering->control, on_line, answering);
        poll(NULL, 0, 5);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_line_is_answered_whatever_its_path_and_its_answer(void **state)
{
    (void)state;
    char data[SCRATCH_PATH], path[SCRATCH_PATH + 300];
    struct problem problem;
    struct answering answering = {.answer_size = 5};
    struct control *second = NULL;
    assert_int_equal(scratch_make(data, &problem), ERR_OK);
    snprintf(path, sizeof path, "%s/%0200d", data, 7);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/%0200d/fleet.sock", data, 7);
    assert_int_equal(control_open(&answering.control, path, &problem), ERR_OK);
    assert_int_equal(ask(&answering, path, "take\tT01"), ERR_OK);
    assert_string_equal(answering.last, "take\tT01");
    assert_int_equal(ask(&answering, path, "refuse"), ERR_CONFLICT);
    answering.answer_size = 1 << 20; /* more than a socket takes at once */
    assert_int_equal(ask(&answering, path, "list"), ERR_OK);
    assert_int_equal(answering.lines, 3);
    assert_int_equal(control_open(&second, path, &problem), ERR_CONFLICT);
    control_close(answering.control);
    answering.control = NULL;
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(ask(&answering, path, "late"), ERR_NOT_FOUND);
    scratch_remove(data);
}

static void what_a_dead_fleet_left_is_replaced(void **state)
{
    (void)state;
    char data[SCRATCH_PATH], path[SCRATCH_PATH + 16];
    struct problem problem;
    struct answering answering = {.answer_size = 1};
    int status;
    assert_int_equal(scratch_make(data, &problem), ERR_OK);
    snprintf(path, sizeof path, "%s/fleet.sock", data);
    pid_t child = fork();
    if (child == 0) _exit((int)control_open(&answering.control, path, &problem));
    waitpid(child, &status, 0);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(control_open(&answering.control, path, &problem), ERR_OK);
    assert_int_equal(ask(&answering, path, "list"), ERR_OK);
    control_close(answering.control);
    scratch_remove(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_answered_whatever_its_path_and_its_answer),
        cmocka_unit_test(what_a_dead_fleet_left_is_replaced),
        cmocka_unit_test(where_no_fleet_lives_nobody_is_taken),
        cmocka_unit_test(a_technician_changes_hands_and_comes_back),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
