/* bench_judge.c - every plan of a data folder judged anew, fact by fact: nothing of it was stale,
 * and every route that it gave holds.
 *
 *   bench_judge NAME DATA BEFORE SOLVES REFUSED-WHOLE
 *
 * BEFORE is the last fact of what is not counted, only judged. SOLVES is how often the optimizer
 * began anew because of events after it, REFUSED-WHOLE how many of its candidates were refused as a
 * whole, which leaves no fact: both are in its log. Late is a candidate for a state that was not
 * the newest any more. Prints figures; ends with 3 if a plan is bad.
 */
#include "dispatcher/core/state.h"
#include "dispatcher/engine_impl.h"
#include "figures.h"

#include <string.h>

enum { REASONS_MAX = 32, ROUTES_MAX = LIMIT_ROUTES_PER_PLAN };

struct judge {
    struct core *core;
    struct arena kept, step;
    bool touched[ROUTES_MAX]; /* by a later fact than the candidate knew, before it was applied */
    int64_t before;
    uint32_t stale, broken; /* routes */
    struct count {
        uint32_t events, plans, late, late_whole, applied, late_applied, late_routes;
        struct {
            const char *text;
            uint32_t count;
        } reasons[REASONS_MAX];
    } count;
    enum err err;
};

static uint32_t shift_of(const struct core *core, const Callout__PlanCandidate *plan, size_t route)
{
    uint32_t who = id_index_find(&core->technician_ids, plan->routes[route]->technician_id);
    uint32_t shift = who == NONE ? NONE : core->technicians[who].first_shift;
    while (shift != NONE &&
           core->boards[core->shifts[shift].board].service_day != plan->service_day)
        shift = core->shifts[shift].next_of_technician;
    return shift;
}

/* Something of the route, as it was or is to be, has a later fact than the candidate's base. */
static bool touched_since(const struct core *core, const Callout__PlanCandidate *plan, size_t route)
{
    const Callout__CandidateRoute *wanted = plan->routes[route];
    const struct shift *shift = &core->shifts[shift_of(core, plan, route)];
    uint64_t last = (uint64_t)shift->touch_seq;
    for (uint32_t i = 0; i < shift->route_count; i++) {
        uint64_t seq = (uint64_t)core->appointments[shift->route[i]].touch_seq;
        if (seq > last) last = seq;
    }
    for (size_t i = 0; i < wanted->n_appointment_ids; i++) {
        uint32_t visit = id_index_find(&core->appointment_ids, wanted->appointment_ids[i]);
        uint64_t seq = visit == NONE ? UINT64_MAX : (uint64_t)core->appointments[visit].touch_seq;
        if (seq > last) last = seq;
    }
    return last > plan->base_revision;
}

static bool holds(const struct core *core, uint32_t index)
{
    const struct shift *shift = &core->shifts[index];
    struct rest rest;
    struct route_visit visits[LIMIT_VISITS_PER_ROUTE];
    const struct route_visit *order[LIMIT_VISITS_PER_ROUTE];
    struct route_stop stops[LIMIT_VISITS_PER_ROUTE];
    struct route_times times;
    rest_of_day(core, index, core->now_us, &rest);
    for (uint32_t i = 0; i < shift->route_count; i++) {
        bool serves = appointment_serves(core, shift->route[i], index) ||
                      appointment_mobility(core, shift->route[i], core->now_us) != MOBILITY_MOVABLE;
        if (!serves) return false;
        visits[i] = rest_visit(core, &rest, shift->route[i], core->now_us);
        order[i] = &visits[i];
    }
    return route_time(core->travel, &rest.day, order, shift->route_count, stops, &times) ==
           ROUTE_FITS;
}

static bool as_wanted(const struct core *core, const Callout__CandidateRoute *wanted,
                      uint32_t index)
{
    const struct shift *shift = &core->shifts[index];
    if (shift->route_count != wanted->n_appointment_ids) return false;
    for (uint32_t i = 0; i < shift->route_count; i++) {
        if (strcmp(core->appointments[shift->route[i]].id, wanted->appointment_ids[i]) != 0)
            return false;
    }
    return true;
}

static void count_reason(struct judge *judge, const char *text)
{
    uint32_t i = 0;
    while (i < REASONS_MAX - 1 && judge->count.reasons[i].text != NULL &&
           strcmp(judge->count.reasons[i].text, text) != 0)
        i++;
    judge->count.reasons[i].text = text; /* the core's own words, which live as long as it */
    judge->count.reasons[i].count++;
}

static bool refused(const struct acts *acts, const char *technician_id)
{
    for (uint32_t i = 0; i < acts->refusal_count; i++)
        if (strcmp(acts->refusals[i].technician_id, technician_id) == 0) return true;
    return false;
}

static void look_before(struct judge *judge, const Callout__PlanCandidate *plan)
{
    struct problem_key key;
    bool late = false;
    for (uint32_t i = 0; core_problem_key(judge->core, i, &key); i++)
        late |= key.service_day == plan->service_day &&
                strcmp(key.territory_id, plan->territory_id) == 0 &&
                key.revision > plan->base_revision;
    judge->count.plans++;
    judge->count.late += late;
    judge->count.late_routes += late ? (uint32_t)plan->n_routes : 0;
    for (size_t r = 0; r < plan->n_routes; r++)
        judge->touched[r] = touched_since(judge->core, plan, r);
}

/* Says which route of which plan is bad, for whoever has to find out why. */
static void accuse(const struct judge *judge, const char *technician_id, const char *what)
{
    fprintf(stderr, "bench_judge: fact %lld: the route of %s %s\n",
            (long long)core_seq(judge->core), technician_id, what);
}

static void look_at_route(struct judge *judge, const Callout__CandidateRoute *wanted,
                          uint32_t shift, bool touched)
{
    bool same = as_wanted(judge->core, wanted, shift), keeps = holds(judge->core, shift);
    if (touched) accuse(judge, wanted->technician_id, "was touched by a later fact");
    if (!same) accuse(judge, wanted->technician_id, "is not what the plan says");
    if (!keeps) accuse(judge, wanted->technician_id, "breaks a rule");
    judge->stale += touched;
    judge->broken += !same || !keeps;
}

static void look_after(struct judge *judge, const Callout__PlanCandidate *plan, bool late,
                       const struct acts *acts)
{
    judge->count.applied += acts->routes_applied;
    for (uint32_t i = 0; i < acts->refusal_count; i++)
        count_reason(judge, acts->refusals[i].reason);
    judge->count.late_whole += late && acts->refusal_count == 0;
    for (size_t r = 0; r < plan->n_routes; r++) {
        uint32_t shift = shift_of(judge->core, plan, r);
        if (refused(acts, plan->routes[r]->technician_id)) continue;
        judge->count.late_applied += late;
        look_at_route(judge, plan->routes[r], shift, judge->touched[r]);
    }
}

/* The newest event that asks for a plan. */
static uint64_t last_event(const struct core *core)
{
    struct problem_key key;
    uint64_t last = 0;
    for (uint32_t i = 0; core_problem_key(core, i, &key); i++)
        if (key.event_seq > last) last = key.event_seq;
    return last;
}

static bool judge_fact(void *context, const void *visited)
{
    struct judge *judge = context;
    const struct row_fact *row = visited;
    struct acts acts;
    struct problem problem;
    arena_rewind(&judge->step);
    Callout__FactBody *body = fact_body(row);
    bool is_plan = row->kind == FACT_PLAN && body != NULL;
    if (row->seq == judge->before + 1) judge->count = (struct count){0};
    uint32_t late_before = judge->count.late;
    if (is_plan) look_before(judge, body->plan);
    judge->err = fact_again(judge->core, row, body, &judge->step, &acts, &problem);
    if (judge->err == ERR_OK && is_plan)
        look_after(judge, body->plan, judge->count.late > late_before, &acts);
    judge->count.events += last_event(judge->core) == (uint64_t)row->seq;
    if (body != NULL) callout__fact_body__free_unpacked(body, NULL);
    return judge->err == ERR_OK;
}

static void report(const char *name, const struct judge *judge, uint32_t solves,
                   uint32_t refused_whole)
{
    figure(name, "events_and_ticks", judge->count.events, "count");
    figure(name, "solves", solves, "count");
    if (solves > 0) figure(name, "events_per_solve", (double)judge->count.events / solves, "count");
    uint32_t late = judge->count.late + refused_whole;
    figure(name, "plans", judge->count.plans, "count");
    figure(name, "stale_routes_published", judge->stale, "routes");
    figure(name, "broken_routes_published", judge->broken, "routes");
    figure(name, "routes_applied", judge->count.applied, "routes");
    figure(name, "candidates_late", late, "count");
    figure(name, "candidates_late_that_counted", judge->count.late, "count");
    figure(name, "candidates_late_that_counted_whole", judge->count.late_whole, "count");
    if (late > 0)
        figure(name, "late_that_counted_share", 100.0 * judge->count.late / late, "percent");
    if (judge->count.late_routes > 0)
        figure(name, "late_routes_that_counted_share",
               100.0 * judge->count.late_applied / judge->count.late_routes, "percent");
    for (uint32_t i = 0; i < REASONS_MAX && judge->count.reasons[i].text != NULL; i++) {
        char metric[160];
        snprintf(metric, sizeof metric, "refused_%s", judge->count.reasons[i].text);
        for (char *at = metric; *at != '\0'; at++)
            if ((*at < 'a' || *at > 'z') && (*at < '0' || *at > '9')) *at = '_';
        figure(name, metric, judge->count.reasons[i].count, "routes");
    }
}

int main(int argc, char **argv)
{
    static struct judge judge;
    struct store *store;
    struct problem problem;
    if (argc != 6 || store_open_reader(&store, argv[2], &problem) != ERR_OK) {
        fprintf(stderr, "bench_judge: NAME DATA BEFORE SOLVES REFUSED-WHOLE\n");
        return 2;
    }
    judge.before = strtoll(argv[3], NULL, 10);
    arena_open(&judge.kept, (size_t)1 << 30);
    arena_open(&judge.step, (size_t)256 << 20);
    judge.core = core_open(&judge.kept, &travel_straight);
    enum err err = store_each(store, ROW_FACT, NULL, 0, false, judge_fact, &judge);
    if (err == ERR_OK) err = judge.err;
    store_close(store);
    if (err != ERR_OK) {
        fprintf(stderr, "bench_judge: fact %lld: %s\n", (long long)core_seq(judge.core) + 1,
                err_name(err));
        return 1;
    }
    report(argv[1], &judge, (uint32_t)strtoul(argv[4], NULL, 10),
           (uint32_t)strtoul(argv[5], NULL, 10));
    return judge.stale + judge.broken == 0 ? 0 : 3;
}
