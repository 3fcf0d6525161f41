#include "sim/scenario/generate.h"

#include "base/check.h"
#include "base/clock.h"
#include "day/zone.h"
#include "sim/scenario/folder_day.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 24 * 3600, HOUR_S = 3600, HALF_HOUR_S = 1800 };

/* What makes one day. */
struct maker {
    const struct scenario *scenario;
    const struct town *town;
    uint64_t seed;
    int32_t index;
    int64_t local_day; /* since 1970 */
    struct day *day;
};

static int64_t utc_us(const struct maker *maker, int64_t second_of_day)
{
    return zone_local_to_utc_us((maker->local_day * DAY_S + second_of_day) * US_PER_SECOND);
}

/* Monday is 0; 1970-01-01 was a Thursday. */
static int weekday(const struct maker *maker)
{
    return (int)((maker->local_day + 3) % WEEKDAYS);
}

/* The place in `weights` where `lot` of 2^32 falls. At least one weight is above 0. */
static size_t pick(const int32_t *weights, size_t stride, size_t count, uint32_t lot)
{
    const char *at = (const char *)weights;
    uint64_t total = 0, sum = 0;
    for (size_t i = 0; i < count; i++)
        total += (uint64_t) * (const int32_t *)(const void *)(at + i * stride);
    CHECK(total > 0);
    uint64_t goal = (lot * total) >> 32;
    for (size_t i = 0; i < count; i++) {
        sum += (uint64_t) * (const int32_t *)(const void *)(at + i * stride);
        if (goal < sum) return i;
    }
    return count - 1;
}

static uint32_t draw_lot(struct rng *rng)
{
    return (uint32_t)(rng_next(rng) >> 32);
}

/* --- technicians ----------------------------------------------------------------------------- */

static const char *const given_names[] = {
    "Ada",   "Bruno", "Clara", "David", "Elena", "Felix", "Greta", "Hugo",
    "Irma",  "Jonas", "Karin", "Luca",  "Mara",  "Nino",  "Olga",  "Paul",
    "Rahel", "Simon", "Tanja", "Urs",   "Vera",  "Yves",  "Anna",
};
static const char *const family_names[] = {
    "Keller", "Frei",   "Moser",  "Roth",   "Brandt", "Wild",    "Vogel",  "Kern",
    "Lang",   "Sutter", "Baur",   "Egger",  "Fink",   "Huber",   "Imhof",  "Jost",
    "Kunz",   "Lenz",   "Marti",  "Nagel",  "Ott",    "Pfister", "Ritter", "Senn",
    "Thoma",  "Ulrich", "Walser", "Zeller", "Hauser",
};
enum {
    GIVEN_NAMES = sizeof given_names / sizeof *given_names,
    FAMILY_NAMES = sizeof family_names / sizeof *family_names,
};

/* The bits of an index the other way round: the first n of these lie evenly in [0, 2^32) for every
 * n, so shares hold in a team of any size. */
static uint32_t even_lot(uint32_t index)
{
    uint32_t lot = 0;
    for (int bit = 0; bit < 32; bit++)
        if (index >> bit & 1) lot |= UINT32_C(1) << (31 - bit);
    return lot;
}

static void add_skill(struct day_technician *technician, const char *name, uint32_t level)
{
    for (size_t i = 0; i < technician->skill_count; i++)
        if (strcmp(technician->skills[i].name, name) == 0) return;
    struct day_skill *skill = &technician->skills[technician->skill_count++];
    snprintf(skill->name, sizeof skill->name, "%s", name);
    skill->level = level;
}

static void make_skills(const struct maker *maker, struct rng *rng, uint32_t index,
                        struct day_technician *out)
{
    const struct scenario *scenario = maker->scenario;
    const struct scenario_workforce *workforce = &scenario->workforce;
    const struct scenario_skill *skills = scenario->skills;
    struct rng start = chance_of(maker->seed, CHANCE_PERSON, 0, UINT64_MAX);
    uint32_t lot = even_lot(index) + draw_lot(&start);
    size_t first = pick(&skills->people, sizeof *skills, scenario->skill_count, lot);
    uint32_t level_lot = index * UINT32_C(0x9e3779b9) + draw_lot(&start); /* even, too */
    size_t level = pick(workforce->level_percent, sizeof(int32_t), 3, level_lot);
    add_skill(out, skills[first].name, (uint32_t)level + 1);
    bool more = (int32_t)rng_below(rng, 100) < workforce->second_skill_percent;
    size_t other = pick(&skills->people, sizeof *skills, scenario->skill_count, draw_lot(rng));
    uint32_t other_level = 1 + rng_below(rng, 2);
    if (more) add_skill(out, skills[other].name, other_level);
    more = more && (int32_t)rng_below(rng, 100) < workforce->third_skill_percent;
    other = pick(&skills->people, sizeof *skills, scenario->skill_count, draw_lot(rng));
    if (more) add_skill(out, skills[other].name, 1);
}

static void make_shift(const struct maker *maker, const struct scenario_shift *shift,
                       struct day_technician *out)
{
    int32_t to_s = shift->to_s > shift->from_s ? shift->to_s : shift->to_s + DAY_S;
    out->shift_start_us = utc_us(maker, shift->from_s);
    out->shift_end_us = utc_us(maker, to_s);
    out->break_s = shift->break_s / 60 * 60;
    out->overtime_s_max = shift->overtime_s_max / 60 * 60;
    if (out->break_s == 0) return;
    int64_t earliest_s = shift->from_s + shift->break_after_s;
    out->break_earliest_us = utc_us(maker, earliest_s);
    out->break_latest_us = utc_us(maker, earliest_s + shift->break_within_s);
    /* On a day when clocks change a shift may be an hour shorter than it looks. */
    if (out->break_latest_us > out->shift_end_us) out->break_latest_us = out->shift_end_us;
    if (out->break_earliest_us > out->break_latest_us)
        out->break_earliest_us = out->break_latest_us;
}

static bool works_today(const struct maker *maker, uint32_t index)
{
    struct rng rng = chance_of(maker->seed, CHANCE_PERSON, 2 + (uint64_t)weekday(maker), index);
    int32_t percent = maker->scenario->workforce.weekday_percent[weekday(maker)];
    return index == 0 || (int32_t)rng_below(&rng, 100) < percent;
}

static void make_technician(const struct maker *maker, uint32_t index, struct day_technician *out)
{
    const struct scenario *scenario = maker->scenario;
    struct rng rng = chance_of(maker->seed, CHANCE_PERSON, 1, index);
    struct town_address home;
    *out = (struct day_technician){0};
    snprintf(out->id, sizeof out->id, "T%03u", index + 1);
    snprintf(out->name, sizeof out->name, "%s %s", given_names[rng_below(&rng, GIVEN_NAMES)],
             family_names[rng_below(&rng, FAMILY_NAMES)]);
    town_address(maker->town, &rng, &home);
    out->home = home.at;
    size_t shift = pick(&scenario->shifts->share, sizeof *scenario->shifts, scenario->shift_count,
                        draw_lot(&rng));
    make_shift(maker, &scenario->shifts[shift], out);
    make_skills(maker, &rng, index, out);
}

static void make_technicians(struct maker *maker)
{
    struct day *day = maker->day;
    uint32_t count = (uint32_t)maker->scenario->workforce.technicians;
    day->technicians = calloc(count, sizeof *day->technicians);
    CHECK(day->technicians != NULL);
    for (uint32_t i = 0; i < count; i++)
        if (works_today(maker, i))
            make_technician(maker, i, &day->technicians[day->technician_count++]);
}

/* --- orders ---------------------------------------------------------------------------------- */

/* A triangle: the farther from the usual, the rarer. The lesser of two even lots has that shape on
 * each side. Whole steps of five minutes, or of one where service can be shorter than that. */
static int32_t draw_service(const struct scenario_work *work, struct rng *rng)
{
    int32_t below_s = work->usual_s - work->least_s, above_s = work->most_s - work->usual_s;
    int32_t step_s = work->least_s >= 300 ? 300 : 60;
    bool below = (int32_t)rng_below(rng, (uint32_t)(below_s + above_s) + 1) < below_s;
    uint64_t a = draw_lot(rng), b = draw_lot(rng);
    int32_t span_s = below ? -below_s : above_s;
    int64_t off_s = span_s * (int64_t)(a < b ? a : b) / (INT64_C(1) << 32);
    int64_t service_s = (work->usual_s + off_s + step_s / 2) / step_s * step_s;
    return (int32_t)(service_s < 60 ? 60 : service_s);
}

static void draw_skill(const struct maker *maker, const struct scenario_work *work, struct rng *rng,
                       struct day_order *out)
{
    const struct scenario *scenario = maker->scenario;
    const struct scenario_skill *skills = scenario->skills;
    size_t any = pick(&skills->needs, sizeof *skills, scenario->skill_count, draw_lot(rng));
    size_t level = pick(work->level_percent, sizeof(int32_t), 3, draw_lot(rng));
    if (strcmp(work->skill, "none") == 0) return;
    const char *name = strcmp(work->skill, "any") == 0 ? skills[any].name : work->skill;
    snprintf(out->skills[0].name, sizeof out->skills[0].name, "%s", name);
    out->skills[0].level = (uint32_t)level + 1;
    out->skill_count = 1;
}

static void set_window(const struct maker *maker, struct day_order *out, int64_t start_s,
                       int64_t end_s)
{
    if (end_s < start_s + out->service_s) end_s = start_s + out->service_s;
    out->window_start_us = utc_us(maker, start_s);
    out->window_end_us = utc_us(maker, end_s);
    int64_t least_end_us = out->window_start_us + out->service_s * US_PER_SECOND;
    if (out->window_end_us < least_end_us) out->window_end_us = least_end_us; /* clocks changed */
    out->due_us = out->window_end_us;
}

static int64_t up_to(int64_t value, int64_t step)
{
    return (value + step - 1) / step * step;
}

/* Any time while open, for as many days as the work may take; today only if an hour is left. */
static void set_whole_day(const struct maker *maker, const struct scenario_work *work,
                          int64_t earliest_s, struct day_order *out)
{
    const struct scenario_demand *demand = &maker->scenario->demand;
    int64_t last_s = (int64_t)(work->window_days - 1) * DAY_S;
    bool tomorrow = earliest_s + out->service_s + HOUR_S > demand->close_s;
    if (tomorrow) earliest_s = demand->open_s + DAY_S;
    if (tomorrow && last_s == 0) last_s = DAY_S;
    set_window(maker, out, earliest_s, demand->close_s + last_s);
}

/* On a whole hour while open; tomorrow if today has none left. */
static void set_own_window(const struct maker *maker, const struct scenario_work *work,
                           int64_t earliest_s, struct rng *rng, struct day_order *out)
{
    const struct scenario_demand *demand = &maker->scenario->demand;
    int32_t halves = (work->window_most_s - work->window_least_s) / HALF_HOUR_S;
    int64_t length_s = work->window_least_s + chance_between(rng, 0, halves) * HALF_HOUR_S;
    uint32_t lot = draw_lot(rng);
    int64_t first_s = up_to(earliest_s, HOUR_S), last_s = demand->close_s - length_s;
    if (first_s > last_s) {
        first_s = demand->open_s + DAY_S;
        last_s += DAY_S;
    }
    int64_t slots = last_s < first_s ? 1 : (last_s - first_s) / HOUR_S + 1;
    int64_t start_s = first_s + (int64_t)((lot * (uint64_t)slots) >> 32) * HOUR_S;
    set_window(maker, out, start_s, start_s + length_s);
}

static void draw_window(const struct maker *maker, const struct scenario_work *work,
                        int64_t received_s, struct rng *rng, struct day_order *out)
{
    const struct scenario_demand *demand = &maker->scenario->demand;
    int64_t earliest_s = demand->open_s;
    bool whole_day = (int32_t)rng_below(rng, 100) < work->whole_day_percent;
    if (received_s > 0) {
        int64_t soon_s = up_to(received_s, HALF_HOUR_S) + HALF_HOUR_S;
        if (soon_s > earliest_s) earliest_s = soon_s;
    }
    if (work->respond_s > 0)
        set_window(maker, out, received_s, received_s + work->respond_s + out->service_s);
    else if (whole_day)
        set_whole_day(maker, work, earliest_s, out);
    else
        set_own_window(maker, work, earliest_s, rng, out);
}

/* Second of the day, on a whole minute; 0: known before. */
static int64_t draw_received(const struct maker *maker, const struct scenario_work *work,
                             struct rng *rng)
{
    const struct scenario_demand *demand = &maker->scenario->demand;
    bool known = (int32_t)rng_below(rng, 100) < demand->known_percent;
    int64_t hour = (int64_t)pick(demand->by_hour, sizeof(int32_t), HOURS, draw_lot(rng));
    int64_t minute = chance_between(rng, hour == 0 ? 1 : 0, 59);
    return known && work->respond_s == 0 ? 0 : hour * HOUR_S + minute * 60;
}

static void make_order(const struct maker *maker, const struct scenario_work *work,
                       int64_t received_s, struct rng *rng, struct day_order *out)
{
    struct town_address address;
    town_address(maker->town, rng, &address);
    out->at = address.at;
    snprintf(out->address, sizeof out->address, "%s", address.text);
    snprintf(out->work_type, sizeof out->work_type, "%s", work->name);
    out->priority = (uint32_t)work->priority;
    out->service_s = draw_service(work, rng);
    draw_skill(maker, work, rng, out);
    out->received_us = utc_us(maker, received_s);
    draw_window(maker, work, received_s, rng, out);
}

static void add_order(struct maker *maker, uint32_t index)
{
    const struct scenario *scenario = maker->scenario;
    struct rng rng = chance_of(maker->seed, CHANCE_ORDER, (uint64_t)maker->index, index);
    struct day_order *order = &maker->day->orders[maker->day->order_count++];
    size_t work = pick(&scenario->works->share, sizeof *scenario->works, scenario->work_count,
                       draw_lot(&rng));
    int64_t received_s = draw_received(maker, &scenario->works[work], &rng);
    *order = (struct day_order){0};
    snprintf(order->id, sizeof order->id, "W%02d-%04u", maker->index + 1, index + 1);
    make_order(maker, &scenario->works[work], received_s, &rng, order);
}

/* --- storms ---------------------------------------------------------------------------------- */

static const struct scenario_work *urgent_work(const struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->work_count; i++)
        if (scenario->works[i].respond_s > 0) return &scenario->works[i];
    return &scenario->works[0];
}

static bool is_storm(const struct maker *maker, const struct scenario_fault *fault)
{
    return fault->kind == FAULT_STORM && (fault->day == 0 || fault->day == maker->index + 1);
}

static void add_storm(struct maker *maker, size_t fault_index)
{
    const struct scenario_fault *fault = &maker->scenario->faults[fault_index];
    for (uint32_t i = 0; i < (uint32_t)fault->orders; i++) {
        struct rng rng = chance_of(maker->seed, CHANCE_STORM, (uint64_t)maker->index,
                                   (uint64_t)fault_index << 32 | i);
        struct day_order *order = &maker->day->orders[maker->day->order_count++];
        int64_t received_s = fault->at_s + chance_between(&rng, 0, fault->for_s / 60) * 60;
        *order = (struct day_order){0};
        snprintf(order->id, sizeof order->id, "S%02d-%zu-%04u", maker->index + 1, fault_index + 1,
                 i + 1);
        make_order(maker, urgent_work(maker->scenario), received_s, &rng, order);
    }
}

/* --- the day --------------------------------------------------------------------------------- */

static int by_received(const void *a, const void *b)
{
    const struct day_order *x = a, *y = b;
    if (x->received_us != y->received_us) return x->received_us < y->received_us ? -1 : 1;
    return strcmp(x->id, y->id);
}

static void make_orders(struct maker *maker)
{
    const struct scenario *scenario = maker->scenario;
    struct day *day = maker->day;
    const struct scenario_demand *demand = &scenario->demand;
    int64_t count = (int64_t)demand->orders * demand->weekday_percent[weekday(maker)] / 100;
    size_t room = (size_t)count + 1;
    for (size_t i = 0; i < scenario->fault_count; i++)
        if (is_storm(maker, &scenario->faults[i])) room += (size_t)scenario->faults[i].orders;
    day->orders = calloc(room, sizeof *day->orders);
    CHECK(day->orders != NULL);
    for (int64_t i = 0; i < count; i++)
        add_order(maker, (uint32_t)i);
    for (size_t i = 0; i < scenario->fault_count; i++)
        if (is_storm(maker, &scenario->faults[i])) add_storm(maker, i);
    CHECK(day->order_count < room);
    qsort(day->orders, day->order_count, sizeof *day->orders, by_received);
}

static void set_bounds(struct day *day)
{
    day->start_us = INT64_MAX;
    day->end_us = INT64_MIN;
    for (size_t i = 0; i < day->technician_count; i++) {
        const struct day_technician *technician = &day->technicians[i];
        if (technician->shift_start_us < day->start_us) day->start_us = technician->shift_start_us;
        if (technician->shift_end_us > day->end_us) day->end_us = technician->shift_end_us;
    }
}

enum err scenario_day(struct day *out, const struct scenario *scenario, const struct town *town,
                      uint64_t seed, int32_t index, struct day_errors *errors)
{
    struct day day = {0};
    errors->count = 0;
    CHECK(index >= 0 && index < scenario->days);
    if (scenario->folder.path[0] != '\0') return folder_day(out, scenario, seed, index, errors);
    struct maker maker = {.scenario = scenario,
                          .town = town,
                          .seed = seed,
                          .index = index,
                          .local_day = scenario->first_day + index,
                          .day = &day};
    snprintf(day.time_zone, sizeof day.time_zone, "%s", scenario->time_zone);
    day.service_day = maker.local_day;
    make_technicians(&maker);
    make_orders(&maker);
    set_bounds(&day);
    *out = day;
    return ERR_OK;
}
