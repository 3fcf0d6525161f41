/* Golden traces: every story of tests/trace is told to the core line by line, and what it does is
 * compared with what the story says (tests/trace/README.md). With a file as its argument it prints
 * that story as it goes today. */
#include "dispatcher/core/state.h"
#include "story_ask.h"
#include "story_read.h"
#include "story_tell.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { STORIES_MAX = 128, STORY_LINE = 512, FACTS_MAX = 256 };

struct teller {
    const char *path;
    struct arena core_arena, arena;
    struct core *core;
    int64_t time_us[FACTS_MAX]; /* of each fact, by seq */
    struct lines said;
    bool understood;
};

static void teller_open(struct teller *teller, const char *path)
{
    memset(teller, 0, sizeof *teller);
    teller->path = path;
    arena_open(&teller->core_arena, (size_t)1 << 30);
    arena_open(&teller->arena, (size_t)64 << 20);
    teller->core = core_open(&teller->core_arena, &travel_straight);
}

static void teller_close(struct teller *teller)
{
    arena_close(&teller->core_arena);
    arena_close(&teller->arena);
}

/* route T1: what he has left, in order. */
static void tell_route(struct teller *teller, const char *technician_id)
{
    const struct core *core = teller->core;
    uint32_t technician = id_index_find(&core->technician_ids, technician_id);
    if (technician == NONE) return;
    uint32_t shift = core->technicians[technician].first_shift;
    for (; shift != NONE; shift = core->shifts[shift].next_of_technician) {
        for (uint32_t i = 0; i < core->shifts[shift].route_count; i++) {
            const struct appointment *it = &core->appointments[core->shifts[shift].route[i]];
            SAY(&teller->said, "%s %s-%s %s", it->id,
                clock_text(it->planned_start_us, &teller->arena),
                clock_text(it->planned_end_us, &teller->arena),
                appointment_status_name(it->status));
        }
    }
}

static void tell_wake(struct teller *teller)
{
    int64_t wake_us = core_next_wake_us(teller->core);
    SAY(&teller->said, "%s", wake_us == INT64_MAX ? "never" : clock_text(wake_us, &teller->arena));
}

/* What an optimizer knew that was told everything up to a moment. */
static uint64_t revision_at(const struct teller *teller, int64_t time_us)
{
    int64_t seq = core_seq(teller->core);
    while (seq > 0 && teller->time_us[seq] > time_us)
        seq--;
    return (uint64_t)seq;
}

static void tell_fact(struct teller *teller, struct words *words, int64_t time_us)
{
    struct fact fact = {.seq = core_seq(teller->core) + 1, .time_us = time_us};
    int64_t known_us = time_us;
    if (word_is(words, "known")) (void)time_read(word(words), &known_us);
    uint64_t base =
        revision_at(teller, known_us) + (known_us > time_us); /* the future is not known */
    struct acts acts;
    struct problem problem = {{0}, {0}};
    teller->understood = fact_read(words, &fact) && time_us >= core_time_us(teller->core);
    if (!teller->understood) return;
    if (fact.kind == FACT_PLAN) fact.plan.base_revision = base;
    acts_init(&acts, &teller->arena);
    uint64_t before = core_digest(teller->core);
    enum err err = core_step(teller->core, &fact, &acts, &problem);
    if (err == ERR_OK) {
        assert_true(fact.seq < FACTS_MAX);
        teller->time_us[fact.seq] = time_us;
        tell_acts(&acts, &teller->arena, &teller->said);
    } else {
        tell_problem(err, &problem, &teller->said);
        assert_true(core_digest(teller->core) == before);
    }
    tell_refusals(&acts, &teller->said);
}

/* One line that is not an expectation; what it led to is in teller->said. */
static void tell(struct teller *teller, const char *line)
{
    struct words words;
    int64_t time_us;
    arena_rewind(&teller->arena);
    words_read(&words, &teller->arena, line);
    teller->said.count = 0;
    teller->understood = true;
    if (words.count == 0 || line[0] == '#') return;
    const char *first = word(&words);
    uint64_t digest = core_digest(teller->core);
    if (strcmp(first, "route") == 0)
        tell_route(teller, word(&words));
    else if (strcmp(first, "wake") == 0)
        tell_wake(teller);
    else if (time_read(first, &time_us))
        tell_fact(teller, &words, time_us);
    else if (ask_question(teller->core, first, &words, &teller->said))
        assert_true(core_digest(teller->core) == digest);
    else
        teller->understood = false;
}

static bool line_read(FILE *file, char *line)
{
    if (fgets(line, STORY_LINE, file) == NULL) return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

static uint32_t differs(const struct teller *teller, uint32_t number, const char *want,
                        const char *is)
{
    print_error("%s:%u: expected \"%s\", but \"%s\"\n", teller->path, number, want, is);
    return 1;
}

/* What was said and not yet expected when the next line of the story comes. */
static uint32_t left_over(const struct teller *teller, uint32_t number, uint32_t heard)
{
    uint32_t wrong = 0;
    for (; heard < teller->said.count; heard++)
        wrong += differs(teller, number, "(nothing)", teller->said.at[heard]);
    return wrong;
}

static uint32_t run_story(struct teller *teller, FILE *file)
{
    char line[STORY_LINE];
    uint32_t number = 0, heard = 0, wrong = 0;
    while (line_read(file, line)) {
        number++;
        if (strncmp(line, "> ", 2) == 0) {
            const char *is = heard < teller->said.count ? teller->said.at[heard] : "(nothing)";
            if (strcmp(line + 2, is) != 0) wrong += differs(teller, number, line + 2, is);
            heard++;
            continue;
        }
        wrong += left_over(teller, number, heard);
        tell(teller, line);
        heard = 0;
        if (!teller->understood) wrong += differs(teller, number, "a line of a story", line);
    }
    return wrong + left_over(teller, number, heard);
}

static void print_story(struct teller *teller, FILE *file)
{
    char line[STORY_LINE];
    while (line_read(file, line)) {
        if (strncmp(line, "> ", 2) == 0) continue;
        puts(line);
        tell(teller, line);
        for (uint32_t i = 0; i < teller->said.count; i++)
            printf("> %s\n", teller->said.at[i]);
        if (!teller->understood) printf("> ??? not understood\n");
    }
}

static void a_story_goes_as_it_is_written(void **state)
{
    struct teller *teller = malloc(sizeof *teller);
    assert_non_null(teller);
    teller_open(teller, *state);
    FILE *file = fopen(teller->path, "r");
    assert_non_null(file);
    uint32_t wrong = run_story(teller, file);
    fclose(file);
    teller_close(teller);
    free(teller);
    assert_int_equal(wrong, 0);
}

static int print_one(const char *path)
{
    static struct teller teller;
    FILE *file = fopen(path, "r");
    if (file == NULL) return 1;
    teller_open(&teller, path);
    print_story(&teller, file);
    fclose(file);
    teller_close(&teller);
    return 0;
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[STORIES_MAX];
    glob_t found;
    if (argc > 1) return print_one(argv[1]);
    if (glob(CALLOUT_SOURCE_DIR "/tests/trace/*.trace", 0, NULL, &found) != 0) return 1;
    size_t count = found.gl_pathc < STORIES_MAX ? found.gl_pathc : STORIES_MAX;
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){.name = strrchr(found.gl_pathv[i], '/') + 1,
                                       .test_func = a_story_goes_as_it_is_written,
                                       .initial_state = found.gl_pathv[i]};
    /* cmocka's macro takes the size of an array: this one is longer than what is used. */
    int failed = _cmocka_run_group_tests("stories", tests, count, NULL, NULL);
    globfree(&found);
    return failed;
}
