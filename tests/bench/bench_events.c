/* bench_events.c - what one event costs the optimizer: the repaired plan, in CPU time of
 * instance_build and repair with the change itself, and what it does to those who were planned.
 *
 *   urgent NAME FILE.vroom.json ROUNDS STEP
 *       The full day is solved with ROUNDS of search. Then every STEPth order in turn is cancelled,
 *       its place given to others by a search, and comes in again as urgent.
 *   stream NAME ORDERS TECHNICIANS EVENTS ROUNDS SEED
 *       A made-up day of a town at 08:00, when nothing is begun yet: the hardest moment. Events in
 *       the shares of the prototype's stream: new 36 %, cancel 30, delayed 15, absent or back 5,
 *       early 14. ROUNDS of search follow each, as they do in the service.
 */
#include "base/clock.h"
#include "base/rng.h"
#include "figures.h"
#include "optimizer/solve_input.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { ORDERS_MAX = 4096, TECHNICIANS_MAX = 512, FILE_MAX = 64 << 20 };

static int fail(const char *what)
{
    fprintf(stderr, "bench_events: %s\n", what);
    return 1;
}

static void must(enum err err, const struct problem *problem)
{
    if (err == ERR_OK) return;
    fprintf(stderr, "bench_events: %s: %s\n", problem->field, problem->text);
    exit(1);
}

/* --- what both have in common ---------------------------------------------------------------- */

/* The plan becomes the one that everybody has. */
static void publish(struct solver *solver)
{
    struct workday *day = &solver->day;
    for (uint32_t i = 0; i < day->visits_used; i++) {
        struct visit_slot *visit = &day->visits[day->visit_order[i]];
        visit->technician = NO_INDEX;
        visit->planned_start_us = 0;
        visit->published = false;
    }
    for (uint32_t t = 0; t < solver->in.technician_count; t++) {
        const struct route *route = &solver->plan.routes[t];
        int32_t starts[ROUTE_MAX];
        if (route->count > 0) route_starts(&solver->in, t, route, starts);
        for (uint32_t i = 0; i < route->count; i++) {
            uint32_t slot = solver->in.nodes[route->stops[i + 1].visit].slot;
            struct visit_slot *visit = &day->visits[slot];
            visit->technician = solver->in.technicians[t].slot;
            visit->planned_start_us = day->service_day * US_PER_DAY + starts[i] * US_PER_SECOND;
            visit->position = i;
            visit->published = true;
        }
    }
}

/* What the service does after the repaired plan: search around the change, then the master. */
static void search(struct solver *solver, uint64_t rounds, uint64_t seed, bool fresh)
{
    solver_search(solver, rounds, seed, fresh);
    while (!solver_search_over(solver))
        (void)solver_improve(solver, rounds);
    (void)solver_recombine(solver);
}

struct effects {
    struct samples l0_ms, moved, moved_later;
    uint32_t not_served; /* new orders that the repaired plan leaves out */
};
static struct effects effects;

static uint32_t moved_count(const struct solver *solver)
{
    uint32_t moved = 0;
    for (uint32_t v = 0; v < solver->in.visit_count; v++) {
        uint32_t home = solver->in.nodes[v].home;
        moved += home != NO_INDEX && home != solver->plan.route_of[v];
    }
    return moved;
}

/* The new plan from a problem that has just changed; `began` is when the change came. */
static void take_event(struct solver *solver, double began)
{
    solver_begin(solver);
    sample(&effects.l0_ms, cpu_ms() - began);
    sample(&effects.moved, moved_count(solver));
}

static void search_after_event(struct solver *solver, uint64_t rounds, uint64_t seed)
{
    publish(solver);
    solver_begin(solver);
    search(solver, rounds, seed, false);
    sample(&effects.moved_later, moved_count(solver));
    publish(solver);
}

static void report(const char *name)
{
    figure(name, "events", effects.l0_ms.count, "count");
    figure(name, "l0_p50", percentile(&effects.l0_ms, 50), "ms");
    figure(name, "l0_p99", percentile(&effects.l0_ms, 99), "ms");
    figure(name, "l0_max", percentile(&effects.l0_ms, 100), "ms");
    figure(name, "moved_mean", samples_sum(&effects.moved) / effects.moved.count, "orders");
    figure(name, "moved_p99", percentile(&effects.moved, 99), "orders");
    figure(name, "moved_max", percentile(&effects.moved, 100), "orders");
    figure(name, "not_served", effects.not_served, "orders");
}

/* --- urgent ---------------------------------------------------------------------------------- */

/* Priorities as an installation has them, from 1 to 9. */
static uint32_t live_priority(uint32_t vroom)
{
    if (vroom >= 100) return 9;
    return vroom >= 30 ? 5 : vroom >= 10 ? 2 : 1;
}

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(FILE_MAX);
    if (file == NULL || text == NULL) exit(fail(path));
    *size = fread(text, 1, FILE_MAX, file);
    fclose(file);
    return text;
}

static void read_day_of(struct solve_input *input, const char *path)
{
    size_t size;
    struct problem problem;
    char *text = read_file(path, &size);
    solve_input_open(input);
    must(read_vroom(input, text, size, &problem), &problem);
    free(text);
    struct workday *day = &input->solver.day;
    workday_set_time(day, day->now_us, day->now_us, &policy_default);
    for (uint32_t i = 0; i < day->visits_used; i++) {
        uint32_t slot = day->visit_order[i];
        day->visits[slot].priority = live_priority(input->priorities[slot]);
    }
}

/* The visit as it was told, from what is kept of it. */
static struct visit_told told_again(const struct workday *day, uint32_t slot,
                                    struct skill_named *skills, char *id)
{
    const struct visit_slot *visit = &day->visits[slot];
    const struct need_set *need = &day->needs[visit->need];
    snprintf(id, LIMIT_ID + 1, "%s", visit->id);
    for (uint32_t i = 0; i < need->count; i++)
        skills[i] =
            (struct skill_named){day->skill_names[need->skills[i].name], need->skills[i].level};
    return (struct visit_told){.id = id,
                               .visit = visit->visit,
                               .priority = visit->priority,
                               .skills = skills,
                               .skill_count = need->count,
                               .technician_id = ""};
}

static void one_urgent(struct solver *solver, uint32_t slot, uint64_t rounds)
{
    struct problem problem;
    struct skill_named skills[LIMIT_SKILLS_PER_ENTITY];
    char id[LIMIT_ID + 1];
    struct visit_told told = told_again(&solver->day, slot, skills, id);
    solver_remove_visit(solver, id);
    solver_begin(solver);
    search_after_event(solver, rounds, slot + 1);
    told.priority = LIMIT_PRIORITY;
    double began = cpu_ms();
    must(workday_set_visit(&solver->day, &told, &problem), &problem);
    take_event(solver, began);
    uint32_t again = workday_visit(&solver->day, id);
    uint32_t rank = solver->in.visit_of_slot[again];
    effects.not_served += solver->plan.route_of[rank] == NO_INDEX;
}

static int urgent(char **words)
{
    static struct solve_input input;
    static struct visit_slot before[ORDERS_MAX];
    uint64_t rounds = strtoull(words[2], NULL, 10);
    uint32_t step = (uint32_t)strtoul(words[3], NULL, 10);
    read_day_of(&input, words[1]);
    struct solver *solver = &input.solver;
    struct workday *day = &solver->day;
    solver_begin(solver);
    search(solver, rounds, 1, true);
    publish(solver);
    figure(words[0], "day_unserved", solver->plan.unserved_count, "orders");
    uint32_t count = day->visits_used;
    if (count > ORDERS_MAX || step == 0) return fail("too many orders, or no step");
    memcpy(before, day->visits, count * sizeof *before);
    for (uint32_t i = 0; i < count; i += step) {
        one_urgent(solver, day->visit_order[i], rounds / 20);
        memcpy(day->visits, before, count * sizeof *before); /* the day as it was solved */
        progress(words[0], i / step + 1, (count + step - 1) / step);
    }
    report(words[0]);
    solve_input_close(&input);
    return 0;
}

/* --- stream ---------------------------------------------------------------------------------- */

enum { CLUSTERS = 8, SKILLS = 6, SHIFT_BEGIN_S = 8 * 3600, SHIFT_S = 9 * 3600 };
static const int64_t SERVICE_DAY = 20780;
static const char *const skill_names[SKILLS] = {"gas", "heat", "lift", "net", "power", "water"};

struct town {
    struct rng rng;
    struct solver solver;
    struct point clusters[CLUSTERS];
    uint32_t technician_count, order_next;
    struct technician_told technicians[TECHNICIANS_MAX];
    struct skill_named skills[TECHNICIANS_MAX][SKILLS];
    char ids[TECHNICIANS_MAX][16];
    bool away[TECHNICIANS_MAX];
};

static int64_t at_us(int64_t second)
{
    return SERVICE_DAY * US_PER_DAY + second * US_PER_SECOND;
}

/* Within 30 x 30 km. */
static struct point anywhere(struct rng *rng)
{
    return (struct point){470000000 + (int32_t)rng_below(rng, 2700000),
                          95000000 + (int32_t)rng_below(rng, 3960000)};
}

/* Half of the orders lie within some 2 km of a cluster. */
static struct point somewhere(struct town *town)
{
    struct rng *rng = &town->rng;
    if (rng_below(rng, 2) == 0) return anywhere(rng);
    struct point at = town->clusters[rng_below(rng, CLUSTERS)];
    at.lat_e7 += (int32_t)rng_below(rng, 360000) - 180000;
    at.lon_e7 += (int32_t)rng_below(rng, 520000) - 260000;
    return at;
}

static void tell_technician(struct town *town, uint32_t i)
{
    struct problem problem;
    must(workday_set_technician(&town->solver.day, &town->technicians[i], &problem), &problem);
}

static void add_technician(struct town *town)
{
    struct rng *rng = &town->rng;
    uint32_t i = town->technician_count++, count = 0;
    struct point home = anywhere(rng);
    snprintf(town->ids[i], sizeof town->ids[i], "T%04u", i);
    for (uint32_t s = 0; s < SKILLS; s++) {
        if (rng_below(rng, 10) < 6)
            town->skills[i][count++] = (struct skill_named){skill_names[s], 1};
    }
    town->technicians[i] = (struct technician_told){
        .id = town->ids[i],
        .day = {.start = home,
                .end = home,
                .available_us = at_us(SHIFT_BEGIN_S),
                .shift_end_us = at_us(SHIFT_BEGIN_S + SHIFT_S),
                .break_earliest_us = at_us(SHIFT_BEGIN_S + 3 * 3600),
                .break_latest_us = at_us(SHIFT_BEGIN_S + 5 * 3600),
                .break_us = 30 * US_PER_MINUTE},
        .skills = town->skills[i],
        .skill_count = count,
    };
    tell_technician(town, i);
}

/* Service from 20 to 120 minutes, 40 on average; windows of two to four hours. */
static void add_order(struct town *town)
{
    struct rng *rng = &town->rng;
    char id[16];
    snprintf(id, sizeof id, "V%05u", town->order_next++);
    int64_t service_s = 1200 + (int64_t)(-log(1 - rng_unit(rng)) * 1200);
    if (service_s > 7200) service_s = 7200;
    int64_t width_s = 7200 + rng_below(rng, 7200);
    int64_t open_s = SHIFT_BEGIN_S + rng_below(rng, (uint32_t)(SHIFT_S - width_s));
    uint32_t urgency = rng_below(rng, 10);
    const struct skill_named skill = {skill_names[rng_below(rng, SKILLS)], 1};
    const struct visit_told told = {
        .id = id,
        .visit = {.at = somewhere(town),
                  .service_us = service_s * US_PER_SECOND,
                  .windows = {{at_us(open_s), at_us(open_s + width_s)}},
                  .window_count = 1},
        .priority = urgency < 6   ? 2
                    : urgency < 9 ? 4
                                  : 8,
        .skills = &skill,
        .skill_count = 1,
        .technician_id = "",
    };
    struct problem problem;
    must(workday_set_visit(&town->solver.day, &told, &problem), &problem);
}

static void make_town(struct town *town, uint32_t orders, uint32_t technicians, uint64_t seed)
{
    town->rng = (struct rng){seed};
    solver_open(&town->solver, &travel_straight, SERVICE_DAY);
    workday_set_time(&town->solver.day, at_us(SHIFT_BEGIN_S), at_us(SHIFT_BEGIN_S),
                     &policy_default);
    for (uint32_t i = 0; i < CLUSTERS; i++)
        town->clusters[i] = anywhere(&town->rng);
    for (uint32_t i = 0; i < technicians; i++)
        add_technician(town);
    for (uint32_t i = 0; i < orders; i++)
        add_order(town);
}

static void cancel_one(struct town *town)
{
    const struct workday *day = &town->solver.day;
    if (day->visits_used == 0) return;
    char id[LIMIT_ID + 1];
    uint32_t slot = day->visit_order[rng_below(&town->rng, day->visits_used)];
    snprintf(id, sizeof id, "%s", day->visits[slot].id);
    solver_remove_visit(&town->solver, id);
}

/* Somebody is later than was thought, or earlier, but not before the day begins. */
static void shift_one(struct town *town, int64_t by_s)
{
    uint32_t i = rng_below(&town->rng, town->technician_count);
    int64_t *available_us = &town->technicians[i].day.available_us;
    *available_us += by_s * US_PER_SECOND;
    if (*available_us < at_us(SHIFT_BEGIN_S)) *available_us = at_us(SHIFT_BEGIN_S);
    if (!town->away[i]) tell_technician(town, i);
}

static void come_or_go(struct town *town)
{
    uint32_t i = rng_below(&town->rng, town->technician_count);
    town->away[i] = !town->away[i];
    if (town->away[i])
        workday_remove_technician(&town->solver.day, town->ids[i]);
    else
        tell_technician(town, i);
}

static void happen(struct town *town)
{
    uint32_t what = rng_below(&town->rng, 100);
    uint32_t minutes = 10 + rng_below(&town->rng, 50);
    double began = cpu_ms();
    if (what < 36)
        add_order(town);
    else if (what < 66)
        cancel_one(town);
    else if (what < 81)
        shift_one(town, minutes * INT64_C(60));
    else if (what < 86)
        come_or_go(town);
    else
        shift_one(town, minutes * INT64_C(-60));
    take_event(&town->solver, began);
}

static int stream(char **words)
{
    static struct town town;
    uint32_t orders = (uint32_t)strtoul(words[1], NULL, 10);
    uint32_t technicians = (uint32_t)strtoul(words[2], NULL, 10);
    uint32_t events = (uint32_t)strtoul(words[3], NULL, 10);
    uint64_t rounds = strtoull(words[4], NULL, 10);
    if (orders > ORDERS_MAX || technicians == 0 || technicians > TECHNICIANS_MAX)
        return fail("at most 4096 orders and 512 technicians");
    make_town(&town, orders, technicians, strtoull(words[5], NULL, 10));
    solver_begin(&town.solver);
    search(&town.solver, rounds * 6, 1, true);
    publish(&town.solver);
    figure(words[0], "day_unserved", town.solver.plan.unserved_count, "orders");
    for (uint32_t i = 0; i < events; i++) {
        happen(&town);
        search_after_event(&town.solver, rounds, i + 1);
        progress(words[0], i + 1, events);
    }
    report(words[0]);
    figure(words[0], "moved_by_search_mean",
           samples_sum(&effects.moved_later) / effects.moved_later.count, "orders");
    figure(words[0], "moved_by_search_max", percentile(&effects.moved_later, 100), "orders");
    figure(words[0], "unserved_at_the_end", town.solver.plan.unserved_count, "orders");
    figure(words[0], "peak_memory", peak_mib(), "MiB");
    solver_close(&town.solver);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "urgent") == 0) return urgent(argv + 2);
    if (argc == 8 && strcmp(argv[1], "stream") == 0) return stream(argv + 2);
    return fail("urgent NAME FILE ROUNDS STEP, or\n"
                "              stream NAME ORDERS TECHNICIANS EVENTS ROUNDS SEED");
}
