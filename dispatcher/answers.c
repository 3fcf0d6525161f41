/* answers.c - answers for people as messages: what dispatcher/core/answer.h says, and what the log
 * knows about why an appointment was moved. They are queries: they store nothing. */
#include "dispatcher/core/answer.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "dispatcher/engine_impl.h"

#include <stdio.h>
#include <string.h>

enum { CANDIDATES_DEFAULT = 5, CANDIDATES_MAX = 50, TECHNICIANS_MAX = 200 };

static int64_t seconds_up(int64_t us)
{
    return (us + 999999) / 1000000;
}

static Callout__AnswerBasis *basis_of(struct call *call, const char *appointment_id)
{
    const struct core *core = call->engine->core;
    struct appointment_day day;
    Callout__AnswerBasis *basis = arena_need(call->arena, sizeof *basis);
    callout__answer_basis__init(basis);
    basis->log_seq = (uint64_t)core_seq(core);
    basis->now_us = call->engine->now_us;
    if (!core_appointment_day(core, appointment_id, &day)) return basis;
    basis->plan_version = day.plan_version;
    basis->settled =
        (uint64_t)settled_revision(call->engine, day.territory_id, day.service_day) >= day.revision;
    return basis;
}

static Callout__CostParts *out_parts(struct arena *arena, const struct plan_parts *parts)
{
    Callout__CostParts *to = arena_need(arena, sizeof *to);
    callout__cost_parts__init(to);
    to->travel = parts->route.travel;
    to->overtime = parts->route.overtime;
    to->lateness = parts->route.lateness;
    to->preferred_window = parts->route.preferred_window;
    to->preferred_technician = parts->route.preferred_technician;
    to->unserved = parts->unserved;
    to->change_technician = parts->route.change_technician;
    to->change_start = parts->route.change_start;
    to->total = plan_parts_total(parts);
    return to;
}

Callout__Violation *violation_message(struct arena *arena, const struct violation *it)
{
    struct problem text;
    Callout__Violation *to = arena_need(arena, sizeof *to);
    callout__violation__init(to);
    violation_text(it, &text);
    to->rule = (Callout__Rule)it->rule;
    to->appointment_id = arena_text(arena, it->appointment_id);
    to->amount = it->rule == RULE_SKILL ? it->amount : seconds_up(it->amount);
    to->skill = arena_text(arena, it->skill);
    to->text = arena_text(arena, text.text);
    return to;
}

static Callout__Violation **out_violations(struct arena *arena, const struct move *move)
{
    Callout__Violation **to = arena_need(arena, (move->violation_count + 1) * sizeof *to);
    for (uint32_t i = 0; i < move->violation_count; i++)
        to[i] = violation_message(arena, &move->violations[i]);
    return to;
}

static Callout__KnockOn *out_knock_on(struct arena *arena, const struct knock_on *it)
{
    Callout__KnockOn *to = arena_need(arena, sizeof *to);
    callout__knock_on__init(to);
    to->appointment_id = arena_text(arena, it->appointment_id);
    to->start_before_us = it->start_before_us;
    to->start_after_us = it->start_after_us;
    to->late_seconds = seconds_up(it->late_us);
    to->becomes_late = it->becomes_late;
    return to;
}

static Callout__Move *out_move(struct arena *arena, const struct move *it)
{
    Callout__Move *to = arena_need(arena, sizeof *to);
    callout__move__init(to);
    to->technician_id = arena_text(arena, it->technician_id);
    to->place = it->place;
    to->start_us = it->start_us;
    to->late_seconds = seconds_up(it->late_us);
    to->cost_delta = out_parts(arena, &it->delta);
    to->violations = out_violations(arena, it);
    to->n_violations = it->violation_count;
    to->knock_on = arena_need(arena, (it->knock_on_count + 1) * sizeof *to->knock_on);
    for (uint32_t i = 0; i < it->knock_on_count; i++)
        to->knock_on[to->n_knock_on++] = out_knock_on(arena, &it->knock_on[i]);
    return to;
}

static enum err need_appointment_id(struct call *call, const char *id)
{
    if (id[0] != '\0') return ERR_OK;
    return problem_set(&call->problem, ERR_INVALID, "appointment_id",
                       "must be given, such as W17.1 (the work order's id and its number)");
}

/* --- Candidates --- */

enum err handle_candidates(struct call *call)
{
    const Callout__CandidatesRequest *request = (const Callout__CandidatesRequest *)call->message;
    struct candidates found;
    uint32_t count = request->count == 0 ? CANDIDATES_DEFAULT : request->count;
    if (count > CANDIDATES_MAX)
        return problem_set(&call->problem, ERR_INVALID, "count", "is at most %d", CANDIDATES_MAX);
    enum err err = need_appointment_id(call, request->appointment_id);
    if (err == ERR_OK)
        err = core_candidates(call->engine->core, request->appointment_id, call->engine->now_us,
                              call->arena, &found, &call->problem);
    if (err != ERR_OK) return err;
    Callout__CandidatesReply *answer = arena_need(call->arena, sizeof *answer);
    callout__candidates_reply__init(answer);
    answer->basis = basis_of(call, request->appointment_id);
    answer->technician_id = arena_text(call->arena, found.technician_id);
    answer->technicians = found.count;
    answer->fitting = found.fitting;
    if (count > found.count) count = found.count;
    answer->candidates = arena_need(call->arena, (count + 1) * sizeof *answer->candidates);
    for (uint32_t i = 0; i < count; i++)
        answer->candidates[answer->n_candidates++] = out_move(call->arena, &found.items[i]);
    call->answer = &answer->base;
    return ERR_OK;
}

/* --- CheckMove --- */

static Callout__LeftBehind *out_left(struct arena *arena, const struct move_check *check)
{
    Callout__LeftBehind *to = arena_need(arena, sizeof *to);
    callout__left_behind__init(to);
    to->technician_id = arena_text(arena, check->technician_before);
    to->appointments = check->left_count;
    to->idle_from_us = check->idle_from_us;
    to->idle_until_us = check->idle_until_us;
    to->travel_seconds = check->travel_saved_s;
    return to;
}

static enum err check_move(struct call *call, const char *appointment_id, struct move_wish wish,
                           struct move_check *check)
{
    enum err err = need_appointment_id(call, appointment_id);
    int64_t span_us = 366 * US_PER_DAY;
    bool near = wish.start_us > call->engine->now_us - span_us &&
                wish.start_us < call->engine->now_us + span_us;
    if (err == ERR_OK && wish.start_us != 0 && !near)
        err = problem_set(&call->problem, ERR_INVALID, "start_us",
                          "is more than a year away: UTC microseconds since 1970 are meant");
    if (err != ERR_OK) return err;
    return core_check_move(call->engine->core, appointment_id, &wish, call->engine->now_us,
                           call->arena, check, &call->problem);
}

enum err handle_check_move(struct call *call)
{
    const Callout__CheckMoveRequest *request = (const Callout__CheckMoveRequest *)call->message;
    struct move_check check;
    enum err err = check_move(
        call, request->appointment_id,
        (struct move_wish){request->technician_id, request->start_us, request->place}, &check);
    if (err != ERR_OK) return err;
    Callout__CheckMoveReply *answer = arena_need(call->arena, sizeof *answer);
    callout__check_move_reply__init(answer);
    answer->basis = basis_of(call, request->appointment_id);
    answer->move = out_move(call->arena, &check.move);
    answer->pinned = check.pinned;
    answer->frozen = check.frozen;
    answer->technician_before = arena_text(call->arena, check.technician_before);
    answer->start_before_us = check.start_before_us;
    if (check.leaves) answer->left_behind = out_left(call->arena, &check);
    call->answer = &answer->base;
    return ERR_OK;
}

Callout__Move *assign_move(struct call *call, const Callout__AssignRequest *request)
{
    struct move_check check;
    struct problem keep = call->problem;
    enum err err = check_move(
        call, request->appointment_id,
        (struct move_wish){request->technician_id, request->start_us, request->place}, &check);
    call->problem = keep;
    return err == ERR_OK ? out_move(call->arena, &check.move) : NULL;
}

/* --- Explain --- */

static Callout__TechnicianReason *out_reason(struct arena *arena, const struct move *move)
{
    Callout__TechnicianReason *to = arena_need(arena, sizeof *to);
    callout__technician_reason__init(to);
    to->technician_id = arena_text(arena, move->technician_id);
    to->relaxations = out_violations(arena, move);
    to->n_relaxations = move->violation_count;
    to->first_failing = move->violation_count > 0 ? to->relaxations[0] : NULL;
    to->relaxable = true;
    for (uint32_t i = 0; i < move->violation_count; i++)
        to->relaxable &= move->violations[i].rule != RULE_ABSENT;
    to->place = move->place;
    to->start_us = move->start_us;
    to->cost_delta = out_parts(arena, &move->delta);
    return to;
}

static void say(struct call *call, Callout__ExplainReply *answer, const char *text)
{
    answer->text = arena_text(call->arena, text);
    utf8_mend(answer->text); /* what it quotes may have been cut */
}

static enum err why_unserved(struct call *call, const Callout__ExplainRequest *request,
                             Callout__ExplainReply *answer)
{
    struct candidates found;
    char text[400];
    enum err err = core_candidates(call->engine->core, request->appointment_id,
                                   call->engine->now_us, call->arena, &found, &call->problem);
    if (err != ERR_OK) return err;
    if (found.technician_id[0] != '\0')
        return problem_set(&call->problem, ERR_CONFLICT, "appointment_id",
                           "is served by %.64s: ask WHY_NOT_TECHNICIAN or WHY_CHANGED",
                           found.technician_id);
    uint32_t told =
        request->count == 0 || request->count > found.count ? found.count : request->count;
    if (told > TECHNICIANS_MAX) told = TECHNICIANS_MAX;
    answer->technicians = arena_need(call->arena, (told + 1) * sizeof *answer->technicians);
    for (uint32_t i = 0; i < told; i++)
        answer->technicians[answer->n_technicians++] = out_reason(call->arena, &found.items[i]);
    const struct move *best = &found.items[0];
    if (found.count == 0) {
        snprintf(text, sizeof text, "nobody has a shift on its service day");
    } else if (found.fitting > 0) {
        snprintf(text, sizeof text,
                 "%u of %u technicians could serve it, %s at a cost of %lld s: the optimizer has "
                 "not planned it yet, or leaves it for what is dearer to leave",
                 found.fitting, found.count, best->technician_id,
                 (long long)plan_parts_total(&best->delta));
    } else {
        struct problem first;
        violation_text(&best->violations[0], &first);
        snprintf(text, sizeof text, "nobody can serve it; nearest to it is %s: %.200s%s",
                 best->technician_id, first.text, best->violation_count > 1 ? ", and more" : "");
    }
    say(call, answer, text);
    return ERR_OK;
}

static enum err why_not_technician(struct call *call, const Callout__ExplainRequest *request,
                                   Callout__ExplainReply *answer)
{
    struct move_check check;
    char text[400];
    enum err err = check_move(call, request->appointment_id,
                              (struct move_wish){.technician_id = request->technician_id}, &check);
    if (err != ERR_OK) return err;
    answer->alternative = out_move(call->arena, &check.move);
    long long total = plan_parts_total(&check.move.delta);
    if (check.move.violation_count > 0) {
        struct problem first;
        violation_text(&check.move.violations[0], &first);
        snprintf(text, sizeof text, "%s cannot: %.200s%s", check.move.technician_id, first.text,
                 check.move.violation_count > 1 ? ", and more" : "");
    } else if (strcmp(check.technician_before, check.move.technician_id) == 0) {
        snprintf(text, sizeof text, "%s has it", check.move.technician_id);
    } else if (total > 0) {
        snprintf(text, sizeof text, "with %s the plan would cost %lld s more",
                 check.move.technician_id, total);
    } else {
        snprintf(text, sizeof text, "with %s the plan would cost %lld s less%s",
                 check.move.technician_id, -total,
                 check.pinned ? ", but it is pinned where it is" : "");
    }
    say(call, answer, text);
    return ERR_OK;
}

/* --- why it changed --- */

enum { CHANGES_DEFAULT = 10, CHANGES_MAX = 50, DISPLACED_MAX = 128 };

struct history {
    struct arena *arena;
    struct row_change rows[CHANGES_MAX];
    uint32_t count, wanted;
    bool all; /* of state and pins too */
};

static struct row_change copy_change(struct arena *arena, const struct row_change *row)
{
    struct row_change copy = *row;
    copy.territory_id = arena_text(arena, row->territory_id);
    copy.appointment_id = arena_text(arena, row->appointment_id);
    copy.owner_before = arena_text(arena, row->owner_before);
    copy.owner_after = arena_text(arena, row->owner_after);
    return copy;
}

/* A row that tells only of another state is no move. */
static bool moves(const struct row_change *row)
{
    return strcmp(row->owner_before, row->owner_after) != 0 ||
           row->start_before_us != row->start_after_us;
}

static bool note_history(void *context, const void *visited)
{
    struct history *history = context;
    if (history->all || moves(visited))
        history->rows[history->count++] = copy_change(history->arena, visited);
    return history->count < history->wanted;
}

static Callout__PlanDelta *out_delta(struct arena *arena, const struct row_change *row)
{
    Callout__PlanDelta *to = arena_need(arena, sizeof *to);
    callout__plan_delta__init(to);
    to->appointment_id = arena_text(arena, row->appointment_id);
    to->technician_before = arena_text(arena, row->owner_before);
    to->technician_after = arena_text(arena, row->owner_after);
    to->start_before_us = row->start_before_us;
    to->start_after_us = row->start_after_us;
    return to;
}

struct displaced {
    struct arena *arena;
    const struct row_change *by;
    Callout__AppointmentChange *to;
};

static bool on_its_routes(const struct row_change *by, const char *technician_id)
{
    return technician_id[0] != '\0' && (strcmp(technician_id, by->owner_before) == 0 ||
                                        strcmp(technician_id, by->owner_after) == 0);
}

static bool note_displaced(void *context, const void *visited)
{
    const struct displaced *displaced = context;
    const struct row_change *row = visited;
    Callout__AppointmentChange *to = displaced->to;
    if (strcmp(row->appointment_id, displaced->by->appointment_id) == 0 || !moves(row)) return true;
    if (!on_its_routes(displaced->by, row->owner_before) &&
        !on_its_routes(displaced->by, row->owner_after))
        return true;
    to->displaced[to->n_displaced++] = out_delta(displaced->arena, row);
    return to->n_displaced < DISPLACED_MAX;
}

/* The plan that a fact became: versions grow with the log. False: it is not kept any more. */
static bool find_plan(struct call *call, const struct appointment_day *day, int64_t seq,
                      struct row_plan *out)
{
    int64_t low = 1, high = (int64_t)day->plan_version;
    union row row;
    while (low <= high) {
        int64_t middle = low + (high - low) / 2;
        const struct row_plan key = {
            .territory_id = day->territory_id, .service_day = day->service_day, .version = middle};
        if (store_get(call->engine->store, ROW_PLAN, &key, &row) != ERR_OK) return false;
        *out = row.plan;
        if (row.plan.seq == seq) return true;
        if (row.plan.seq < seq)
            low = middle + 1;
        else
            high = middle - 1;
    }
    return false;
}

Callout__CostParts *plan_gain(struct arena *arena, const struct row_plan *plan)
{
    const struct plan_parts gain = {
        .route.travel = plan->gain_travel,
        .route.overtime = plan->gain_overtime,
        .route.lateness = plan->gain_lateness,
        .route.preferred_window = plan->gain_preferred_window,
        .route.preferred_technician = plan->gain_preferred_technician,
        .route.change_technician = plan->gain_change_technician,
        .route.change_start = plan->gain_change_start,
        .unserved = plan->gain_unserved,
    };
    return out_parts(arena, &gain);
}

static void out_gain(struct call *call, const struct row_plan *plan, Callout__AppointmentChange *to)
{
    to->plan_version = (uint64_t)plan->version;
    to->gain = plan_gain(call->arena, plan);
    to->broken = (Callout__Rule)plan->broken;
}

/* Kind, text and actor of a fact; of a plan the event that led to it is told instead. */
static void out_cause(struct call *call, int64_t seq, Callout__AppointmentChange *to)
{
    union row row;
    char text[256];
    const struct row_fact key = {.seq = seq};
    if (store_get(call->engine->store, ROW_FACT, &key, &row) != ERR_OK) return;
    Callout__FactBody *body =
        callout__fact_body__unpack(NULL, row.fact.body.size, (const uint8_t *)row.fact.body.bytes);
    if (seq == (int64_t)to->log_seq) to->time_us = row.fact.time_us;
    if (body == NULL) return; /* it was erased */
    int64_t cause_seq =
        body->body_case == CALLOUT__FACT_BODY__BODY_PLAN ? (int64_t)body->plan->cause_seq : seq;
    fact_text(body, &row.fact, text, sizeof text);
    to->cause_seq = (uint64_t)cause_seq;
    to->cause_kind = arena_text(call->arena, fact_kind_name((enum fact_kind)row.fact.kind));
    to->cause_text = arena_text(call->arena, text);
    to->cause_actor = arena_text(call->arena, fact_actor(body));
    callout__fact_body__free_unpacked(body, NULL);
    if (cause_seq != seq && cause_seq > 0 && cause_seq < seq) out_cause(call, cause_seq, to);
}

/* What the fact itself was, and why whoever did it says he did. */
static void out_own(struct call *call, int64_t seq, Callout__AppointmentChange *to)
{
    const char *reason;
    const Callout__FeedEvent *event = read_event(call, seq, &reason);
    if (event == NULL) return;
    to->kind = event->kind;
    to->actor = event->actor;
    to->text = event->text;
    to->reason = arena_text(call->arena, reason);
}

static Callout__AppointmentChange *out_change(struct call *call, const struct row_change *row,
                                              const struct appointment_day *day, enum err *err)
{
    struct row_plan plan;
    Callout__AppointmentChange *to = arena_need(call->arena, sizeof *to);
    callout__appointment_change__init(to);
    to->log_seq = (uint64_t)row->seq;
    to->delta = out_delta(call->arena, row);
    out_own(call, row->seq, to);
    out_cause(call, row->seq, to);
    if (find_plan(call, day, row->seq, &plan)) out_gain(call, &plan, to);
    to->displaced = arena_need(call->arena, DISPLACED_MAX * sizeof *to->displaced);
    struct displaced displaced = {call->arena, row, to};
    const struct row_change key = {.seq = row->seq};
    *err = store_each(call->engine->store, ROW_CHANGE, &key, 1, false, note_displaced, &displaced);
    return to;
}

static enum err why_changed(struct call *call, const Callout__ExplainRequest *request,
                            Callout__ExplainReply *answer)
{
    struct appointment_day day;
    struct history history = {.arena = call->arena,
                              .all = request->all_changes,
                              .wanted = request->count == 0 ? CHANGES_DEFAULT : request->count};
    if (history.wanted > CHANGES_MAX)
        return problem_set(&call->problem, ERR_INVALID, "count", "is at most %d", CHANGES_MAX);
    CHECK(core_appointment_day(call->engine->core, request->appointment_id, &day));
    enum err err =
        store_history_of(call->engine->store, request->appointment_id, note_history, &history);
    answer->changes = arena_need(call->arena, CHANGES_MAX * sizeof *answer->changes);
    for (uint32_t i = 0; i < history.count && err == ERR_OK; i++)
        answer->changes[answer->n_changes++] = out_change(call, &history.rows[i], &day, &err);
    if (history.count == 0) {
        say(call, answer, "it was never moved");
    } else {
        const Callout__AppointmentChange *last = answer->changes[0];
        char text[400];
        snprintf(
            text, sizeof text, "moved last from %s to %s, because of fact %llu: %s",
            last->delta->technician_before[0] != '\0' ? last->delta->technician_before : "nobody",
            last->delta->technician_after[0] != '\0' ? last->delta->technician_after : "nobody",
            (unsigned long long)last->cause_seq, last->cause_text);
        say(call, answer, text);
    }
    return err;
}

enum err handle_explain(struct call *call)
{
    const Callout__ExplainRequest *request = (const Callout__ExplainRequest *)call->message;
    const char *technician_id;
    enum err err = need_appointment_id(call, request->appointment_id);
    if (err != ERR_OK) return err;
    enum appointment_status status =
        core_appointment(call->engine->core, request->appointment_id, &technician_id);
    if (status == APPOINTMENT_NONE)
        return problem_set(&call->problem, ERR_NOT_FOUND, "appointment_id",
                           "there is no appointment \"%.64s\"", request->appointment_id);
    Callout__ExplainReply *answer = arena_need(call->arena, sizeof *answer);
    callout__explain_reply__init(answer);
    answer->basis = basis_of(call, request->appointment_id);
    Callout__Question question = request->question;
    if (question == CALLOUT__QUESTION__QUESTION_UNSPECIFIED)
        question = status == APPOINTMENT_UNSCHEDULED ? CALLOUT__QUESTION__WHY_UNSERVED
                                                     : CALLOUT__QUESTION__WHY_CHANGED;
    switch (question) {
    case CALLOUT__QUESTION__WHY_UNSERVED: err = why_unserved(call, request, answer); break;
    case CALLOUT__QUESTION__WHY_NOT_TECHNICIAN:
        err = why_not_technician(call, request, answer);
        break;
    case CALLOUT__QUESTION__WHY_CHANGED: err = why_changed(call, request, answer); break;
    case CALLOUT__QUESTION__QUESTION_UNSPECIFIED:
    case _CALLOUT__QUESTION_IS_INT_SIZE:
    default:
        err = problem_set(&call->problem, ERR_INVALID, "question", "there is no question %d",
                          (int)question);
    }
    call->answer = &answer->base;
    return err;
}

/* --- EmergencyOptions --- */

static Callout__EmergencyOption *out_option(struct arena *arena, const struct emergency_option *it)
{
    if (!it->found) return NULL;
    Callout__EmergencyOption *to = arena_need(arena, sizeof *to);
    callout__emergency_option__init(to);
    to->move = out_move(arena, &it->move);
    to->displaced = arena_need(arena, (it->displaced_count + 1) * sizeof *to->displaced);
    for (uint32_t i = 0; i < it->displaced_count; i++) {
        const struct displacement *from = &it->displaced[i];
        Callout__Displaced *displaced = arena_need(arena, sizeof *displaced);
        callout__displaced__init(displaced);
        const struct row_change change = {.appointment_id = from->appointment_id,
                                          .owner_before = from->technician_before,
                                          .owner_after = from->technician_after,
                                          .start_before_us = from->start_before_us,
                                          .start_after_us = from->start_after_us};
        displaced->delta = out_delta(arena, &change);
        displaced->late_seconds = seconds_up(from->late_us);
        to->displaced[to->n_displaced++] = displaced;
    }
    return to;
}

enum err handle_emergency_options(struct call *call)
{
    const Callout__EmergencyOptionsRequest *request =
        (const Callout__EmergencyOptionsRequest *)call->message;
    struct emergency found;
    enum err err = need_appointment_id(call, request->appointment_id);
    if (err == ERR_OK)
        err = core_emergency(call->engine->core, request->appointment_id, call->engine->now_us,
                             call->arena, &found, &call->problem);
    if (err != ERR_OK) return err;
    Callout__EmergencyOptionsReply *answer = arena_need(call->arena, sizeof *answer);
    callout__emergency_options_reply__init(answer);
    answer->basis = basis_of(call, request->appointment_id);
    answer->within_rules = out_option(call->arena, &found.within_rules);
    answer->delaying = out_option(call->arena, &found.delaying);
    answer->technician_id = arena_text(call->arena, found.technician_id);
    answer->planned_start_us = found.planned_start_us;
    char text[300];
    snprintf(text, sizeof text,
             "the plan of version %llu %s it, all others in their order, by the dispatcher's own "
             "search; the optimizer may choose otherwise%s%s",
             (unsigned long long)answer->basis->plan_version,
             found.technician_id[0] != '\0' ? "without" : "before",
             found.technician_id[0] != '\0' ? ", and gave it to " : "", found.technician_id);
    answer->text = arena_text(call->arena, text);
    call->answer = &answer->base;
    return ERR_OK;
}
