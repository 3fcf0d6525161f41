#include "optimizer/compare.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "bus.h"
#include "message.h"
#include "optimizer/told.h"
#include "pb/wire.pb-c.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TIMES_MAX = 1000,
    MESSAGE_MEMORY = 64 << 20,
    ANSWER_MS = 5000,
    URL_SIZE = 300,
    ROUNDS_DEFAULT = 20000,
};

struct options {
    const char *data_dir;
    long times, every_s, rounds, seed;
};

/* A problem as it was answered, packed. */
struct instant {
    uint8_t *reply;
    size_t size;
};

static int usage(void)
{
    fputs("usage: callout compare --data DIR [--times N] [--every SECONDS] [--rounds N] "
          "[--seed N]\n",
          stderr);
    return EXIT_USAGE;
}

static bool read_options(struct options *out, int argc, char **argv)
{
    static const struct option words[] = {
        {"data", required_argument, NULL, 'd'},  {"times", required_argument, NULL, 't'},
        {"every", required_argument, NULL, 'e'}, {"rounds", required_argument, NULL, 'r'},
        {"seed", required_argument, NULL, 's'},  {NULL, 0, NULL, 0},
    };
    *out = (struct options){.times = 1, .every_s = 10, .rounds = ROUNDS_DEFAULT, .seed = 1};
    for (int word; (word = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        char *end = NULL;
        if (word == 'd')
            out->data_dir = optarg;
        else if (word == 't')
            out->times = strtol(optarg, &end, 10);
        else if (word == 'e')
            out->every_s = strtol(optarg, &end, 10);
        else if (word == 'r')
            out->rounds = strtol(optarg, &end, 10);
        else if (word == 's')
            out->seed = strtol(optarg, &end, 10);
        else
            return false;
        if (end != NULL && (*end != '\0' || end == optarg)) return false;
    }
    return optind == argc && out->data_dir != NULL && out->times > 0 && out->times <= TIMES_MAX &&
           out->every_s > 0 && out->rounds > 0;
}

static enum err find_dispatcher(const char *data_dir, char url[URL_SIZE], struct problem *problem)
{
    char path[1024], line[URL_SIZE + 16];
    static const char word[] = "dispatcher ";
    snprintf(path, sizeof path, "%s/endpoints", data_dir);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return problem_set(problem, ERR_NOT_FOUND, data_dir, "no system runs on this folder");
    enum err err = problem_set(problem, ERR_NOT_FOUND, path, "it names no dispatcher");
    while (err != ERR_OK && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (strncmp(line, word, sizeof word - 1) != 0) continue;
        snprintf(url, URL_SIZE, "%.290s", line + sizeof word - 1);
        err = ERR_OK;
    }
    fclose(file);
    return err;
}

/* --- asking ---------------------------------------------------------------------------------- */

static enum err ask_problem(struct bus *bus, struct instant *out)
{
    char method[] = "NextProblem", id[] = "compare";
    struct arena arena;
    arena_open(&arena, 1 << 20);
    Callout__NextProblemRequest question;
    callout__next_problem_request__init(&question);
    Callout__Request request;
    callout__request__init(&request);
    request.proto_major = 1;
    request.method = method;
    request.request_id = id;
    request.body = message_encode(&question.base, &arena);
    ProtobufCBinaryData bytes = message_encode(&request.base, &arena);
    enum err err = bus_call(bus, bytes.data, bytes.len, ANSWER_MS, &out->reply, &out->size);
    arena_close(&arena);
    return err;
}

/* --- solving --------------------------------------------------------------------------------- */

struct result {
    int64_t cost;
    uint32_t unserved;
};

/* Nobody was told anything; with `blank` nothing was planned either, but for what cannot move. */
static void forget_plan(Callout__NextProblemReply *news, bool blank)
{
    static char nobody[] = "";
    for (size_t i = 0; i < news->n_visits; i++) {
        Callout__ProblemVisit *visit = news->visits[i];
        visit->published = 0;
        if (!blank || visit->mobility != CALLOUT__MOBILITY__MOVABLE) continue;
        visit->technician_id = nobody;
        visit->planned_start_us = 0;
        visit->position = 0;
    }
}

static enum err solve(Callout__NextProblemReply *news, bool blank, const struct options *options,
                      struct result *result, struct problem *problem)
{
    static struct solver solver;
    solver_open(&solver, &travel_straight, news->service_day);
    forget_plan(news, blank);
    enum err err = told_apply(&solver, news, problem);
    if (err == ERR_OK) {
        if (blank)
            solver_fresh(&solver, (uint64_t)options->rounds, (uint64_t)options->seed);
        else
            solver_begin(&solver);
        *result = (struct result){solver.plan.cost, solver.plan.unserved_count};
    }
    solver_close(&solver);
    return err;
}

static enum err decode(const struct instant *instant, struct arena *arena,
                       Callout__NextProblemReply **out, struct problem *problem)
{
    ProtobufCMessage *message;
    enum err err = message_decode(&callout__reply__descriptor, instant->reply, instant->size, arena,
                                  &message, problem);
    if (err != ERR_OK) return err;
    const Callout__Reply *reply = (const Callout__Reply *)message;
    if (reply->status != CALLOUT__STATUS__OK)
        return problem_set(problem, (enum err)reply->status, "NextProblem", "%s", reply->text);
    err = message_decode(&callout__next_problem_reply__descriptor, reply->body.data,
                         reply->body.len, arena, &message, problem);
    if (err == ERR_OK) *out = (Callout__NextProblemReply *)message;
    return err;
}

/* How many percent the live plan is worse than the fresh one. */
static enum err compare(const struct instant *instant, const struct options *options,
                        double *percent, struct problem *problem)
{
    struct arena arena;
    arena_open(&arena, MESSAGE_MEMORY);
    Callout__NextProblemReply *news = NULL;
    enum err err = decode(instant, &arena, &news, problem);
    if (err == ERR_OK && news != NULL && news->territory_id[0] == '\0')
        err = problem_set(problem, ERR_NOT_FOUND, "NextProblem", "there is no problem");
    struct result live = {0}, fresh = {0};
    if (err == ERR_OK) err = solve(news, false, options, &live, problem);
    if (err == ERR_OK) err = solve(news, true, options, &fresh, problem);
    if (err == ERR_OK) {
        char now[32];
        *percent =
            fresh.cost > 0 ? 100.0 * (double)(live.cost - fresh.cost) / (double)fresh.cost : 0;
        printf("%s plan %llu, %zu visits: live %lld (%u unserved), fresh %lld (%u), %+.2f %%\n",
               clock_format_utc(news->now_us, now), (unsigned long long)news->plan_version,
               news->n_visits, (long long)live.cost, live.unserved, (long long)fresh.cost,
               fresh.unserved, *percent);
    }
    arena_close(&arena);
    return err;
}

/* --- the tool -------------------------------------------------------------------------------- */

static long ask_all(struct bus *bus, const struct options *options, struct instant *instants)
{
    for (long i = 0; i < options->times; i++) {
        if (i > 0) nanosleep(&(struct timespec){.tv_sec = options->every_s}, NULL);
        if (ask_problem(bus, &instants[i]) != ERR_OK) return i; /* the system has ended */
    }
    return options->times;
}

static int compare_all(const struct instant *instants, long count, const struct options *options)
{
    double sum = 0, worst = 0;
    struct problem problem = {0};
    for (long i = 0; i < count; i++) {
        double percent = 0;
        if (compare(&instants[i], options, &percent, &problem) != ERR_OK) {
            fprintf(stderr, "callout compare: %s: %s\n", problem.field, problem.text);
            return EXIT_FAILED;
        }
        sum += percent;
        if (i == 0 || percent > worst) worst = percent;
    }
    if (count == 0) return EXIT_UNREACHABLE;
    printf("instants,%ld,count\n", count);
    printf("cost_over_fresh_mean,%.3f,percent\n", sum / (double)count);
    printf("cost_over_fresh_worst,%.3f,percent\n", worst);
    return EXIT_DONE;
}

int compare_main(int argc, char **argv)
{
    struct options options;
    struct problem problem = {0};
    char url[URL_SIZE];
    if (!read_options(&options, argc, argv)) return usage();
    log_open("compare", LOG_WARN);
    struct bus *bus = NULL;
    enum err err = find_dispatcher(options.data_dir, url, &problem);
    struct bus_options bus_options = {.url = url, .in_flight_max = 1};
    if (err == ERR_OK) err = bus_open(&bus, &bus_options, &problem);
    if (err != ERR_OK) {
        fprintf(stderr, "callout compare: %s: %s\n", problem.field, problem.text);
        return EXIT_UNREACHABLE;
    }
    static struct instant instants[TIMES_MAX];
    long count = ask_all(bus, &options, instants);
    bus_close(bus);
    int code = compare_all(instants, count, &options);
    for (long i = 0; i < count; i++)
        free(instants[i].reply);
    return code;
}
