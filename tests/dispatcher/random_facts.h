/* random_facts.h - a small world in which anything is said: people, orders, plans good, stale and
 * garbage, reports of everybody about everything, with known chances from a seed.
 *
 * Owner: the one test that includes it. The texts of a fact live in the world's arena.
 */
#ifndef CALLOUT_TESTS_RANDOM_FACTS_H
#define CALLOUT_TESTS_RANDOM_FACTS_H

#include "blank_order.h"

#include "base/rng.h"
#include "dispatcher/core/state.h"
#include "dispatcher/store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 400, PEOPLE = 5, ORDERS = 40, DAYS = 3, FIRST_DAY = 20780 };
#define MINUTE_US INT64_C(60000000)
#define DAY_US    (1440 * MINUTE_US)

/* A visit as the optimizer was told of it. */
struct heard {
    bool there, emergency, published;
    uint32_t technician, position, skill_count, excluded_count;
    enum mobility mobility;
    int64_t priority, planned_start_us;
    struct route_visit rules;
    uint32_t choice_count, required_count, preferred_count;
};

/* What somebody knows of a day who was told what changed since `revision`. */
struct follower {
    struct core *core;
    uint64_t revision;
    struct heard visits[ORDERS + 4];
    struct route_day people[PEOPLE + 4];
    bool works[PEOPLE + 4];
};

struct world {
    struct rng rng;
    uint64_t seed;
    uint32_t step;
    struct arena core_arena, texts, scratch;
    struct core *core;
    struct store *store;
    struct fact told[STEPS]; /* what was applied; its texts live in `texts` */
    uint32_t told_count, refused;
    int64_t now_us;
    struct follower followers[DAYS + 2];
};

/* Where it went wrong, so that the seed can be run again. */
#define HOLDS(world, condition)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %llu, step %u: %s", (unsigned long long)(world)->seed, (world)->step,   \
                     #condition);                                                                  \
    } while (0)

static inline uint32_t pick(struct world *world, uint32_t bound)
{
    return rng_below(&world->rng, bound);
}

static inline bool chance(struct world *world, uint32_t percent)
{
    return pick(world, 100) < percent;
}

static inline const char *name(struct world *world, char letter, uint32_t number, const char *end)
{
    char buffer[32];
    snprintf(buffer, sizeof buffer, "%c%u%s", letter, number, end);
    return arena_text(&world->texts, buffer);
}

/* --- facts --- */

static inline const char *any_technician(struct world *world)
{
    return name(world, 'T', pick(world, PEOPLE + (chance(world, 3) ? 3 : 0)), "");
}

static inline const char *any_appointment(struct world *world)
{
    return name(world, 'W', pick(world, ORDERS + (chance(world, 3) ? 3 : 0)), ".1");
}

static inline struct point any_point(struct world *world)
{
    return (struct point){471000000 + (int32_t)pick(world, 1200000),
                          95000000 + (int32_t)pick(world, 600000)};
}

static inline int64_t midnight(const struct world *world)
{
    return world->now_us / DAY_US * DAY_US;
}

static inline void make_technician(struct world *world, struct fact *fact)
{
    struct fact_technician *it = &fact->technician;
    struct fact_shift *shifts = arena_need(&world->texts, DAYS * sizeof *shifts);
    struct fact_skill *skills = arena_need(&world->texts, 2 * sizeof *skills);
    fact->kind = FACT_TECHNICIAN;
    *it = (struct fact_technician){.technician_id = any_technician(world),
                                   .territory_id = chance(world, 98) ? "north" : "nowhere",
                                   .name = "",
                                   .home = any_point(world),
                                   .leg_s_max = chance(world, 30) ? 900 + pick(world, 3600) : 0,
                                   .travel_s_max = chance(world, 30) ? 3600 + pick(world, 9000) : 0,
                                   .skills = skills,
                                   .skill_count = pick(world, 3),
                                   .shifts = shifts,
                                   .shift_count = DAYS};
    for (uint32_t i = 0; i < 2; i++)
        skills[i] = (struct fact_skill){i == 0 ? "gas" : "power", 1 + pick(world, 3), 0, 0};
    int64_t from_us = (6 + (int64_t)pick(world, 4)) * 60 * MINUTE_US;
    for (int64_t i = 0; i < DAYS; i++) {
        int64_t start_us = (FIRST_DAY + i) * DAY_US + from_us;
        shifts[i] = (struct fact_shift){
            .service_day = FIRST_DAY + i,
            .start_us = start_us,
            .end_us = start_us + (300 + (int64_t)pick(world, 300)) * MINUTE_US,
            .overtime_us_max = pick(world, 2) * 30 * MINUTE_US,
            .break_earliest_us = start_us + 200 * MINUTE_US,
            .break_latest_us = start_us + (200 + (int64_t)pick(world, 90)) * MINUTE_US,
            .break_us = pick(world, 2) * 30 * MINUTE_US,
        };
    }
}

static inline struct fact_named any_names(struct world *world)
{
    const char **ids = arena_need(&world->texts, sizeof *ids * 2);
    ids[0] = any_technician(world);
    ids[1] = any_technician(world);
    return (struct fact_named){ids, chance(world, 15) ? 1 + pick(world, 2) : 0};
}

/* What the order asks for besides a skill, and what it would like. */
static inline void make_wishes(struct world *world, struct fact_work_order *it)
{
    struct fact_choice *choices = arena_need(&world->texts, sizeof *choices * 2);
    struct fact_skill *either = arena_need(&world->texts, sizeof *either * 2);
    bool *preferred = arena_need(&world->texts, 2), *promised = arena_need(&world->texts, 2);
    either[0] = (struct fact_skill){"gas", 1 + pick(world, 3), 0, 0};
    either[1] = (struct fact_skill){"power", 1 + pick(world, 3), 0, 0};
    choices[0] = (struct fact_choice){either, 2};
    choices[1] = (struct fact_choice){either + 1, 1};
    it->choices = choices;
    it->choice_count = chance(world, 20) ? 1 + pick(world, 2) : 0;
    it->required = any_names(world);
    it->preferred = any_names(world);
    it->excluded = any_names(world);
    for (uint32_t i = 0; i < 2; i++) {
        preferred[i] = chance(world, 30);
        promised[i] = chance(world, 30);
    }
    it->window_preferred = preferred;
    it->promised = promised;
    it->late_us_max = chance(world, 30) ? (int64_t)pick(world, 90) * MINUTE_US : 0;
}

static inline void make_order(struct world *world, struct fact *fact)
{
    struct fact_work_order *it = &fact->work_order;
    struct window *windows = arena_need(&world->texts, 2 * sizeof *windows);
    struct fact_skill *skills = arena_need(&world->texts, sizeof *skills);
    *it = blank_order(name(world, 'W', pick(world, ORDERS), ""), "north");
    it->point = any_point(world);
    it->service_us = (5 + (int64_t)pick(world, 60)) * MINUTE_US;
    it->priority = 1 + pick(world, 9);
    it->emergency = chance(world, 10);
    it->skills = skills;
    it->skill_count = chance(world, 25);
    it->windows = windows;
    it->window_count = pick(world, 3);
    fact->kind = FACT_WORK_ORDER;
    make_wishes(world, it);
    skills[0] = (struct fact_skill){chance(world, 97) ? "gas" : "magic", 1 + pick(world, 2), 0, 0};
    int64_t day = world->now_us / DAY_US + chance(world, 20);
    int64_t start_us = day * DAY_US + (6 + (int64_t)pick(world, 8)) * 60 * MINUTE_US;
    windows[0] = (struct window){start_us, start_us + (int64_t)pick(world, 180) * MINUTE_US};
    windows[1] = (struct window){windows[0].end_us + (int64_t)pick(world, 60) * MINUTE_US,
                                 windows[0].end_us + 120 * MINUTE_US};
    it->service_day = day;
}

static inline void make_subject(struct world *world, struct fact *fact, enum fact_kind kind)
{
    bool cancel = kind == FACT_CANCEL, held = kind == FACT_HOLD || kind == FACT_RELEASE;
    fact->kind = kind;
    fact->subject = (struct fact_subject){
        .id = cancel || held ? name(world, 'W', pick(world, ORDERS), "") : any_appointment(world),
        .technician_id = kind == FACT_PIN && chance(world, 40) ? "" : any_technician(world),
        .reason = chance(world, 30) ? "so it be" : "",
        .start_us = chance(world, 30) ? world->now_us + (int64_t)pick(world, 400) * MINUTE_US : 0,
        .expected_version = chance(world, 10) ? pick(world, STEPS) : 0,
        .pin_technician = chance(world, 50),
        .pin_time = chance(world, 30),
    };
    if (cancel && chance(world, 50)) fact->role = ROLE_CUSTOMER;
}

static inline void make_restore(struct world *world, struct fact *fact)
{
    struct fact_standing *standings = arena_need(&world->texts, 3 * sizeof *standings);
    fact->kind = FACT_RESTORE;
    fact->restore = (struct fact_restore){.standings = standings, .count = 1 + pick(world, 3)};
    for (uint32_t i = 0; i < fact->restore.count; i++)
        standings[i] = (struct fact_standing){
            .appointment_id = any_appointment(world),
            .technician_id = chance(world, 30) ? "" : any_technician(world),
            .start_us = world->now_us + (int64_t)pick(world, 600) * MINUTE_US,
            .pin_technician_id = chance(world, 70) ? "" : any_technician(world),
        };
}

static inline void make_swap(struct world *world, struct fact *fact)
{
    fact->kind = FACT_SWAP;
    fact->swap = (struct fact_swap){.id = any_appointment(world),
                                    .other_id = any_appointment(world),
                                    .reason = chance(world, 60) ? "so it be" : ""};
}

static inline void make_report(struct world *world, struct fact *fact)
{
    static const enum fact_kind kinds[] = {FACT_STATUS, FACT_STATUS, FACT_STATUS, FACT_STATUS,
                                           FACT_STATUS, FACT_LATE,   FACT_DECLINE};
    const struct core *core = world->core;
    fact->kind = kinds[pick(world, sizeof kinds / sizeof kinds[0])];
    fact->role = ROLE_TECHNICIAN;
    fact->technician_id = any_technician(world);
    fact->device_time_us = world->now_us - (int64_t)pick(world, 30) * MINUTE_US;
    fact->status = (struct fact_status){.appointment_id = any_appointment(world), .reason = ""};
    fact->status.status = (enum appointment_status)(
        APPOINTMENT_ACCEPTED + pick(world, APPOINTMENT_NO_ACCESS - APPOINTMENT_ACCEPTED + 1));
    fact->status.point_given = chance(world, 20);
    fact->status.point = any_point(world);
    if (fact->kind == FACT_STATUS && chance(world, 10)) {
        fact->told = true;
        fact->device_time_us = 0;
        fact->happened_us = world->now_us - (int64_t)pick(world, 90) * MINUTE_US;
    }
    fact->status.delay_us = (1 + (int64_t)pick(world, 90)) * MINUTE_US;
    if (core->appointment_count == 0 || chance(world, 15)) return;
    /* Mostly about what is his, one step on. */
    const struct appointment *it = &core->appointments[pick(world, core->appointment_count)];
    for (uint32_t tries = 0; tries < 6 && (it->shift == NONE || life_final(it->status)); tries++)
        it = &core->appointments[pick(world, core->appointment_count)];
    if (it->shift == NONE) return;
    fact->status.appointment_id = arena_text(&world->texts, it->id);
    fact->technician_id =
        arena_text(&world->texts, core->technicians[core->shifts[it->shift].technician].id);
    if (chance(world, 70) && it->status >= APPOINTMENT_SCHEDULED && !life_final(it->status))
        fact->status.status = it->status < APPOINTMENT_ACCEPTED   ? APPOINTMENT_ACCEPTED
                              : it->status == APPOINTMENT_WORKING ? APPOINTMENT_COMPLETED
                              : it->status == APPOINTMENT_PAUSED
                                  ? APPOINTMENT_WORKING
                                  : (enum appointment_status)(it->status + 1);
}

static inline void make_absence(struct world *world, struct fact *fact)
{
    int64_t start_us = midnight(world) + (int64_t)pick(world, 2000) * MINUTE_US;
    bool open = chance(world, 40);
    fact->kind = FACT_ABSENCE;
    fact->absence =
        (struct fact_absence){any_technician(world), "", open ? 0 : start_us,
                              open ? 0 : start_us + (int64_t)pick(world, 400) * MINUTE_US, 0};
}

/* A naive planner: each technician keeps his frozen visits, and takes others as they come. */
static inline void make_plan(struct world *world, struct fact *fact)
{
    const struct core *core = world->core;
    struct fact_route *routes = arena_need(&world->texts, (PEOPLE + 4) * sizeof *routes);
    struct fact_plan *plan = &fact->plan;
    uint8_t used[ORDERS + 4] = {0};
    fact->kind = FACT_PLAN;
    fact->role = ROLE_OPTIMIZER;
    *plan = (struct fact_plan){.territory_id = "north",
                               .service_day = world->now_us / DAY_US + chance(world, 10),
                               .routes = routes,
                               .base_revision = (uint64_t)core->seq};
    if (chance(world, 25)) plan->base_revision -= (uint64_t)pick(world, (uint32_t)core->seq + 1);
    if (chance(world, 1)) plan->base_revision += 5;
    uint32_t board = find_board(core, 0, plan->service_day);
    for (uint32_t t = 0; t < core->technician_count; t++) {
        uint32_t shift = board == NONE ? NONE : find_shift(core, t, board);
        if (shift == NONE || chance(world, 20)) continue;
        struct fact_route *route = &routes[plan->route_count++];
        const char **ids = arena_need(&world->texts, 40 * sizeof *ids);
        *route = (struct fact_route){arena_text(&world->texts, core->technicians[t].id), ids, 0};
        const struct shift *has = &core->shifts[shift];
        for (uint32_t i = 0; i < has->route_count && route->count < 12; i++) {
            if (used[has->route[i]] || (chance(world, 12) && route->count > 0)) continue;
            used[has->route[i]] = 1;
            ids[route->count++] = arena_text(&world->texts, core->appointments[has->route[i]].id);
        }
        if (route->count > 1 && chance(world, 15)) {
            uint32_t at = pick(world, route->count - 1);
            const char *first = ids[at];
            ids[at] = ids[at + 1];
            ids[at + 1] = first;
        }
        for (uint32_t tries = 0; tries < 4 && core->appointment_count > 0; tries++) {
            uint32_t other = pick(world, core->appointment_count);
            const struct appointment *it = &core->appointments[other];
            bool garbage = chance(world, 1);
            bool fits = it->board == board && life_plannable(it->status) && !used[other];
            if (!fits && !garbage) continue;
            if (it->shift != NONE && !garbage && chance(world, 60)) continue;
            used[other] = 1;
            uint32_t at = chance(world, 70) ? route->count : pick(world, route->count + 1);
            memmove(&ids[at + 1], &ids[at], (route->count - at) * sizeof *ids);
            ids[at] = arena_text(&world->texts, it->id);
            route->count++;
        }
    }
    if (chance(world, 2) && plan->route_count > 0)
        routes[plan->route_count++] = (struct fact_route){any_technician(world), NULL, 0};
}

static inline void make_territory(struct world *world, struct fact *fact)
{
    static const char *const skills[] = {"gas", "power"};
    fact->kind = FACT_TERRITORY;
    fact->territory = (struct fact_territory){.territory_id = "north",
                                              .name = "",
                                              .time_zone = "UTC",
                                              .policy_given = chance(world, 50),
                                              .policy = policy_default,
                                              .skill_names = skills,
                                              .skill_count = 2};
    fact->territory.policy.changes_per_technician_day_max = (int32_t)pick(world, 4);
    fact->territory.policy.changed_visits_percent_max = (int32_t)pick(world, 3) * 10;
}

static inline void make_tick(struct world *world, struct fact *fact)
{
    bool day = chance(world, 10);
    fact->kind = FACT_TICK;
    fact->role = ROLE_CLOCK;
    fact->tick.territory_id = day ? "north" : "";
    fact->tick.service_day = day ? world->now_us / DAY_US : 0;
}

static inline void make_fact(struct world *world, struct fact *fact)
{
    uint32_t dice = pick(world, 100);
    fact->role = ROLE_DISPATCHER;
    fact->technician_id = "";
    if (world->step == 0) {
        make_territory(world, fact);
    } else if (world->step < 6) {
        make_technician(world, fact);
    } else if (dice < 1) {
        make_territory(world, fact);
    } else if (dice < 3) {
        make_technician(world, fact);
    } else if (dice < 20) {
        make_order(world, fact);
    } else if (dice < 22) {
        make_subject(world, fact, FACT_CANCEL);
    } else if (dice < 27) {
        make_subject(world, fact, FACT_ASSIGN);
    } else if (dice < 29) {
        make_subject(world, fact, FACT_UNASSIGN);
    } else if (dice < 32) {
        make_subject(world, fact, FACT_PIN);
    } else if (dice < 33) {
        make_absence(world, fact);
    } else if (dice < 34) {
        fact->kind = FACT_FREEZE;
        fact->freeze.territory_id = "north";
        fact->freeze.freeze_us = (int64_t)pick(world, 60) * MINUTE_US;
    } else if (dice < 36) {
        fact->kind = FACT_DRIFT;
        fact->drift.technician_id = any_technician(world);
        fact->drift.point = any_point(world);
        fact->drift.fix_time_us = world->now_us - MINUTE_US;
    } else if (dice < 37 && pick(world, 2) == 0) {
        fact->kind = FACT_QUARANTINED;
    } else if (dice < 37) {
        fact->kind = FACT_RESOLVE;
        fact->resolve.conflict_seq = (int64_t)pick(world, 1000);
        fact->resolve.actor = fact->resolve.note = "";
    } else if (dice < 40) {
        make_swap(world, fact);
    } else if (dice < 41) {
        make_restore(world, fact);
    } else if (dice < 43) {
        make_subject(world, fact, dice < 42 ? FACT_HOLD : FACT_RELEASE);
    } else if (dice < 60) {
        make_report(world, fact);
    } else if (dice < 68) {
        make_tick(world, fact);
    } else {
        make_plan(world, fact);
    }
}

#endif
