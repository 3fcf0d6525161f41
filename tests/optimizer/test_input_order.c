/* A file's rows in another order are the same problem: the plan that is printed is the same, byte
 * for byte, on any number of threads, and the auditor has nothing against it. */
#include "base/exit_code.h"
#include "base/rng.h"
#include "tests/shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ORDERS = 40, TECHNICIANS = 6, PLACES = ORDERS + TECHNICIANS, SHUFFLES = 3, ROW = 256 };
enum { PLAN_MAX = 1 << 18 };

/* Rows that may stand in any order. */
struct rows {
    char row[PLACES + 1][ROW];
    size_t count;
};

__attribute__((format(printf, 2, 3))) static void add(struct rows *rows, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(rows->row[rows->count++], ROW, format, arguments);
    va_end(arguments);
}

static void shuffle(struct rows *rows, struct rng *rng)
{
    for (size_t i = rows->count; i > 1; i--) {
        size_t at = rng_below(rng, (uint32_t)i);
        char row[ROW];
        memcpy(row, rows->row[i - 1], ROW);
        memcpy(rows->row[i - 1], rows->row[at], ROW);
        memcpy(rows->row[at], row, ROW);
    }
}

static void print(FILE *file, const struct rows *rows, const char *between)
{
    for (size_t i = 0; i < rows->count; i++)
        fprintf(file, "%s%s", i == 0 ? "" : between, rows->row[i]);
}

static int below(struct rng *rng, int bound)
{
    return (int)rng_below(rng, (uint32_t)bound);
}

/* --- one problem in each format; `order` is the order of its rows ---------------------------- */

static void print_matrix(FILE *file, struct rng *rng, int size, const char *open, const char *close)
{
    for (int i = 0; i < size; i++) {
        fputs(i == 0 ? open : close, file);
        for (int j = 0; j < size; j++)
            fprintf(file, "%s%d",
                    j == 0         ? ""
                    : *open == '[' ? ","
                                   : " ",
                    i == j ? 0 : 60 + below(rng, 1500));
    }
}

static void write_vroom(const char *path, struct rng *rng, struct rng *order)
{
    struct rows vehicles = {.count = 0}, orders = {.count = 0};
    for (int t = 0; t < TECHNICIANS; t++)
        add(&vehicles,
            "{\"id\":%d,\"start_index\":%d,\"end_index\":%d,\"skills\":[1,%d],\"time_window\":[%d,"
            "%d],\"breaks\":[{\"id\":1,\"time_windows\":[[%d,%d]],\"service\":1800}]}",
            t + 8, t, t, 2 + below(rng, 2), below(rng, 3600), 20000 + below(rng, 9000), 8000,
            12000 + below(rng, 3000));
    for (int v = 0; v < ORDERS; v++)
        add(&orders,
            "{\"id\":%d,\"location_index\":%d,\"service\":%d,\"skills\":[%d],\"priority\":%d,"
            "\"time_windows\":[[%d,%d]]}",
            v + 1, TECHNICIANS + v, 600 + below(rng, 3000), 1 + below(rng, 3), below(rng, 4) * 10,
            below(rng, 10000), 12000 + below(rng, 16000));
    shuffle(&vehicles, order);
    shuffle(&orders, order);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"vehicles\":[", file);
    print(file, &vehicles, ",\n");
    fputs("],\"jobs\":[", file);
    print(file, &orders, ",\n");
    fputs("],\"matrices\":{\"car\":{\"durations\":[", file);
    print_matrix(file, rng, PLACES, "[", "],[");
    fputs("]]}}}", file);
    fclose(file);
}

static void write_customers(const char *path, struct rng *rng, struct rng *order)
{
    struct rows rows = {.count = 0};
    for (int v = 1; v <= ORDERS; v++)
        add(&rows, "%d %d %d %d %d %d %d", v, below(rng, 60), below(rng, 60), 1 + below(rng, 20),
            below(rng, 100), 130 + below(rng, 80), 10);
    shuffle(&rows, order);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("small\n\nVEHICLE\nNUMBER CAPACITY\n25 100\n\nCUSTOMER\nCUST NO. XCOORD. YCOORD. DEMAND "
          "READY TIME DUE DATE SERVICE TIME\n\n0 30 30 0 0 400 0\n",
          file);
    print(file, &rows, "\n");
    fputs("\n", file);
    fclose(file);
}

static void print_section(FILE *file, const char *name, struct rows *rows, struct rng *order)
{
    shuffle(rows, order);
    fprintf(file, "%s\n", name);
    print(file, rows, "\n");
    fputs("\n", file);
}

static void write_vrplib(const char *path, struct rng *rng, struct rng *order)
{
    struct rows demands = {.count = 0}, services = {.count = 0}, windows = {.count = 0};
    for (int v = 1; v <= ORDERS; v++) {
        add(&demands, "%d %d", v, v == 1 ? 0 : 1 + below(rng, 20));
        add(&services, "%d %d", v, v == 1 ? 0 : 300 + below(rng, 600));
        add(&windows, "%d %d %d", v, v == 1 ? 0 : below(rng, 5000),
            v == 1 ? 20000 : 8000 + below(rng, 9000));
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "NAME : small\nTYPE : VRPTW\nDIMENSION : %d\nVEHICLES : 12\nEDGE_WEIGHT_TYPE : EXPLICIT"
            "\nEDGE_WEIGHT_FORMAT : FULL_MATRIX\nCAPACITY : 100\nEDGE_WEIGHT_SECTION\n",
            ORDERS);
    print_matrix(file, rng, ORDERS, "", "\n");
    fputs("\n", file);
    print_section(file, "DEMAND_SECTION", &demands, order);
    fputs("DEPOT_SECTION\n1\n-1\n", file);
    print_section(file, "SERVICE_TIME_SECTION", &services, order);
    print_section(file, "TIME_WINDOW_SECTION", &windows, order);
    fputs("EOF\n", file);
    fclose(file);
}

static void write_csv(const char *folder, const char *name, const char *head, struct rows *rows,
                      struct rng *order)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    shuffle(rows, order);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", head);
    print(file, rows, "\n");
    fputs("\n", file);
    fclose(file);
}

static void write_day(const char *folder, struct rng *rng, struct rng *order)
{
    static const char *const skills[] = {"hvac", "network", "plumbing"};
    struct rows technicians = {.count = 0}, orders = {.count = 0};
    for (int t = 0; t < TECHNICIANS; t++)
        add(&technicians,
            "T%d,Technician,9.5%05d,47.1%05d,2026-11-23T0%d:00,2026-11-23T16:30,2026-11-23T11:30,"
            "2026-11-23T13:30,30,hvac:2 %s:%d,%d",
            t, below(rng, 99999), below(rng, 99999), 6 + below(rng, 3), skills[1 + below(rng, 2)],
            1 + below(rng, 3), 30 * below(rng, 3));
    for (int v = 0; v < ORDERS; v++) {
        int from = 8 + below(rng, 2), to = 12 + below(rng, 6);
        add(&orders,
            "W%d,2026-11-23T00:00,9.5%05d,47.1%05d,Road %d,meter,%d,%d,%s:1,2026-11-23T%02d:00,"
            "2026-11-23T%02d:00,2026-11-23T%02d:00",
            v, below(rng, 99999), below(rng, 99999), v, 20 + 10 * below(rng, 5), 1 + below(rng, 9),
            skills[below(rng, 3)], from, to, to);
    }
    assert_true(mkdir(folder, 0700) == 0 || access(folder, W_OK) == 0);
    write_csv(folder, "technicians.csv",
              "technician_id,name,home_lon,home_lat,shift_start,shift_end,break_earliest,"
              "break_latest,break_minutes,skills,overtime_minutes_max",
              &technicians, order);
    write_csv(folder, "orders.csv",
              "order_id,received_at,lon,lat,address,work_type,service_minutes,priority,skill,"
              "window_start,window_end,due_at",
              &orders, order);
}

/* --- the tools ------------------------------------------------------------------------------- */

static char work[] = "/tmp/callout-order-XXXXXX";

/* What a command prints; it must end well. */
static void output_of(const char *command, char *text)
{
    if (shell_output(command, text, PLAN_MAX) != EXIT_DONE) fail_msg("%s: %s", command, text);
}

/* The plan of the file, but for the line that tells how long it took. */
static void plan_of(const char *name, const char *options, char *plan)
{
    char command[512], said[1024 + ROW];
    static char all[PLAN_MAX];
    snprintf(command, sizeof command,
             "cd %s && %s solve %s --work 600 --seed 7 --json %s >plan.json 2>&1 && "
             "grep -v cpu_seconds plan.json",
             work, CALLOUT_BINARY, name, options);
    output_of(command, all);
    memcpy(plan, all, PLAN_MAX);
    snprintf(command, sizeof command, "cd %s && %s audit %s plan.json", work, CALLOUT_BINARY, name);
    output_of(command, all);
    snprintf(said, sizeof said, "%.1000s", all);
    assert_non_null(strstr(said, "clean: 0 violations"));
}

typedef void writer(const char *path, struct rng *rng, struct rng *order);

static void same_plan_in_any_order(const char *name, writer *write)
{
    static char first[PLAN_MAX], other[PLAN_MAX];
    char path[128];
    snprintf(path, sizeof path, "%s/%s", work, name);
    for (uint64_t seed = 0; seed < SHUFFLES; seed++) {
        struct rng rng = {42}, order = {seed};
        write(path, &rng, &order);
        plan_of(name, "", seed == 0 ? first : other);
        if (seed > 0) assert_string_equal(first, other);
    }
}

static void vroom_in_any_order(void **state)
{
    (void)state;
    same_plan_in_any_order("vroom.json", write_vroom);
}

static void solomon_in_any_order(void **state)
{
    (void)state;
    same_plan_in_any_order("solomon.txt", write_customers);
}

static void vrplib_in_any_order(void **state)
{
    (void)state;
    same_plan_in_any_order("vrplib.txt", write_vrplib);
}

static void a_day_in_any_order(void **state)
{
    (void)state;
    same_plan_in_any_order("day", write_day);
}

/* Four searches, one after another or two at a time. */
static void threads_change_nothing(void **state)
{
    (void)state;
    static char one[PLAN_MAX], two[PLAN_MAX];
    static const struct {
        const char *name;
        writer *write;
    } files[] = {{"vroom.json", write_vroom},
                 {"solomon.txt", write_customers},
                 {"vrplib.txt", write_vrplib},
                 {"day", write_day}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct rng rng = {43}, order = {0};
        char path[128];
        snprintf(path, sizeof path, "%s/%s", work, files[i].name);
        files[i].write(path, &rng, &order);
        plan_of(files[i].name, "--searches 4 --threads 1", one);
        plan_of(files[i].name, "--searches 4 --threads 2", two);
        assert_string_equal(one, two);
    }
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(work) == NULL;
}

static int remove_folder(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", work);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vroom_in_any_order),     cmocka_unit_test(solomon_in_any_order),
        cmocka_unit_test(vrplib_in_any_order),    cmocka_unit_test(a_day_in_any_order),
        cmocka_unit_test(threads_change_nothing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
