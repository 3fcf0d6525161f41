/* act.h - everything the core wants done: the only output of core_step.
 *
 * PUT and ERASE change rows (a row of kind ROW_CHANGE is also what is sent to the technicians it
 * names); SOLVE says that a day's problem changed. The acts of a batch are one transaction, and
 * nothing leaves the house before it is committed. When to wake is asked with core_next_wake_us.
 * Ownership: texts in rows are borrowed from the core or the fact: perform the acts of a step
 * before the next step, and before the fact's memory goes.
 */
#ifndef CALLOUT_CORE_ACT_H
#define CALLOUT_CORE_ACT_H

#include "base/arena.h"
#include "dispatcher/core/row.h"

enum act_kind { ACT_PUT, ACT_ERASE, ACT_SOLVE };

struct act {
    enum act_kind kind;
    enum row_kind row_kind;
    uint32_t key_columns; /* ERASE: how many key columns must be equal */
    union row row;
    const char *territory_id; /* SOLVE */
    int64_t service_day;
    bool event; /* SOLVE: the fact asks for a new plan; else the problem only changed */
};

/* What one step wants done, in order; the memory is the arena's. */
struct acts {
    struct arena *arena;
    struct act *items;
    uint32_t count, room;
    bool conflict;             /* the fact was applied, but somebody should look at it */
    const char *conflict_text; /* a literal */
    uint64_t plan_version;     /* a plan was published under this version; 0: none */
    uint32_t routes_applied;
    struct route_refusal {
        const char *technician_id, *reason;
    } * refusals; /* of a plan */
    uint32_t refusal_count;
};

void acts_init(struct acts *acts, struct arena *arena);
/* Adds a PUT of a copy of *row, a struct of that kind. */
void acts_put(struct acts *acts, enum row_kind kind, const void *row);
void acts_erase(struct acts *acts, enum row_kind kind, const void *key, uint32_t key_columns);
void acts_solve(struct acts *acts, const char *territory_id, int64_t service_day, bool event);

#endif
