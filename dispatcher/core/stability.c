/* stability.c - how much the plan of a technician's day has been changed, and how much more it may.
 *
 * What counts as a change of a technician-day, each once:
 *   S1  a visit that he had goes to somebody else, or to nobody
 *   S2  a visit that somebody else had comes to him
 *   S3  a visit that he keeps starts earlier or later by more than the tolerance, and by more than
 *       the day itself made of it: his route as it stood would now begin it elsewhere too
 * Only what the optimizer does counts: what people and the field do are facts, and to give a visit
 * that nobody has is no change. With nothing left his visits are pinned to him, so that delay may
 * stretch them and no plan may take them. Only an emergency that comes to him may go beyond.
 *
 * And how many visits of a day plans may ever take from who has them (S1): a share of the day's, so
 * that there are more as orders come in. One that was taken before does not count again. Never
 * refused for it: a technician whose route as it stood does not hold any more or who may not serve
 * a visit, and where an emergency comes to him or to who takes it; but what is so taken has changed
 * hands, too, and leaves the less for the rest of the day. All else that goes beyond is refused.
 */
#include "dispatcher/core/state.h"

static const struct policy *policy_of(const struct core *core, uint32_t shift)
{
    return &core->territories[core->boards[core->shifts[shift].board].territory].policy;
}

uint32_t changes_left(const struct core *core, uint32_t shift)
{
    int32_t most = policy_of(core, shift)->changes_per_technician_day_max;
    uint32_t done = core->shifts[shift].changes;
    if (most == 0) return UNLIMITED_CHANGES;
    return done >= (uint32_t)most ? 0 : (uint32_t)most - done;
}

static int64_t apart_us(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

struct hands_left hands_left(const struct core *core, uint32_t board)
{
    const struct board *it = &core->boards[board];
    int64_t percent = core->territories[it->territory].policy.changed_visits_percent_max;
    int64_t visits = 0, used = 0;
    if (percent == 0) return (struct hands_left){.limited = false};
    for (uint32_t a = it->first_appointment; a != NONE; a = core->appointments[a].next_of_board) {
        visits += core->appointments[a].status != APPOINTMENT_CANCELLED;
        used += core->appointments[a].changed_hands;
    }
    int64_t most = visits * percent / 100;
    return (struct hands_left){true, used < most ? (uint32_t)(most - used) : 0};
}

/* When the visits of a shift's route would start now if nothing is changed. */
static bool untouched_starts(const struct core *core, uint32_t index, int64_t *starts_us)
{
    const struct shift *shift = &core->shifts[index];
    struct rest rest;
    struct route_visit visits[LIMIT_VISITS_PER_ROUTE];
    const struct route_visit *order[LIMIT_VISITS_PER_ROUTE];
    struct route_stop stops[LIMIT_VISITS_PER_ROUTE];
    struct route_times times;
    rest_of_day(core, index, core->now_us, &rest);
    for (uint32_t i = 0; i < shift->route_count; i++) {
        visits[i] = rest_visit(core, &rest, shift->route[i], core->now_us);
        order[i] = &visits[i];
    }
    bool fits =
        route_time(core->travel, &rest.day, order, shift->route_count, stops, &times) == ROUTE_FITS;
    for (uint32_t i = 0; i < shift->route_count; i++)
        starts_us[i] =
            fits ? stops[i].start_us : core->appointments[shift->route[i]].planned_start_us;
    return fits;
}

struct changes route_changes(const struct core *core, uint32_t index, const uint32_t *visits,
                             const struct route_stop *stops, uint32_t count)
{
    const struct shift *shift = &core->shifts[index];
    struct changes changes = {.gone = shift->route_count};
    int64_t untouched_us[LIMIT_VISITS_PER_ROUTE];
    int64_t tolerance_us = policy_of(core, index)->change_start_tolerance_us;
    changes.broken = !untouched_starts(core, index, untouched_us);
    for (uint32_t i = 0; i < shift->route_count; i++)
        changes.promised += core->appointments[shift->route[i]].promised_us != 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct appointment *it = &core->appointments[visits[i]];
        if (it->shift == NONE) {
            changes.emergency |= it->emergency;
        } else if (it->shift != index) {
            changes.come++;
            changes.emergency |= it->emergency;
        } else {
            uint32_t at = 0;
            while (shift->route[at] != visits[i])
                at++;
            bool moved = apart_us(stops[i].start_us, it->planned_start_us) > tolerance_us &&
                         apart_us(stops[i].start_us, untouched_us[at]) > tolerance_us;
            changes.gone--;
            changes.moved += moved;
            changes.promised -= it->promised_us != 0 && !moved;
        }
    }
    return changes;
}
