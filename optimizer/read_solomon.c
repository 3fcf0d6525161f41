/* read_solomon.c - the text files of Solomon (1987) and of Gehring and Homberger (1999).
 *
 * A title, VEHICLE with its numbers and CAPACITY, CUSTOMER with a row for each: number, place,
 * demand, window, service time; customer 0 is the depot. The convention is that of the DIMACS
 * challenge: travel takes floor(10 x euclid), all times are multiplied by 10.
 */
#include "base/check.h"
#include "optimizer/customers.h"
#include "optimizer/words.h"

#include <math.h>

enum {
    TIME_DECIMALS = 1,  /* the convention's unit is a tenth of the file's */
    PLACE_DECIMALS = 3, /* more exactly than any benchmark has it */
    PLACE_MAX = 200000, /* no way between two such takes longer than CUSTOMER_TIME_MAX */
    TIME_MAX = CUSTOMER_TIME_MAX / 10,
    SERVICE_MAX = LIMIT_SERVICE_SECONDS / 10,
    NUMBER_MAX = 1000000000,
};

struct place {
    int64_t x, y; /* in thousandths */
};

static const struct number vehicle_number = {"NUMBER", 0, 1, NUMBER_MAX},
                           vehicle_capacity = {"CAPACITY", 0, 1, CAPACITY_MAX},
                           customer_number = {"CUST NO.", 0, 0, NUMBER_MAX},
                           place_x = {"XCOORD.", PLACE_DECIMALS, -PLACE_MAX, PLACE_MAX},
                           place_y = {"YCOORD.", PLACE_DECIMALS, -PLACE_MAX, PLACE_MAX},
                           demand = {"DEMAND", 0, 0, LOAD_MAX},
                           no_demand = {"DEMAND of the depot", 0, 0, 0},
                           ready = {"READY TIME", TIME_DECIMALS, 0, TIME_MAX},
                           due = {"DUE DATE", TIME_DECIMALS, 0, TIME_MAX},
                           service = {"SERVICE TIME", TIME_DECIMALS, 0, SERVICE_MAX},
                           no_service = {"SERVICE TIME of the depot", 0, 0, 0};

/* --- travel ---------------------------------------------------------------------------------- */

static int64_t square_root(int64_t square)
{
    int64_t root = (int64_t)sqrt((double)square);
    while (root * root > square)
        root--;
    while ((root + 1) * (root + 1) <= square)
        root++;
    return root;
}

/* floor(10 x euclid), exactly: places are in thousandths, so their distance is 100 times too long;
 * what division drops of its square is less than what would lift the root to the next integer. */
static int32_t tenths_between(struct place a, struct place b)
{
    int64_t x = a.x - b.x, y = a.y - b.y;
    return (int32_t)square_root((x * x + y * y) / 10000);
}

static const int32_t *travel_between(const struct place *places, uint32_t count,
                                     struct arena *memory)
{
    int32_t *travel = arena_need(memory, sizeof *travel * count * count);
    for (uint32_t from = 0; from < count; from++) {
        for (uint32_t to = 0; to < count; to++)
            travel[(size_t)from * count + to] = tenths_between(places[from], places[to]);
    }
    return travel;
}

/* --- the file -------------------------------------------------------------------------------- */

/* The line that begins with that word: whatever stands before it is a title. */
static void find_heading(struct words *words, const char *heading)
{
    struct word word;
    while (words_line(words) && words_peek(words, &word)) {
        if (word_is(word, heading)) return;
    }
    words_refuse(words, ERR_INVALID, heading, "is missing: the text ends without it");
}

/* The next line of numbers, behind the names of the columns. */
static bool find_numbers(struct words *words)
{
    struct word word;
    while (words_line(words) && words_peek(words, &word)) {
        if (word_begins_number(word)) return true;
    }
    return false;
}

static void read_vehicles(struct words *words, struct customers *customers)
{
    find_heading(words, "VEHICLE");
    if (!find_numbers(words))
        words_refuse(words, ERR_INVALID, "NUMBER", "is missing: the text ends without it");
    customers->vehicles = (uint32_t)words_number(words, &vehicle_number);
    customers->capacity = (int32_t)words_number(words, &vehicle_capacity);
    words_line_ends(words, "CAPACITY");
}

static struct place read_row(struct words *words, struct customer *customer, bool depot)
{
    struct place place;
    customer->line = words->line;
    customer->number = words_number(words, &customer_number);
    place.x = words_number(words, &place_x);
    place.y = words_number(words, &place_y);
    customer->load = (int32_t)words_number(words, depot ? &no_demand : &demand);
    customer->open = (int32_t)words_number(words, &ready);
    customer->close = (int32_t)words_number(words, &due);
    customer->service = (int32_t)words_number(words, depot ? &no_service : &service);
    words_line_ends(words, service.name);
    if (customer->open > customer->close)
        words_refuse(words, ERR_INVALID, due.name, "must not be before READY TIME");
    if (depot && customer->number != 0)
        words_refuse(words, ERR_INVALID, customer_number.name,
                     "the first customer must be 0, the depot");
    return place;
}

static void read_customers(struct words *words, struct customers *customers, struct arena *memory)
{
    struct place *places = arena_need(memory, sizeof *places * (CUSTOMERS_MAX + 1));
    customers->all = arena_need(memory, sizeof *customers->all * (CUSTOMERS_MAX + 1));
    find_heading(words, "CUSTOMER");
    for (bool more = find_numbers(words); more; more = words_line(words)) {
        uint32_t at = customers->count;
        if (at > CUSTOMERS_MAX) {
            words_refuse(words, ERR_TOO_LARGE, "CUSTOMER", "at most %d customers", CUSTOMERS_MAX);
            return;
        }
        places[at] = read_row(words, &customers->all[at], at == 0);
        customers->count++;
    }
    if (customers->count == 0) words_refuse(words, ERR_INVALID, "CUSTOMER", "has no depot");
    if (words->err == ERR_OK) customers->travel = travel_between(places, customers->count, memory);
}

enum err read_solomon(struct solve_input *input, const char *text, size_t size,
                      struct problem *problem)
{
    struct words words;
    struct customers customers = {.number_field = customer_number.name};
    words_open(&words, text, size, problem);
    input->format = SOLVE_SOLOMON;
    read_vehicles(&words, &customers);
    read_customers(&words, &customers, &input->memory);
    return words.err == ERR_OK ? customers_tell(input, &customers, problem) : words.err;
}
