/* solve.h - one live problem and the layers of an event: repair, search, recombine, search on.
 *
 * Use: change solver->day by the calls of workday.h, then
 *
 *   solver_begin      L0  a plan that holds again, close to the published one: publish it
 *   solver_search     L1  gets ready for search around what the event changed,
 *   solver_improve        and runs it in chunks of counted work
 *   solver_recombine  L2  lets the master choose among all routes ever found; its linear program
 *                         goes on from that of the last event
 *   solver_search_more L3 search all over; then L2 again
 *
 * There is nothing to gain any more when L3 and L2 have found nothing better: L2 alone proves it
 * of the pool's routes only (MASTER_NO_BETTER), and then costs nothing until the pool has changed.
 * Between any two calls solver->plan is the best plan so far and holds every rule, whatever becomes
 * of GLPK. An event may come at any time: it simply begins again, for every route that was found is
 * in the pool already. A chunk is short, and the master asks master_limits.stop.
 *
 * Owner: the solver owns everything it points to. Thread: one, always the same (GLPK keeps its
 * environment per thread).
 */
#ifndef CALLOUT_OPTIMIZER_SOLVE_H
#define CALLOUT_OPTIMIZER_SOLVE_H

#include "optimizer/core/plan.h"
#include "optimizer/core/pool.h"
#include "optimizer/core/repair.h"
#include "optimizer/core/search.h"
#include "optimizer/core/workday.h"
#include "optimizer/master.h"

struct solver {
    struct workday day;
    struct arena kept;        /* with the life of the solver: the pool */
    struct arena work;        /* with the life of an event */
    struct arena again;       /* with the life of one search of solver_search_more */
    struct arena recombining; /* with the life of one call */
    struct pool pool;
    struct instance in;
    struct plan plan;           /* the best so far */
    struct published published; /* what the dispatcher has */
    struct search search;
    bool searching;
    struct master *recombiner;
    struct master_limits master_limits;
    struct master_report master; /* of the last recombination */
    uint64_t recombined; /* pool.changes when the master found that there is nothing better */
    uint32_t recombinations;
    uint32_t stamp;
    uint64_t work_done; /* rounds since solver_begin */
};

void solver_open(struct solver *solver, const struct travel *travel, int64_t service_day);
void solver_close(struct solver *solver);

/* A visit of the workday is gone: also from the pool. */
void solver_remove_visit(struct solver *solver, const char *id);

/* Takes in what has changed and repairs. Afterwards solver->plan holds. */
void solver_begin(struct solver *solver);

/* The instance anew after the workday has changed, with an empty plan: for one who has a plan of
 * his own for it. */
void solver_renew(struct solver *solver);

/* How the technician's route differs from what the dispatcher has. */
enum route_news { NEWS_NONE, NEWS_STARTS, NEWS_VISITS };
enum route_news solver_route_news(const struct solver *solver, uint32_t technician);

/* Asks model/route.h, to the microsecond, whether every rule of time holds. */
enum route_rule solver_route_rule(const struct solver *solver, uint32_t technician,
                                  struct route_times *times);
bool solver_route_holds(const struct solver *solver, uint32_t technician);

/* Gets ready for `rounds` of search around what repair changed, or all over when `fresh`. */
void solver_search(struct solver *solver, uint64_t rounds, uint64_t seed, bool fresh);
/* The same, everywhere, with heat that comes from the lengths of its legs: where prices of leaving
 * somebody out say nothing but who comes first. */
void solver_search_legs(struct solver *solver, uint64_t rounds, uint64_t seed);
/* The same, everywhere, from a plan that is good already. */
void solver_search_more(struct solver *solver, uint64_t rounds, uint64_t seed);
/* Runs some of them; true if the plan became better. */
bool solver_improve(struct solver *solver, uint64_t rounds);
bool solver_search_over(const struct solver *solver);

/* Lets the master choose among the pool's routes; true if the plan became better. */
bool solver_recombine(struct solver *solver);

/* All of it at once: a plan from nothing but the workday. */
void solver_fresh(struct solver *solver, uint64_t rounds, uint64_t seed);

#endif
