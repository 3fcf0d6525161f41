/* read_vrplib.c - VRPLIB's text with an explicit matrix: lines of KEY : VALUE, then sections.
 *
 * Sections come in any order, behind DIMENSION. What a file may leave out: VEHICLES (as many as
 * customers), CAPACITY together with DEMAND_SECTION, TIME_WINDOW_SECTION (any time) and
 * SERVICE_TIME_SECTION (none). Coordinates are for drawing, and passed over.
 */
#include "base/check.h"
#include "optimizer/customers.h"
#include "optimizer/words.h"

#include <assert.h>

enum {
    NUMBER_MAX = 1000000000,
    LEG_MAX = CUSTOMER_TIME_MAX + 1, /* nobody gets there */
};

struct vrplib {
    struct words words;
    struct customers customers;
    struct arena *memory;
    int32_t *travel;
    uint8_t *seen;  /* by node, in the section that is being read */
    uint64_t found; /* bit i: keys[i] came */
    bool over;      /* EOF came */
};

/* --- sections -------------------------------------------------------------------------------- */

static int64_t numbered(struct vrplib *file, const char *name, int64_t low, int64_t high)
{
    const struct number want = {name, 0, low, high};
    return words_number(&file->words, &want);
}

/* The node of the section's next row: each comes once. */
static struct customer *row_of(struct vrplib *file, const char *section)
{
    struct customers *customers = &file->customers;
    if (!words_line(&file->words))
        words_refuse(&file->words, ERR_INVALID, section, "ends before each node had its row");
    int64_t node = numbered(file, section, 1, customers->count);
    if (file->words.err != ERR_OK) return NULL;
    if (file->seen[node - 1])
        words_refuse(&file->words, ERR_INVALID, section, "node %d comes twice", (int)node);
    file->seen[node - 1] = 1;
    return &customers->all[node - 1];
}

static void sections_begin(struct vrplib *file, const char *section)
{
    if (file->customers.count == 0)
        words_refuse(&file->words, ERR_INVALID, section, "must come behind DIMENSION");
    for (uint32_t i = 0; i < file->customers.count; i++)
        file->seen[i] = 0;
}

static void read_demands(struct vrplib *file, const char *section)
{
    sections_begin(file, section);
    for (uint32_t i = 0; i < file->customers.count; i++) {
        struct customer *customer = row_of(file, section);
        if (customer == NULL) return;
        customer->load = (int32_t)numbered(file, section, 0, LOAD_MAX);
        words_line_ends(&file->words, section);
    }
}

static void read_services(struct vrplib *file, const char *section)
{
    sections_begin(file, section);
    for (uint32_t i = 0; i < file->customers.count; i++) {
        struct customer *customer = row_of(file, section);
        if (customer == NULL) return;
        customer->service = (int32_t)numbered(file, section, 0, LIMIT_SERVICE_SECONDS);
        words_line_ends(&file->words, section);
    }
}

/* An end beyond the horizon is as good as none. */
static void read_windows(struct vrplib *file, const char *section)
{
    sections_begin(file, section);
    for (uint32_t i = 0; i < file->customers.count; i++) {
        struct customer *customer = row_of(file, section);
        if (customer == NULL) return;
        customer->open = (int32_t)numbered(file, section, 0, CUSTOMER_TIME_MAX);
        int64_t close = numbered(file, section, customer->open, INT64_MAX / 1000);
        customer->close = close < CUSTOMER_TIME_MAX ? (int32_t)close : CUSTOMER_TIME_MAX;
        words_line_ends(&file->words, section);
    }
}

/* Numbers in rows, however they are broken into lines. */
static void read_travel(struct vrplib *file, const char *section)
{
    struct word word;
    sections_begin(file, section);
    size_t cells = (size_t)file->customers.count * file->customers.count;
    if (file->words.err != ERR_OK) return;
    file->travel = arena_need(file->memory, sizeof *file->travel * cells);
    for (size_t i = 0; i < cells && file->words.err == ERR_OK; i++) {
        if (!words_peek(&file->words, &word) && !words_line(&file->words))
            words_refuse(&file->words, ERR_INVALID, section, "ends after %zu of %zu numbers", i,
                         cells);
        int64_t leg = numbered(file, section, 0, INT64_MAX / 1000);
        file->travel[i] = leg < LEG_MAX ? (int32_t)leg : LEG_MAX;
    }
    words_line_ends(&file->words, section);
}

static void pass_over_rows(struct vrplib *file, const char *section)
{
    sections_begin(file, section);
    for (uint32_t i = 0; i < file->customers.count; i++) {
        if (row_of(file, section) == NULL) return;
    }
}

/* One node, and -1 as the end of the list. */
static void read_depot(struct vrplib *file, const char *section)
{
    sections_begin(file, section);
    words_line(&file->words);
    file->customers.depot = (uint32_t)numbered(file, section, 1, file->customers.count) - 1;
    struct word word;
    if (!words_peek(&file->words, &word)) words_line(&file->words);
    int64_t next = numbered(file, section, -1, NUMBER_MAX);
    if (next != -1)
        words_refuse(&file->words, ERR_INVALID, section, "several depots are not supported");
    words_line_ends(&file->words, section);
}

/* --- keys ------------------------------------------------------------------------------------ */

static void pass_over(struct vrplib *file, const char *key)
{
    (void)file;
    (void)key;
}

static void read_end(struct vrplib *file, const char *key)
{
    (void)key;
    file->over = true;
}

/* One of the words that we know what to do with. */
static void read_choice(struct vrplib *file, const char *key, const char *const *known)
{
    struct word word = {"", 0};
    char shown[WORD_SHOWN + 1];
    (void)words_next(&file->words, &word);
    for (size_t i = 0; known[i] != NULL; i++) {
        if (word_is(word, known[i])) return;
    }
    word_show(word, shown);
    words_refuse(&file->words, ERR_INVALID, key, "\"%s\" is not supported; %s would be", shown,
                 known[0]);
}

static void read_type(struct vrplib *file, const char *key)
{
    static const char *const known[] = {"VRPTW", "CVRPTW", "CVRP", "ACVRP", NULL};
    read_choice(file, key, known);
}

static void read_weight_type(struct vrplib *file, const char *key)
{
    static const char *const known[] = {"EXPLICIT", NULL};
    read_choice(file, key, known);
}

static void read_weight_format(struct vrplib *file, const char *key)
{
    static const char *const known[] = {"FULL_MATRIX", NULL};
    read_choice(file, key, known);
}

static void read_dimension(struct vrplib *file, const char *key)
{
    struct customers *customers = &file->customers;
    customers->count = (uint32_t)numbered(file, key, 1, CUSTOMERS_MAX + 1);
    customers->all = arena_need(file->memory, sizeof *customers->all * (customers->count + 1));
    file->seen = arena_need(file->memory, customers->count + 1);
    for (uint32_t i = 0; i < customers->count; i++) {
        customers->all[i].number = i + 1;
        customers->all[i].close = CUSTOMER_TIME_MAX;
        customers->all[i].line = file->words.line;
    }
}

static void read_vehicles(struct vrplib *file, const char *key)
{
    file->customers.vehicles = (uint32_t)numbered(file, key, 1, NUMBER_MAX);
}

static void read_capacity(struct vrplib *file, const char *key)
{
    file->customers.capacity = (int32_t)numbered(file, key, 1, CAPACITY_MAX);
}

static const struct key {
    const char *name;
    void (*read)(struct vrplib *file, const char *key);
    bool needed;
} keys[] = {
    {"NAME", pass_over, false},
    {"COMMENT", pass_over, false},
    {"NODE_COORD_TYPE", pass_over, false},
    {"DISPLAY_DATA_TYPE", pass_over, false},
    {"TYPE", read_type, false},
    {"DIMENSION", read_dimension, true},
    {"EDGE_WEIGHT_TYPE", read_weight_type, true},
    {"EDGE_WEIGHT_FORMAT", read_weight_format, true},
    {"VEHICLES", read_vehicles, false},
    {"CAPACITY", read_capacity, false},
    {"EDGE_WEIGHT_SECTION", read_travel, true},
    {"NODE_COORD_SECTION", pass_over_rows, false},
    {"DISPLAY_DATA_SECTION", pass_over_rows, false},
    {"DEMAND_SECTION", read_demands, false},
    {"DEPOT_SECTION", read_depot, true},
    {"SERVICE_TIME_SECTION", read_services, false},
    {"TIME_WINDOW_SECTION", read_windows, false},
    {"EOF", read_end, false},
};

enum { KEYS = sizeof keys / sizeof *keys };

static void read_line(struct vrplib *file)
{
    struct word word = {"", 0};
    char shown[WORD_SHOWN + 1];
    size_t i = 0;
    (void)words_key(&file->words, &word);
    while (i < KEYS && !word_is(word, keys[i].name))
        i++;
    word_show(word, shown);
    if (i == KEYS)
        words_refuse(&file->words, ERR_INVALID, shown, "is not supported");
    else if ((file->found >> i & 1) != 0)
        words_refuse(&file->words, ERR_INVALID, shown, "comes twice");
    else
        keys[i].read(file, keys[i].name);
    file->found |= UINT64_C(1) << i;
}

static bool has(const struct vrplib *file, void (*read)(struct vrplib *, const char *))
{
    size_t i = 0;
    while (keys[i].read != read)
        i++;
    return (file->found >> i & 1) != 0;
}

/* --- the file -------------------------------------------------------------------------------- */

static void check_whole(struct vrplib *file)
{
    struct words *words = &file->words;
    const struct customers *customers = &file->customers;
    for (size_t i = 0; i < KEYS; i++) {
        if (keys[i].needed && (file->found >> i & 1) == 0)
            words_refuse(words, ERR_INVALID, keys[i].name, "is missing: the text ends without it");
    }
    if (has(file, read_demands) && !has(file, read_capacity))
        words_refuse(words, ERR_INVALID, "CAPACITY", "is missing, and there is a DEMAND_SECTION");
    if (words->err != ERR_OK) return;
    if (customers->all[customers->depot].load != 0)
        words_refuse(words, ERR_INVALID, "DEMAND_SECTION", "the depot must have no demand");
    if (customers->all[customers->depot].service != 0)
        words_refuse(words, ERR_INVALID, "SERVICE_TIME_SECTION", "the depot must need no service");
}

enum err read_vrplib(struct solve_input *input, const char *text, size_t size,
                     struct problem *problem)
{
    static_assert(KEYS <= 64, "a bit for each key");
    struct vrplib file = {.memory = &input->memory, .customers = {.number_field = "DIMENSION"}};
    words_open(&file.words, text, size, problem);
    input->format = SOLVE_VRPLIB;
    while (!file.over && words_line(&file.words))
        read_line(&file);
    check_whole(&file);
    if (file.words.err != ERR_OK) return file.words.err;
    file.customers.travel = file.travel;
    return customers_tell(input, &file.customers, problem);
}
