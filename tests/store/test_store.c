/* What every store must do, run against each of them: the same operations, the same answers as a
 * plain model, and the same digest. */
#include "base/digest.h"
#include "base/rng.h"
#include "dispatcher/store/store.h"
#include "folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- two stores, one suite ------------------------------------------------------------------- */

struct flavour {
    const char *name;
    struct store *(*open)(const char *folder);
};

static struct store *open_mem(const char *folder)
{
    (void)folder;
    return store_open_mem();
}

static struct store *open_spatialite(const char *folder)
{
    struct store *store = NULL;
    struct problem problem = {.text = ""};
    enum err err = store_open_spatialite(&store, folder, &problem);
    if (err != ERR_OK) fail_msg("%s: %s", err_name(err), problem.text);
    return store;
}

static struct flavour mem = {"mem", open_mem};
static struct flavour spatialite = {"spatialite", open_spatialite};

#define OK(store, call)                                                                            \
    do {                                                                                           \
        enum err err_ = (call);                                                                    \
        if (err_ != ERR_OK) fail_msg("%s: %s", err_name(err_), store_error_text(store));           \
    } while (0)

/* --- random rows ----------------------------------------------------------------------------- */

static const char *const key_texts[] = {"", "a", "aa", "b", "B", "é", "z'); DROP TABLE fact;--",
                                        "%"};
static const char *const texts[] = {"", "x", "Straße", "日本", "\"q\"", "line\nline"};
static const unsigned char bytes[] = {0, 255, 1, 0, 128, 7, 7, 0, 42};
static const int64_t numbers[] = {0, 1, -1, INT64_MAX, INT64_MIN, 1795413600000000, 471661234};

#define PICK(rng, list) (list)[rng_below(rng, sizeof(list) / sizeof(list)[0])]

static int64_t random_number(struct rng *rng, const struct row_column *column)
{
    if (column->located) return (int64_t)rng_below(rng, 1800000000) - 900000000;
    if (column->key) return (int64_t)rng_below(rng, 6) - 1;
    return PICK(rng, numbers);
}

static void random_column(struct rng *rng, const struct row_column *column, void *row)
{
    void *place = (char *)row + column->offset;
    if (column->type == COLUMN_TEXT) {
        bool key = column->key || strncmp(column->name, "owner", 5) == 0;
        const char *text = key ? PICK(rng, key_texts) : PICK(rng, texts);
        memcpy(place, &text, sizeof text);
    } else if (column->type == COLUMN_INT) {
        int64_t number = random_number(rng, column);
        memcpy(place, &number, sizeof number);
    } else {
        size_t size = rng_below(rng, sizeof bytes + 1);
        struct blob blob = {size == 0 ? NULL : bytes, size};
        memcpy(place, &blob, sizeof blob);
    }
}

static union row random_row(struct rng *rng, enum row_kind kind)
{
    union row row;
    memset(&row, 0, sizeof row);
    const struct row_table *table = row_table(kind);
    for (uint32_t i = 0; i < table->column_count; i++) {
        random_column(rng, &table->columns[i], &row);
    }
    return row;
}

/* Any kind but facts: those come by store_append_fact only. */
static enum row_kind random_kind(struct rng *rng)
{
    enum row_kind kind = (enum row_kind)rng_below(rng, ROW_KINDS);
    return kind == ROW_FACT ? ROW_CHANGE : kind;
}

/* --- the model: unordered rows, looked through one by one --------------------------------------
 */

enum { MODEL_ROWS = 600 };

struct model {
    uint32_t count[ROW_KINDS];
    union row rows[ROW_KINDS][MODEL_ROWS];
    int64_t last_seq;
};

static int model_compare(enum row_kind kind, const void *a, const void *b, uint32_t columns)
{
    for (uint32_t i = 0; i < columns; i++) {
        const struct row_column *column = &row_table(kind)->columns[i];
        if (column->type == COLUMN_TEXT) {
            int order = strcmp(row_text(a, column), row_text(b, column));
            if (order != 0) return order;
        } else if (row_int(a, column) != row_int(b, column)) {
            return row_int(a, column) < row_int(b, column) ? -1 : 1;
        }
    }
    return 0;
}

static void model_erase(struct model *model, enum row_kind kind, const void *key, uint32_t columns)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->count[kind]; i++) {
        if (model_compare(kind, &model->rows[kind][i], key, columns) == 0) continue;
        model->rows[kind][kept++] = model->rows[kind][i];
    }
    model->count[kind] = kept;
}

static void model_put(struct model *model, enum row_kind kind, const union row *row)
{
    model_erase(model, kind, row, row_key_count(row_table(kind)));
    assert_true(model->count[kind] < MODEL_ROWS);
    model->rows[kind][model->count[kind]++] = *row;
}

static uint64_t model_digest(const struct model *model)
{
    uint64_t sum = 0;
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++) {
        for (uint32_t i = 0; row_table(kind)->class == ROW_NOUN && i < model->count[kind]; i++) {
            sum += row_digest(kind, &model->rows[kind][i]);
        }
    }
    return sum;
}

/* What is asked for, and how far the answer has come. */
struct ask {
    const struct model *model;
    enum row_kind kind;
    const void *key;
    uint32_t key_columns;
    bool after;
    const char *owner; /* of changes; NULL: anyone's */
    const void *last;  /* the model's row that was visited last, NULL at first */
    uint32_t visits, visits_max;
};

static bool ask_wants(const struct ask *ask, const void *row)
{
    const struct row_change *change = row;
    if (model_compare(ask->kind, row, ask->key, ask->key_columns) != 0) return false;
    if (ask->after && model_compare(ask->kind, row, ask->key, ask->key_columns + 1) <= 0) {
        return false;
    }
    return ask->owner == NULL || strcmp(change->owner_before, ask->owner) == 0 ||
           strcmp(change->owner_after, ask->owner) == 0;
}

/* The model's next row in key order. */
static const void *ask_next(const struct ask *ask)
{
    const void *next = NULL;
    uint32_t columns = row_key_count(row_table(ask->kind));
    for (uint32_t i = 0; i < ask->model->count[ask->kind]; i++) {
        const void *row = &ask->model->rows[ask->kind][i];
        if (!ask_wants(ask, row)) continue;
        if (ask->last != NULL && model_compare(ask->kind, row, ask->last, columns) <= 0) continue;
        if (next == NULL || model_compare(ask->kind, row, next, columns) < 0) next = row;
    }
    return next;
}

static bool ask_visit(void *context, const void *row)
{
    struct ask *ask = context;
    const void *expected = ask_next(ask);
    assert_non_null(expected);
    assert_true(row_digest(ask->kind, row) == row_digest(ask->kind, expected));
    ask->last = expected;
    return ++ask->visits < ask->visits_max;
}

static void ask_ended(const struct ask *ask)
{
    if (ask->visits < ask->visits_max) assert_null(ask_next(ask));
}

/* --- random operations ----------------------------------------------------------------------- */

static void check_get(struct rng *rng, struct store *store, const struct model *model)
{
    enum row_kind kind = random_kind(rng);
    union row key = random_row(rng, kind), got;
    const union row *expected = NULL;
    uint32_t columns = row_key_count(row_table(kind));
    for (uint32_t i = 0; i < model->count[kind]; i++) {
        const union row *row = &model->rows[kind][i];
        if (model_compare(kind, row, &key, columns) == 0) expected = row;
    }
    enum err err = store_get(store, kind, &key, &got);
    assert_int_equal(err, expected == NULL ? ERR_NOT_FOUND : ERR_OK);
    if (expected != NULL) assert_true(row_digest(kind, &got) == row_digest(kind, expected));
}

static void check_each(struct rng *rng, struct store *store, const struct model *model)
{
    enum row_kind kind = random_kind(rng);
    union row key = random_row(rng, kind);
    uint32_t columns = row_key_count(row_table(kind));
    bool after = rng_below(rng, 2) == 0;
    struct ask ask = {.model = model, .kind = kind, .key = &key, .after = after};
    ask.key_columns = rng_below(rng, columns + (after ? 0 : 1));
    ask.visits_max = rng_below(rng, 3) == 0 ? 2 : UINT32_MAX;
    OK(store, store_each(store, kind, &key, ask.key_columns, after, ask_visit, &ask));
    ask_ended(&ask);
}

static void check_changes(struct rng *rng, struct store *store, const struct model *model)
{
    struct row_change key = {.seq = (int64_t)rng_below(rng, 6) - 2};
    struct ask ask = {.model = model, .kind = ROW_CHANGE, .key = &key, .after = true};
    ask.owner = PICK(rng, key_texts);
    ask.visits_max = rng_below(rng, 3) == 0 ? 2 : UINT32_MAX;
    OK(store, store_changes_of(store, ask.owner, key.seq, ask_visit, &ask));
    ask_ended(&ask);
}

static void check_digest(struct store *store, const struct model *model)
{
    uint64_t digest = 0;
    OK(store, store_digest(store, &digest));
    assert_true(digest == model_digest(model));
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++) {
        uint64_t count = 0;
        OK(store, store_row_count(store, kind, &count));
        uint64_t expected = kind == ROW_FACT ? (uint64_t)model->last_seq : model->count[kind];
        assert_true(count == expected);
    }
}

static void random_write(struct rng *rng, struct store *store, struct model *model)
{
    enum row_kind kind = random_kind(rng);
    union row row = random_row(rng, kind);
    uint32_t what = rng_below(rng, 10);
    if (what == 0) {
        uint32_t columns = 1 + rng_below(rng, row_key_count(row_table(kind)));
        OK(store, store_erase(store, kind, &row, columns));
        model_erase(model, kind, &row, columns);
    } else if (what == 1) {
        int64_t seq = ++model->last_seq;
        OK(store, store_append_fact(store, seq, seq * 7, 3, bytes, rng_below(rng, 9)));
    } else {
        OK(store, store_put(store, kind, &row));
        model_put(model, kind, &row);
    }
}

/* One batch, committed if `commit` and the store agrees; the model follows what was acknowledged.
 */
static bool random_batch(struct rng *rng, struct store *store, struct model *model, bool commit)
{
    static struct model before;
    before = *model;
    OK(store, store_begin(store));
    for (uint32_t writes = 1 + rng_below(rng, 12); writes > 0; writes--) {
        random_write(rng, store, model);
    }
    check_get(rng, store, model); /* the batch reads its own writes */
    if (commit && store_commit(store) == ERR_OK) return true;
    if (!commit) store_rollback(store);
    *model = before;
    return false;
}

static void check_chain(struct store *store)
{
    int64_t bad_seq = -1;
    OK(store, store_verify_chain(store, &bad_seq));
    assert_int_equal(bad_seq, 0);
}

static void check_all(struct rng *rng, struct store *store, const struct model *model)
{
    for (int i = 0; i < 6; i++) {
        check_get(rng, store, model);
        check_each(rng, store, model);
        check_changes(rng, store, model);
    }
    check_digest(store, model);
}

static void answers_like_a_plain_model(void **state)
{
    const struct flavour *flavour = *state;
    static struct model model;
    struct rng rng = {1};
    char *folder = folder_make();
    struct store *store = flavour->open(folder);
    memset(&model, 0, sizeof model);
    for (int i = 0; i < 300; i++) {
        random_batch(&rng, store, &model, rng_below(&rng, 4) != 0);
        check_all(&rng, store, &model);
    }
    check_chain(store);
    OK(store, store_verify_file(store, NULL));
    store_close(store);
    folder_remove(folder);
}

static void a_failed_commit_has_stored_nothing(void **state)
{
    const struct flavour *flavour = *state;
    static struct model model;
    struct rng rng = {2};
    char *folder = folder_make();
    struct store *store = flavour->open(folder);
    memset(&model, 0, sizeof model);
    store_fail_commits(store, 3);
    int refused = 0;
    for (int i = 1; i <= 60; i++) {
        bool stored = random_batch(&rng, store, &model, true);
        assert_int_equal(stored, i % 3 != 0);
        refused += !stored;
        check_digest(store, &model);
    }
    assert_int_equal(refused, 20);
    check_chain(store);
    store_fail_commits(store, 0);
    assert_true(random_batch(&rng, store, &model, true));
    check_all(&rng, store, &model);
    store_close(store);
    folder_remove(folder);
}

/* Put, erased, put as it was, put otherwise: each time it is what was done last. */
static void what_was_erased_can_be_put_again(void **state)
{
    const struct flavour *flavour = *state;
    char *folder = folder_make();
    struct store *store = flavour->open(folder);
    const struct row_device device = {.device_id = "d1", .technician_id = "T1", .epoch = 1};
    const struct row_assignment assignment = {.appointment_id = "W1.1", .technician_id = "T1"};
    const struct row_assignment other = {.appointment_id = "W1.1", .technician_id = "T2"};
    union row row;
    for (unsigned round = 0; round < 3; round++) {
        OK(store, store_begin(store));
        OK(store, store_put(store, ROW_DEVICE, &device));
        OK(store, store_put(store, ROW_ASSIGNMENT, &other));
        OK(store, store_put(store, ROW_ASSIGNMENT, &assignment));
        OK(store, store_commit(store));
        OK(store, store_get(store, ROW_DEVICE, &device, &row));
        assert_int_equal(row.device.epoch, 1);
        OK(store, store_get(store, ROW_ASSIGNMENT, &assignment, &row));
        assert_string_equal(row.assignment.technician_id, "T1");
        uint64_t count = 0;
        OK(store, store_row_count(store, ROW_ASSIGNMENT, &count));
        assert_int_equal(count, 1);
        OK(store, store_begin(store));
        OK(store, store_erase(store, ROW_DEVICE, &device, 1));
        OK(store, store_erase(store, ROW_ASSIGNMENT, &assignment, 1));
        assert_int_equal(store_get(store, ROW_DEVICE, &device, &row), ERR_NOT_FOUND);
        OK(store, store_commit(store));
        assert_int_equal(store_get(store, ROW_ASSIGNMENT, &assignment, &row), ERR_NOT_FOUND);
    }
    store_close(store);
    folder_remove(folder);
}

/* --- one by one ------------------------------------------------------------------------------ */

static void facts_make_a_chain(void **state)
{
    const struct flavour *flavour = *state;
    char *folder = folder_make();
    struct store *store = flavour->open(folder);
    check_chain(store);
    OK(store, store_begin(store));
    for (int64_t seq = 1; seq <= 600; seq++) {
        OK(store, store_append_fact(store, seq, 10 * seq, 2, &seq, sizeof seq));
    }
    OK(store, store_commit(store));
    check_chain(store);
    union row row;
    struct row_fact key = {.seq = 100};
    OK(store, store_get(store, ROW_FACT, &key, &row));
    assert_int_equal(row.fact.body.size, sizeof(int64_t));
    assert_int_equal(row.fact.time_us, 1000);
    store_close(store);
    folder_remove(folder);
}

/* Puts fact 100 back with one thing changed; the chain must point at it. */
static void put_changed_fact(struct store *store, void (*change)(struct row_fact *))
{
    union row row;
    struct row_fact key = {.seq = 100};
    OK(store, store_begin(store));
    OK(store, store_get(store, ROW_FACT, &key, &row));
    struct row_fact fact = row.fact;
    change(&fact);
    OK(store, store_put(store, ROW_FACT, &fact));
    int64_t bad_seq = 0;
    OK(store, store_verify_chain(store, &bad_seq));
    assert_int_equal(bad_seq, 100);
    store_rollback(store);
}

static void change_time(struct row_fact *fact)
{
    fact->time_us++;
}
static void change_kind(struct row_fact *fact)
{
    fact->kind ^= 1;
}
static void change_body(struct row_fact *fact)
{
    fact->body.bytes = "12345678";
}
static void cut_body(struct row_fact *fact)
{
    fact->body.size--;
}
static void change_salt(struct row_fact *fact)
{
    fact->salt.bytes = "0123456789abcdef";
}
static void change_leaf(struct row_fact *fact)
{
    fact->leaf.bytes = "0123456789abcdef0123456789abcdef";
}
static void change_chain(struct row_fact *fact)
{
    fact->chain.bytes = "0123456789abcdef0123456789abcdef";
}

static void the_chain_tells_of_every_change(void **state)
{
    const struct flavour *flavour = *state;
    char *folder = folder_make();
    struct store *store = flavour->open(folder);
    OK(store, store_begin(store));
    for (int64_t seq = 1; seq <= 200; seq++) {
        OK(store, store_append_fact(store, seq, 10 * seq, 2, &seq, sizeof seq));
    }
    OK(store, store_commit(store));
    void (*const changes[])(struct row_fact *) = {change_time, change_kind, change_body, cut_body,
                                                  change_salt, change_leaf, change_chain};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        put_changed_fact(store, changes[i]);
        check_chain(store);
    }
    store_close(store);
    folder_remove(folder);
}

static void a_missing_fact_is_noticed(void **state)
{
    const struct flavour *flavour = *state;
    char *folder = folder_make();
    struct store *store = flavour->open(folder);
    OK(store, store_begin(store));
    for (int64_t seq = 1; seq <= 9; seq++) {
        OK(store, store_append_fact(store, seq, seq, 2, "", 0));
    }
    struct row_fact key = {.seq = 5};
    OK(store, store_erase(store, ROW_FACT, &key, 1));
    int64_t bad_seq = 0;
    OK(store, store_verify_chain(store, &bad_seq));
    assert_int_equal(bad_seq, 5);
    store_rollback(store);
    store_close(store);
    folder_remove(folder);
}

static void a_body_can_be_erased_and_the_chain_holds(void **state)
{
    const struct flavour *flavour = *state;
    char *folder = folder_make();
    struct store *store = flavour->open(folder);
    OK(store, store_begin(store));
    for (int64_t seq = 1; seq <= 3; seq++) {
        OK(store, store_append_fact(store, seq, seq, 2, "who", 3));
    }
    union row row;
    struct row_fact key = {.seq = 2};
    OK(store, store_get(store, ROW_FACT, &key, &row));
    struct row_fact fact = row.fact;
    fact.body.size = 0;
    fact.salt.size = 0;
    OK(store, store_put(store, ROW_FACT, &fact));
    OK(store, store_commit(store));
    check_chain(store);
    store_close(store);
    folder_remove(folder);
}

struct near {
    const char *ids[8];
    uint32_t count;
};

static bool note_near(void *context, const void *row)
{
    struct near *near = context;
    const struct row_position *position = row;
    static char kept[8][16];
    snprintf(kept[near->count], sizeof kept[0], "%s", position->technician_id);
    near->ids[near->count] = kept[near->count];
    return ++near->count < 8;
}

static void put_position(struct store *store, const char *id, int64_t lat_e7, int64_t lon_e7)
{
    struct row_position row = {.technician_id = id, .lat_e7 = lat_e7, .lon_e7 = lon_e7};
    OK(store, store_put(store, ROW_POSITION, &row));
}

/* Who is nearest to a place, as "first second ...". */
static const char *nearest_to(struct store *store, int32_t lat_e7, int32_t lon_e7, uint32_t limit)
{
    static char text[256];
    struct near near = {.count = 0};
    OK(store, store_nearest(store, lat_e7, lon_e7, limit, note_near, &near));
    text[0] = '\0';
    for (uint32_t i = 0; i < near.count; i++) {
        if (i > 0) strcat(text, " ");
        strcat(text, near.ids[i]);
    }
    return text;
}

static void the_nearest_come_first(void **state)
{
    const struct flavour *flavour = *state;
    char *folder = folder_make();
    struct store *store = flavour->open(folder);
    OK(store, store_begin(store));
    put_position(store, "moved", 471700000, 95200000);
    put_position(store, "vaduz", 471410000, 95210000);
    put_position(store, "schaan", 471650000, 95100000);
    put_position(store, "pole", 899999999, 0);
    put_position(store, "moved", -471700000, 95200000); /* the index must follow */
    OK(store, store_commit(store));
    assert_string_equal(nearest_to(store, 471650000, 95110000, 1), "schaan");
    assert_string_equal(nearest_to(store, 471650000, 95110000, 3), "schaan vaduz pole");
    assert_string_equal(nearest_to(store, 0, 0, 8), "vaduz schaan moved pole");
    store_close(store);
    folder_remove(folder);
}

static void a_box_is_no_circle_and_the_date_line_no_border(void **state)
{
    const struct flavour *flavour = *state;
    char *folder = folder_make();
    struct store *store = flavour->open(folder);
    OK(store, store_begin(store));
    put_position(store, "corner", 470179000, 90260000); /* 2.8 km, in a box of 2 km */
    put_position(store, "north", 470189000, 90000000);  /* 2.1 km, out of it */
    put_position(store, "east", -170000000, 1799990000);
    put_position(store, "west", -170000000, -1799990000);
    put_position(store, "far", -170000000, 1799900000);
    OK(store, store_commit(store));
    assert_string_equal(nearest_to(store, 470000000, 90000000, 1), "north");
    assert_string_equal(nearest_to(store, -170000000, 1799999000, 2), "east west");
    store_close(store);
    folder_remove(folder);
}

/* A visitor that reads the same store, the same table and prefix even. */
static bool read_while_visiting(void *context, const void *row)
{
    struct store *store = context;
    const struct row_skill *skill = row;
    union row got;
    uint64_t count = 0;
    OK(store, store_get(store, ROW_SKILL, skill, &got));
    assert_string_equal(got.skill.name, skill->name);
    OK(store, store_row_count(store, ROW_SKILL, &count));
    assert_int_equal(count, 3);
    return true;
}

static bool visit_again(void *context, const void *row)
{
    (void)row;
    struct store *store = context;
    OK(store, store_each(store, ROW_SKILL, NULL, 0, false, read_while_visiting, store));
    return true;
}

static void a_visitor_may_read(void **state)
{
    const struct flavour *flavour = *state;
    char *folder = folder_make();
    struct store *store = flavour->open(folder);
    OK(store, store_begin(store));
    const char *const names[] = {"gas", "lift", "water"};
    for (int i = 0; i < 3; i++) {
        OK(store, store_put(store, ROW_SKILL, &(struct row_skill){names[i]}));
    }
    OK(store, store_commit(store));
    OK(store, store_each(store, ROW_SKILL, NULL, 0, false, visit_again, store));
    store_close(store);
    folder_remove(folder);
}

#define ON(test, flavour)                                                                          \
    {                                                                                              \
#test " (" #flavour ")", test, NULL, NULL, &(flavour)                                      \
    }
#define ON_BOTH(test) ON(test, mem), ON(test, spatialite)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(answers_like_a_plain_model),
        ON_BOTH(a_failed_commit_has_stored_nothing),
        ON_BOTH(what_was_erased_can_be_put_again),
        ON_BOTH(facts_make_a_chain),
        ON_BOTH(the_chain_tells_of_every_change),
        ON_BOTH(a_missing_fact_is_noticed),
        ON_BOTH(a_body_can_be_erased_and_the_chain_holds),
        ON_BOTH(the_nearest_come_first),
        ON_BOTH(a_box_is_no_circle_and_the_date_line_no_border),
        ON_BOTH(a_visitor_may_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
