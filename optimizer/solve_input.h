/* solve_input.h - a problem from a file, and what its plan needs to be said in the file's words.
 *
 * Idea: a reader fills the workday of a solver, as the dispatcher's messages do in the live system.
 * What a workday has no place for stands beside it by slot: priorities in the input's own units,
 * names of breaks, and, for VROOM's format, prices that put priority before number and number
 * before travel.
 *
 * VROOM's format, as far as it is understood: vehicles (id, description, profile, start_index,
 * end_index, or one of the two alone, skills, time_window, capacity, at most one break with service
 * and at most one window, steps), jobs (id, description, location_index, service, priority, skills,
 * up to four time_windows; delivery, or pickup, or amount, one of them in a file), and one matrix
 * with durations. Capacities and amounts have one number. Whatever else stands in a file is refused
 * by its name. Times are whole seconds and lie within HORIZON_DAYS of the first shift; what lies
 * beyond is never reached.
 *
 * Steps are the routes to begin with. What of them does not hold is dropped and planned anew.
 *
 * Owner: solve_input_close frees everything, also after a reader that failed. Thread: one.
 */
#ifndef CALLOUT_OPTIMIZER_SOLVE_INPUT_H
#define CALLOUT_OPTIMIZER_SOLVE_INPUT_H

#include "day/day.h"
#include "optimizer/solve.h"
#include "optimizer/travel_matrix.h"

enum {
    SOLVE_PLACES_MAX = 8192, /* the travel times between all of them must fit into the workday */
    VROOM_INDEX_MAX = 8192,  /* rows of a matrix */
    CAPACITY_MAX = 1000000000,
    VROOM_PRIORITY_MAX = 100,
    HORIZON_DAYS = 90, /* so that the longest legs of a longest route add up in 32 bits */
};

enum solve_format { SOLVE_DAY, SOLVE_VROOM, SOLVE_SOLOMON, SOLVE_VRPLIB };

struct solve_input {
    enum solve_format format;
    struct arena memory;
    struct travel_matrix matrix; /* all but a day folder */
    struct solver solver;
    bool solver_open;
    uint32_t *priorities; /* by visit slot, in the input's units */
    int64_t *break_ids;   /* by technician slot; VROOM only */
    int64_t clock_us;     /* the solver's time at the input's zero */
    uint32_t *dropped;    /* visit slots that did not fit where the input's own plan had them */
    uint32_t dropped_count;
    /* Prices of leaving an order unserved, in seconds of travel. */
    int32_t price_unserved, price_priority;
};

void solve_input_open(struct solve_input *input);
void solve_input_close(struct solve_input *input);

/* ERR_INVALID or ERR_TOO_LARGE: the problem names the place in the file. Once per open input. */
MUST_USE enum err read_vroom(struct solve_input *input, const char *text, size_t size,
                             struct problem *problem);
MUST_USE enum err read_solomon(struct solve_input *input, const char *text, size_t size,
                               struct problem *problem);
MUST_USE enum err read_vrplib(struct solve_input *input, const char *text, size_t size,
                              struct problem *problem);
MUST_USE enum err read_day(struct solve_input *input, const struct day *day, bool overtime,
                           struct problem *problem);

/* Makes the first plan, with the input's own prices. */
void solve_input_begin(struct solve_input *input);

/* Sum of the priorities of those who are served, in the input's units. */
int64_t solve_input_priority_served(const struct solve_input *input);

#endif
