#include "sim/world/run_page.h"

#include "base/check.h"
#include "base/clock.h"
#include "sim/scenario/generate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 80, CELL_M = 500, LATENESS_LABEL = 24 };

/* --- numbers --- */

/* What is not known is -1 among the figures and NAN in a sheet. */
static double known(int64_t value, double unit)
{
    return value < 0 ? NAN : (double)value / unit;
}

static double percent(int64_t part, int64_t whole)
{
    return whole <= 0 ? NAN : 100 * (double)part / (double)whole;
}

static double minutes(int64_t us)
{
    return known(us, (double)US_PER_MINUTE);
}

static double hours_of(int64_t us)
{
    return (double)us / (double)(60 * US_PER_MINUTE);
}

static double milliseconds(int64_t us)
{
    return known(us, 1000);
}

static int64_t paid_us(const struct kpi *kpi)
{
    return kpi->shift_us + kpi->overtime_us;
}

static int64_t moves(const struct kpi *kpi)
{
    return kpi->technician_changes + kpi->start_changes;
}

/* "2026-11-23" */
static const char *date_of(const struct run_day *day, char text[LABEL])
{
    clock_format_utc(day->service_day * US_PER_DAY, text)[10] = '\0';
    return text;
}

/* "08:30" of the day that it is in; with its date where there are several. */
static const char *time_of(const struct run_result *result, int64_t time_us, char text[LABEL])
{
    size_t d = result->day_count;
    while (d > 1 && result->days[d - 1].begin_us > time_us)
        d--;
    if (d == 0) return clock_format_utc(time_us, text);
    const struct run_day *day = &result->days[d - 1];
    unsigned minute = (unsigned)((time_us - day->begin_us) / US_PER_MINUTE) % 6000;
    char date[LABEL];
    if (result->day_count > 1)
        snprintf(text, LABEL, "%.5s %02u:%02u", date_of(day, date) + 5, minute / 60, minute % 60);
    else
        snprintf(text, LABEL, "%02u:%02u", minute / 60, minute % 60);
    return text;
}

/* --- what is seen first --- */

static void tile(struct page *page, const char *name, double value, int decimals, const char *unit)
{
    page_tile(page, name, value, decimals, unit, NAN, NAN);
}

static void add_tiles(struct page *page, const struct run_result *result)
{
    const struct kpi *kpi = &result->kpi;
    double events = (double)result->system.events;
    tile(page, "Visits completed", (double)kpi->completed, 0, "");
    tile(page, "Unserved", (double)kpi->unserved, 0, "");
    tile(page, "On time", percent(kpi->on_time, kpi->windowed), 1, "%");
    tile(page, "Deadlines kept (SLA)", percent(kpi->sla_met, kpi->sla_due), 1, "%");
    tile(page, "First response, mean", minutes(kpi_lengths_mean(&kpi->response)), 0, "min");
    tile(page, "First-time fix", percent(kpi->first_fixed, kpi->first_tried), 1, "%");
    tile(page, "Paid time at work", percent(kpi->work_us, paid_us(kpi)), 1, "%");
    tile(page, "Travel per visit", minutes(kpi_mean(kpi->travel_us, kpi->arrivals)), 1, "min");
    tile(page, "Overtime", hours_of(kpi->overtime_us), 1, "h");
    tile(page, "Moves per event", events > 0 ? (double)moves(kpi) / events : NAN, 2, "");
    tile(page, "Moves after a promise", (double)kpi->moves_after_promise, 0, "");
    tile(page, "Event to phone, p95", milliseconds(kpi_lengths_at(&result->reach, 950)), 0, "ms");
    tile(page, "Commands lost or doubled",
         (double)(result->commands.lost + result->commands.doubled), 0, "");
}

/* --- how the time went --- */

static const char *const part_names[KPI_PARTS] = {
    [KPI_WORK] = "Work",   [KPI_TRAVEL] = "Travel", [KPI_WAIT] = "Wait",
    [KPI_BREAK] = "Break", [KPI_IDLE] = "Idle",
};

static int64_t hour_sum(const struct kpi_hour *hour)
{
    int64_t sum = 0;
    for (int part = 0; part < KPI_PARTS; part++)
        sum += hour->parts_us[part];
    return sum;
}

/* The hours that something is in: [first, end). */
static void busy_hours(const struct kpi *kpi, int *first, int *end)
{
    *first = KPI_HOURS, *end = 0;
    for (int hour = 0; hour < KPI_HOURS; hour++) {
        if (hour_sum(&kpi->hours[hour]) == 0 && kpi->hours[hour].windowed == 0) continue;
        if (*first == KPI_HOURS) *first = hour;
        *end = hour + 1;
    }
}

static void add_utilisation(struct page *page, const struct run_result *result)
{
    struct sheet *sheet =
        sheet_open("utilisation", "What technicians do, by hour",
                   "Technicians, on average over the days, overtime included.", "hour");
    char label[LABEL];
    int first, end;
    for (int part = 0; part < KPI_PARTS; part++)
        sheet_column(sheet, part_names[part], "technicians", 2);
    busy_hours(&result->kpi, &first, &end);
    double days = (double)(result->day_count > 0 ? result->day_count : 1);
    for (int hour = first; hour < end; hour++) {
        snprintf(label, sizeof label, "%02d:00", hour);
        size_t row = sheet_row(sheet, label);
        for (size_t part = 0; part < KPI_PARTS; part++)
            sheet_set(sheet, row, part, hours_of(result->kpi.hours[hour].parts_us[part]) / days);
    }
    page_figure(page, sheet, CHART_AREAS);
}

static void add_paid_hours(struct page *page, const struct run_result *result)
{
    const struct kpi *kpi = &result->kpi;
    const struct {
        const char *name;
        int64_t us;
    } rows[] = {{"Work", kpi->work_us},    {"Travel", kpi->travel_us},
                {"Wait", kpi->wait_us},    {"Break", kpi->break_us},
                {"Idle", kpi->idle_us},    {"Overtime", kpi->overtime_us},
                {"Way home", kpi->home_us}};
    struct sheet *sheet =
        sheet_open("paid", "What is paid for",
                   "Hours of shifts and overtime; overtime and ways home are in the others, too.",
                   "part of the paid time");
    sheet_column(sheet, "time", "h", 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        sheet_set(sheet, sheet_row(sheet, rows[i].name), 0, hours_of(rows[i].us));
    page_figure(page, sheet, CHART_BARS);
}

/* --- customers --- */

static void add_on_time(struct page *page, const struct run_result *result)
{
    struct sheet *sheet = sheet_open("on_time", "On time, by day and hour of the arrival",
                                     "Share of the arrivals that had a window.", "day");
    char label[LABEL];
    int first = KPI_HOURS, end = 0;
    for (int hour = 0; hour < KPI_HOURS; hour++) {
        if (result->kpi.hours[hour].windowed == 0) continue;
        if (first == KPI_HOURS) first = hour;
        end = hour + 1;
    }
    for (int hour = first; hour < end; hour++) {
        snprintf(label, sizeof label, "%02d", hour);
        sheet_column(sheet, label, "%", 0);
    }
    for (size_t d = 0; d < result->day_count && first < end; d++) {
        const struct run_day *day = &result->days[d];
        size_t row = sheet_row(sheet, date_of(day, label));
        for (int hour = first; hour < end; hour++)
            sheet_set(sheet, row, (size_t)(hour - first),
                      percent(day->kpi.hours[hour].on_time, day->kpi.hours[hour].windowed));
    }
    page_figure(page, sheet, CHART_HEAT);
}

static void lateness_label(const struct run_lateness *groups, int i, char text[LATENESS_LABEL])
{
    int from = i < 1 ? 0 : (int)(groups[i - 1].up_to_us / US_PER_MINUTE);
    int to = (int)(groups[i].up_to_us / US_PER_MINUTE);
    if (groups[i].up_to_us == 0)
        snprintf(text, LATENESS_LABEL, "in time");
    else if (groups[i].up_to_us == INT64_MAX)
        snprintf(text, LATENESS_LABEL, "> %d", from);
    else
        snprintf(text, LATENESS_LABEL, "%d-%d", from, to);
}

static void add_lateness(struct page *page, const struct run_result *result)
{
    struct run_lateness groups[RUN_LATENESS_GROUPS];
    struct sheet *sheet =
        sheet_open("lateness", "How late the late ones are",
                   "Arrivals after the end of their window, by minutes.", "minutes late");
    sheet_column(sheet, "arrivals", "", 0);
    run_lateness(&result->kpi, groups);
    for (int i = 1; i < RUN_LATENESS_GROUPS; i++) {
        char label[LATENESS_LABEL];
        lateness_label(groups, i, label);
        sheet_set(sheet, sheet_row(sheet, label), 0, (double)groups[i].arrivals);
    }
    page_figure(page, sheet, CHART_BARS);
}

/* One row per day, and one for all of them. */
static void add_response(struct page *page, const struct run_result *result)
{
    struct sheet *sheet = sheet_open("response", "First response",
                                     "From when the customer waits to the first arrival.", "day");
    char label[LABEL];
    sheet_column(sheet, "half within", "min", 0);
    sheet_column(sheet, "95 % within", "min", 0);
    sheet_column(sheet, "mean", "min", 0);
    for (size_t d = 0; d <= result->day_count; d++) {
        bool all = d == result->day_count;
        const struct kpi_lengths *it = all ? &result->kpi.response : &result->days[d].kpi.response;
        if (all && d == 1) break; /* the only day is all there is */
        size_t row = sheet_row(sheet, all ? "all days" : date_of(&result->days[d], label));
        sheet_set(sheet, row, 0, minutes(kpi_lengths_at(it, 500)));
        sheet_set(sheet, row, 1, minutes(kpi_lengths_at(it, 950)));
        sheet_set(sheet, row, 2, minutes(kpi_lengths_mean(it)));
    }
    page_figure(page, sheet, CHART_BARS);
}

static void add_backlog(struct page *page, const struct run_result *result)
{
    struct sheet *sheet = sheet_open("backlog", "What is still to do",
                                     "Visits of the day, by what they wait for.", "time");
    char label[LABEL];
    sheet_column(sheet, "with nobody", "visits", 0);
    sheet_column(sheet, "planned", "visits", 0);
    sheet_column(sheet, "under way", "visits", 0);
    sheet_column(sheet, "done", "visits", 0);
    for (size_t i = 0; i < result->backlog_count; i++) {
        const struct run_backlog *it = &result->backlog[i];
        size_t row = sheet_row(sheet, time_of(result, it->time_us, label));
        const uint32_t values[] = {it->unserved, it->open, it->running, it->done};
        for (size_t c = 0; c < 4; c++)
            sheet_set(sheet, row, c, values[c]);
    }
    page_figure(page, sheet, CHART_LINES);
}

/* --- journeys --- */

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void box_columns(struct sheet *sheet, const char *unit)
{
    static const char *const names[] = {"least", "lower quartile", "median", "upper quartile",
                                        "most"};
    for (size_t c = 0; c < 5; c++)
        sheet_column(sheet, names[c], unit, 1);
    sheet_column(sheet, "of so many", "", 0);
}

/* Sorts the values. */
static void add_box(struct sheet *sheet, const char *label, double *values, size_t count)
{
    size_t row = sheet_row(sheet, label);
    sheet_set(sheet, row, 5, (double)count);
    if (count == 0) return;
    qsort(values, count, sizeof *values, by_size);
    for (size_t c = 0; c < 5; c++)
        sheet_set(sheet, row, c, values[c * (count - 1) / 4]);
}

typedef double leg_value(const struct run_leg *leg);

static double leg_travel(const struct run_leg *leg)
{
    return leg->travel_us > 0 ? minutes(leg->travel_us) : NAN;
}

static double leg_travel_of_plan(const struct run_leg *leg)
{
    return leg->travel_us > 0 ? percent(leg->travel_us, leg->planned_travel_us) : NAN;
}

static double leg_work_of_plan(const struct run_leg *leg)
{
    return leg->worked_us > 0 ? percent(leg->worked_us, leg->planned_service_us) : NAN;
}

/* Of one day, or of all (-1). */
static size_t take_legs(const struct run_result *result, int32_t day, leg_value *value, double *out)
{
    size_t count = 0;
    for (size_t i = 0; i < result->leg_count; i++) {
        const struct run_leg *leg = &result->legs[i];
        double it = value(leg);
        if ((day < 0 || leg->day == day) && isfinite(it)) out[count++] = it;
    }
    return count;
}

static void add_journeys(struct page *page, const struct run_result *result)
{
    double *values = calloc(result->leg_count + 1, sizeof *values);
    char label[LABEL];
    CHECK(values != NULL);
    struct sheet *sheet = sheet_open("journeys", "Journey to a visit",
                                     "Minutes on the way, ways home left out.", "day");
    box_columns(sheet, "min");
    for (int32_t d = 0; (size_t)d < result->day_count; d++)
        add_box(sheet, date_of(&result->days[d], label), values,
                take_legs(result, d, leg_travel, values));
    if (result->day_count > 1)
        add_box(sheet, "all days", values, take_legs(result, -1, leg_travel, values));
    page_figure(page, sheet, CHART_BOXES);
    sheet = sheet_open("planned", "As planned, and as it was",
                       "What was needed, in percent of what the plan reckoned with.", "");
    box_columns(sheet, "%");
    add_box(sheet, "journeys", values, take_legs(result, -1, leg_travel_of_plan, values));
    add_box(sheet, "work on site", values, take_legs(result, -1, leg_work_of_plan, values));
    page_figure(page, sheet, CHART_BOXES);
    free(values);
}

/* --- the optimizer --- */

struct latency {
    const char *name;
    const struct kpi_lengths *lengths;
};

static void fill_latency(struct sheet *sheet, const struct latency *rows, size_t count,
                         const char *unit, double unit_us)
{
    static const struct {
        const char *name;
        uint32_t permille;
    } columns[] = {{"p50", 500}, {"p95", 950}, {"p99", 990}};
    for (size_t c = 0; c < 3; c++)
        sheet_column(sheet, columns[c].name, unit, 1);
    for (size_t r = 0; r < count; r++) {
        size_t row = sheet_row(sheet, rows[r].name);
        for (size_t c = 0; c < 3; c++)
            sheet_set(sheet, row, c,
                      known(kpi_lengths_at(rows[r].lengths, columns[c].permille), unit_us));
    }
}

static void add_latency(struct page *page, const struct run_result *result)
{
    const struct latency plans[] = {{"repair", &result->pieces.repair},
                                    {"piece of search", &result->pieces.search},
                                    {"first plan", &result->kpi.repair_solve},
                                    {"all plans", &result->kpi.solve}};
    const struct latency reach = {"all phones", &result->reach};
    struct sheet *sheet = sheet_open("latency", "How fast plans come",
                                     "In virtual time, at the cost of the work done.", "");
    fill_latency(sheet, plans, sizeof plans / sizeof *plans, "ms", 1000);
    page_figure(page, sheet, CHART_BARS);
    sheet = sheet_open("reach", "How fast people hear of it",
                       "From an event to the phones that it concerns.", "");
    fill_latency(sheet, &reach, 1, "s", (double)US_PER_SECOND);
    page_figure(page, sheet, CHART_BARS);
}

static void add_stability(struct page *page, const struct run_result *result)
{
    struct sheet *sheet =
        sheet_open("stability", "How calm the plan is",
                   "Moves of what was planned before, for each hundred visits.", "day");
    char label[LABEL];
    sheet_column(sheet, "other technician", "", 1);
    sheet_column(sheet, "other start", "", 1);
    sheet_column(sheet, "after a promise", "", 1);
    for (size_t d = 0; d < result->day_count; d++) {
        const struct kpi *kpi = &result->days[d].kpi;
        size_t row = sheet_row(sheet, date_of(&result->days[d], label));
        sheet_set(sheet, row, 0, percent(kpi->technician_changes, kpi->visits));
        sheet_set(sheet, row, 1, percent(kpi->start_changes, kpi->visits));
        sheet_set(sheet, row, 2, percent(kpi->moves_after_promise, kpi->visits));
    }
    page_figure(page, sheet, CHART_BARS);
}

/* --- where orders come from --- */

/* Counted in squares of a flat map around the first order. */
struct cells {
    struct cell {
        int32_t x, y;
        uint32_t count;
    } * items;
    size_t count;
};

static void count_place(struct cells *cells, struct point origin, struct point at)
{
    const double metre_e7 = 111320e-7; /* of latitude */
    double east = cos(origin.lat_e7 * 1e-7 * acos(-1) / 180);
    int32_t x = (int32_t)floor((at.lon_e7 - origin.lon_e7) * metre_e7 * east / CELL_M);
    int32_t y = (int32_t)floor((at.lat_e7 - origin.lat_e7) * metre_e7 / CELL_M);
    for (size_t i = 0; i < cells->count; i++) {
        struct cell *cell = &cells->items[i];
        if (cell->x == x && cell->y == y) {
            cell->count++;
            return;
        }
    }
    cells->items = realloc(cells->items, (cells->count + 1) * sizeof *cells->items);
    CHECK(cells->items != NULL);
    cells->items[cells->count++] = (struct cell){x, y, 1};
}

static bool count_demand(const struct scenario *scenario, uint64_t seed, struct cells *cells)
{
    static struct day_errors errors;
    bool made = scenario->folder.path[0] == '\0';
    struct town *town = made ? town_open(&scenario->town, seed) : NULL;
    struct point origin = {0};
    enum err err = ERR_OK;
    for (int32_t index = 0; index < scenario->days && err == ERR_OK; index++) {
        struct day day;
        err = scenario_day(&day, scenario, town, seed, index, &errors);
        if (err != ERR_OK) break;
        if (cells->count == 0 && day.order_count > 0) origin = day.orders[0].at;
        for (size_t i = 0; i < day.order_count; i++)
            count_place(cells, origin, day.orders[i].at);
        day_fini(&day);
    }
    town_close(town);
    return err == ERR_OK;
}

static void add_demand(struct page *page, const struct run_result *result,
                       const struct scenario *scenario)
{
    struct cells cells = {0};
    struct sheet *sheet =
        sheet_open("demand", "Where orders come from",
                   "Orders in squares of half a kilometre; north is up.", "square");
    sheet_column(sheet, "east", "km", 1);
    sheet_column(sheet, "north", "km", 1);
    sheet_column(sheet, "orders", "", 0);
    if (count_demand(scenario, result->seed, &cells)) {
        for (size_t i = 0; i < cells.count; i++) {
            const struct cell *cell = &cells.items[i];
            char label[LABEL];
            snprintf(label, sizeof label, "%zu", i + 1);
            size_t row = sheet_row(sheet, label);
            sheet_set(sheet, row, 0, (cell->x + 0.5) * CELL_M / 1000);
            sheet_set(sheet, row, 1, (cell->y + 0.5) * CELL_M / 1000);
            sheet_set(sheet, row, 2, cell->count);
        }
    }
    free(cells.items);
    page_figure(page, sheet, CHART_PLACES);
}

/* --- what went wrong --- */

static void add_faults(struct page *page, const struct run_result *result)
{
    struct sheet *sheet =
        sheet_open("faults", "What went wrong", "As the scenario has it.", "fault");
    if (result->fault_count == 0) {
        sheet_close(sheet);
        return;
    }
    sheet_column(sheet, "lasted", "min", 0);
    sheet_column(sheet, "technicians", "", 0);
    sheet_column(sheet, "amount", "", 0);
    for (size_t i = 0; i < result->fault_count; i++) {
        const struct run_fault *it = &result->faults[i];
        char label[2 * LABEL], time[LABEL];
        snprintf(label, sizeof label, "%s %s", time_of(result, it->begin_us, time), it->name);
        size_t row = sheet_row(sheet, label);
        sheet_set(sheet, row, 0, minutes(it->end_us - it->begin_us));
        if (it->technicians > 0) sheet_set(sheet, row, 1, it->technicians);
        if (it->amount != 0) sheet_set(sheet, row, 2, it->amount);
    }
    page_table(page, sheet);
}

static void add_cost_row(struct sheet *sheet, const char *name, double with, double without)
{
    size_t row = sheet_row(sheet, name);
    sheet_set(sheet, row, 0, with - without);
    sheet_set(sheet, row, 1, with);
    sheet_set(sheet, row, 2, without);
}

static void add_cost(struct page *page, const struct run_result *result)
{
    const struct kpi *a = &result->kpi, *b = result->untroubled;
    if (b == NULL) return;
    struct sheet *sheet =
        sheet_open("cost", "What the faults cost",
                   "The same days and the same luck, with and without them.", "figure");
    sheet_column(sheet, "difference", "", 1);
    sheet_column(sheet, "with the faults", "", 1);
    sheet_column(sheet, "without", "", 1);
    add_cost_row(sheet, "visits completed", (double)a->completed, (double)b->completed);
    add_cost_row(sheet, "unserved", (double)a->unserved, (double)b->unserved);
    add_cost_row(sheet, "on time, %", percent(a->on_time, a->windowed),
                 percent(b->on_time, b->windowed));
    add_cost_row(sheet, "deadlines kept, %", percent(a->sla_met, a->sla_due),
                 percent(b->sla_met, b->sla_due));
    add_cost_row(sheet, "first response, min", minutes(kpi_lengths_mean(&a->response)),
                 minutes(kpi_lengths_mean(&b->response)));
    add_cost_row(sheet, "travel, h", hours_of(a->travel_us), hours_of(b->travel_us));
    add_cost_row(sheet, "wait, h", hours_of(a->wait_us), hours_of(b->wait_us));
    add_cost_row(sheet, "idle, h", hours_of(a->idle_us), hours_of(b->idle_us));
    add_cost_row(sheet, "overtime, h", hours_of(a->overtime_us), hours_of(b->overtime_us));
    add_cost_row(sheet, "moves", (double)moves(a), (double)moves(b));
    page_table(page, sheet);
}

/* --- tables --- */

static void add_days(struct page *page, const struct run_result *result)
{
    static const struct {
        const char *name, *unit;
        int decimals;
    } columns[] = {{"technicians", "", 0}, {"orders", "", 0},    {"completed", "", 0},
                   {"unserved", "", 0},    {"cancelled", "", 0}, {"on time", "%", 1},
                   {"deadlines", "%", 1},  {"fixed", "%", 1},    {"work", "%", 1},
                   {"overtime", "h", 1},   {"moves", "", 0}};
    struct sheet *sheet = sheet_open("days", "The days", "", "day");
    char label[LABEL];
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
        sheet_column(sheet, columns[c].name, columns[c].unit, columns[c].decimals);
    for (size_t d = 0; d < result->day_count; d++) {
        const struct run_day *day = &result->days[d];
        const struct kpi *kpi = &day->kpi;
        const double values[] = {day->technicians,
                                 day->orders,
                                 (double)kpi->completed,
                                 (double)kpi->unserved,
                                 (double)kpi->cancelled,
                                 percent(kpi->on_time, kpi->windowed),
                                 percent(kpi->sla_met, kpi->sla_due),
                                 percent(kpi->first_fixed, kpi->first_tried),
                                 percent(kpi->work_us, paid_us(kpi)),
                                 hours_of(kpi->overtime_us),
                                 (double)moves(kpi)};
        size_t row = sheet_row(sheet, date_of(day, label));
        for (size_t c = 0; c < sizeof values / sizeof *values; c++)
            sheet_set(sheet, row, c, values[c]);
    }
    page_table(page, sheet);
}

static void add_wire(struct page *page, const struct run_result *result)
{
    const struct run_commands *commands = &result->commands;
    const struct run_system *system = &result->system;
    const struct {
        const char *name;
        uint64_t count;
    } rows[] = {{"commands of phones", commands->saved},
                {"acknowledged", commands->acknowledged},
                {"refused", commands->rejected},
                {"orders and cancels taken in", commands->orders},
                {"lost", commands->lost},
                {"doubled", commands->doubled},
                {"messages lost by the network", system->messages_lost},
                {"messages that came twice", system->messages_twice},
                {"requests sent again", system->resent},
                {"connections broken", system->breaks},
                {"facts", system->facts},
                {"events", system->events},
                {"plans published", system->plans},
                {"processes killed", system->kills},
                {"writes that failed", system->disk_failures}};
    struct sheet *sheet = sheet_open("wire", "What was said, and what arrived",
                                     "Nothing may be lost, nothing may be there twice.", "");
    sheet_column(sheet, "count", "", 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        sheet_set(sheet, sheet_row(sheet, rows[i].name), 0, (double)rows[i].count);
    page_table(page, sheet);
}

static void add_peer(struct page *page, const struct run_result *result)
{
    const struct run_peer *peer = &result->peer;
    const struct {
        const char *name;
        uint64_t count;
    } rows[] = {{"answered", peer->answered},
                {"no answer in time", peer->hung},
                {"died", peer->died},
                {"nonsense", peer->nonsense},
                {"visits left out by a rule", peer->left_out}};
    if (result->solver[0] == '\0') return;
    struct sheet *sheet =
        sheet_open("peer", "Who planned",
                   peer->last_failure[0] == '\0' ? result->solver : peer->last_failure, "");
    sheet_column(sheet, "count", "", 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        sheet_set(sheet, sheet_row(sheet, rows[i].name), 0, (double)rows[i].count);
    page_table(page, sheet);
}

/* --- the page --- */

static void note_hex(struct page *page, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
    page_note(page, name, text);
}

static void add_notes(struct page *page, const struct run_result *result,
                      const struct run_page_about *about)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)result->seed);
    if (about->command != NULL) page_note(page, "command", about->command);
    page_note(page, "seed", seed);
    page_note(page, "version", about->version);
    note_hex(page, "configuration", result->configuration);
    note_hex(page, "digest", result->digest);
    page_note(page, "time zone", result->time_zone);
    page_note(page, "solver", result->solver[0] == '\0' ? "callout" : result->solver);
}

struct page *run_page(const struct run_result *result, const struct run_page_about *about)
{
    char title[LABEL + SCENARIO_NAME], summary[LABEL * 2];
    snprintf(title, sizeof title, "%s, simulated", result->scenario);
    snprintf(summary, sizeof summary, "%zu %s, %lld technician days, %lld visits, seed %llu.",
             result->day_count, result->day_count == 1 ? "day" : "days",
             (long long)result->kpi.technician_days, (long long)result->kpi.visits,
             (unsigned long long)result->seed);
    struct page *page = page_open(title, summary);
    add_tiles(page, result);
    add_utilisation(page, result);
    add_on_time(page, result);
    add_lateness(page, result);
    add_backlog(page, result);
    add_response(page, result);
    add_journeys(page, result);
    add_stability(page, result);
    add_latency(page, result);
    add_paid_hours(page, result);
    if (about->scenario != NULL) add_demand(page, result, about->scenario);
    add_faults(page, result);
    add_cost(page, result);
    add_days(page, result);
    add_peer(page, result);
    add_wire(page, result);
    add_notes(page, result, about);
    return page;
}
