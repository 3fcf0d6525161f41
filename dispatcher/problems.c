/* problems.c - the optimizer's two questions: what changed in the problem, is this plan good? */
#include "base/check.h"
#include "base/log.h"
#include "dispatcher/bounds.h"
#include "dispatcher/proposals.h"

#include <stdio.h>
#include <string.h>

/* --- what is settled --- */

static uint32_t settled_slot(const struct engine *engine, const char *territory_id,
                             int64_t service_day, char *key, size_t size)
{
    snprintf(key, size, "%s %lld", territory_id, (long long)service_day);
    for (uint32_t i = 0; i < engine->settled_count; i++) {
        if (strcmp(engine->settled_key[i], key) == 0) return i;
    }
    return engine->settled_count;
}

int64_t settled_revision(const struct engine *engine, const char *territory_id, int64_t service_day)
{
    char key[LIMIT_ID + 24];
    uint32_t slot = settled_slot(engine, territory_id, service_day, key, sizeof key);
    return slot < engine->settled_count ? engine->settled_seq[slot] : 0;
}

/* --- NextProblem --- */

struct problem_out {
    struct call *call;
    Callout__NextProblemReply *answer;
    size_t technician_room, visit_room;
};

static void *grown(struct arena *arena, void *items, size_t count, size_t *room)
{
    if (count < *room) return items;
    *room = *room == 0 ? 64 : *room * 2;
    void **more = arena_need(arena, *room * sizeof *more);
    if (count > 0) memcpy(more, items, count * sizeof *more);
    return more;
}

static Callout__Point *out_point(struct arena *arena, struct point at)
{
    Callout__Point *point = arena_need(arena, sizeof *point);
    callout__point__init(point);
    point->lat_e7 = at.lat_e7;
    point->lon_e7 = at.lon_e7;
    return point;
}

static Callout__Skill **out_skills(struct call *call, const struct skill *skills, uint32_t count)
{
    Callout__Skill **out = arena_need(call->arena, (count + 1) * sizeof *out);
    for (uint32_t i = 0; i < count; i++) {
        out[i] = arena_need(call->arena, sizeof *out[i]);
        callout__skill__init(out[i]);
        out[i]->name = arena_text(call->arena, core_skill_name(call->engine->core, skills[i].name));
        out[i]->level = skills[i].level;
    }
    return out;
}

static void out_technician(void *context, const struct problem_technician *it)
{
    struct problem_out *out = context;
    struct arena *arena = out->call->arena;
    Callout__NextProblemReply *answer = out->answer;
    if (it->removed && answer->base_revision == 0) return;
    Callout__ProblemTechnician *to = arena_need(arena, sizeof *to);
    callout__problem_technician__init(to);
    to->technician_id = arena_text(arena, it->technician_id);
    to->removed = it->removed;
    to->start = out_point(arena, it->day.start);
    to->end = out_point(arena, it->day.end);
    to->available_us = it->day.available_us;
    to->shift_end_us = it->day.shift_end_us;
    to->overtime_seconds_max = (int32_t)((it->day.overtime_us_max + 999999) / 1000000);
    to->break_earliest_us = it->day.break_earliest_us;
    to->break_latest_us = it->day.break_latest_us;
    to->break_seconds = (int32_t)(it->day.break_us / 1000000);
    to->leg_seconds_max = it->day.leg_s_max;
    to->travel_seconds_max = it->day.travel_s_max;
    to->changes_left = it->changes_left;
    to->keeps_order = it->keeps_order;
    to->skills = out_skills(out->call, it->skills, it->skill_count);
    to->n_skills = it->skill_count;
    answer->technicians =
        grown(arena, answer->technicians, answer->n_technicians, &out->technician_room);
    answer->technicians[answer->n_technicians++] = to;
}

static void out_window(struct arena *arena, const struct window *window, bool preferred,
                       Callout__ProblemVisit *to)
{
    Callout__ArrivalWindow *out = arena_need(arena, sizeof *out);
    callout__arrival_window__init(out);
    out->start_us = window->start_us;
    out->end_us = window->end_us;
    out->preferred = preferred;
    to->windows[to->n_windows++] = out;
}

static void out_windows(struct arena *arena, const struct route_visit *visit,
                        Callout__ProblemVisit *to)
{
    to->windows = arena_need(arena, 2 * LIMIT_WINDOWS_PER_ORDER * sizeof *to->windows);
    for (uint32_t i = 0; i < visit->window_count; i++)
        out_window(arena, &visit->windows[i], false, to);
    for (uint32_t i = 0; i < visit->preferred_count; i++)
        out_window(arena, &visit->preferred[i], true, to);
    to->late_seconds_max = (int32_t)(visit->late_us_max / 1000000);
}

static char **out_ids(struct arena *arena, const char *const *ids, uint32_t count,
                      size_t *out_count)
{
    char **out = arena_need(arena, (count + 1) * sizeof *out);
    for (uint32_t i = 0; i < count; i++)
        out[(*out_count)++] = arena_text(arena, ids[i]);
    return out;
}

/* Whom the visit asks for. */
static void out_need(struct call *call, const struct problem_visit *it, Callout__ProblemVisit *to)
{
    struct arena *arena = call->arena;
    to->skills = out_skills(call, it->skills, it->skill_count);
    to->n_skills = it->skill_count;
    to->skill_choices = arena_need(arena, (it->choice_count + 1) * sizeof *to->skill_choices);
    for (uint32_t i = 0; i < it->choice_count; i++) {
        Callout__SkillChoice *choice = arena_need(arena, sizeof *choice);
        callout__skill_choice__init(choice);
        choice->any_of = out_skills(call, it->choices[i].any_of, it->choices[i].count);
        choice->n_any_of = it->choices[i].count;
        to->skill_choices[to->n_skill_choices++] = choice;
    }
    to->excluded_technician_ids =
        out_ids(arena, it->excluded, it->excluded_count, &to->n_excluded_technician_ids);
    to->required_technician_ids =
        out_ids(arena, it->required, it->required_count, &to->n_required_technician_ids);
    to->preferred_technician_ids =
        out_ids(arena, it->preferred, it->preferred_count, &to->n_preferred_technician_ids);
}

static void out_visit(void *context, const struct problem_visit *it)
{
    struct problem_out *out = context;
    struct arena *arena = out->call->arena;
    Callout__NextProblemReply *answer = out->answer;
    Callout__ProblemVisit *to = arena_need(arena, sizeof *to);
    callout__problem_visit__init(to);
    to->appointment_id = arena_text(arena, it->appointment_id);
    to->removed = it->removed;
    to->point = out_point(arena, it->visit.at);
    to->service_seconds = (int32_t)(it->visit.service_us / 1000000);
    to->priority = (uint32_t)it->priority;
    out_need(out->call, it, to);
    out_windows(arena, &it->visit, to);
    to->mobility = (Callout__Mobility)it->mobility;
    to->technician_id = arena_text(arena, it->technician_id);
    to->planned_start_us = it->planned_start_us;
    to->position = it->position;
    to->not_before_us = it->visit.not_before_us;
    to->stretched_us = it->visit.stretched_us;
    to->emergency = it->emergency;
    to->published = it->published;
    to->changed_hands = it->changed_hands;
    answer->visits = grown(arena, answer->visits, answer->n_visits, &out->visit_room);
    answer->visits[answer->n_visits++] = to;
}

Callout__Policy *policy_message(struct arena *arena, const struct policy *it)
{
    Callout__Policy *to = arena_need(arena, sizeof *to);
    callout__policy__init(to);
    to->version = it->version;
    to->freeze_seconds = (int32_t)(it->freeze_us / 1000000);
    to->dispatch_ahead_seconds = (int32_t)(it->dispatch_ahead_us / 1000000);
    to->accept_timeout_seconds = (int32_t)(it->accept_timeout_us / 1000000);
    to->overtime_price_percent = it->overtime_price_percent;
    to->unserved_seconds_per_priority = it->unserved_s_per_priority;
    to->change_technician_seconds = it->change_technician_s;
    to->change_start_seconds = it->change_start_s;
    to->change_start_tolerance_seconds = (int32_t)(it->change_start_tolerance_us / 1000000);
    to->overtime_tier_seconds = (int32_t)(it->overtime_tier_us / 1000000);
    to->overtime_tier_price_percent = it->overtime_tier_price_percent;
    to->travel_price_percent = it->travel_price_percent;
    to->lateness_price_percent = it->lateness_price_percent;
    to->preferred_window_missed_seconds = it->preferred_window_missed_s;
    to->preferred_technician_missed_seconds = it->preferred_technician_missed_s;
    to->changes_per_technician_day_max = it->changes_per_technician_day_max;
    to->changed_visits_percent_max = it->changed_visits_percent_max;
    return to;
}

static uint64_t have_revision(const Callout__NextProblemRequest *request,
                              const struct problem_key *key)
{
    if (request->territory_id[0] != '\0') return request->have_revision;
    for (size_t i = 0; i < request->n_have; i++) {
        if (strcmp(request->have[i]->territory_id, key->territory_id) == 0 &&
            request->have[i]->service_day == key->service_day)
            return request->have[i]->revision;
    }
    return 0;
}

/* The day to tell about: one with an event first, then any that changed. */
static bool choose(const struct core *core, const Callout__NextProblemRequest *request,
                   struct problem_key *best, uint64_t *have)
{
    struct problem_key key;
    bool found = false, found_event = false;
    for (uint32_t i = 0; core_problem_key(core, i, &key); i++) {
        if (request->territory_id[0] != '\0' &&
            (strcmp(request->territory_id, key.territory_id) != 0 ||
             request->service_day != key.service_day))
            continue;
        uint64_t known = have_revision(request, &key);
        if (known > (uint64_t)core_seq(core)) known = 0; /* from another life of the log */
        if (known < key.reset_seq) known = 0;
        bool event = key.event_seq > known;
        if (key.revision == known || (found && (found_event || !event))) continue;
        *best = key;
        *have = known;
        found = true;
        found_event = event;
    }
    return found;
}

static void fill_problem(struct call *call, const struct problem_key *key, uint64_t have,
                         Callout__NextProblemReply *answer)
{
    const struct engine *engine = call->engine;
    const struct policy *policy = core_policy(engine->core, key->territory_id);
    struct problem_out out = {.call = call, .answer = answer};
    struct problem_sink sink = {&out, out_technician, out_visit};
    answer->territory_id = arena_text(call->arena, key->territory_id);
    answer->service_day = key->service_day;
    answer->base_revision = have;
    answer->revision = key->revision;
    answer->now_us = engine->now_us;
    answer->frozen_until_us = engine->now_us + policy->freeze_us + engine->options.freeze_margin_us;
    answer->policy = policy_message(call->arena, policy);
    answer->plan_version = key->plan_version;
    answer->settled_revision =
        (uint64_t)settled_revision(engine, key->territory_id, key->service_day);
    answer->cause_seq = key->event_seq > have ? key->event_seq : 0;
    struct hands_left left = core_hands_left(engine->core, key->territory_id, key->service_day);
    answer->changed_visits_limited = left.limited;
    answer->changed_visits_left = left.visits;
    core_problem(engine->core, key->territory_id, key->service_day, have, engine->now_us, &sink);
}

enum err handle_next_problem(struct call *call)
{
    const Callout__NextProblemRequest *request = (const Callout__NextProblemRequest *)call->message;
    struct problem_key key;
    uint64_t have = 0;
    call->engine->optimizer_asked_wall_us = engine_wall_us(call->engine);
    bool found = choose(call->engine->core, request, &key, &have);
    bool expired = call->item != NULL && call->item->hold_ms == UINT32_MAX;
    if (!found && !expired && request->hold_ms > 0 && call->item != NULL) {
        call->item->held = HELD_PROBLEM;
        call->item->hold_ms = request->hold_ms;
        return ERR_OK;
    }
    Callout__NextProblemReply *answer = arena_need(call->arena, sizeof *answer);
    callout__next_problem_reply__init(answer);
    if (found) fill_problem(call, &key, have, answer);
    call->answer = &answer->base;
    return ERR_OK;
}

/* --- ProposePlan --- */

static void note_settled(struct engine *engine, const Callout__PlanCandidate *candidate,
                         int64_t seq)
{
    char key[LIMIT_ID + 24];
    if (strlen(candidate->territory_id) > LIMIT_ID) return;
    uint32_t slot =
        settled_slot(engine, candidate->territory_id, candidate->service_day, key, sizeof key);
    if (slot == BOARD_NOTES_MAX) slot = 0; /* the oldest day makes room */
    strcpy(engine->settled_key[slot], key);
    if (slot == engine->settled_count) engine->settled_count++;
    engine->settled_seq[slot] = seq;
}

static void fill_refusals(struct call *call, const struct acts *acts,
                          Callout__ProposePlanReply *answer)
{
    answer->refused = arena_need(call->arena, (acts->refusal_count + 1) * sizeof *answer->refused);
    for (uint32_t i = 0; i < acts->refusal_count; i++) {
        Callout__RouteRefusal *refusal = arena_need(call->arena, sizeof *refusal);
        callout__route_refusal__init(refusal);
        refusal->technician_id = arena_text(call->arena, acts->refusals[i].technician_id);
        refusal->reason = arena_text(call->arena, acts->refusals[i].reason);
        answer->refused[answer->n_refused++] = refusal;
    }
}

static void log_overrides(const struct acts *acts)
{
    for (uint32_t i = 0; i < acts->count; i++) {
        const struct row_stability_override *row = &acts->items[i].row.stability_override;
        if (acts->items[i].row_kind != ROW_STABILITY_OVERRIDE) continue;
        log_warn("plan %lld changes %lld more of the day of %s than it may, for the emergency %s",
                 (long long)row->version, (long long)row->changes_beyond, row->technician_id,
                 row->appointment_id);
    }
}

enum err handle_propose_plan(struct call *call)
{
    const Callout__PlanCandidate *candidate = (const Callout__PlanCandidate *)call->message;
    struct engine *engine = call->engine;
    Callout__FactBody body;
    callout__fact_body__init(&body);
    struct acts acts = {0};
    int64_t seq = (int64_t)candidate->base_revision;
    enum err err = ERR_CONFLICT;
    engine->optimizer_planned_wall_us = engine_wall_us(engine);
    body.body_case = CALLOUT__FACT_BODY__BODY_PLAN;
    body.plan = (Callout__PlanCandidate *)(uintptr_t)candidate;
    if (engine->quarantine)
        return problem_set(&call->problem, ERR_INTERNAL, "", "it was quarantined");
    bool waits = proposal_keep(engine, candidate);
    if (candidate->n_routes > 0 && !waits)
        err = engine_apply(engine, &body, &seq, &acts, &call->problem);
    if (err != ERR_OK && err != ERR_CONFLICT) return err;
    if (err == ERR_OK) log_overrides(&acts);
    call->problem = (struct problem){{0}, {0}};
    if (acts.refusal_count == 0 && !waits) bounds_note(engine, candidate);
    /* What was just published is another state: the optimizer has yet to look at it. */
    if (candidate->settled && acts.refusal_count == 0 && acts.plan_version == 0)
        note_settled(engine, candidate, seq);
    Callout__ProposePlanReply *answer = arena_need(call->arena, sizeof *answer);
    callout__propose_plan_reply__init(answer);
    answer->plan_version = acts.plan_version;
    answer->routes_applied = acts.routes_applied;
    fill_refusals(call, &acts, answer);
    call->answer = &answer->base;
    return ERR_OK;
}
