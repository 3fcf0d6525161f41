/* plan_diffs.c - what each plan of a day changed, and taking some of it back. */
#include "dispatcher/plan_diffs.h"

#include "base/clock.h"
#include "dispatcher/bounds.h"
#include "dispatcher/page_token.h"
#include "dispatcher/undo.h"

#include <string.h>

enum { DIFFS_DEFAULT = 10, DIFFS_MAX = 50, CHANGES_MAX = 512 };

struct diff {
    struct arena *arena;
    Callout__PlanDiff *to;
};

static bool moved(const struct row_change *row)
{
    return strcmp(row->owner_before, row->owner_after) != 0 ||
           row->start_before_us != row->start_after_us;
}

void plan_diff_add(struct arena *arena, const struct row_change *row, Callout__PlanDiff *to)
{
    if (!moved(row)) return;
    bool had = row->owner_before[0] != '\0', has = row->owner_after[0] != '\0';
    to->newly_served += !had && has;
    to->newly_unserved += had && !has;
    to->moved += had && has && strcmp(row->owner_before, row->owner_after) != 0;
    to->rescheduled += had && has && strcmp(row->owner_before, row->owner_after) == 0;
    if (to->plan->n_changes == CHANGES_MAX) return;
    Callout__PlanDelta *delta = arena_need(arena, sizeof *delta);
    callout__plan_delta__init(delta);
    delta->appointment_id = arena_text(arena, row->appointment_id);
    delta->technician_before = arena_text(arena, row->owner_before);
    delta->technician_after = arena_text(arena, row->owner_after);
    delta->start_before_us = row->start_before_us;
    delta->start_after_us = row->start_after_us;
    to->plan->changes[to->plan->n_changes++] = delta;
}

static bool add_delta(void *context, const void *visited)
{
    const struct diff *diff = context;
    plan_diff_add(diff->arena, visited, diff->to);
    return true;
}

static enum err fill_deltas(struct call *call, int64_t seq, Callout__PlanDiff *to)
{
    struct diff diff = {call->arena, to};
    const struct row_change key = {.seq = seq};
    return store_each(call->engine->store, ROW_CHANGE, &key, 1, false, add_delta, &diff);
}

static Callout__PlanFigures *new_figures(struct arena *arena, const struct row_plan *plan)
{
    Callout__PlanFigures *to = arena_need(arena, sizeof *to);
    callout__plan_figures__init(to);
    to->travel_seconds = plan->day_travel;
    to->unserved = (uint32_t)plan->day_unserved;
    to->late_seconds = plan->day_late_s;
    to->cost_seconds = plan->day_cost;
    return to;
}

/* The day with the plan before is what there is with this one, and what this one gained. */
void plan_diff_figures(struct arena *arena, const struct row_plan *plan, Callout__PlanDiff *to)
{
    if (plan->day_cost == 0 && plan->day_travel == 0 && plan->day_unserved == 0) return;
    to->after = new_figures(arena, plan);
    to->before = new_figures(arena, plan);
    to->before->travel_seconds += plan->gain_travel;
    to->before->unserved += to->newly_served - to->newly_unserved;
    to->before->late_seconds += plan->gain_late_s;
    to->before->cost_seconds += plan->gain_travel + plan->gain_overtime + plan->gain_lateness +
                                plan->gain_preferred_window + plan->gain_preferred_technician +
                                plan->gain_unserved;
}

Callout__PlanDiff *plan_diff_new(struct arena *arena, const struct row_plan *plan)
{
    Callout__PlanDiff *to = arena_need(arena, sizeof *to);
    callout__plan_diff__init(to);
    to->plan = arena_need(arena, sizeof *to->plan);
    callout__plan__init(to->plan);
    to->plan->territory_id = arena_text(arena, plan->territory_id);
    to->plan->service_day = plan->service_day;
    to->plan->version = (uint64_t)plan->version;
    to->plan->base_revision = (uint64_t)plan->base_revision;
    to->plan->cause_seq = (uint64_t)plan->cause_seq;
    to->plan->cost_seconds = plan->cost_seconds;
    to->plan->policy_version = (uint32_t)plan->policy_version;
    to->plan->bound = bound_of_plan(arena, plan);
    to->plan->changes = arena_need(arena, CHANGES_MAX * sizeof *to->plan->changes);
    to->stage = arena_text(arena, plan_stage_name(plan->stage));
    to->gain = plan_gain(arena, plan);
    to->broken = (Callout__Rule)plan->broken;
    return to;
}

/* NULL: there is no such plan (any more). *out is its row. */
static Callout__PlanDiff *read_diff(struct call *call, const char *territory_id,
                                    int64_t service_day, int64_t version, struct row_plan *out)
{
    union row row;
    const char *reason;
    const struct row_plan key = {
        .territory_id = territory_id, .service_day = service_day, .version = version};
    if (store_get(call->engine->store, ROW_PLAN, &key, &row) != ERR_OK) return NULL;
    struct row_plan plan = row.plan;
    plan.territory_id = territory_id;
    Callout__PlanDiff *to = plan_diff_new(call->arena, &plan);
    *out = plan;
    const Callout__FeedEvent *own = read_event(call, plan.seq, &reason);
    if (own != NULL) to->published_us = own->time_us;
    if (plan.cause_seq > 0) to->cause = read_event(call, plan.cause_seq, &reason);
    return to;
}

static int64_t newest_version(const struct core *core, const char *territory_id,
                              int64_t service_day)
{
    struct problem_key key;
    for (uint32_t i = 0; core_problem_key(core, i, &key); i++) {
        if (strcmp(key.territory_id, territory_id) == 0 && key.service_day == service_day)
            return (int64_t)key.plan_version;
    }
    return 0;
}

int64_t plan_day(struct call *call, const char *territory_id, int64_t service_day)
{
    if (service_day != 0) return service_day;
    return zone_service_day(core_territory_zone(call->engine->core, territory_id),
                            call->engine->now_us);
}

static enum err need_territory(struct call *call, const char *territory_id)
{
    if (core_territory_zone(call->engine->core, territory_id) != NULL) return ERR_OK;
    return problem_set(&call->problem, ERR_NOT_FOUND, "territory_id",
                       "there is no territory \"%.64s\"", territory_id);
}

enum err handle_plan_diffs(struct call *call)
{
    const Callout__PlanDiffsRequest *request = (const Callout__PlanDiffsRequest *)call->message;
    int64_t below;
    struct row_plan row;
    uint32_t count = request->count == 0 ? DIFFS_DEFAULT : request->count;
    if (count > DIFFS_MAX)
        return problem_set(&call->problem, ERR_INVALID, "count", "is at most %d", DIFFS_MAX);
    enum err err = need_territory(call, request->territory_id);
    if (err == ERR_OK) err = page_token_number(call, request->page_token, &below);
    if (err != ERR_OK) return err;
    int64_t day = plan_day(call, request->territory_id, request->service_day);
    if (below == 0) below = newest_version(call->engine->core, request->territory_id, day) + 1;
    Callout__PlanDiffsReply *answer = arena_need(call->arena, sizeof *answer);
    callout__plan_diffs_reply__init(answer);
    answer->diffs = arena_need(call->arena, count * sizeof *answer->diffs);
    while (err == ERR_OK && answer->n_diffs < count && below > 1) {
        Callout__PlanDiff *diff = read_diff(call, request->territory_id, day, --below, &row);
        if (diff == NULL) break;
        err = fill_deltas(call, row.seq, diff);
        plan_diff_figures(call->arena, &row, diff);
        answer->diffs[answer->n_diffs++] = diff;
    }
    if (below > 1 && answer->n_diffs == count) answer->next_page_token = page_token_of(call, below);
    call->answer = &answer->base;
    return err;
}

/* --- RollBackPlan --- */

static bool wanted(const Callout__RollBackPlanRequest *request, const char *appointment_id)
{
    for (size_t i = 0; i < request->n_appointment_ids; i++)
        if (strcmp(request->appointment_ids[i], appointment_id) == 0) return true;
    return request->n_appointment_ids == 0;
}

/* Is it where the plan put it, and can still be moved? */
static bool as_planned(struct call *call, const Callout__PlanDelta *delta)
{
    struct core_visit visit;
    if (!core_visit(call->engine->core, delta->appointment_id, &visit)) return false;
    if (!life_plannable(visit.status)) return false;
    int64_t start_us = visit.technician_id[0] == '\0' ? 0 : visit.planned_start_us;
    return strcmp(visit.technician_id, delta->technician_after) == 0 &&
           start_us == delta->start_after_us;
}

static Callout__Standing *standing_before(struct call *call, const Callout__PlanDelta *delta)
{
    Callout__Standing *to = arena_need(call->arena, sizeof *to);
    callout__standing__init(to);
    to->appointment_id = delta->appointment_id;
    to->technician_id = delta->technician_before;
    to->start_us = delta->start_before_us;
    if (delta->technician_before[0] == '\0') return to;
    to->pin = arena_need(call->arena, sizeof *to->pin);
    callout__pin__init(to->pin);
    to->pin->technician = true;
    to->pin->technician_id = delta->technician_before;
    return to;
}

static enum err choose_standings(struct call *call, const Callout__RollBackPlanRequest *request,
                                 const Callout__PlanDiff *diff, Callout__Restored *to)
{
    size_t found = 0;
    to->standings = arena_need(call->arena, (diff->plan->n_changes + 1) * sizeof *to->standings);
    for (size_t i = 0; i < diff->plan->n_changes; i++) {
        const Callout__PlanDelta *delta = diff->plan->changes[i];
        if (!wanted(request, delta->appointment_id)) continue;
        found++;
        if (as_planned(call, delta))
            to->standings[to->n_standings++] = standing_before(call, delta);
        else if (request->n_appointment_ids > 0)
            return problem_set(&call->problem, ERR_CONFLICT, "appointment_ids",
                               "%.64s is not where this plan put it any more",
                               delta->appointment_id);
    }
    if (found < request->n_appointment_ids)
        return problem_set(&call->problem, ERR_INVALID, "appointment_ids",
                           "names one that this plan did not change, or one twice");
    if (to->n_standings > 0) return ERR_OK;
    return problem_set(&call->problem, ERR_CONFLICT, "version",
                       "nothing is where this plan put it any more");
}

enum err roll_back_body(struct call *call, Callout__FactBody *body)
{
    const Callout__RollBackPlanRequest *request =
        (const Callout__RollBackPlanRequest *)call->message;
    struct row_plan row;
    enum err err = need_territory(call, request->territory_id);
    if (err != ERR_OK) return err;
    int64_t day = plan_day(call, request->territory_id, request->service_day);
    Callout__PlanDiff *diff =
        read_diff(call, request->territory_id, day, (int64_t)request->version, &row);
    if (diff == NULL)
        return problem_set(&call->problem, ERR_NOT_FOUND, "version", "there is no such plan");
    Callout__Restored *restored = arena_need(call->arena, sizeof *restored);
    callout__restored__init(restored);
    restored->of_seq = (uint64_t)row.seq;
    restored->why = request->reason;
    err = fill_deltas(call, row.seq, diff);
    if (err == ERR_OK) err = choose_standings(call, request, diff, restored);
    body->body_case = CALLOUT__FACT_BODY__BODY_RESTORED;
    body->restored = restored;
    return err;
}
