#include "dispatcher/core/judge.h"

#include "base/check.h"

#include <string.h>

/* A route that is tried: `order` points at `visits` (the stops that stand there now) and `added`.
 */
struct trial {
    struct rest rest;
    struct route_visit visits[LIMIT_VISITS_PER_ROUTE];
    struct route_visit added;
    uint32_t ids[LIMIT_VISITS_PER_ROUTE];
    uint32_t count; /* without `added` */
    uint32_t frozen;
    uint32_t shift;
    const struct policy *policy;
};

/* What came of one place. */
struct timed {
    struct route_day day; /* as far as it gave way */
    struct route_visit visits[LIMIT_VISITS_PER_ROUTE];
    uint32_t ids[LIMIT_VISITS_PER_ROUTE];
    struct route_stop stops[LIMIT_VISITS_PER_ROUTE];
    struct route_times times;
    uint32_t count;
    struct slips slips;
    int64_t route_cost, cost; /* without and with change prices */
    int64_t gives_way_us;
    uint32_t unmendable;
};

static void slip_add(struct slips *slips, struct slip slip)
{
    for (uint32_t i = 0; i < slips->count; i++) {
        struct slip *it = &slips->items[i];
        if (it->rule != slip.rule || it->appointment != slip.appointment || it->skill != slip.skill)
            continue;
        it->amount += slip.amount;
        return;
    }
    CHECK(slips->count < SLIPS_MAX);
    slips->items[slips->count++] = slip;
}

/* --- who ---------------------------------------------------------------- */

static uint32_t level_of(const struct core *core, const struct shift *shift, uint16_t skill)
{
    const struct technician *person = &core->technicians[shift->technician];
    uint32_t level = 0;
    for (uint32_t i = 0; i < person->skill_count; i++) {
        if (person->skills[i].name != skill || person->skills[i].level <= level) continue;
        if (skill_valid(person->skill_from_us[i], person->skill_to_us[i], shift->start_us,
                        shift->end_us))
            level = person->skills[i].level;
    }
    return level;
}

static void slip_skills(const struct core *core, uint32_t index, const struct shift *shift,
                        struct slips *slips)
{
    const struct appointment *it = &core->appointments[index];
    for (uint32_t i = 0; i < it->skill_count; i++) {
        uint32_t has = level_of(core, shift, it->skills[i].name);
        if (has >= it->skills[i].level) continue;
        slip_add(slips,
                 (struct slip){RULE_SKILL, index, it->skills[i].level - has, it->skills[i].name});
    }
}

/* Of a choice that he cannot serve, the skill that he is nearest to. */
static void slip_choices(const struct core *core, uint32_t index, const struct shift *shift,
                         struct slips *slips)
{
    const struct appointment *it = &core->appointments[index];
    for (uint32_t c = 0; c < it->choice_count; c++) {
        const struct skill_choice *choice = &it->choices[c];
        struct slip least = {RULE_SKILL, index, INT64_MAX, NONE};
        for (uint32_t i = 0; i < choice->count; i++) {
            struct skill need = choice->any_of[i];
            int64_t lacks = (int64_t)need.level - level_of(core, shift, need.name);
            if (lacks < least.amount) least = (struct slip){RULE_SKILL, index, lacks, need.name};
        }
        if (choice->count > 0 && least.amount > 0) slip_add(slips, least);
    }
}

/* What no other time would mend. */
static void slip_who(const struct core *core, uint32_t index, uint32_t shift_index,
                     struct slips *slips)
{
    const struct appointment *it = &core->appointments[index];
    const struct shift *shift = &core->shifts[shift_index];
    slip_skills(core, index, shift, slips);
    slip_choices(core, index, shift, slips);
    if (it->required.count > 0 && !named_has(&it->required, shift->technician))
        slip_add(slips, (struct slip){RULE_REQUIRED, index, 0, NONE});
    if (named_has(&it->forbidden, shift->technician))
        slip_add(slips, (struct slip){RULE_EXCLUDED, index, 0, NONE});
    for (uint32_t i = 0; i < it->excluded_count; i++) {
        if (it->excluded[i] == shift->technician)
            slip_add(slips, (struct slip){RULE_EXCLUDED, index, 0, NONE});
    }
}

/* --- when --------------------------------------------------------------- */

static enum rule rule_of(enum route_rule rule)
{
    switch (rule) {
    case ROUTE_FITS: return RULE_NONE;
    case ROUTE_WINDOW_MISSED: return RULE_WINDOW;
    case ROUTE_BREAK_MISSED: return RULE_BREAK;
    case ROUTE_SHIFT_EXCEEDED: return RULE_SHIFT;
    case ROUTE_LEG_TOO_LONG: return RULE_LEG;
    case ROUTE_TRAVEL_EXCEEDED: return RULE_TRAVEL;
    }
    return RULE_NONE;
}

/* Times the route; what fails gives way until it fits, and is noted. A window gives way for an
 * arrival with the break behind if `rested`, else for the earliest. */
static void give_way(const struct core *core, struct timed *timed, bool rested)
{
    const struct route_visit *order[LIMIT_VISITS_PER_ROUTE];
    for (uint32_t i = 0; i < timed->count; i++)
        order[i] = &timed->visits[i];
    for (uint32_t steps = 0;; steps++) {
        enum route_rule rule =
            route_time(core->travel, &timed->day, order, timed->count, timed->stops, &timed->times);
        if (rule == ROUTE_FITS) return;
        CHECK(steps < 8 * LIMIT_VISITS_PER_ROUTE);
        uint32_t at = timed->times.rule_index;
        bool window = rule == ROUTE_WINDOW_MISSED;
        if (rested) timed->times.miss_us = timed->times.rested_miss_us;
        slip_add(&timed->slips, (struct slip){rule_of(rule), window ? timed->ids[at] : NONE,
                                              timed->times.miss_us, NONE});
        route_give_way(&timed->day, window ? &timed->visits[at] : NULL, &timed->times);
    }
}

static void sum_slips(struct timed *timed)
{
    timed->gives_way_us = 0;
    timed->unmendable = 0;
    for (uint32_t i = 0; i < timed->slips.count; i++) {
        bool mends = timed->slips.items[i].rule <= RULE_TRAVEL;
        timed->gives_way_us += mends ? timed->slips.items[i].amount : 0;
        timed->unmendable += !mends;
    }
}

/* The less that gives way of the two. False: nothing was to, and it does not fit. */
static bool time_anyhow(const struct core *core, struct timed *timed, bool strict)
{
    const struct route_visit *order[LIMIT_VISITS_PER_ROUTE];
    for (uint32_t i = 0; i < timed->count; i++)
        order[i] = &timed->visits[i];
    bool fits = route_time(core->travel, &timed->day, order, timed->count, timed->stops,
                           &timed->times) == ROUTE_FITS;
    if (!fits && !strict) {
        struct timed rested = *timed;
        give_way(core, timed, false);
        sum_slips(timed);
        if (rested.day.break_us > 0) {
            give_way(core, &rested, true);
            sum_slips(&rested);
            if (rested.gives_way_us < timed->gives_way_us) *timed = rested;
        }
    }
    sum_slips(timed);
    return fits || !strict;
}

static void trial_open(const struct core *core, uint32_t index, uint32_t shift_index,
                       int64_t now_us, struct trial *trial)
{
    const struct shift *shift = &core->shifts[shift_index];
    CHECK(shift->route_count < LIMIT_VISITS_PER_ROUTE);
    rest_of_day(core, shift_index, now_us, &trial->rest);
    trial->shift = shift_index;
    trial->count = shift->route_count;
    trial->frozen = 0;
    for (uint32_t i = 0; i < trial->count; i++) {
        trial->ids[i] = shift->route[i];
        trial->visits[i] = rest_visit(core, &trial->rest, shift->route[i], now_us);
        bool frozen = appointment_mobility(core, shift->route[i], now_us) == MOBILITY_FROZEN;
        if (frozen) trial->frozen = i + 1;
    }
    trial->added = rest_visit(core, &trial->rest, index, now_us);
    trial->policy = &core->territories[core->boards[shift->board].territory].policy;
}

/* The trial's route with the visit at `place`. */
static void timed_fill(const struct trial *trial, uint32_t index, uint32_t place,
                       struct timed *timed)
{
    timed->day = trial->rest.day;
    timed->count = trial->count + 1;
    timed->slips.count = 0;
    memcpy(timed->ids, trial->ids, place * sizeof timed->ids[0]);
    memcpy(timed->visits, trial->visits, place * sizeof timed->visits[0]);
    timed->ids[place] = index;
    timed->visits[place] = trial->added;
    uint32_t behind = trial->count - place;
    memcpy(&timed->ids[place + 1], &trial->ids[place], behind * sizeof timed->ids[0]);
    memcpy(&timed->visits[place + 1], &trial->visits[place], behind * sizeof timed->visits[0]);
}

/* What it costs as timed, but for what people are told anew: that is no matter of its place. */
static struct cost_parts parts_of(const struct core *core, uint32_t shift,
                                  const struct timed *timed)
{
    uint32_t technician = core->shifts[shift].technician;
    const struct board *board = &core->boards[core->shifts[shift].board];
    struct cost_visit visits[LIMIT_VISITS_PER_ROUTE];
    for (uint32_t i = 0; i < timed->count; i++) {
        const struct named *preferred = &core->appointments[timed->ids[i]].preferred_technicians;
        visits[i] = (struct cost_visit){.rules = &timed->visits[i],
                                        .prefers_others = preferred->count > 0 &&
                                                          !named_has(preferred, technician)};
    }
    return cost_of_route(&core->territories[board->territory].policy, 0, visits, timed->stops,
                         timed->count, &timed->times);
}

static bool timed_better(const struct timed *a, const struct timed *b)
{
    if (a->unmendable != b->unmendable) return a->unmendable < b->unmendable;
    if (a->gives_way_us != b->gives_way_us) return a->gives_way_us < b->gives_way_us;
    return a->cost < b->cost;
}

/* Others start no earlier than they were told, if every rule bears that and nobody gets later. */
static void keep_told(const struct core *core, struct timed *timed, uint32_t added)
{
    struct route_visit visits[LIMIT_VISITS_PER_ROUTE];
    const struct route_visit *order[LIMIT_VISITS_PER_ROUTE];
    struct route_stop stops[LIMIT_VISITS_PER_ROUTE];
    struct route_times times;
    for (uint32_t i = 0; i < timed->count; i++) {
        int64_t told_us = core->appointments[timed->ids[i]].planned_start_us;
        visits[i] = timed->visits[i];
        order[i] = &visits[i];
        if (timed->ids[i] != added && told_us > visits[i].not_before_us)
            visits[i].not_before_us = told_us;
    }
    if (route_time(core->travel, &timed->day, order, timed->count, stops, &times) != ROUTE_FITS)
        return;
    for (uint32_t i = 0; i < timed->count; i++) {
        if (stops[i].late_us > timed->stops[i].late_us) return;
    }
    memcpy(timed->stops, stops, timed->count * sizeof stops[0]);
}

/* What the move tells others anew, and those who had it at another time. */
static int64_t change_price(const struct core *core, const struct trial *trial, int64_t now_us,
                            uint32_t added, int64_t told_us, const struct timed *timed)
{
    struct cost_visit visits[LIMIT_VISITS_PER_ROUTE];
    static const struct route_times no_times;
    for (uint32_t i = 0; i < timed->count; i++) {
        int64_t before_us = core->appointments[timed->ids[i]].planned_start_us;
        if (timed->ids[i] == added) before_us = told_us;
        visits[i] = (struct cost_visit){
            .rules = &timed->visits[i], .published = before_us != 0, .planned_start_us = before_us};
    }
    struct cost_parts parts =
        cost_of_route(trial->policy, now_us, visits, timed->stops, timed->count, &no_times);
    return parts.change_start;
}

static void weigh(const struct core *core, const struct trial *trial, int64_t now_us,
                  uint32_t added, int64_t told_us, struct timed *timed)
{
    struct cost_parts parts = parts_of(core, trial->shift, timed);
    timed->route_cost = cost_total(&parts);
    keep_told(core, timed, added);
    timed->cost = timed->route_cost + change_price(core, trial, now_us, added, told_us, timed);
}

/* How much delay alone had stretched the rule already (rest.c): people know it as it was. */
static int64_t stretched_us(const struct core *core, const struct trial *trial,
                            const struct slip *slip)
{
    const struct shift *shift = &core->shifts[trial->shift];
    if (slip->rule == RULE_SHIFT && trial->rest.day.shift_end_us == shift->end_us)
        return trial->rest.day.overtime_us_max - shift->overtime_us_max;
    if (slip->rule != RULE_WINDOW) return 0;
    const struct appointment *it = &core->appointments[slip->appointment];
    for (uint32_t i = 0; i < trial->count; i++) {
        const struct route_visit *visit = &trial->visits[i];
        if (trial->ids[i] != slip->appointment || it->pin_start_us != 0) continue;
        return visit->windows[visit->window_count - 1].end_us -
               it->windows[it->window_count - 1].end_us;
    }
    return 0;
}

/* The slips of who and of a frozen visit behind, in front of those of time. */
static void settle(const struct core *core, const struct trial *trial, const struct slips *who,
                   const struct timed *best, uint32_t place, struct judged *out)
{
    bool absent = false;
    out->shift = trial->shift;
    out->place = place;
    out->count = best->count;
    out->cost = best->route_cost;
    out->slips = *who;
    for (uint32_t i = 0; i < who->count; i++)
        absent |= who->items[i].rule == RULE_ABSENT;
    for (uint32_t i = 0; i < best->count; i++) {
        out->route[i] = best->ids[i];
        out->start_us[i] = best->stops[i].start_us;
    }
    for (uint32_t i = 0; i < best->slips.count; i++) { /* who is away has no shift to exceed */
        struct slip slip = best->slips.items[i];
        slip.amount += stretched_us(core, trial, &slip);
        if (!absent || slip.rule != RULE_SHIFT) slip_add(&out->slips, slip);
    }
}

void judge(const struct core *core, uint32_t index, uint32_t shift, struct wish wish,
           int64_t now_us, struct judged *out)
{
    struct trial trial;
    struct timed tries[2], *timed = &tries[0];
    const struct timed *best = NULL;
    struct slips who = {.count = 0};
    uint32_t best_place = NONE;
    trial_open(core, index, shift, now_us, &trial);
    if (!wish.stays) slip_who(core, index, shift, &who);
    if (trial.rest.off) slip_add(&who, (struct slip){RULE_ABSENT, NONE, 0, NONE});
    CHECK(wish.place <= trial.count + 1);
    bool steps_in = core->appointments[index].emergency && wish.from != shift;
    for (uint32_t place = 0; place <= trial.count; place++) {
        bool ahead = place < trial.frozen && !steps_in;
        if (wish.place != 0 && place != wish.place - 1) continue;
        if (wish.strict && (ahead || who.count > 0)) continue;
        timed_fill(&trial, index, place, timed);
        if (ahead) slip_add(&timed->slips, (struct slip){RULE_FROZEN, trial.ids[place], 0, NONE});
        if (!time_anyhow(core, timed, wish.strict)) continue;
        weigh(core, &trial, now_us, index, wish.told_us, timed);
        if (best != NULL && !timed_better(timed, best)) continue;
        best = timed;
        best_place = place;
        timed = timed == &tries[0] ? &tries[1] : &tries[0];
    }
    out->count = 0;
    if (best != NULL) settle(core, &trial, &who, best, best_place, out);
    CHECK(wish.strict || out->count > 0);
}

/* The route as it stands. */
static void time_shift(const struct core *core, uint32_t index, int64_t now_us, struct timed *timed)
{
    const struct shift *shift = &core->shifts[index];
    struct rest rest;
    rest_of_day(core, index, now_us, &rest);
    *timed = (struct timed){.count = shift->route_count, .day = rest.day};
    for (uint32_t i = 0; i < timed->count; i++) {
        timed->ids[i] = shift->route[i];
        timed->visits[i] = rest_visit(core, &rest, shift->route[i], now_us);
    }
    (void)time_anyhow(core, timed, false);
}

void shift_stops(const struct core *core, uint32_t index, int64_t now_us, struct route_day *day,
                 struct route_stop *stops, struct route_times *times)
{
    struct timed timed;
    time_shift(core, index, now_us, &timed);
    *day = timed.day;
    *times = timed.times;
    memcpy(stops, timed.stops, timed.count * sizeof stops[0]);
}

struct cost_parts shift_parts(const struct core *core, uint32_t index, int64_t now_us,
                              enum rule *broken, struct route_stop *stops)
{
    struct timed timed;
    if (broken != NULL) *broken = RULE_NONE;
    if (core->shifts[index].route_count == 0) return (struct cost_parts){0};
    time_shift(core, index, now_us, &timed);
    if (broken != NULL && timed.slips.count > 0) *broken = timed.slips.items[0].rule;
    if (stops != NULL) memcpy(stops, timed.stops, timed.count * sizeof stops[0]);
    return parts_of(core, index, &timed);
}

/* Who comes home by so much too late is told to people. */
static const int64_t OVER_MIN_US = 60 * INT64_C(1000000);

void shift_slips(const struct core *core, uint32_t index, int64_t now_us, struct slips *out)
{
    const struct shift *shift = &core->shifts[index];
    struct timed timed;
    struct rest rest;
    out->count = 0;
    if (shift->route_count == 0) return;
    rest_of_day(core, index, now_us, &rest);
    if (rest.off) slip_add(out, (struct slip){RULE_ABSENT, NONE, 0, NONE});
    for (uint32_t i = 0; i < shift->route_count; i++)
        slip_who(core, shift->route[i], index, out);
    time_shift(core, index, now_us, &timed);
    for (uint32_t i = 0; i < timed.slips.count; i++) {
        if (timed.slips.items[i].rule != RULE_SHIFT) slip_add(out, timed.slips.items[i]);
    }
    /* What must stay with him has stretched his shift already (rest.c): it is told as it was. */
    int64_t over_us = timed.times.end_us - shift->end_us - shift->overtime_us_max;
    if (!rest.off && over_us >= OVER_MIN_US) /* who is away has no shift to exceed */
        slip_add(out, (struct slip){RULE_SHIFT, NONE, over_us, NONE});
}

struct violation violation_of(const struct core *core, const struct slip *slip)
{
    return (struct violation){
        .rule = slip->rule,
        .appointment_id = slip->appointment == NONE ? "" : core->appointments[slip->appointment].id,
        .amount = slip->amount,
        .skill = slip->skill == NONE ? "" : core->skills[slip->skill].name,
    };
}
