#include "day/day.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "day/csv.h"
#include "day/zone.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16 };

/* A file that is being read: where its columns stand, and the row at hand. */
struct table {
    const char *name; /* for messages */
    const char *const *columns;
    size_t column_count;
    int place[COLUMNS_MAX]; /* of each column in the row; -1: missing */
    struct csv csv;
    unsigned lines_before; /* of the file, between its head and the first row here */
    struct day_errors *errors;
    int row_failed;
    int keep_good; /* rows with an error are left out */
};

static unsigned line_of(const struct table *table)
{
    return table->csv.line + (table->csv.line > 1 ? table->lines_before : 0);
}

static void complain(struct table *table, const char *column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void complain(struct table *table, const char *column, const char *format, ...)
{
    table->row_failed = 1;
    struct day_errors *errors = table->errors;
    if (errors->count++ >= DAY_ERRORS_MAX) return;
    struct problem *problem = &errors->items[errors->count - 1];
    unsigned line = line_of(table);
    errors->places[errors->count - 1].line = line;
    errors->places[errors->count - 1].column = column;
    snprintf(problem->field, sizeof problem->field, "%s line %u%s%s", table->name, line,
             column[0] == '\0' ? "" : ", ", column);
    va_list args;
    va_start(args, format);
    vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
}

/* --- fields ---------------------------------------------------------------------------------- */

static const char *text_at(const struct table *table, const char *column)
{
    size_t i = 0;
    while (i < table->column_count && strcmp(table->columns[i], column) != 0)
        i++;
    CHECK(i < table->column_count);
    return table->csv.fields[table->place[i]];
}

static void read_text(struct table *table, const char *column, char *out, size_t size, int needed)
{
    const char *text = text_at(table, column);
    out[0] = '\0';
    if (needed && text[0] == '\0') {
        complain(table, column, "must not be empty");
        return;
    }
    if (strlen(text) >= size) {
        complain(table, column, "at most %zu bytes", size - 1);
        return;
    }
    if (!utf8_printable(text)) {
        complain(table, column, "must be UTF-8 without control characters");
        return;
    }
    snprintf(out, size, "%s", text);
}

static double read_number(struct table *table, const char *column, double low, double high)
{
    const char *text = text_at(table, column);
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    int plain = text[0] != '\0' && strspn(text, "0123456789.-+eE") == strlen(text);
    if (!plain || end == text || *end != '\0' || !isfinite(value)) {
        complain(table, column, "\"%.40s\" is not a number", text);
        return low;
    }
    if (value < low || value > high) {
        complain(table, column, "%.40s must lie between %g and %g", text, low, high);
        return low;
    }
    return value;
}

static int32_t read_whole(struct table *table, const char *column, int32_t low, int32_t high)
{
    const char *text = text_at(table, column);
    double value = read_number(table, column, low, high);
    int32_t whole = (int32_t)value;
    if (!table->row_failed && (double)whole < value)
        complain(table, column, "\"%.40s\" is not a whole number", text);
    return whole;
}

static int64_t read_time(struct table *table, const char *column, int needed)
{
    const char *text = text_at(table, column);
    int64_t time_us = 0;
    if (!needed && text[0] == '\0') return 0;
    if (!zone_parse_us(text, &time_us))
        complain(table, column, "\"%.40s\" is not a local time such as 2026-11-23T08:00", text);
    return time_us;
}

static struct point read_point(struct table *table, const char *lat, const char *lon)
{
    double lat_degrees = read_number(table, lat, -90, 90);
    double lon_degrees = read_number(table, lon, -180, 180);
    return (struct point){(int32_t)lround(lat_degrees * GEO_E7),
                          (int32_t)lround(lon_degrees * GEO_E7)};
}

/* One "name:level" of `size` bytes. */
static int read_skill(const char *text, size_t size, struct day_skill *out)
{
    const char *colon = memchr(text, ':', size);
    if (colon == NULL || colon == text || text + size - colon != 2) return 0;
    if (colon[1] < '1' || colon[1] > '0' + LIMIT_SKILL_LEVEL) return 0;
    size_t name_size = (size_t)(colon - text);
    if (name_size >= sizeof out->name) return 0;
    memcpy(out->name, text, name_size);
    out->name[name_size] = '\0';
    out->level = (uint32_t)(colon[1] - '0');
    return 1;
}

static size_t read_skills(struct table *table, const char *column, struct day_skill *out)
{
    size_t count = 0;
    const char *at = text_at(table, column);
    for (;;) {
        at += strspn(at, " ");
        size_t size = strcspn(at, " ");
        if (size == 0) return count;
        if (count == DAY_SKILLS_MAX) {
            complain(table, column, "at most %d skills", DAY_SKILLS_MAX);
            return count;
        }
        if (!read_skill(at, size, &out[count])) {
            complain(table, column, "\"%.*s\" is not name:level with a level from 1 to 9",
                     size < 60 ? (int)size : 60, at);
            return count;
        }
        count++;
        at += size;
    }
}

/* --- the two tables -------------------------------------------------------------------------- */

static const char *const technician_columns[] = {
    "technician_id",
    "name",
    "home_lon",
    "home_lat",
    "shift_start",
    "shift_end",
    "break_earliest",
    "break_latest",
    "break_minutes",
    "skills",
    "overtime_minutes_max",
};

static const char *const order_columns[] = {
    "order_id",        "received_at", "lon",   "lat",          "address",    "work_type",
    "service_minutes", "priority",    "skill", "window_start", "window_end", "due_at",
};

static void check_shift(struct table *table, const struct day_technician *technician)
{
    int64_t length_us = technician->shift_end_us - technician->shift_start_us;
    if (length_us <= 0)
        complain(table, "shift_end", "must lie after shift_start");
    else if (length_us > US_PER_DAY)
        complain(table, "shift_end", "a shift is at most 24 hours long");
    if (technician->break_s == 0) return;
    if (technician->break_earliest_us > technician->break_latest_us)
        complain(table, "break_latest", "must not lie before break_earliest");
    else if (technician->break_earliest_us < technician->shift_start_us ||
             technician->break_latest_us > technician->shift_end_us)
        complain(table, "break_earliest", "the break must begin within the shift");
}

static void read_technician(struct table *table, struct day_technician *out)
{
    *out = (struct day_technician){0};
    read_text(table, "technician_id", out->id, sizeof out->id, 1);
    read_text(table, "name", out->name, sizeof out->name, 1);
    out->home = read_point(table, "home_lat", "home_lon");
    out->shift_start_us = read_time(table, "shift_start", 1);
    out->shift_end_us = read_time(table, "shift_end", 1);
    out->break_s = 60 * read_whole(table, "break_minutes", 0, 240);
    out->break_earliest_us = read_time(table, "break_earliest", out->break_s > 0);
    out->break_latest_us = read_time(table, "break_latest", out->break_s > 0);
    out->skill_count = read_skills(table, "skills", out->skills);
    out->overtime_s_max = 60 * read_whole(table, "overtime_minutes_max", 0, 720);
    if (!table->row_failed) check_shift(table, out);
}

static void check_order(struct table *table, const struct day_order *order)
{
    int64_t service_us = order->service_s * US_PER_SECOND;
    if (order->window_end_us < order->window_start_us)
        complain(table, "window_end", "must not lie before window_start");
    else if (order->window_end_us - order->window_start_us < service_us)
        complain(table, "window_end", "the service of %d minutes does not fit into the window",
                 order->service_s / 60);
    else if (order->window_end_us - order->window_start_us > 8 * US_PER_DAY)
        complain(table, "window_end", "a window is at most 8 days long");
    if (order->due_us != 0 && order->due_us < order->window_start_us)
        complain(table, "due_at", "must not lie before window_start");
}

static void read_order(struct table *table, struct day_order *out)
{
    *out = (struct day_order){0};
    read_text(table, "order_id", out->id, sizeof out->id, 1);
    out->received_us = read_time(table, "received_at", 1);
    out->at = read_point(table, "lat", "lon");
    read_text(table, "address", out->address, sizeof out->address, 0);
    read_text(table, "work_type", out->work_type, sizeof out->work_type, 0);
    out->service_s = 60 * read_whole(table, "service_minutes", 1, LIMIT_SERVICE_SECONDS / 60);
    out->priority = (uint32_t)read_whole(table, "priority", 1, LIMIT_PRIORITY);
    out->skill_count = read_skills(table, "skill", out->skills);
    out->window_start_us = read_time(table, "window_start", 1);
    out->window_end_us = read_time(table, "window_end", 1);
    out->due_us = read_time(table, "due_at", 0);
    if (!table->row_failed) check_order(table, out);
}

/* --- a table as a whole ---------------------------------------------------------------------- */

static int find_columns(struct table *table)
{
    struct problem problem;
    enum err err = ERR_OK;
    if (!csv_next(&table->csv, &err, &problem)) {
        table->csv.line = 1;
        complain(table, "", "the file is empty; it must begin with the names of its columns");
        return 0;
    }
    if (err != ERR_OK) {
        complain(table, "", "%s", problem.text);
        return 0;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        table->place[i] = -1;
        for (size_t j = 0; j < table->csv.field_count; j++) {
            if (strcmp(table->csv.fields[j], table->columns[i]) != 0) continue;
            if (table->place[i] >= 0) complain(table, table->columns[i], "the column comes twice");
            table->place[i] = (int)j;
        }
        if (table->place[i] < 0) complain(table, table->columns[i], "the column is missing");
    }
    return !table->row_failed;
}

/* The next row that has as many fields as the head; false at the end. */
static int next_row(struct table *table, size_t head_count)
{
    struct problem problem;
    enum err err = ERR_OK;
    while (csv_next(&table->csv, &err, &problem)) {
        table->row_failed = 0;
        if (err != ERR_OK)
            complain(table, "", "%s", problem.text);
        else if (table->csv.field_count != head_count)
            complain(table, "", "%zu fields where the head has %zu", table->csv.field_count,
                     head_count);
        else
            return 1;
    }
    return 0;
}

/* Room for one more item of `size` bytes behind `count` of them; the room doubles. */
static void *room_for_one(void *items, size_t count, size_t size)
{
    if (count == 0 || (count & (count - 1)) == 0) {
        items = realloc(items, (count == 0 ? 1 : count * 2) * size);
        CHECK(items != NULL);
    }
    return items;
}

static void read_technicians(struct table *table, struct day *day)
{
    if (!find_columns(table)) return;
    size_t head_count = table->csv.field_count;
    while (next_row(table, head_count)) {
        struct day_technician technician;
        read_technician(table, &technician);
        for (size_t i = 0; i < day->technician_count; i++)
            if (strcmp(day->technicians[i].id, technician.id) == 0)
                complain(table, "technician_id", "\"%s\" comes twice", technician.id);
        if (day->technician_count == LIMIT_TECHNICIANS) {
            complain(table, "", "at most %d technicians", LIMIT_TECHNICIANS);
            return;
        }
        technician.line = line_of(table);
        if (table->keep_good && table->row_failed) continue;
        day->technicians = room_for_one(day->technicians, day->technician_count, sizeof technician);
        day->technicians[day->technician_count++] = technician;
    }
}

static void read_orders(struct table *table, struct day *day)
{
    if (!find_columns(table)) return;
    size_t head_count = table->csv.field_count;
    while (next_row(table, head_count)) {
        struct day_order order;
        read_order(table, &order);
        for (size_t i = 0; i < day->order_count; i++)
            if (strcmp(day->orders[i].id, order.id) == 0)
                complain(table, "order_id", "\"%s\" comes twice", order.id);
        if (day->order_count == LIMIT_VISITS_PER_PLAN) {
            complain(table, "", "at most %d orders", LIMIT_VISITS_PER_PLAN);
            return;
        }
        order.line = line_of(table);
        if (table->keep_good && table->row_failed) continue;
        day->orders = room_for_one(day->orders, day->order_count, sizeof order);
        day->orders[day->order_count++] = order;
    }
}

static void open_table(struct table *table, enum day_table which, const char *text, size_t size,
                       struct day_errors *errors)
{
    *table = (struct table){.name = "technicians.csv",
                            .columns = technician_columns,
                            .column_count = sizeof technician_columns / sizeof *technician_columns,
                            .errors = errors};
    if (which == DAY_ORDERS) {
        table->name = "orders.csv";
        table->columns = order_columns;
        table->column_count = sizeof order_columns / sizeof *order_columns;
    }
    csv_open(&table->csv, text, size);
}

static void set_bounds(struct day *day)
{
    for (size_t i = 0; i < day->technician_count; i++) {
        const struct day_technician *technician = &day->technicians[i];
        if (i == 0 || technician->shift_start_us < day->start_us)
            day->start_us = technician->shift_start_us;
        if (i == 0 || technician->shift_end_us > day->end_us)
            day->end_us = technician->shift_end_us;
    }
    day->service_day = zone_utc_to_local_us(day->start_us) / US_PER_DAY;
}

enum err day_parse(struct day *out, const char *technicians, size_t technicians_size,
                   const char *orders, size_t orders_size, const char *time_zone,
                   struct day_errors *errors)
{
    struct day day = {0};
    errors->count = 0;
    enum err err = zone_open(time_zone, &errors->items[0]);
    if (err != ERR_OK) {
        errors->count = 1;
        return err;
    }
    snprintf(day.time_zone, sizeof day.time_zone, "%s", time_zone);
    struct table *table = calloc(1, sizeof *table);
    CHECK(table != NULL);
    open_table(table, DAY_TECHNICIANS, technicians, technicians_size, errors);
    read_technicians(table, &day);
    if (errors->count == 0 && day.technician_count == 0)
        complain(table, "", "there is no technician in it");
    open_table(table, DAY_ORDERS, orders, orders_size, errors);
    read_orders(table, &day);
    free(table);
    if (errors->count > 0) {
        day_fini(&day);
        return ERR_INVALID;
    }
    set_bounds(&day);
    *out = day;
    return ERR_OK;
}

enum err day_parse_rows(struct day *out, enum day_table which, const char *text, size_t size,
                        unsigned first_line, const char *time_zone, struct day_errors *errors)
{
    *out = (struct day){0};
    errors->count = 0;
    enum err err = zone_open(time_zone, &errors->items[0]);
    if (err != ERR_OK) {
        errors->count = 1;
        errors->places[0].line = 0;
        errors->places[0].column = "";
        return err;
    }
    struct table *table = calloc(1, sizeof *table);
    CHECK(table != NULL);
    open_table(table, which, text, size, errors);
    table->keep_good = 1;
    table->lines_before = first_line > 2 ? first_line - 2 : 0;
    if (which == DAY_ORDERS)
        read_orders(table, out);
    else
        read_technicians(table, out);
    free(table);
    return errors->count > 0 ? ERR_INVALID : ERR_OK;
}

void day_fini(struct day *day)
{
    free(day->technicians);
    free(day->orders);
    *day = (struct day){0};
}
