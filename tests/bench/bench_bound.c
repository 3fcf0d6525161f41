/* How high a bound comes, and what it costs.
 *
 *   bench_bound FILE [WORK [ROUNDS]]        searches, then bounds; CALLOUT_VERBOSE tells each round
 *   bench_bound make FOLDER VISITS TECHNICIANS SEED
 *                                           writes a day: 30 x 30 km, half of the orders in eight
 *       clusters, windows of two to four hours, services of 20 to 120 minutes, shifts of nine
 *       hours, six skills of which a technician has each with p = 0.6, and prices of leaving an
 *       order unserved of two, four and eight hours (60, 30, 10 %)
 *   bench_bound events FOLDER NAME          what carrying a proof over an event costs
 */
#include "base/rng.h"
#include "figures.h"
#include "optimizer/bound/bound.h"
#include "optimizer/bound/carry.h"
#include "optimizer/input_file.h"
#include "optimizer/solve_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- made-up days ---------------------------------------------------------------------------- */

enum { CLUSTERS = 8, SKILLS = 6 };

struct km {
    double x, y; /* km */
};

static double part(struct rng *rng)
{
    return rng_below(rng, 1000000) / 1e6;
}

static struct km anywhere(struct rng *rng)
{
    double x = 30 * part(rng);
    return (struct km){x, 30 * part(rng)};
}

static double within(double km)
{
    return km < 0 ? 0 : km > 30 ? 30 : km;
}

static struct km around(struct rng *rng, struct km middle)
{
    double x = 0, y = 0;
    for (int i = 0; i < 6; i++) {
        x += part(rng) - 0.5;
        y += part(rng) - 0.5;
    }
    return (struct km){within(middle.x + 2 * x), within(middle.y + 2 * y)};
}

static double lon(struct km spot)
{
    return 9.3 + spot.x / 75.78;
}

static double lat(struct km spot)
{
    return 46.98 + spot.y / 111.2;
}

static void write_technicians(FILE *out, struct rng *rng, uint32_t count)
{
    fputs("technician_id,name,home_lon,home_lat,shift_start,shift_end,break_earliest,break_latest,"
          "break_minutes,skills,overtime_minutes_max\n",
          out);
    for (uint32_t t = 0; t < count; t++) {
        struct km home = anywhere(rng);
        fprintf(out, "T%03u,T%03u,%.7f,%.7f,2026-11-23T08:00,2026-11-23T17:00,,,0,", t, t,
                lon(home), lat(home));
        for (uint32_t s = 0; s < SKILLS; s++) {
            if (part(rng) < 0.6) fprintf(out, "s%u:1 ", s);
        }
        fputs(",0\n", out);
    }
}

static void write_orders(FILE *out, struct rng *rng, uint32_t count)
{
    struct km middle[CLUSTERS];
    fputs("order_id,received_at,lon,lat,address,work_type,service_minutes,priority,skill,"
          "window_start,window_end,due_at\n",
          out);
    for (uint32_t i = 0; i < CLUSTERS; i++)
        middle[i] = anywhere(rng);
    for (uint32_t v = 0; v < count; v++) {
        struct km at = v % 2 == 0 ? around(rng, middle[rng_below(rng, CLUSTERS)]) : anywhere(rng);
        uint32_t service = 20;
        while (service < 120 && rng_below(rng, 5) != 0)
            service += 5;
        uint32_t length = 120 + rng_below(rng, 121), dice = rng_below(rng, 10);
        uint32_t from = 480 + rng_below(rng, 540 - length + 1), to = from + length + service;
        fprintf(out,
                "V%04u,2026-11-23T00:00,%.7f,%.7f,street,work,%u,%u,s%u:1,2026-11-23T%02u:%02u,"
                "2026-11-23T%02u:%02u,\n",
                v, lon(at), lat(at), service,
                dice < 6   ? 2
                : dice < 9 ? 4
                           : 8,
                rng_below(rng, SKILLS), from / 60, from % 60, to / 60, to % 60);
    }
}

static int make(char **argv)
{
    struct rng rng = {strtoull(argv[5], NULL, 10)};
    const char *const names[] = {"technicians.csv", "orders.csv"};
    for (uint32_t i = 0; i < 2; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[2], names[i]);
        FILE *out = fopen(path, "w");
        if (out == NULL) return 2;
        if (i == 0)
            write_technicians(out, &rng, (uint32_t)strtoul(argv[4], NULL, 10));
        else
            write_orders(out, &rng, (uint32_t)strtoul(argv[3], NULL, 10));
        if (fclose(out) != 0) return 2;
    }
    return 0;
}

/* --- events ---------------------------------------------------------------------------------- */

enum { EVENTS = 300, EVENTS_LARGE = 60, EVENT_ROUNDS = 120, ROUNDS_LARGE = 24, LARGE_VISITS = 300 };

/* Somebody cancels, takes longer, is held up, or is done early. */
static void happen(struct solver *solver, struct rng *rng)
{
    struct workday *day = &solver->day;
    uint32_t visit = day->visit_order[rng_below(rng, day->visits_used)], kind = rng_below(rng, 8);
    uint32_t technician = day->technician_order[rng_below(rng, day->technician_count)];
    int64_t by_us = (int64_t)rng_below(rng, 900) * 1000000;
    if (kind == 0 && day->visits_used > 10) solver_remove_visit(solver, day->visits[visit].id);
    if (kind >= 1 && kind < 5) day->visits[visit].visit.service_us += by_us / 3;
    if (kind == 5 || kind == 6) day->technicians[technician].day.available_us += by_us;
    if (kind == 7) day->technicians[technician].day.available_us -= by_us / 2;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static void measure_events(struct solver *solver, const char *name)
{
    static struct bound bound;
    static double ms[EVENTS];
    struct carry carry;
    struct rng rng = {1};
    bound_open(&bound, &solver->in, &bound_options_default);
    bound_take_plan(&bound, &solver->plan);
    bool large = solver->in.visit_count > LARGE_VISITS;
    uint32_t events = large ? EVENTS_LARGE : EVENTS;
    (void)bound_run(&bound, large ? ROUNDS_LARGE : EVENT_ROUNDS, solver->plan.cost);
    carry_open(&carry, &carry_options_default);
    carry_keep(&carry, &solver->day, &solver->in, &bound.proof);
    double full = (double)bound.proof.bound / PROOF_FINE;
    bound_close(&bound);
    for (uint32_t i = 0; i < events; i++) {
        happen(solver, &rng);
        solver_begin(solver);
        double begin = cpu_ms();
        (void)carry_over(&carry, &solver->day, &solver->in, &solver->plan);
        ms[i] = cpu_ms() - begin;
    }
    qsort(ms, events, sizeof *ms, by_value);
    figure(name, "full_bound", full, "s");
    figure(name, "carried_bound", (double)carry.proof.bound / PROOF_FINE, "s");
    figure(name, "carry_p50", ms[events / 2], "ms");
    figure(name, "carry_p99", ms[events * 99 / 100], "ms");
    carry_close(&carry);
}

/* --- the bound ------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "make") == 0) return make(argv);
    static struct solve_input input;
    struct problem problem = {0};
    const struct solve_budget budget = {.work = argc > 2 && argv[2][0] <= '9' && argv[2][0] >= '0'
                                                    ? strtoull(argv[2], NULL, 10)
                                                    : 2000,
                                        .seed = 1};
    uint32_t rounds = argc > 3 && argv[3][0] <= '9' ? (uint32_t)strtoul(argv[3], NULL, 10) : 1000;
    if (argc < 2) return 2;
    bool events = argc == 4 && strcmp(argv[1], "events") == 0;
    solve_input_open(&input);
    if (input_file_read(&input, "bench_bound", NULL, argv[events ? 2 : 1], true, &problem) !=
        ERR_OK) {
        fprintf(stderr, "%s: %s\n", problem.field, problem.text);
        return 2;
    }
    solve_input_begin(&input);
    (void)solve_run(&input, &budget, false);
    if (events) {
        measure_events(&input.solver, argv[3]);
        solve_input_close(&input);
        return 0;
    }
    double begin = cpu_seconds();
    static struct bound bound;
    bound_open(&bound, &input.solver.in, &bound_options_default);
    bound_take_plan(&bound, &input.solver.plan);
    bound_take_pool(&bound, &input.solver.pool);
    enum bound_end end = BOUND_MORE;
    for (uint32_t i = 0; i < rounds && end == BOUND_MORE; i++) {
        end = bound_run(&bound, 1, input.solver.plan.cost);
        if (getenv("CALLOUT_VERBOSE"))
            printf("%u: %.2f s value %.3f bound %.3f columns %u cuts %u labels %llu pricings %u "
                   "exact %u pivots %d\n",
                   bound.rounds, cpu_seconds() - begin, bound.relaxation.value,
                   (double)bound.proof.bound / PROOF_FINE, bound.relaxation.used_count,
                   bound.relaxation.cut_count, (unsigned long long)bound.labels, bound.pricings,
                   bound.exact_pricings, bound.relaxation.pivots);
    }
    printf("%s: plan %lld after %.2f s, bound %.3f after %.2f s more: %s; %u rounds, value %.3f\n",
           argv[1], (long long)input.solver.plan.cost, begin,
           (double)bound.proof.bound / PROOF_FINE, cpu_seconds() - begin,
           end == BOUND_CONVERGED ? "converged"
           : end == BOUND_REACHED ? "reached"
           : end == BOUND_MORE    ? "more"
                                  : "failed",
           bound.rounds, bound.relaxation.value);
    bound_close(&bound);
    solve_input_close(&input);
    return 0;
}
