/* boards.c - what a board shows of a territory's day: technicians, appointments, the plan and the
 * optimizer's state; whole, in pages, or what changed since a fact.
 *
 * What a page of before saw may change before the next one is asked. So each page says up to which
 * fact the first one knew, and who has them all asks for what changed since then.
 */
#include "base/clock.h"
#include "dispatcher/bounds.h"
#include "dispatcher/core/answer.h"
#include "dispatcher/page_token.h"
#include "dispatcher/proposals.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BOARD_PAGE = 400, VIOLATIONS_MAX = 64 };
/* A fix may come so much later than one that was taken after it, and is told all the same. */
#define FIX_BEHIND_US (2 * US_PER_MINUTE)

/* What a technician has still to do; computed once somebody needs it. */
struct outlook {
    const char *technician_id;
    bool known;
    uint32_t count;
    const struct core_stop *stops;
    uint32_t violation_count;
    const struct violation *violations;
};

struct board_page {
    struct call *call;
    const Callout__BoardRequest *request;
    Callout__BoardReply *answer;
    int64_t service_day, after_seq; /* 0: everything */
    uint32_t from, seen;            /* items before `from` were on earlier pages */
    bool full;
    uint32_t outlook_count, outlook_room;
    struct outlook *outlooks;
};

static bool page_takes(struct board_page *page)
{
    uint32_t index = page->seen++;
    if (index < page->from) return false;
    if (index < page->from + BOARD_PAGE) return true;
    page->full = true;
    return false;
}

static void add_outlook(void *context, const char *id)
{
    struct board_page *page = context;
    if (page->outlook_count == page->outlook_room) {
        page->outlook_room = page->outlook_room == 0 ? 64 : 2 * page->outlook_room;
        struct outlook *more =
            arena_need(page->call->arena, page->outlook_room * sizeof page->outlooks[0]);
        if (page->outlook_count > 0)
            memcpy(more, page->outlooks, page->outlook_count * sizeof more[0]);
        page->outlooks = more;
    }
    page->outlooks[page->outlook_count++] = (struct outlook){.technician_id = id};
}

static void look_for_violations(struct board_page *page, struct outlook *it)
{
    struct violation found[VIOLATIONS_MAX];
    const struct engine *engine = page->call->engine;
    it->violation_count = core_violations(engine->core, it->technician_id, page->service_day,
                                          engine->now_us, found, VIOLATIONS_MAX);
    struct violation *copy =
        arena_need(page->call->arena, (it->violation_count + 1) * sizeof *copy);
    memcpy(copy, found, it->violation_count * sizeof *copy);
    it->violations = copy;
}

static const struct outlook *outlook_of(struct board_page *page, const char *technician_id)
{
    struct core_stop stops[CORE_STOPS_MAX];
    struct call *call = page->call;
    for (uint32_t i = 0; i < page->outlook_count; i++) {
        struct outlook *it = &page->outlooks[i];
        if (strcmp(it->technician_id, technician_id) != 0) continue;
        if (it->known) return it;
        it->known = true;
        it->count = core_stops(call->engine->core, technician_id, page->service_day,
                               call->engine->now_us, stops);
        struct core_stop *copy = arena_need(call->arena, (it->count + 1) * sizeof *copy);
        memcpy(copy, stops, it->count * sizeof *copy);
        it->stops = copy;
        look_for_violations(page, it);
        return it;
    }
    return NULL;
}

/* Those of one visit, or his own (""). */
static Callout__Violation **read_violations(struct board_page *page, const struct outlook *outlook,
                                            const char *appointment_id, size_t *count)
{
    struct arena *arena = page->call->arena;
    Callout__Violation **to = arena_need(arena, (outlook->violation_count + 1) * sizeof *to);
    for (uint32_t i = 0; i < outlook->violation_count; i++) {
        if (strcmp(outlook->violations[i].appointment_id, appointment_id) == 0)
            to[(*count)++] = violation_message(arena, &outlook->violations[i]);
    }
    return to;
}

/* --- technicians --- */

/* Where he is, while he is at work: at other times it is nobody's business. */
static Callout__Fix *read_fix(struct call *call, const char *technician_id, int64_t after_us)
{
    union row row;
    const struct row_position key = {.technician_id = technician_id};
    if (!core_at_work(call->engine->core, technician_id, call->engine->now_us) ||
        store_get(call->engine->store, ROW_POSITION, &key, &row) != ERR_OK ||
        row.position.fix_time_us <= after_us)
        return NULL;
    Callout__Fix *fix = arena_need(call->arena, sizeof *fix);
    callout__fix__init(fix);
    fix->fix_time_us = row.position.fix_time_us;
    fix->accuracy_m = (int32_t)row.position.accuracy_m;
    fix->point = new_point(call->arena, row.position.lat_e7, row.position.lon_e7);
    return fix;
}

static void fill_stops(struct board_page *page, const char *technician_id,
                       Callout__BoardTechnician *to)
{
    const struct outlook *outlook = outlook_of(page, technician_id);
    struct arena *arena = page->call->arena;
    if (outlook == NULL) return;
    to->violations = read_violations(page, outlook, "", &to->n_violations);
    to->stops = arena_need(arena, (outlook->count + 1) * sizeof *to->stops);
    for (uint32_t i = 0; i < outlook->count; i++) {
        const struct core_stop *it = &outlook->stops[i];
        Callout__BoardStop *stop = arena_need(arena, sizeof *stop);
        callout__board_stop__init(stop);
        stop->appointment_id = arena_text(arena, it->appointment_id);
        stop->leave_us = it->leave_us;
        stop->travel_seconds = (int32_t)(it->travel_us / US_PER_SECOND);
        stop->arrival_us = it->arrival_us;
        stop->start_us = it->start_us;
        stop->end_us = it->end_us;
        stop->break_start_us = it->break_start_us;
        to->stops[to->n_stops++] = stop;
    }
}

static void add_board_technician(void *context, const char *id)
{
    struct board_page *page = context;
    struct call *call = page->call;
    const struct core *core = call->engine->core;
    struct core_technician now;
    struct core_shift shift;
    if (page->after_seq > 0 && core_shift_seq(core, id, page->service_day) <= page->after_seq)
        return;
    if (!page_takes(page) || !core_technician(core, id, call->engine->now_us, &now)) return;
    Callout__BoardTechnician *out = arena_need(call->arena, sizeof *out);
    callout__board_technician__init(out);
    out->technician = read_technician_message(call, id);
    out->current_appointment_id = arena_text(call->arena, now.current_appointment_id);
    out->absent = now.absent;
    out->plan_seq = (uint64_t)now.changed_seq;
    out->last_fix = read_fix(call, id, 0);
    out->shift = read_shift_message(call, id, page->service_day);
    if (core_shift(core, id, page->service_day, &shift)) {
        out->absent_start_us = shift.absent_start_us;
        out->absent_end_us = shift.absent_end_us;
        out->break_until_us = shift.rest_until_us;
    }
    fill_stops(page, id, out);
    page->answer->technicians[page->answer->n_technicians++] = out;
}

/* --- appointments --- */

static const char *unserved_text(enum rule rule)
{
    switch (rule) {
    case RULE_ABSENT: return "nobody is at work any more on its day";
    case RULE_SKILL: return "nobody at work has its skills";
    case RULE_REQUIRED: return "nobody whom it asks for may do it";
    case RULE_EXCLUDED: return "all who could do it are excluded, or declined it";
    case RULE_WINDOW: return "its windows are over";
    case RULE_NONE:
    case RULE_BREAK:
    case RULE_SHIFT:
    case RULE_LEG:
    case RULE_TRAVEL:
    case RULE_FROZEN:
    case RULES:
    default: return "";
    }
}

static void fill_outlook(struct board_page *page, const struct core_visit *visit,
                         Callout__FeedAppointment *to)
{
    const struct engine *engine = page->call->engine;
    to->frozen = visit->frozen;
    to->departed_us = visit->departed_us;
    to->begun_us = visit->begun_us;
    to->needs = arena_need(page->call->arena, (NEED_UNSAFE + 1) * sizeof *to->needs);
    for (int need = NEED_HELP; need <= (int)NEED_UNSAFE; need++)
        if (visit->needs >> need & 1) to->needs[to->n_needs++] = (Callout__NeedKind)need;
    if (visit->status == APPOINTMENT_UNSCHEDULED && visit->held)
        to->unserved_text = arena_text(page->call->arena, "it is on hold");
    if (visit->status == APPOINTMENT_UNSCHEDULED && !visit->held) {
        enum rule rule = core_unserved_rule(engine->core, visit->appointment_id, engine->now_us);
        to->unserved_rule = (Callout__Rule)rule;
        to->unserved_text = arena_text(page->call->arena, unserved_text(rule));
    }
    if (visit->begun_us > 0)
        to->late_seconds =
            (int32_t)(core_late_us(engine->core, visit->appointment_id, visit->begun_us) /
                      US_PER_SECOND);
    const struct outlook *outlook =
        life_plannable(visit->status) ? outlook_of(page, visit->technician_id) : NULL;
    if (outlook == NULL) return;
    to->violations = read_violations(page, outlook, visit->appointment_id, &to->n_violations);
    for (uint32_t i = 0; i < outlook->count; i++) {
        const struct core_stop *stop = &outlook->stops[i];
        if (strcmp(stop->appointment_id, visit->appointment_id) != 0) continue;
        to->predicted_start_us = stop->start_us;
        to->late_seconds = (int32_t)((stop->late_us + US_PER_SECOND - 1) / US_PER_SECOND);
    }
}

Callout__FeedAppointment *read_feed_appointment(struct call *call, const char *appointment_id)
{
    Callout__FieldAppointment *whole = read_field_appointment(call, appointment_id);
    if (whole == NULL || whole->work_order == NULL) return NULL;
    const Callout__WorkOrder *order = whole->work_order;
    Callout__FeedAppointment *out = arena_need(call->arena, sizeof *out);
    callout__feed_appointment__init(out);
    out->appointment = whole->appointment;
    out->site = order->site;
    out->priority = order->priority;
    out->work_type = order->work_type;
    out->windows = order->windows;
    out->n_windows = order->n_windows;
    out->skills = order->skills;
    out->n_skills = order->n_skills;
    out->service_seconds = order->service_seconds;
    out->emergency = order->emergency;
    out->due_us = order->due_us;
    if (order->customer != NULL) out->customer_name = order->customer->name;
    return out;
}

static void add_board_appointment(void *context, const char *id)
{
    struct board_page *page = context;
    struct core_visit visit;
    if (!core_visit(page->call->engine->core, id, &visit) || visit.seq <= page->after_seq) return;
    if (!page_takes(page)) return;
    Callout__FeedAppointment *out = read_feed_appointment(page->call, id);
    if (out == NULL) return;
    fill_outlook(page, &visit, out);
    page->answer->appointments[page->answer->n_appointments++] = out;
}

/* --- the plan and who makes it --- */

static int64_t fact_time_us(struct call *call, int64_t seq)
{
    union row row;
    const struct row_fact key = {.seq = seq};
    return store_get(call->engine->store, ROW_FACT, &key, &row) == ERR_OK ? row.fact.time_us : 0;
}

static void fill_solver(struct call *call, const struct row_plan *plan, Callout__SolverState *to)
{
    int64_t seq = plan->seq;
    to->changes = (uint32_t)plan->changes;
    to->stage = arena_text(call->arena, plan_stage_name(plan->stage));
    to->gain = plan_gain(call->arena, plan);
    to->cause_seq = (uint64_t)plan->cause_seq;
    to->published_us = fact_time_us(call, seq);
}

static void fill_bound(struct call *call, const struct problem_key *key,
                       const struct row_plan *plan, Callout__SolverState *to)
{
    to->bound = bound_newest(call, key, plan);
    to->bound_known = to->bound->known;
    to->bound_seconds = to->bound->lower_bound_seconds;
    to->gap_permille = (int32_t)(to->bound->gap_ppm / 1000);
}

static void fill_plan(struct board_page *page, const struct problem_key *key)
{
    struct call *call = page->call;
    Callout__BoardReply *answer = page->answer;
    union row row;
    answer->revision = key->revision;
    answer->settled_revision =
        (uint64_t)settled_revision(call->engine, key->territory_id, key->service_day);
    answer->plan = arena_need(call->arena, sizeof *answer->plan);
    answer->solver = arena_need(call->arena, sizeof *answer->solver);
    callout__plan__init(answer->plan);
    callout__solver_state__init(answer->solver);
    answer->plan->territory_id = arena_text(call->arena, key->territory_id);
    answer->plan->service_day = key->service_day;
    answer->plan->version = key->plan_version;
    answer->plan->cost_seconds = answer->solver->cost_seconds = core_plan_cost_s(
        call->engine->core, key->territory_id, key->service_day, call->engine->now_us);
    answer->solver->settled = answer->settled_revision >= key->revision;
    const struct row_plan plan_key = {.territory_id = key->territory_id,
                                      .service_day = key->service_day,
                                      .version = (int64_t)key->plan_version};
    bool has_plan = store_get(call->engine->store, ROW_PLAN, &plan_key, &row) == ERR_OK;
    fill_bound(call, key, has_plan ? &row.plan : NULL, answer->solver);
    proposal_brief(call->engine, key, answer->solver);
    if (!has_plan) return;
    answer->plan->bound = bound_of_plan(call->arena, &row.plan);
    answer->plan->base_revision = (uint64_t)row.plan.base_revision;
    answer->plan->cause_seq = (uint64_t)row.plan.cause_seq;
    answer->plan->policy_version = (uint32_t)row.plan.policy_version;
    fill_solver(call, &row.plan, answer->solver);
}

static bool find_key(const struct board_page *page, struct problem_key *key)
{
    const struct core *core = page->call->engine->core;
    for (uint32_t i = 0; core_problem_key(core, i, key); i++) {
        if (strcmp(key->territory_id, page->request->territory_id) == 0 &&
            key->service_day == page->service_day)
            return true;
    }
    return false;
}

/* --- positions of a delta --- */

static void add_board_fix(void *context, const char *id)
{
    struct board_page *page = context;
    Callout__Fix *fix = read_fix(page->call, id, page->request->fixes_after_us - FIX_BEHIND_US);
    if (fix == NULL) return;
    Callout__TechnicianFix *out = arena_need(page->call->arena, sizeof *out);
    callout__technician_fix__init(out);
    out->technician_id = arena_text(page->call->arena, id);
    out->fix = fix;
    page->answer->fixes[page->answer->n_fixes++] = out;
}

static void fill_fixes(struct board_page *page)
{
    const Callout__BoardRequest *request = page->request;
    Callout__BoardReply *answer = page->answer;
    answer->fixes_until_us = page->call->engine->now_us;
    if (page->after_seq == 0 || request->fixes_after_us == 0 || page->from > 0) return;
    answer->fixes =
        arena_need(page->call->arena, (page->outlook_count + 1) * sizeof *answer->fixes);
    core_board_technicians(page->call->engine->core, request->territory_id, page->service_day,
                           add_board_fix, page);
}

/* --- the operation --- */

/* "FROM SEQ DAY": what the pages so far have told, what the first one knew, and the day that "now"
 * was on then. */
static enum err read_from(struct board_page *page)
{
    const char *said;
    uint64_t seq = (uint64_t)core_seq(page->call->engine->core);
    enum err err = page_token_read(page->call, page->request->page_token, &said);
    if (err != ERR_OK) return err;
    if (said[0] != '\0' && sscanf(said, "%" SCNu32 " %" SCNu64 " %" SCNd64, &page->from, &seq,
                                  &page->service_day) != 3)
        return ERR_INTERNAL;
    page->answer->log_seq = seq;
    return ERR_OK;
}

static void say_next(struct board_page *page)
{
    char said[80];
    if (!page->full) return;
    snprintf(said, sizeof said, "%" PRIu32 " %" PRIu64 " %" PRId64, page->from + BOARD_PAGE,
             page->answer->log_seq, page->service_day);
    page->answer->next_page_token = page_token_make(page->call, said);
}

/* Whether it has to be told anew from the start: a visit left the day, the policy is another one,
 * or the asker knows another log. */
static void choose_delta(struct board_page *page, const struct problem_key *key)
{
    uint64_t after = page->request->after_seq;
    bool starts_anew = after < key->reset_seq || after > page->answer->log_seq;
    page->after_seq = after == 0 || starts_anew ? 0 : (int64_t)after;
    page->answer->complete = page->after_seq == 0;
}

enum err handle_board(struct call *call)
{
    const Callout__BoardRequest *request = (const Callout__BoardRequest *)call->message;
    const struct core *core = call->engine->core;
    const char *zone = core_territory_zone(core, request->territory_id);
    struct problem_key key = {.territory_id = ""};
    if (zone == NULL)
        return problem_set(&call->problem, ERR_NOT_FOUND, "territory_id",
                           "there is no territory \"%.64s\"", request->territory_id);
    Callout__BoardReply *answer = arena_need(call->arena, sizeof *answer);
    callout__board_reply__init(answer);
    struct board_page page = {.call = call, .request = request, .answer = answer};
    page.service_day = request->service_day != 0 ? request->service_day
                                                 : zone_service_day(zone, call->engine->now_us);
    enum err err = read_from(&page);
    if (err != ERR_OK) return err;
    bool planned = find_key(&page, &key);
    choose_delta(&page, &key);
    answer->technicians = arena_need(call->arena, BOARD_PAGE * sizeof *answer->technicians);
    answer->appointments = arena_need(call->arena, BOARD_PAGE * sizeof *answer->appointments);
    core_board_technicians(core, request->territory_id, page.service_day, add_outlook, &page);
    core_board_technicians(core, request->territory_id, page.service_day, add_board_technician,
                           &page);
    core_board_appointments(core, request->territory_id, page.service_day, add_board_appointment,
                            &page);
    if (planned) fill_plan(&page, &key);
    if (answer->complete)
        answer->policy = policy_message(call->arena, core_policy(core, request->territory_id));
    fill_fixes(&page);
    say_next(&page);
    call->answer = &answer->base;
    return ERR_OK;
}
