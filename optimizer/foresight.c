#include "optimizer/foresight.h"

#include "base/check.h"
#include "base/rng.h"

#include <stdio.h>
#include <string.h>

enum { DRAWS_EACH = 8, EJECT_TRIALS = 4096 };

struct working_day {
    int64_t from_us, until_us; /* the first shift's start, the last one's end */
};

static struct working_day working_day(const struct workday *day)
{
    struct working_day hours = {INT64_MAX, 0};
    for (uint32_t i = 0; i < day->technician_count; i++) {
        const struct technician_slot *who = &day->technicians[day->technician_order[i]];
        if (!who->working) continue;
        if (who->day.available_us < hours.from_us) hours.from_us = who->day.available_us;
        if (who->day.shift_end_us > hours.until_us) hours.until_us = who->day.shift_end_us;
    }
    return hours;
}

/* What an order that comes at `from_us` still has of these windows; false: nothing. */
static bool windows_from(struct route_visit *visit, int64_t from_us, int64_t until_us)
{
    uint32_t count = 0;
    if (visit->window_count == 0) visit->windows[visit->window_count++].end_us = until_us;
    for (uint32_t i = 0; i < visit->window_count; i++) {
        struct window window = visit->windows[i];
        if (window.end_us <= from_us) continue;
        if (window.start_us < from_us) window.start_us = from_us;
        visit->windows[count++] = window;
    }
    visit->window_count = count;
    return count > 0;
}

static uint32_t skills_named(const struct workday *day, const struct skill *skills, uint32_t count,
                             struct skill_named *out)
{
    for (uint32_t i = 0; i < count; i++)
        out[i] = (struct skill_named){day->skill_names[skills[i].name], skills[i].level};
    return count;
}

static bool add_guess(struct workday *day, const char *id, const struct visit_slot *like,
                      struct route_visit *visit)
{
    struct need_set need = day->needs[like->need];
    struct skill_named skills[LIMIT_SKILLS_PER_ENTITY];
    struct skill_named any_of[LIMIT_SKILL_CHOICES_PER_ORDER][LIMIT_SKILLS_PER_ENTITY];
    struct visit_told told = {.id = id,
                              .visit = *visit,
                              .priority = 1,
                              .mobility = VISIT_MOVABLE,
                              .technician_id = "",
                              .skills = skills,
                              .load = like->load};
    told.skill_count = skills_named(day, need.skills, need.count, skills);
    told.choice_count = need.choice_count;
    for (uint32_t i = 0; i < need.choice_count; i++) {
        const struct skill_choice *choice = &need.choices[i];
        told.choices[i].count = skills_named(day, choice->any_of, choice->count, any_of[i]);
        told.choices[i].any_of = any_of[i];
    }
    struct problem problem;
    return workday_set_visit(day, &told, &problem) == ERR_OK;
}

static void guess_id(char *id, size_t size, uint32_t name)
{
    snprintf(id, size, "~guess-%u", name);
}

/* Nothing but canonical order may be drawn from: slots depend on who came first. */
static bool guess(struct guesses *guesses, struct workday *day, const uint32_t *known,
                  uint32_t known_count, const struct working_day *hours, struct rng *rng)
{
    const struct visit_slot *like = &day->visits[known[rng_below(rng, known_count)]];
    const struct visit_slot *there = &day->visits[known[rng_below(rng, known_count)]];
    int64_t minutes = (hours->until_us - hours->from_us) / INT64_C(60000000);
    int64_t comes_us = hours->from_us + rng_below(rng, (uint32_t)minutes + 1) * INT64_C(60000000);
    struct route_visit visit = like->visit;
    if (like->mobility != VISIT_MOVABLE || !windows_from(&visit, comes_us, hours->until_us))
        return false;
    visit.at = there->visit.at;
    visit.preferred_count = 0;
    char id[LIMIT_ID + 1];
    uint32_t name = guesses->count == 0 ? 0 : guesses->names[guesses->count - 1] + 1u;
    guess_id(id, sizeof id, name);
    while (workday_visit(day, id) != NO_INDEX && name < UINT16_MAX)
        guess_id(id, sizeof id, ++name); /* somebody's order has that name */
    if (name == UINT16_MAX || !add_guess(day, id, like, &visit)) return false;
    guesses->names[guesses->count++] = (uint16_t)name;
    return true;
}

void foresee(struct guesses *guesses, struct solver *solver, uint32_t percent, uint64_t seed)
{
    struct workday *day = &solver->day;
    uint32_t known_count = day->visits_used;
    struct working_day hours = working_day(day);
    struct rng rng = {seed};
    guesses->count = 0;
    if (known_count < FORESIGHT_FROM || hours.from_us >= hours.until_us) return;
    arena_rewind(&solver->recombining);
    uint32_t *known = arena_need(&solver->recombining, sizeof *known * known_count);
    memcpy(known, day->visit_order, sizeof *known * known_count);
    int64_t whole_us = hours.until_us - hours.from_us;
    if (hours.from_us < day->now_us) hours.from_us = day->now_us;
    if (hours.from_us >= hours.until_us) return;
    int64_t wanted = (int64_t)known_count * percent / 100;
    wanted = wanted * (hours.until_us - hours.from_us) / whole_us;
    if (wanted > GUESSES_MAX) wanted = GUESSES_MAX;
    for (int64_t draws = wanted * DRAWS_EACH; draws > 0 && guesses->count < wanted; draws--)
        (void)guess(guesses, day, known, known_count, &hours, &rng);
}

void forget_guesses(struct guesses *guesses, struct solver *solver)
{
    for (uint32_t i = 0; i < guesses->count; i++) {
        char id[LIMIT_ID + 1];
        guess_id(id, sizeof id, guesses->names[i]);
        solver_remove_visit(solver, id);
    }
    guesses->count = 0;
}

/* Routes by slots, which outlive the instance. */
struct kept_routes {
    uint32_t *visits; /* of all routes, in their order */
    uint32_t *counts; /* by technician's slot */
    uint32_t *technicians;
};

static struct kept_routes routes_keep(struct solver *solver)
{
    const struct instance *in = &solver->in;
    struct arena *arena = &solver->recombining;
    arena_rewind(arena);
    struct kept_routes kept = {
        .visits = arena_need(arena, sizeof *kept.visits * (in->visit_count + 1)),
        .counts = arena_need(arena, sizeof *kept.counts * (in->technician_count + 1)),
        .technicians = arena_need(arena, sizeof *kept.technicians * (in->technician_count + 1))};
    uint32_t at = 0;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        const struct route *route = &solver->plan.routes[t];
        kept.technicians[t] = in->technicians[t].slot;
        kept.counts[t] = route->count;
        for (uint32_t i = 0; i < route->count; i++)
            kept.visits[at++] = in->nodes[route->stops[i + 1].visit].slot;
    }
    return kept;
}

/* Without triangles a route may not hold without a guess in it: then its visits are inserted. */
static void routes_put(struct solver *solver, const struct kept_routes *kept)
{
    const struct instance *in = &solver->in;
    const uint32_t *slots = kept->visits;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        uint16_t visits[ROUTE_MAX];
        uint32_t count = 0;
        CHECK(kept->technicians[t] == in->technicians[t].slot);
        for (uint32_t i = 0; i < kept->counts[t]; i++, slots++) {
            uint32_t rank = in->visit_of_slot[*slots];
            if (solver->day.visits[*slots].used && rank != NO_INDEX)
                visits[count++] = (uint16_t)rank;
        }
        (void)plan_set_route(&solver->plan, t, visits, count);
    }
}

void keep_plan(struct guesses *guesses, struct solver *solver)
{
    if (guesses->count == 0) return;
    struct kept_routes kept = routes_keep(solver);
    forget_guesses(guesses, solver);
    solver_renew(solver);
    routes_put(solver, &kept);
    if (solver->plan.unserved_count > 0) {
        repair_insert(&solver->plan, &solver->work);
        repair_eject(&solver->plan, EJECT_TRIALS, &solver->work);
    }
    pool_keep(&solver->pool, &solver->plan);
}
