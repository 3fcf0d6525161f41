/* One day in lock-step, three times: in one process over a store of memory, and through `callout
 * serve` over a Unix socket and over tcp. The same facts must lead to the same digest.
 *
 * In one process the optimizer is the real one, down to its loop: only the bus is another, which
 * calls the engine instead of dialling it (bus.h, below), and plays the next step of the day
 * whenever the optimizer has nothing left to do. */
#include "base/limits.h"
#include "bus.h"
#include "line.h"
#include "lockstep.h"
#include "optimizer/service.h"
#include "sim/system.h"
#include "tests/dispatcher/desk.h"
#include "tests/short.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#define WORK             "300"           /* rounds of search per event */
#define FREEZE_MARGIN_US INT64_C(500000) /* what dispatcher/service.c gives a clock that stands */

enum { COMPLETIONS_MAX = 16, SETTLE_MS = 30000, DRAWN_DAYS = 15 };

struct digests {
    uint64_t core, tables;
    uint64_t facts;
};

static struct day the_day;

static int64_t start_us(void)
{
    return the_day.start_us - 60 * US_PER_MINUTE;
}

/* --- in one process --- */

struct bus {
    struct caller caller;
    struct desk desk;
    struct lockstep lockstep;
    Callout__Principal devices[DEVICES_MAX];
    struct bus_completion done[COMPLETIONS_MAX];
    uint32_t done_count;
    uint8_t *held; /* the optimizer's NextProblem; NULL: none is held */
    size_t held_size;
    uint64_t held_cookie;
    uint32_t proposals;
    int64_t settled_at; /* tip of the log when the board was first settled after a step; or -1 */
};

static struct bus direct;

static void complete(uint64_t cookie, ProtobufCBinaryData reply)
{
    assert_true(direct.done_count < COMPLETIONS_MAX);
    uint8_t *copy = malloc(reply.len + 1);
    assert_non_null(copy);
    memcpy(copy, reply.data, reply.len);
    direct.done[direct.done_count++] = (struct bus_completion){cookie, ERR_OK, copy, reply.len};
}

static bool board_settled(void)
{
    return direct.lockstep.step == 0 || lockstep_settled(lockstep_board(&direct.lockstep));
}

/* Nothing lies between a question and its plan, so no route may be refused: where one is, the two
 * sides read the rules differently. */
static void check_proposal(const struct engine_item *item)
{
    struct desk *desk = &direct.desk;
    Callout__Request *request = (Callout__Request *)desk_decode(
        desk, &callout__request__descriptor,
        (ProtobufCBinaryData){item->size, (uint8_t *)(uintptr_t)item->bytes});
    if (strcmp(request->method, "ProposePlan") != 0) return;
    Callout__ProposePlanReply *reply =
        desk_body(desk, desk_reply(desk, item, false), &callout__propose_plan_reply__descriptor);
    if (reply->n_refused > 0)
        fail_msg("step %u: route of %s refused: %s", direct.lockstep.step,
                 reply->refused[0]->technician_id, reply->refused[0]->reason);
    direct.proposals++;
}

/* As the dispatcher's loop does after each batch. */
static void answer_held(void)
{
    ProtobufCBinaryData reply;
    if (direct.held == NULL || engine_answer_held(direct.desk.engine, direct.held, direct.held_size,
                                                  false, start_us(), &reply) != ERR_OK)
        return;
    complete(direct.held_cookie, reply);
    free(direct.held);
    direct.held = NULL;
}

enum err bus_open(struct bus **out, const struct bus_options *options, struct problem *problem)
{
    (void)options;
    (void)problem;
    *out = &direct;
    return ERR_OK;
}

void bus_close(struct bus *bus)
{
    free(bus->held);
    bus->held = NULL;
    while (bus->done_count > 0)
        free(bus->done[--bus->done_count].reply);
}

enum err bus_ask(struct bus *bus, uint64_t cookie, const void *bytes, size_t size,
                 uint32_t deadline_ms)
{
    (void)deadline_ms;
    struct engine_item item = {.bytes = bytes, .size = size};
    engine_batch(bus->desk.engine, &item, 1, start_us());
    if (item.held == HELD_NOT) {
        check_proposal(&item);
        complete(cookie, item.reply);
    } else {
        assert_null(bus->held);
        bus->held = malloc(size + 1);
        assert_non_null(bus->held);
        memcpy(bus->held, bytes, size);
        bus->held_size = size;
        bus->held_cookie = cookie;
    }
    answer_held();
    if (bus->settled_at < 0 && board_settled())
        bus->settled_at = core_seq(engine_core(bus->desk.engine));
    return ERR_OK;
}

bool bus_next(struct bus *bus, struct bus_completion *out)
{
    if (bus->done_count == 0) return false;
    *out = bus->done[0];
    bus->done_count--;
    memmove(&bus->done[0], &bus->done[1], bus->done_count * sizeof bus->done[0]);
    return true;
}

/* Nothing to wait for: the optimizer is done, and the day goes on. */
bool bus_wait(struct bus *bus, uint32_t timeout_ms)
{
    if (bus->done_count > 0) return true;
    if (timeout_ms == 0 || bus->held == NULL) return false;
    /* What a caller outside can see must be enough: once settled, nothing more comes by itself. */
    assert_true(board_settled());
    if (bus->settled_at >= 0)
        assert_int_equal(bus->settled_at, core_seq(engine_core(bus->desk.engine)));
    bus->settled_at = -1;
    if (!lockstep_step(&bus->lockstep)) raise(SIGTERM);
    answer_held();
    return bus->done_count > 0;
}

enum err bus_call(struct bus *bus, const void *bytes, size_t size, uint32_t deadline_ms,
                  uint8_t **reply, size_t *reply_size)
{
    (void)bus;
    (void)bytes;
    (void)size;
    (void)deadline_ms;
    (void)reply;
    (void)reply_size;
    return ERR_IO;
}

static const Callout__Reply *direct_ask(struct caller *caller, int device, const char *method,
                                        const char *request_id, const ProtobufCMessage *body)
{
    (void)caller;
    static Callout__Principal key;
    key = a_key("local", "admin");
    const Callout__Principal *who = device == -1   ? &key
                                    : device == -2 ? nobody_yet()
                                                   : &direct.devices[device];
    return desk_ask_as(&direct.desk, who, method, request_id, body);
}

static const char *direct_token(struct caller *caller, const char *technician_id)
{
    (void)caller;
    return desk_admin(&direct.desk, "enrol", technician_id);
}

static void direct_hello(struct caller *caller, int device, const Callout__HelloReply *hello)
{
    (void)caller;
    direct.devices[device] = *desk_resolve(&direct.desk, hello->session_token);
}

static void run_direct(uint64_t drawn, struct digests *out)
{
    struct problem problem;
    const struct engine_options options = {.clock_by_hand = true,
                                           .freeze_margin_us = FREEZE_MARGIN_US};
    char program[] = "optimizer", dispatcher[] = "--dispatcher", url[] = "direct",
         lockstep[] = "--lockstep", seed[] = "--seed", one[] = "1", work[] = "--work",
         rounds[] = WORK;
    char *argv[] = {program, dispatcher, url, lockstep, seed, one, work, rounds, NULL};
    direct.caller =
        (struct caller){.ask = direct_ask, .token = direct_token, .hello = direct_hello};
    direct.lockstep = (struct lockstep){.caller = &direct.caller, .rng = {drawn}, .day = &the_day};
    direct.settled_at = -1;
    direct.desk = (struct desk){.store = store_open_mem(), .now_us = start_us()};
    arena_open(&direct.desk.arena, (size_t)1 << 30);
    arena_open(&direct.caller.arena, (size_t)1 << 30);
    assert_int_equal(engine_open(&direct.desk.engine, direct.desk.store, &options, &problem),
                     ERR_OK);
    assert_int_equal(optimizer_main(8, argv), 0);
    out->core = desk_digest(&direct.desk);
    out->facts = (uint64_t)desk_seq(&direct.desk);
    assert_int_equal(store_digest(direct.desk.store, &out->tables), ERR_OK);
    print_message("%u steps, %u commands of devices, %u proposals, %llu facts\n",
                  direct.lockstep.step, direct.lockstep.pushed, direct.proposals,
                  (unsigned long long)out->facts);
    desk_close(&direct.desk);
    arena_close(&direct.caller.arena);
}

/* --- through processes --- */

static const char *line_token(struct caller *caller, const char *technician_id)
{
    struct line *line = (struct line *)(void *)caller;
    const char *const arguments[] = {"callout",      "admin",       "enrol", "--data",
                                     line->data_dir, technician_id, NULL};
    struct problem problem;
    char *output = arena_need(&caller->arena, 4096);
    if (system_command(arguments, output, 4096, &problem) != ERR_OK)
        fail_msg("enrol: %s", problem.text);
    output[strcspn(output, "\n")] = '\0';
    const char *space = strrchr(output, ' ');
    return space == NULL ? output : space + 1;
}

static void wait_until_settled(struct lockstep *lockstep)
{
    const struct timespec moment = {.tv_nsec = 2000000};
    int64_t until_us = clock_mono_us() + SETTLE_MS * INT64_C(1000);
    while (!lockstep_settled(lockstep_board(lockstep))) {
        if (clock_mono_us() > until_us) fail_msg("step %u: no plan came", lockstep->step);
        nanosleep(&moment, NULL);
    }
}

static uint64_t number_after(const char *text, const char *name, int base)
{
    const char *at = strstr(text, name);
    if (at == NULL) fail_msg("no %s in %s", name, text);
    return strtoull(at + strlen(name), NULL, base);
}

static void replay(const char *data_dir, struct digests *out)
{
    const char *const arguments[] = {"callout", "replay", data_dir, "--json", NULL};
    char output[1024];
    struct problem problem;
    if (system_command(arguments, output, sizeof output, &problem) != ERR_OK)
        fail_msg("replay: %s", problem.text);
    out->core = number_after(output, "\"core_digest\": \"", 16);
    out->tables = number_after(output, "\"stored_tables_digest\": \"", 16);
    out->facts = number_after(output, "\"facts\": ", 10);
    assert_non_null(strstr(output, "\"tables\": \"equal\""));
}

static void run_line(const char *folder, const char *url, struct digests *out)
{
    char data[128], log[128], clock[64], start[32];
    struct system system;
    struct problem problem = {{0}, {0}};
    snprintf(data, sizeof data, "%s/data", folder);
    snprintf(log, sizeof log, "%s/log", folder);
    snprintf(clock, sizeof clock, "%s,0", clock_format_utc(start_us(), start));
    const char *const more[] = {"--http",      "none",    "--listen", url,     "--admin",
                                "127.0.0.1:0", "--clock", clock,      "--lab", "--lockstep",
                                "--seed",      "1",       "--work",   WORK,    NULL};
    if (system_start(&system, data, more, log, &problem) != ERR_OK) fail_msg("%s", problem.text);
    struct line line = {.caller = {.ask = line_ask, .token = line_token, .hello = line_hello},
                        .key = system.key,
                        .data_dir = data};
    arena_open(&line.caller.arena, (size_t)2 << 30);
    assert_true(line_open(&line, system.gateway));
    struct lockstep lockstep = {.caller = &line.caller, .day = &the_day};
    while (lockstep_step(&lockstep))
        wait_until_settled(&lockstep);
    line_close(&line);
    arena_close(&line.caller.arena);
    assert_true(system_stop(&system));
    replay(data, out);
}

/* Each way runs in a process of its own: the optimizer ends by a signal, and nothing is shared. */
static void run_apart(const char *folder, const char *url, uint64_t seed, struct digests *out)
{
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct digests digests = {0};
        if (url == NULL)
            run_direct(seed, &digests);
        else
            run_line(folder, url, &digests);
        _exit(write(ends[1], &digests, sizeof digests) == sizeof digests ? 0 : 1);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], out, sizeof *out);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(got, sizeof *out);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void check_same(const struct digests *direct_one, const struct digests *other)
{
    assert_int_equal(other->facts, direct_one->facts);
    assert_true(other->core == direct_one->core);
    assert_true(other->tables == direct_one->tables);
}

static void in_one_process_twice_is_the_same_day(void **state)
{
    struct digests *one = *state, again;
    run_apart(NULL, NULL, 0, &again);
    check_same(one, &again);
    assert_true(one->facts > 200);
}

static void over_a_unix_socket_it_is_the_same_day(void **state)
{
    struct digests *one = *state, other;
    char folder[] = "/tmp/callout-lockstep-XXXXXX", url[96], command[96];
    NOT_IN_SHORT_FORM();
    assert_non_null(mkdtemp(folder));
    snprintf(url, sizeof url, "ipc://%s/gateway.sock", folder);
    run_apart(folder, url, 0, &other);
    check_same(one, &other);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static void over_tcp_it_is_the_same_day(void **state)
{
    NOT_IN_SHORT_FORM();
    struct digests *one = *state, other;
    char folder[] = "/tmp/callout-lockstep-XXXXXX", command[96];
    assert_non_null(mkdtemp(folder));
    run_apart(folder, "tcp://127.0.0.1:0", 0, &other);
    check_same(one, &other);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

/* Days in which anything may happen, in one process: no route is refused (check_proposal). */
static void whatever_happens_optimizer_and_dispatcher_read_the_rules_alike(void **state)
{
    (void)state;
    const char *wanted = getenv("CALLOUT_SEEDS");
    uint64_t first = 1, count = DRAWN_DAYS;
    if (wanted != NULL) {
        char *end;
        first = strtoull(wanted, &end, 10);
        count = *end == ',' ? strtoull(end + 1, NULL, 10) : 1;
    }
    for (uint64_t seed = first; seed < first + count; seed++) {
        struct digests digests;
        print_message("seed %llu: ", (unsigned long long)seed);
        run_apart(NULL, NULL, seed, &digests);
    }
}

static int first_run(void **state)
{
    static struct digests one;
    static struct day_errors errors;
    if (day_read(&the_day, CALLOUT_SOURCE_DIR "/sim/day/technicians.csv",
                 CALLOUT_SOURCE_DIR "/sim/day/orders.csv", "Europe/Vaduz", &errors) != ERR_OK)
        return 1;
    run_apart(NULL, NULL, 0, &one);
    *state = &one;
    return 0;
}

static int last(void **state)
{
    (void)state;
    day_fini(&the_day);
    return 0;
}

int main(int argc, char **argv)
{
    /* system_start and system_command start this program again: then it is the real one. */
    if (argc > 1) return execv(CALLOUT_BINARY, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_one_process_twice_is_the_same_day),
        cmocka_unit_test(whatever_happens_optimizer_and_dispatcher_read_the_rules_alike),
        cmocka_unit_test(over_a_unix_socket_it_is_the_same_day),
        cmocka_unit_test(over_tcp_it_is_the_same_day),
    };
    return cmocka_run_group_tests(tests, first_run, last);
}
