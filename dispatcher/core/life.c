#include "dispatcher/core/life.h"

#include <string.h>

static const char *const names[APPOINTMENT_STATUSES] = {
    "none",    "unscheduled", "scheduled", "dispatched", "accepted",  "en route",  "on site",
    "working", "paused",      "completed", "incomplete", "no access", "cancelled",
};

const char *appointment_status_name(enum appointment_status status)
{
    return (unsigned)status < APPOINTMENT_STATUSES ? names[status] : "unknown";
}

enum { T = ROLE_TECHNICIAN, D = ROLE_DISPATCHER, O = ROLE_OPTIMIZER, K = ROLE_CLOCK };
enum { C = ROLE_CUSTOMER | ROLE_INTEGRATOR | ROLE_DISPATCHER };

static const struct transition {
    enum appointment_status from, to;
    int roles;
} transitions[] = {
    {APPOINTMENT_UNSCHEDULED, APPOINTMENT_SCHEDULED, D | O},
    {APPOINTMENT_UNSCHEDULED, APPOINTMENT_CANCELLED, C},
    {APPOINTMENT_SCHEDULED, APPOINTMENT_UNSCHEDULED, D | O | K},
    {APPOINTMENT_SCHEDULED, APPOINTMENT_DISPATCHED, D | K},
    {APPOINTMENT_SCHEDULED, APPOINTMENT_CANCELLED, C},
    {APPOINTMENT_DISPATCHED, APPOINTMENT_ACCEPTED, T | D},
    {APPOINTMENT_DISPATCHED, APPOINTMENT_UNSCHEDULED, T | D | K},
    {APPOINTMENT_DISPATCHED, APPOINTMENT_SCHEDULED, D},
    {APPOINTMENT_DISPATCHED, APPOINTMENT_CANCELLED, C},
    {APPOINTMENT_ACCEPTED, APPOINTMENT_EN_ROUTE, T},
    {APPOINTMENT_ACCEPTED, APPOINTMENT_UNSCHEDULED, T | D | K},
    {APPOINTMENT_ACCEPTED, APPOINTMENT_SCHEDULED, D},
    {APPOINTMENT_ACCEPTED, APPOINTMENT_CANCELLED, C},
    {APPOINTMENT_EN_ROUTE, APPOINTMENT_ON_SITE, T},
    {APPOINTMENT_EN_ROUTE, APPOINTMENT_UNSCHEDULED, T | D},
    {APPOINTMENT_EN_ROUTE, APPOINTMENT_NO_ACCESS, T},
    {APPOINTMENT_EN_ROUTE, APPOINTMENT_INCOMPLETE, T},
    {APPOINTMENT_EN_ROUTE, APPOINTMENT_CANCELLED, C},
    {APPOINTMENT_ON_SITE, APPOINTMENT_WORKING, T},
    {APPOINTMENT_ON_SITE, APPOINTMENT_NO_ACCESS, T},
    {APPOINTMENT_ON_SITE, APPOINTMENT_INCOMPLETE, T},
    {APPOINTMENT_ON_SITE, APPOINTMENT_CANCELLED, C},
    {APPOINTMENT_WORKING, APPOINTMENT_PAUSED, T},
    {APPOINTMENT_WORKING, APPOINTMENT_COMPLETED, T},
    {APPOINTMENT_WORKING, APPOINTMENT_INCOMPLETE, T},
    {APPOINTMENT_WORKING, APPOINTMENT_NO_ACCESS, T},
    {APPOINTMENT_PAUSED, APPOINTMENT_WORKING, T},
    {APPOINTMENT_PAUSED, APPOINTMENT_COMPLETED, T},
    {APPOINTMENT_PAUSED, APPOINTMENT_INCOMPLETE, T},
    {APPOINTMENT_PAUSED, APPOINTMENT_NO_ACCESS, T},
    {APPOINTMENT_PAUSED, APPOINTMENT_CANCELLED, C},
};
enum { TRANSITIONS = sizeof transitions / sizeof transitions[0] };

bool life_allows(enum appointment_status from, enum appointment_status to, enum actor_role role)
{
    for (uint32_t i = 0; i < TRANSITIONS; i++) {
        const struct transition *it = &transitions[i];
        if (it->from == from && it->to == to) return (it->roles & (int)role) != 0;
    }
    return false;
}

uint32_t life_targets(enum appointment_status from, enum actor_role role, char *text,
                      uint32_t text_size)
{
    uint32_t count = 0, used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < TRANSITIONS; i++) {
        const struct transition *it = &transitions[i];
        if (it->from != from || (it->roles & (int)role) == 0) continue;
        uint32_t length = (uint32_t)strlen(names[it->to]);
        if (used + length + 3 > text_size) break;
        if (count++ > 0) {
            memcpy(text + used, ", ", 2);
            used += 2;
        }
        memcpy(text + used, names[it->to], length + 1);
        used += length;
    }
    return count;
}

bool life_final(enum appointment_status status)
{
    return status >= APPOINTMENT_COMPLETED;
}

bool life_plannable(enum appointment_status status)
{
    return status >= APPOINTMENT_UNSCHEDULED && status <= APPOINTMENT_ACCEPTED;
}

bool life_in_progress(enum appointment_status status)
{
    return status >= APPOINTMENT_EN_ROUTE && status <= APPOINTMENT_PAUSED;
}

bool life_ahead(enum appointment_status from, enum appointment_status to)
{
    if (life_final(from)) return false;
    if (life_final(to)) return true;
    if (from == APPOINTMENT_PAUSED && to == APPOINTMENT_WORKING) return true;
    return to > from;
}

uint32_t life_inferred(enum appointment_status from, enum appointment_status to,
                       enum appointment_status *path)
{
    if (!life_ahead(from, to)) return 0;
    /* Whoever could not get in was on his way; whoever finished or paused was working. */
    enum appointment_status last = (enum appointment_status)(to - 1);
    if (to == APPOINTMENT_COMPLETED || to == APPOINTMENT_PAUSED) last = APPOINTMENT_WORKING;
    if (to == APPOINTMENT_INCOMPLETE || to == APPOINTMENT_NO_ACCESS) last = APPOINTMENT_EN_ROUTE;
    if (to == APPOINTMENT_CANCELLED) return 0;
    uint32_t count = 0;
    for (int status = (int)from + 1; status <= (int)last; status++) {
        path[count++] = (enum appointment_status)status;
    }
    return count;
}

enum work_order_status life_work_order(const enum appointment_status *statuses, uint32_t count)
{
    uint32_t cancelled = 0, done = 0, begun = 0;
    for (uint32_t i = 0; i < count; i++) {
        cancelled += statuses[i] == APPOINTMENT_CANCELLED;
        done += statuses[i] == APPOINTMENT_COMPLETED;
        begun += life_in_progress(statuses[i]) || life_final(statuses[i]);
    }
    if (count > 0 && cancelled == count) return WORK_ORDER_CANCELLED;
    if (done > 0 && done + cancelled == count) return WORK_ORDER_DONE;
    return begun > cancelled ? WORK_ORDER_IN_PROGRESS : WORK_ORDER_OPEN;
}
