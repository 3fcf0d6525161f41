/* The list of hostile inputs against the running system: each row's bytes, and the answer that they
 * must get. Of every row it is also asked that nobody crashes, that no fact follows (unless the row
 * says so), that a counter of /metrics tells of it, that no process keeps more than 4 MiB of it,
 * and that an honest client is served as before. README.md says which guard each row proves.
 */
#include "files.h"
#include "sync.h"
#include "wire.h"

#define BYTES(text)              .bytes = {text, sizeof(text) - 1}
#define TEXT(how, text)          .act = how, BYTES(text)
#define RAW(text)                TEXT(send_raw, text)
#define LINE(text)               TEXT(send_instead_of_greeting, text)
#define CLAIM(much)              .act = send_claim, .total = much
#define BODY(of, text)           TEXT(send_body, text), .method = of
#define FLOOD(text, much)        TEXT(send_flood, text), .total = much
#define FLOOD_IN(of, text, much) FLOOD(text, much), .method = of
#define NEST(of, deep)           .act = send_nest, .method = of, .total = deep
#define ORDER(what)              .act = send_order, .change = what
#define DEVICE(of, text)         TEXT(device_asks_for, text), .method = of
#define INNER(of, text)          TEXT(admin_asks_for, text), .method = of
#define AHEAD(much)              .act = send_number_ahead, .total = much
#define NUMBER(much)             .act = send_number, .total = much
#define WATCH(text)              TEXT(watch_oddly, text)
#define SAYS(what, of)           .answer = what, .field = of

static const struct row rows[] = {
#include "list.def"
};

enum { ROWS = sizeof rows / sizeof rows[0], NUMBERS = 92, GROWTH_MAX = LIMIT_REQUEST_ARENA };

/* --- what must hold of every row --- */

struct before {
    uint64_t seq;
    struct counters counters;
    size_t gateway, dispatcher; /* resident bytes */
};

static struct before look(void)
{
    struct before before = {.seq = settled_seq()};
    before.counters = counters_read();
    before.gateway = resident_bytes(rig.gateway);
    before.dispatcher = resident_bytes(rig.dispatcher);
    return before;
}

/* What came back, as a word of the list. */
static enum answer said(const struct row *row, const struct got *got)
{
    if (got->closed) return CLOSED;
    if (row->answer > 64 && got->outcome != 0) return (enum answer)(64 + got->outcome);
    return (enum answer)got->status;
}

static void check_answer(const struct row *row, const struct got *got)
{
    if (row->answer == SEEN) return;
    if (said(row, got) != row->answer)
        fail_msg("row %d, %s: answered %d, %s, \"%s\": %s", row->number, row->attack,
                 (int)said(row, got), err_name((enum err)got->status), got->field, got->text);
    if (row->field == NULL) return;
    if (strncmp(got->field, row->field, strlen(row->field)) != 0)
        fail_msg("row %d, %s: \"%s\" (%s) should name %s", row->number, row->attack, got->field,
                 got->text, row->field);
    assert_true(got->text[0] != '\0');
}

/* Of a command's outcome the devices hear, of the rest the one who watches /metrics too. */
static void check_counter(const struct row *row, const struct before *before)
{
    struct counters now = counters_read();
    if (row->answer > 64 || row->answer == OK) return; /* our own questions are OK too */
    uint64_t told = row->answer == CLOSED
                        ? now.refused - before->counters.refused
                        : now.answered[row->answer] - before->counters.answered[row->answer];
    if (told == 0 || (row->answer != CLOSED && told != 1))
        fail_msg("row %d, %s: counted %llu times", row->number, row->attack,
                 (unsigned long long)told);
}

static void check_memory(const struct row *row, const char *who, size_t before, size_t after)
{
    if (MEMORY_COUNTS && after > before + GROWTH_MAX)
        fail_msg("row %d, %s: the %s grew by %zu bytes", row->number, row->attack, who,
                 after - before);
}

/* The honest client is whoever asks for the log's last fact: his questions are answered. */
static void check_state(const struct row *row, const struct before *before)
{
    uint64_t seq = settled_seq();
    if (!row->changes && seq != before->seq)
        fail_msg("row %d, %s: %llu facts followed", row->number, row->attack,
                 (unsigned long long)(seq - before->seq));
    assert_false(system_died(&rig.system));
    check_memory(row, "gateway", before->gateway, resident_bytes(rig.gateway));
    check_memory(row, "dispatcher", before->dispatcher, resident_bytes(rig.dispatcher));
}

static void stand(void **state)
{
    const struct row *row = *state;
    static struct got got;
    struct before before = look();
    if (row->slow) before.counters = idle.counters;
    row->act(row, &got);
    check_answer(row, &got);
    check_counter(row, &before);
    check_state(row, &before);
}

/* --- the list as a whole --- */

/* The file is there, and in it the function. */
static void check_proof(const struct row *row)
{
    char path[512], line[512];
    bool found = false;
    const char *name = strchr(row->proof, ' ');
    assert_non_null(name);
    snprintf(path, sizeof path, "%s/%.*s", CALLOUT_SOURCE_DIR, (int)(name - row->proof),
             row->proof);
    FILE *file = fopen(path, "r");
    if (file == NULL) fail_msg("row %d: there is no %s", row->number, path);
    while (!found && fgets(line, sizeof line, file) != NULL)
        found = strstr(line, name + 1) != NULL;
    fclose(file);
    if (!found) fail_msg("row %d: there is no %s", row->number, row->proof);
}

static void the_list_is_whole(void **state)
{
    bool there[NUMBERS + 1] = {false};
    (void)state;
    int last = 0;
    for (unsigned i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        assert_in_range(row->number, last, NUMBERS);
        last = row->number;
        there[row->number] = true;
        if ((row->act != NULL) + (row->missing != NULL) + (row->proof != NULL) != 1)
            fail_msg("row %d, %s: what is done?", row->number, row->attack);
        if (row->proof != NULL) check_proof(row);
    }
    for (int number = 1; number <= NUMBERS; number++)
        if (!there[number]) fail_msg("row %d is not in the list", number);
}

/* The processes are those of the start: none crashed and was started again. */
static void nobody_crashed(void **state)
{
    (void)state;
    assert_int_equal(child_of_serve("gateway"), rig.gateway);
    assert_int_equal(child_of_serve("dispatcher"), rig.dispatcher);
}

static int start(void **state)
{
    (void)state;
    static struct got got;
    static const char *const skills[] = {skill_name};
    rig_open();
    upsert_territory("Europe/Vaduz", skills, 1, &got);
    assert_int_equal(got.status, CALLOUT__STATUS__OK);
    people_open();
    idle_open();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_close();
    return 0;
}

static struct CMUnitTest test_of(const struct row *row)
{
    return (struct CMUnitTest){row->attack, stand, NULL, NULL, (void *)(uintptr_t)row};
}

int main(int argc, char **argv)
{
    /* system_start starts this program again: then it is the real one. */
    if (argc > 1) return execv(CALLOUT_BINARY, argv);
    struct CMUnitTest tests[ROWS + 2];
    size_t count = 0;
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(the_list_is_whole);
    for (unsigned slow = 0; slow < 2; slow++)
        for (unsigned i = 0; i < ROWS; i++)
            if (rows[i].act != NULL && rows[i].slow == slow) tests[count++] = test_of(&rows[i]);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(nobody_crashed);
    return _cmocka_run_group_tests("hostile", tests, count, start, stop);
}
