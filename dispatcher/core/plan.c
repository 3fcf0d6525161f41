/* plan.c - a candidate of the optimizer becomes a plan, as far as it still fits what is true now.
 *
 *   P1  routes that exchange visits stand or fall together (a component)
 *   P2  a component falls if a later fact touched one of its routes or visits (E9), if a rule does
 * not hold as of now (route.h, skills, pins, freeze), or if a visit that must stay is left out P3
 * what stands is applied at once under one new version (E10); what falls is named, with the reason
 *   P4  a candidate that changes nothing is refused, so it never becomes a fact
 */
#include "base/check.h"
#include "dispatcher/core/ask.h"

#include <string.h>

/* Starts that move by less than this are not worth telling anyone: the old time stays (but see
 * keep_starts). */
static const int64_t START_SHIFT_MIN_US = 60 * INT64_C(1000000);

struct draft {
    uint32_t shift;
    uint32_t visits[LIMIT_VISITS_PER_ROUTE]; /* appointments */
    uint32_t count;
    uint32_t component;  /* smallest route number of its component */
    const char *refusal; /* NULL: stands so far */
    bool same;           /* the route is what it was */
    struct changes changes;
    uint32_t changes_beyond; /* what is left of the technician's day, for an emergency */
    struct route_stop stops[LIMIT_VISITS_PER_ROUTE];
    struct before { /* where each visit was before anything moved */
        const char *owner;
        int64_t start_us;
        uint32_t shift, position;
        bool late;
    } before[LIMIT_VISITS_PER_ROUTE];
};

struct drafts {
    struct draft *items;
    uint32_t count, board;
    uint64_t base_revision;
};

/* Marks say which draft (number + 1) a visit goes to. They are taken back before the step ends. */
static void unmark(struct core *core, const struct drafts *drafts)
{
    for (uint32_t d = 0; d < drafts->count; d++) {
        const struct draft *draft = &drafts->items[d];
        for (uint32_t i = 0; i < draft->count; i++)
            core->appointments[draft->visits[i]].mark = 0;
    }
}

static const char *read_route(struct core *core, const struct fact_route *route,
                              struct drafts *drafts, struct draft *draft)
{
    uint32_t technician = id_index_find(&core->technician_ids, route->technician_id);
    if (technician == NONE) return "there is no such technician";
    draft->shift = find_shift(core, technician, drafts->board);
    if (draft->shift == NONE) return "the technician has no shift on that day";
    for (uint32_t i = 0; i < drafts->count; i++) {
        if (drafts->items[i].shift == draft->shift) return "the technician has two routes";
    }
    if (route->count > LIMIT_VISITS_PER_ROUTE) return "the route has too many visits";
    for (uint32_t i = 0; i < route->count; i++) {
        uint32_t visit = id_index_find(&core->appointment_ids, route->appointment_ids[i]);
        if (visit == NONE || core->appointments[visit].board != drafts->board)
            return "a visit is not of this territory and day";
        if (core->appointments[visit].mark != 0) return "a visit is planned twice";
        core->appointments[visit].mark = drafts->count + 1;
        draft->visits[draft->count++] = visit;
    }
    return NULL;
}

/* A plan that does not even name what exists is refused as a whole: its sender is out of step. */
static enum err read_plan(struct core *core, const struct fact_plan *plan, struct arena *arena,
                          struct drafts *drafts, struct problem *problem)
{
    if (plan->route_count > LIMIT_ROUTES_PER_PLAN)
        return problem_set(problem, ERR_TOO_LARGE, "routes", "at most %d routes",
                           LIMIT_ROUTES_PER_PLAN);
    drafts->items = arena_need(arena, (plan->route_count + 1) * sizeof *drafts->items);
    for (uint32_t i = 0; i < plan->route_count; i++) {
        struct draft *draft = &drafts->items[i];
        const char *wrong = read_route(core, &plan->routes[i], drafts, draft);
        draft->component = i;
        drafts->count = i + 1;
        if (wrong != NULL) {
            unmark(core, drafts);
            return problem_set(problem, ERR_INVALID, "routes", "route of %.64s: %s",
                               plan->routes[i].technician_id, wrong);
        }
    }
    return ERR_OK;
}

static uint32_t root(const struct drafts *drafts, uint32_t at)
{
    while (drafts->items[at].component != at)
        at = drafts->items[at].component;
    return at;
}

static void join(struct drafts *drafts, uint32_t a, uint32_t b)
{
    a = root(drafts, a);
    b = root(drafts, b);
    if (a < b)
        drafts->items[b].component = a;
    else
        drafts->items[a].component = b;
}

static uint32_t draft_of_shift(const struct drafts *drafts, uint32_t shift)
{
    for (uint32_t i = 0; i < drafts->count; i++) {
        if (drafts->items[i].shift == shift) return i;
    }
    return NONE;
}

static void join_components(const struct core *core, struct drafts *drafts)
{
    for (uint32_t d = 0; d < drafts->count; d++) {
        struct draft *draft = &drafts->items[d];
        for (uint32_t i = 0; i < draft->count; i++) {
            uint32_t from = core->appointments[draft->visits[i]].shift;
            if (from == NONE || from == draft->shift) continue;
            uint32_t other = draft_of_shift(drafts, from);
            if (other == NONE)
                draft->refusal = "a visit is still on a route that the plan does not name";
            else
                join(drafts, d, other);
        }
    }
}

static const char *check_stale(const struct core *core, const struct draft *draft, uint64_t base)
{
    static const char late[] = "a later fact touched it";
    const struct shift *shift = &core->shifts[draft->shift];
    if ((uint64_t)shift->touch_seq > base) return late;
    for (uint32_t i = 0; i < shift->route_count; i++) {
        if ((uint64_t)core->appointments[shift->route[i]].touch_seq > base) return late;
    }
    for (uint32_t i = 0; i < draft->count; i++) {
        const struct appointment *it = &core->appointments[draft->visits[i]];
        if ((uint64_t)it->touch_seq > base || !life_plannable(it->status)) return late;
        if (it->held) return "a visit is on hold";
    }
    return NULL;
}

/* What is frozen keeps its technician and its place at the head; only an emergency may step in. */
static const char *check_frozen(const struct core *core, const struct draft *draft)
{
    const struct shift *shift = &core->shifts[draft->shift];
    uint32_t at = 0;
    for (uint32_t i = 0; i < shift->route_count; i++) {
        uint32_t visit = shift->route[i];
        if (appointment_mobility(core, visit, core->now_us) != MOBILITY_FROZEN) break;
        while (at < draft->count && draft->visits[at] != visit &&
               core->appointments[draft->visits[at]].emergency &&
               core->appointments[draft->visits[at]].shift != draft->shift)
            at++;
        if (at == draft->count || draft->visits[at] != visit) return "it moves a frozen visit";
        at++;
    }
    return NULL;
}

static const char *check_left_out(const struct core *core, const struct draft *draft)
{
    const struct shift *shift = &core->shifts[draft->shift];
    for (uint32_t i = 0; i < shift->route_count; i++) {
        uint32_t visit = shift->route[i];
        const struct appointment *it = &core->appointments[visit];
        if (it->mark != 0) continue;
        if (appointment_mobility(core, visit, core->now_us) != MOBILITY_MOVABLE)
            return "it drops a visit that must stay";
    }
    return NULL;
}

/* Who may serve it is asked of what comes to him, and of what might go; a visit that must stay with
 * him may have been put there by a person, skills or not. */
static const char *check_who(const struct core *core, const struct draft *draft)
{
    for (uint32_t i = 0; i < draft->count; i++) {
        uint32_t visit = draft->visits[i];
        const struct appointment *it = &core->appointments[visit];
        bool stays = it->shift != NONE &&
                     appointment_mobility(core, visit, core->now_us) != MOBILITY_MOVABLE;
        if (it->shift == draft->shift && stays) continue;
        if (!appointment_serves(core, visit, draft->shift))
            return "the technician may not serve a visit";
        if (it->shift != draft->shift && stays)
            return "it takes a visit from the technician it is pinned to";
    }
    return NULL;
}

/* Starts that were told and could be a little earlier now stay, if the route bears it: what is kept
 * must be true for the visits behind it too. */
static void keep_starts(const struct core *core, struct draft *draft, const struct route_day *day,
                        struct route_visit *visits, const struct route_visit *const *order)
{
    struct route_stop stops[LIMIT_VISITS_PER_ROUTE];
    struct route_times times;
    for (uint32_t i = 0; i < draft->count; i++) {
        const struct appointment *it = &core->appointments[draft->visits[i]];
        int64_t earlier_us = it->planned_start_us - draft->stops[i].start_us;
        bool keeps = it->shift == draft->shift && earlier_us > 0 && earlier_us < START_SHIFT_MIN_US;
        if (keeps) visits[i].not_before_us = it->planned_start_us;
    }
    if (route_time(core->travel, day, order, draft->count, stops, &times) == ROUTE_FITS)
        memcpy(draft->stops, stops, draft->count * sizeof stops[0]);
}

/* The pinned ones of the draft, whoever else is between them. */
static bool keeps_order(const struct draft *draft, const struct rest *rest)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < draft->count && next < rest->pinned_count; i++)
        next += draft->visits[i] == rest->pinned[next];
    return next == rest->pinned_count;
}

/* In another order than the one it was stretched for, a window is as it was. */
static bool late_by_choice(const struct route_visit *visit, int64_t start_us)
{
    if (visit->stretched_us == 0) return false;
    const struct window *last = &visit->windows[visit->window_count - 1];
    return start_us > last->end_us - visit->stretched_us + visit->late_us_max;
}

static const char *check_times(const struct core *core, struct draft *draft)
{
    static const char keep_order[] = "it is later than it must be in another order";
    struct rest rest;
    rest_of_day(core, draft->shift, core->now_us, &rest);
    if (rest.off && draft->count > rest.pinned_count) return "the technician is away";
    bool reorders = !keeps_order(draft, &rest);
    if (rest.keeps_order && reorders) return keep_order;
    struct route_visit visits[LIMIT_VISITS_PER_ROUTE];
    const struct route_visit *order[LIMIT_VISITS_PER_ROUTE];
    for (uint32_t i = 0; i < draft->count; i++) {
        visits[i] = rest_visit(core, &rest, draft->visits[i], core->now_us);
        order[i] = &visits[i];
    }
    struct route_times times;
    enum route_rule rule =
        route_time(core->travel, &rest.day, order, draft->count, draft->stops, &times);
    if (rule != ROUTE_FITS) return route_rule_text(rule);
    for (uint32_t i = 0; i < draft->count && reorders; i++) {
        if (late_by_choice(&visits[i], draft->stops[i].start_us)) return keep_order;
    }
    keep_starts(core, draft, &rest.day, visits, order);
    return NULL;
}

/* More than is left of the technician's day only for an emergency that comes to him. */
static const char *check_changes(const struct core *core, struct draft *draft)
{
    uint32_t left = changes_left(core, draft->shift);
    draft->changes = route_changes(core, draft->shift, draft->visits, draft->stops, draft->count);
    uint32_t count = draft->changes.gone + draft->changes.come + draft->changes.moved;
    if (count <= left) return NULL;
    draft->changes_beyond = count - left;
    return draft->changes.emergency ? NULL : "it changes more than may change of the day";
}

static void check_draft(const struct core *core, struct draft *draft, uint64_t base)
{
    const struct shift *shift = &core->shifts[draft->shift];
    draft->same = draft->count == shift->route_count &&
                  memcmp(draft->visits, shift->route, draft->count * sizeof draft->visits[0]) == 0;
    if (draft->refusal == NULL) draft->refusal = check_stale(core, draft, base);
    if (draft->refusal == NULL) draft->refusal = check_frozen(core, draft);
    if (draft->refusal == NULL) draft->refusal = check_left_out(core, draft);
    if (draft->refusal == NULL) draft->refusal = check_who(core, draft);
    if (draft->refusal == NULL) draft->refusal = check_times(core, draft);
    if (draft->refusal == NULL) draft->refusal = check_changes(core, draft);
}

/* P1: one refusal brings its component down. */
static void spread_refusals(struct drafts *drafts)
{
    for (uint32_t d = 0; d < drafts->count; d++) {
        if (drafts->items[d].refusal == NULL) continue;
        struct draft *head = &drafts->items[root(drafts, d)];
        if (head->refusal == NULL)
            head->refusal = "a route that it exchanges visits with was refused";
    }
    for (uint32_t d = 0; d < drafts->count; d++) {
        struct draft *draft = &drafts->items[d];
        if (draft->refusal == NULL && drafts->items[root(drafts, d)].refusal != NULL)
            draft->refusal = "a route that it exchanges visits with was refused";
    }
}

/* Visits that the draft takes from who has them and may be refused for by the day's limit. */
static uint32_t hands_changed(const struct core *core, const struct drafts *drafts, uint32_t d)
{
    const struct draft *draft = &drafts->items[d];
    const struct shift *shift = &core->shifts[draft->shift];
    uint32_t count = 0;
    if (draft->changes.broken || draft->changes.emergency) return 0;
    for (uint32_t i = 0; i < shift->route_count; i++) {
        const struct appointment *it = &core->appointments[shift->route[i]];
        bool stays = it->mark == d + 1;
        bool makes_room = it->mark != 0 && drafts->items[it->mark - 1].changes.emergency;
        if (stays || makes_room || it->changed_hands) continue;
        count += appointment_serves(core, shift->route[i], draft->shift);
    }
    return count;
}

/* Components stand while the day's limit bears them, in the order in which they came. */
static void limit_hands(const struct core *core, struct drafts *drafts)
{
    struct hands_left left = hands_left(core, drafts->board);
    if (!left.limited) return;
    for (uint32_t head = 0; head < drafts->count; head++) {
        uint32_t count = 0;
        if (root(drafts, head) != head || drafts->items[head].refusal != NULL) continue;
        for (uint32_t d = head; d < drafts->count; d++)
            count += root(drafts, d) == head ? hands_changed(core, drafts, d) : 0;
        if (count <= left.visits)
            left.visits -= count;
        else
            drafts->items[head].refusal = "it takes more visits from technicians than may change";
    }
}

static void note_refusals(const struct core *core, const struct drafts *drafts, struct acts *acts)
{
    acts->refusals = arena_need(acts->arena, (drafts->count + 1) * sizeof *acts->refusals);
    for (uint32_t d = 0; d < drafts->count; d++) {
        const struct draft *draft = &drafts->items[d];
        if (draft->refusal == NULL) continue;
        acts->refusals[acts->refusal_count++] = (struct route_refusal){
            core->technicians[core->shifts[draft->shift].technician].id, draft->refusal};
    }
}

static void remember_before(const struct core *core, struct draft *draft)
{
    for (uint32_t i = 0; i < draft->count; i++) {
        const struct appointment *it = &core->appointments[draft->visits[i]];
        draft->before[i] = (struct before){owner_id(core, draft->visits[i]), it->planned_start_us,
                                           it->shift, it->position, it->late};
    }
}

static bool start_moved(const struct draft *draft, uint32_t i)
{
    int64_t moved = draft->stops[i].start_us - draft->before[i].start_us;
    return draft->before[i].shift != draft->shift || moved >= START_SHIFT_MIN_US || moved < 0;
}

static bool draft_changes(const struct draft *draft)
{
    if (draft->refusal != NULL) return false;
    if (!draft->same) return true;
    for (uint32_t i = 0; i < draft->count; i++) {
        if (start_moved(draft, i)) return true;
    }
    return false;
}

/* Whoever leaves a technician has changed hands, also when nobody takes him. */
static void note_hands(struct core *core, const struct draft *draft, uint32_t number)
{
    const struct shift *shift = &core->shifts[draft->shift];
    for (uint32_t i = 0; i < shift->route_count; i++) {
        struct appointment *it = &core->appointments[shift->route[i]];
        it->changed_hands |= it->mark != number;
    }
}

/* What is on the route but in nobody's draft goes back to the unscheduled. */
static void drop_left_out(struct core *core, const struct draft *draft, struct acts *acts)
{
    struct shift *shift = &core->shifts[draft->shift];
    for (uint32_t i = shift->route_count; i-- > 0;) {
        if (core->appointments[shift->route[i]].mark == 0) unassign(core, shift->route[i], acts);
    }
}

static void leave_others(struct core *core, const struct draft *draft)
{
    for (uint32_t i = 0; i < draft->count; i++) {
        uint32_t from = draft->before[i].shift;
        if (from != NONE && from != draft->shift) route_leave(core, draft->visits[i]);
    }
}

/* Positions that are still in order stay, so that nobody is told of a place that somebody else
 * left.
 */
static void number_route(struct core *core, const struct draft *draft)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < draft->count; i++) {
        const struct before *before = &draft->before[i];
        bool keeps = before->shift == draft->shift && before->position >= next;
        if (keeps) next = before->position;
        core->appointments[draft->visits[i]].position = next++;
    }
    if (next <= LIMIT_VISITS_PER_ROUTE) return;
    for (uint32_t i = 0; i < draft->count; i++)
        core->appointments[draft->visits[i]].position = i;
}

static void enter_route(struct core *core, const struct draft *draft)
{
    struct shift *shift = &core->shifts[draft->shift];
    shift->route_count = draft->count;
    memcpy(shift->route, draft->visits, draft->count * sizeof draft->visits[0]);
    number_route(core, draft);
    for (uint32_t i = 0; i < draft->count; i++) {
        struct appointment *it = &core->appointments[draft->visits[i]];
        it->shift = draft->shift;
        if (start_moved(draft, i)) it->planned_start_us = draft->stops[i].start_us;
        it->planned_end_us = it->planned_start_us + it->service_us;
        it->late = appointment_late(core, draft->visits[i], draft->stops[i].start_us);
        if (it->status == APPOINTMENT_UNSCHEDULED) it->status = APPOINTMENT_SCHEDULED;
    }
}

static void emit_draft(struct core *core, const struct draft *draft, struct acts *acts)
{
    for (uint32_t i = 0; i < draft->count; i++) {
        const struct before *before = &draft->before[i];
        const struct appointment *it = &core->appointments[draft->visits[i]];
        bool moved = before->shift != it->shift || before->start_us != it->planned_start_us;
        if (!moved && before->position == it->position && before->late == it->late) continue;
        touch_appointment(core, draft->visits[i], true);
        emit_assignment(core, draft->visits[i], acts);
        emit_appointment(core, draft->visits[i], acts);
        if (moved) emit_change(core, draft->visits[i], before->owner, before->start_us, acts);
    }
    if (!draft->same) touch_shift(core, draft->shift);
}

static void apply(struct core *core, struct drafts *drafts, struct acts *acts)
{
    void (*const phases[])(struct core *, const struct draft *) = {leave_others, enter_route};
    for (uint32_t d = 0; d < drafts->count; d++) {
        if (drafts->items[d].refusal != NULL) continue;
        note_hands(core, &drafts->items[d], d + 1);
        drop_left_out(core, &drafts->items[d], acts);
    }
    for (uint32_t phase = 0; phase < 2; phase++) {
        for (uint32_t d = 0; d < drafts->count; d++) {
            if (drafts->items[d].refusal == NULL) phases[phase](core, &drafts->items[d]);
        }
    }
    for (uint32_t d = 0; d < drafts->count; d++) {
        if (drafts->items[d].refusal != NULL) continue;
        emit_draft(core, &drafts->items[d], acts);
        acts->routes_applied++;
    }
}

/* The emergency that comes to him. */
static const char *emergency_of(const struct core *core, const struct draft *draft)
{
    for (uint32_t i = 0; i < draft->count; i++) {
        const struct appointment *it = &core->appointments[draft->visits[i]];
        if (it->emergency && draft->before[i].shift != draft->shift) return it->id;
    }
    return "";
}

/* Counts what the standing routes changed, and logs who was changed beyond his limit, and for what.
 */
static void count_changes(struct core *core, const struct drafts *drafts, struct acts *acts)
{
    struct board *board = &core->boards[drafts->board];
    for (uint32_t d = 0; d < drafts->count; d++) {
        const struct draft *draft = &drafts->items[d];
        const struct changes *changes = &draft->changes;
        if (draft->refusal != NULL) continue;
        core->shifts[draft->shift].changes += changes->gone + changes->come + changes->moved;
        board->stability.technician_changes += changes->gone; /* whoever gives, gives once */
        board->stability.start_changes += changes->moved;
        board->stability.moves_after_promise += changes->promised;
        if (draft->changes_beyond == 0) continue;
        board->stability.overrides++;
        acts_put(acts, ROW_STABILITY_OVERRIDE,
                 &(struct row_stability_override){
                     .seq = core->seq,
                     .territory_id = core->territories[board->territory].id,
                     .service_day = board->service_day,
                     .version = board->plan_version,
                     .technician_id = core->technicians[core->shifts[draft->shift].technician].id,
                     .appointment_id = emergency_of(core, draft),
                     .changes_beyond = draft->changes_beyond,
                 });
    }
}

/* The standing routes together, as they stand. */
static struct plan_tally touched_tally(const struct core *core, const struct drafts *drafts,
                                       enum rule *broken)
{
    struct plan_tally sum = {.unserved = 0};
    for (uint32_t d = 0; d < drafts->count; d++) {
        enum rule rule = RULE_NONE;
        if (drafts->items[d].refusal != NULL) continue;
        tally_shift(core, drafts->items[d].shift, core->now_us, &rule, &sum);
        if (*broken == RULE_NONE) *broken = rule;
    }
    return sum;
}

/* Who is served now and was not, who is not any more, and what the others are told anew. */
static void add_visits(const struct core *core, const struct draft *draft, struct plan_parts *gain)
{
    const struct shift *shift = &core->shifts[draft->shift];
    const struct policy *policy = &core->territories[core->boards[shift->board].territory].policy;
    for (uint32_t i = 0; i < draft->count; i++) {
        const struct before *before = &draft->before[i];
        const struct standing was = {.shift = before->shift, .planned_start_us = before->start_us};
        const struct appointment *it = &core->appointments[draft->visits[i]];
        int64_t start_us = start_moved(draft, i) ? draft->stops[i].start_us : before->start_us;
        struct plan_parts told = change_parts(policy, core->now_us, &was, draft->shift, start_us);
        *gain = plan_parts_less(gain, &told);
        if (before->shift == NONE) gain->unserved += it->priority * policy->unserved_s_per_priority;
    }
    for (uint32_t i = 0; i < shift->route_count; i++) {
        const struct appointment *it = &core->appointments[shift->route[i]];
        if (it->mark == 0) gain->unserved -= it->priority * policy->unserved_s_per_priority;
    }
}

static void publish(struct core *core, const struct fact_plan *plan, struct drafts *drafts,
                    struct acts *acts)
{
    struct board *board = &core->boards[drafts->board];
    board->plan_version++;
    touch_board(core, drafts->board);
    enum rule broken = RULE_NONE, none = RULE_NONE;
    struct plan_tally before = touched_tally(core, drafts, &broken);
    struct plan_parts gain = before.parts;
    for (uint32_t d = 0; d < drafts->count; d++) {
        if (drafts->items[d].refusal == NULL) add_visits(core, &drafts->items[d], &gain);
    }
    apply(core, drafts, acts);
    count_changes(core, drafts, acts);
    struct plan_tally after = touched_tally(core, drafts, &none);
    gain = plan_parts_less(&gain, &after.parts);
    const struct territory *territory = &core->territories[board->territory];
    struct plan_tally day = core_plan_tally(core, territory->id, board->service_day, core->now_us);
    acts_put(acts, ROW_PLAN,
             &(struct row_plan){
                 .territory_id = territory->id,
                 .service_day = board->service_day,
                 .version = board->plan_version,
                 .seq = core->seq,
                 .base_revision = (int64_t)plan->base_revision,
                 .cause_seq = (int64_t)plan->cause_seq,
                 .cost_seconds = plan->cost_s,
                 .policy_version = territory->policy.version,
                 .stage = plan->stage,
                 .changes = core->change_number,
                 .gain_travel = gain.route.travel,
                 .gain_overtime = gain.route.overtime,
                 .gain_lateness = gain.route.lateness,
                 .gain_preferred_window = gain.route.preferred_window,
                 .gain_preferred_technician = gain.route.preferred_technician,
                 .gain_unserved = gain.unserved,
                 .gain_change_technician = gain.route.change_technician,
                 .gain_change_start = gain.route.change_start,
                 .broken = broken,
                 .bound_cost = plan->bound.cost_s,
                 .bound_lower = plan->bound.lower_s,
                 .bound_gap_ppm = plan->bound.gap_ppm,
                 .bound_age = plan->bound.age_s,
                 .day_travel = day.parts.route.travel,
                 .day_cost = plan_parts_total(&day.parts),
                 .day_late_s = day.late_us / 1000000,
                 .day_unserved = day.unserved,
                 .gain_late_s = (before.late_us - after.late_us) / 1000000,
             });
    acts->plan_version = (uint64_t)board->plan_version;
}

enum err step_plan(struct core *core, const struct fact *fact, struct acts *acts,
                   struct problem *problem)
{
    const struct fact_plan *plan = &fact->plan;
    struct drafts drafts = {.base_revision = plan->base_revision};
    uint32_t territory;
    enum err err = find_territory(core, plan->territory_id, &territory, problem);
    if (err != ERR_OK) return err;
    drafts.board = find_board(core, territory, plan->service_day);
    if (drafts.board == NONE)
        return problem_set(problem, ERR_NOT_FOUND, "service_day",
                           "nothing is planned for that day");
    if (plan->base_revision > (uint64_t)core->seq)
        return problem_set(problem, ERR_INVALID, "base_revision", "lies in the future");
    err = read_plan(core, plan, acts->arena, &drafts, problem);
    if (err != ERR_OK) return err;
    join_components(core, &drafts);
    for (uint32_t d = 0; d < drafts.count; d++) {
        check_draft(core, &drafts.items[d], plan->base_revision);
        remember_before(core, &drafts.items[d]);
    }
    spread_refusals(&drafts);
    limit_hands(core, &drafts);
    spread_refusals(&drafts);
    note_refusals(core, &drafts, acts);
    bool changes = false;
    for (uint32_t d = 0; d < drafts.count; d++)
        changes |= draft_changes(&drafts.items[d]);
    if (changes) publish(core, plan, &drafts, acts);
    unmark(core, &drafts);
    if (changes) return ERR_OK;
    return problem_set(problem, ERR_CONFLICT, "routes", "nothing of it changes the plan in force");
}
