/* replay.c - the fact log, told again: through the core into a store of plain memory. */
#include "dispatcher/replay.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "dispatcher/blobs.h"
#include "dispatcher/engine_impl.h"
#include "dispatcher/kpi.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replay {
    struct core *core;
    struct arena core_arena, step_arena;
    struct store *tables; /* what the facts lead to */
    int64_t until, facts, quarantined;
    int64_t last_us; /* of the last fact */
    int64_t bad_seq; /* first fact that could not be applied; 0: none */
    struct problem problem;
};

static enum err put_acts(struct store *store, const struct acts *acts)
{
    enum err err = ERR_OK;
    for (uint32_t i = 0; i < acts->count && err == ERR_OK; i++) {
        const struct act *act = &acts->items[i];
        if (act->kind == ACT_PUT) err = store_put(store, act->row_kind, &act->row);
        if (act->kind == ACT_ERASE)
            err = store_erase(store, act->row_kind, &act->row, act->key_columns);
    }
    return err;
}

static bool replay_fact(void *context, const void *visited)
{
    struct replay *replay = context;
    const struct row_fact *row = visited;
    struct acts acts;
    if (replay->until > 0 && row->seq > replay->until) return false;
    arena_rewind(&replay->step_arena);
    Callout__FactBody *body = fact_body(row);
    enum err err =
        fact_again(replay->core, row, body, &replay->step_arena, &acts, &replay->problem);
    if (err == ERR_OK) err = put_acts(replay->tables, &acts);
    if (body != NULL) callout__fact_body__free_unpacked(body, NULL);
    if (err != ERR_OK) replay->bad_seq = row->seq;
    replay->facts++;
    replay->last_us = row->time_us;
    replay->quarantined += row->kind == FACT_QUARANTINED;
    return err == ERR_OK;
}

static enum err replay_run(struct replay *replay, struct store *store, int64_t until)
{
    *replay = (struct replay){.until = until};
    arena_open(&replay->core_arena, (size_t)1 << 30);
    arena_open(&replay->step_arena, (size_t)256 << 20);
    replay->core = core_open(&replay->core_arena, &travel_straight);
    replay->tables = store_open_mem();
    enum err err = store_begin(replay->tables);
    if (err == ERR_OK) err = store_each(store, ROW_FACT, NULL, 0, false, replay_fact, replay);
    if (err == ERR_OK) err = store_commit(replay->tables);
    return err;
}

static void replay_close(struct replay *replay)
{
    store_close(replay->tables);
    arena_close(&replay->core_arena);
    arena_close(&replay->step_arena);
}

struct options {
    const char *folder;
    int64_t until;
    bool json;
};

static int parse(int argc, char **argv, const char *usage, struct options *options)
{
    static const struct option longs[] = {{"until", required_argument, NULL, 'u'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'j') options->json = true;
        if (c == 'u') options->until = strtoll(optarg, NULL, 10);
        if (c == 'u' && options->until <= 0) {
            fprintf(stderr, "callout replay: --until \"%s\" is not a fact's number (1 or more)\n",
                    optarg);
            return EXIT_USAGE;
        }
        if (c == 'h') {
            fputs(usage, stdout);
            exit(EXIT_DONE);
        }
        if (c == '?') return EXIT_USAGE;
    }
    if (optind + 1 == argc) {
        options->folder = argv[optind];
        return EXIT_DONE;
    }
    fputs(usage, stderr);
    return EXIT_USAGE;
}

static int open_folder(const char *role, const char *folder, struct store **store)
{
    struct problem problem = {{0}, {0}};
    log_open(role, LOG_INFO);
    enum err err = store_open_reader(store, folder, &problem);
    if (err == ERR_OK) return EXIT_DONE;
    bool names_file =
        problem.field[0] == '/' || strncmp(problem.field, folder, strlen(folder)) == 0;
    fprintf(stderr, "callout %s: %s: %s\n", role, names_file ? problem.field : folder,
            problem.text);
    return EXIT_CONFIG;
}

struct digests {
    uint64_t core, replayed_tables, stored_tables;
};

static enum err compare(struct replay *replay, struct store *store, struct digests *out)
{
    out->core = core_digest(replay->core);
    enum err err = store_digest(replay->tables, &out->replayed_tables);
    if (err == ERR_OK) err = store_digest(store, &out->stored_tables);
    return err;
}

static void print_replay(const struct replay *replay, const struct digests *digests, bool whole,
                         bool json)
{
    bool equal = digests->replayed_tables == digests->stored_tables;
    const char *answer = !whole ? "not compared" : equal ? "equal" : "different";
    if (json)
        printf("{\"facts\": %lld, \"quarantined\": %lld, \"core_digest\": \"%016llx\", "
               "\"tables_digest\": \"%016llx\", \"stored_tables_digest\": \"%016llx\", \"tables\": "
               "\"%s\"}\n",
               (long long)replay->facts, (long long)replay->quarantined,
               (unsigned long long)digests->core, (unsigned long long)digests->replayed_tables,
               (unsigned long long)digests->stored_tables, answer);
    else
        printf("%lld facts replayed (%lld quarantined)\ncore digest    %016llx\ntables digest  "
               "%016llx\n"
               "stored tables  %016llx: %s\n",
               (long long)replay->facts, (long long)replay->quarantined,
               (unsigned long long)digests->core, (unsigned long long)digests->replayed_tables,
               (unsigned long long)digests->stored_tables, answer);
}

int replay_main(int argc, char **argv)
{
    static const char usage[] =
        "usage: callout replay DIR [--until SEQ] [--json]\n"
        "  Tells the fact log of a data folder again and compares what comes out with its tables.\n"
        "  example: callout replay /var/lib/callout --until 1200\n";
    struct options options = {0};
    struct store *store;
    struct replay replay;
    struct digests digests = {0};
    int code = parse(argc, argv, usage, &options);
    if (code == EXIT_DONE) code = open_folder("replay", options.folder, &store);
    if (code != EXIT_DONE) return code;
    enum err err = replay_run(&replay, store, options.until);
    if (err == ERR_OK) err = compare(&replay, store, &digests);
    if (err != ERR_OK || replay.bad_seq != 0) {
        fprintf(stderr, "callout replay: fact %lld: %s %s\n", (long long)replay.bad_seq,
                replay.problem.field, replay.problem.text);
        code = EXIT_VIOLATION;
    } else {
        bool whole = options.until == 0;
        print_replay(&replay, &digests, whole, options.json);
        if (whole && digests.replayed_tables != digests.stored_tables) code = EXIT_VIOLATION;
    }
    replay_close(&replay);
    store_close(store);
    return code;
}

struct finding {
    bool ok;
    char text[320];
};

static void find(struct finding *finding, bool ok, const char *text)
{
    finding->ok = ok;
    snprintf(finding->text, sizeof finding->text, "%s", text);
}

static void check_chain(struct store *store, const char *folder, struct finding *finding)
{
    (void)folder;
    int64_t bad_seq = 0;
    char text[96];
    enum err err = store_verify_chain(store, &bad_seq);
    snprintf(text, sizeof text,
             bad_seq == 0 ? "every fact fits the chain" : "fact %lld does not fit the chain",
             (long long)bad_seq);
    find(finding, err == ERR_OK && bad_seq == 0, err == ERR_OK ? text : err_name(err));
}

static void check_audit(struct store *store, const char *folder, struct finding *finding)
{
    int64_t bad = 0, count = 0;
    char text[128];
    enum err err = audit_verify(store, folder, &bad, &count);
    snprintf(text, sizeof text,
             bad == 0 ? "%lld entries fit their chain" : "entry %lld does not fit the chain",
             (long long)(bad == 0 ? count : bad));
    find(finding, err == ERR_OK && bad == 0, err == ERR_OK ? text : err_name(err));
}

static void check_blobs(struct store *store, const char *folder, struct finding *finding)
{
    uint64_t count = 0, bad = 0;
    char hash[2 * BLOB_HASH + 1], text[160];
    enum err err = blobs_verify(store, folder, &count, &bad, hash);
    if (bad == 0)
        snprintf(text, sizeof text, "%llu photos and signatures are as they were",
                 (unsigned long long)count);
    else
        snprintf(text, sizeof text, "%llu of %llu are missing or damaged, such as %s",
                 (unsigned long long)bad, (unsigned long long)count, hash);
    find(finding, err == ERR_OK && bad == 0, err == ERR_OK ? text : err_name(err));
}

static void check_file(struct store *store, const char *folder, struct finding *finding)
{
    (void)folder;
    struct problem problem = {{0}, {0}};
    enum err err = store_verify_file(store, &problem);
    find(finding, err == ERR_OK, err == ERR_OK ? "the file is sound" : problem.text);
}

/* What each device follows: the stored changes must be those that the facts led to. The oldest may
 * have been dropped. */
struct change_walk {
    struct store *replayed;
    int64_t first_seq, bad_seq; /* 0: none */
    int64_t count;
};

static bool same_change(const struct row_change *a, const struct row_change *b)
{
    return strcmp(a->territory_id, b->territory_id) == 0 &&
           strcmp(a->appointment_id, b->appointment_id) == 0 &&
           strcmp(a->owner_before, b->owner_before) == 0 &&
           strcmp(a->owner_after, b->owner_after) == 0 &&
           a->start_before_us == b->start_before_us && a->start_after_us == b->start_after_us;
}

static bool walk_change(void *context, const void *visited)
{
    struct change_walk *walk = context;
    const struct row_change *row = visited;
    union row again;
    if (walk->count++ == 0) walk->first_seq = row->seq;
    bool same = store_get(walk->replayed, ROW_CHANGE, row, &again) == ERR_OK &&
                same_change(row, &again.change);
    if (!same) walk->bad_seq = row->seq;
    return same;
}

static bool uncount_change(void *context, const void *visited)
{
    struct change_walk *walk = context;
    const struct row_change *row = visited;
    if (row->seq < walk->first_seq || --walk->count >= 0) return true;
    walk->bad_seq = row->seq;
    return false;
}

static void check_changes(struct store *store, const char *folder, struct finding *finding)
{
    (void)folder;
    struct replay replay;
    char text[96];
    enum err err = replay_run(&replay, store, 0);
    struct change_walk walk = {.replayed = replay.tables};
    if (err == ERR_OK) err = store_each(store, ROW_CHANGE, NULL, 0, false, walk_change, &walk);
    int64_t count = walk.count;
    if (err == ERR_OK && walk.bad_seq == 0)
        err = store_each(replay.tables, ROW_CHANGE, NULL, 0, false, uncount_change, &walk);
    if (walk.bad_seq == 0)
        snprintf(text, sizeof text, "%lld changes are those of their facts", (long long)count);
    else
        snprintf(text, sizeof text, "the changes of fact %lld are not those that it led to",
                 (long long)walk.bad_seq);
    find(finding, err == ERR_OK && walk.bad_seq == 0, err == ERR_OK ? text : err_name(err));
    replay_close(&replay);
}

static void check_replay(struct store *store, const char *folder, struct finding *finding)
{
    (void)folder;
    struct replay replay;
    struct digests digests = {0};
    enum err err = replay_run(&replay, store, 0);
    if (err == ERR_OK) err = compare(&replay, store, &digests);
    char text[320];
    if (err != ERR_OK || replay.bad_seq != 0)
        snprintf(text, sizeof text, "fact %lld cannot be replayed: %s", (long long)replay.bad_seq,
                 replay.problem.text);
    else
        snprintf(text, sizeof text, "%lld facts lead to %s tables", (long long)replay.facts,
                 digests.replayed_tables == digests.stored_tables ? "these" : "other");
    find(finding,
         err == ERR_OK && replay.bad_seq == 0 && digests.replayed_tables == digests.stored_tables,
         text);
    replay_close(&replay);
}

int verify_main(int argc, char **argv)
{
    static const char usage[] = "usage: callout verify DIR [--json]\n"
                                "  Checks a data folder: the file's structure, the hash chains of "
                                "its facts and of its audit log,\n"
                                "  its photos and signatures, and that the facts lead to its "
                                "tables and to the changes\n"
                                "  that devices follow. 0: all well,\n"
                                "  3: something is not.\n";
    static const struct {
        const char *name;
        void (*check)(struct store *, const char *folder, struct finding *);
        bool replays; /* what the chain does not seal may be anything: the core takes facts only */
    } checks[] = {{"file", check_file, false},    {"chain", check_chain, false},
                  {"audit", check_audit, false},  {"blobs", check_blobs, true},
                  {"replay", check_replay, true}, {"changes", check_changes, true}};
    struct options options = {0};
    struct store *store;
    int code = parse(argc, argv, usage, &options);
    if (code == EXIT_DONE) code = open_folder("verify", options.folder, &store);
    if (code != EXIT_DONE) return code;
    bool sealed = true;
    if (options.json) printf("{");
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        struct finding finding = {.text = "not tried: what is above is damaged"};
        if (!checks[i].replays || sealed) checks[i].check(store, options.folder, &finding);
        if (!finding.ok) code = EXIT_VIOLATION;
        if (!checks[i].replays) sealed = sealed && finding.ok;
        if (options.json)
            printf("\"%s\": %s, ", checks[i].name, finding.ok ? "true" : "false");
        else
            printf("%-7s %s: %s\n", checks[i].name, finding.ok ? "ok " : "BAD", finding.text);
    }
    if (options.json) printf("\"ok\": %s}\n", code == EXIT_DONE ? "true" : "false");
    store_close(store);
    return code;
}

/* --- what can be learnt of it --- */

struct day_key {
    char territory_id[LIMIT_ID + 1];
    int64_t service_day;
};

struct days {
    struct day_key *items;
    size_t count;
};

/* Plans come by territory and day. */
static bool note_day(void *context, const void *visited)
{
    struct days *days = context;
    const struct row_plan *row = visited;
    const struct day_key *last = days->count == 0 ? NULL : &days->items[days->count - 1];
    if (last != NULL && last->service_day == row->service_day &&
        strcmp(last->territory_id, row->territory_id) == 0)
        return true;
    days->items = realloc(days->items, (days->count + 1) * sizeof *days->items);
    CHECK(days->items != NULL);
    struct day_key *key = &days->items[days->count++];
    snprintf(key->territory_id, sizeof key->territory_id, "%s", row->territory_id);
    key->service_day = row->service_day;
    return true;
}

struct leg_visitor {
    void (*visit)(void *context, const struct leg *leg);
    void *context;
};

static enum err visit_day(const struct replay *replay, struct store *store,
                          const struct day_key *key, const struct leg_visitor *visitor)
{
    struct arena arena;
    struct day_figures *figures = malloc(sizeof *figures);
    CHECK(figures != NULL);
    arena_open(&arena, (size_t)1 << 30);
    const char *zone = core_territory_zone(replay->core, key->territory_id);
    struct kpi_day day = {.now_us = replay->last_us};
    if (zone != NULL) day.begin_us = zone_day_begin_us(zone, key->service_day);
    enum err err = day_figures(store, replay->core, key->territory_id, key->service_day, &day,
                               &arena, figures);
    for (uint32_t i = 0; i < figures->leg_count && err == ERR_OK; i++)
        visitor->visit(visitor->context, &figures->legs[i]);
    arena_close(&arena);
    free(figures);
    return err;
}

enum err replay_legs(const char *folder, void (*visit)(void *context, const struct leg *),
                     void *context, struct problem *problem)
{
    struct store *store;
    struct replay replay;
    struct days days = {0};
    const struct leg_visitor visitor = {visit, context};
    enum err err = store_open_reader(&store, folder, problem);
    if (err != ERR_OK) return err;
    err = replay_run(&replay, store, 0);
    if (err == ERR_OK && replay.bad_seq != 0) {
        err = ERR_INVALID;
        if (problem != NULL) *problem = replay.problem;
    }
    if (err == ERR_OK) err = store_each(store, ROW_PLAN, NULL, 0, false, note_day, &days);
    for (size_t i = 0; i < days.count && err == ERR_OK; i++)
        err = visit_day(&replay, store, &days.items[i], &visitor);
    free(days.items);
    replay_close(&replay);
    store_close(store);
    return err;
}
