/* views.c - what people see: the feed of events, an appointment with all it needs. */
#include "base/clock.h"
#include "dispatcher/authz.h"
#include "dispatcher/bounds.h"
#include "dispatcher/field_record.h"

#include <stdio.h>
#include <string.h>

enum { FEED_PAGE = 200, FEED_PAGES_MAX = 16 };

Callout__Point *new_point(struct arena *arena, int64_t lat_e7, int64_t lon_e7)
{
    Callout__Point *point = arena_need(arena, sizeof *point);
    callout__point__init(point);
    point->lat_e7 = (int32_t)lat_e7;
    point->lon_e7 = (int32_t)lon_e7;
    return point;
}

static Callout__Site *read_site(struct call *call, const char *site_id)
{
    union row row;
    Callout__Site *out = arena_need(call->arena, sizeof *out);
    callout__site__init(out);
    if (store_get(call->engine->store, ROW_SITE, &(struct row_site){.site_id = site_id}, &row) !=
        ERR_OK)
        return out;
    out->site_id = arena_text(call->arena, row.site.site_id);
    out->customer_id = arena_text(call->arena, row.site.customer_id);
    out->address = arena_text(call->arena, row.site.address);
    out->access_note = arena_text(call->arena, row.site.access_note);
    out->time_zone = arena_text(call->arena, row.site.time_zone);
    out->point = new_point(call->arena, row.site.lat_e7, row.site.lon_e7);
    return out;
}

static void read_pin(struct call *call, Callout__Appointment *out)
{
    union row row;
    if (store_get(call->engine->store, ROW_PIN,
                  &(struct row_pin){.appointment_id = out->appointment_id}, &row) != ERR_OK)
        return;
    out->pin = arena_need(call->arena, sizeof *out->pin);
    callout__pin__init(out->pin);
    out->pin->technician_id = arena_text(call->arena, row.pin.technician_id);
    out->pin->technician = out->pin->technician_id[0] != '\0';
    out->pin->start_us = row.pin.start_us;
    out->pin->time = row.pin.start_us != 0;
}

static void read_assignment(struct call *call, Callout__Appointment *out)
{
    union row row;
    if (store_get(call->engine->store, ROW_ASSIGNMENT,
                  &(struct row_assignment){.appointment_id = out->appointment_id}, &row) != ERR_OK)
        return;
    Callout__Assignment *assignment = arena_need(call->arena, sizeof *assignment);
    callout__assignment__init(assignment);
    assignment->appointment_id = out->appointment_id;
    assignment->technician_id = arena_text(call->arena, row.assignment.technician_id);
    assignment->plan_version = (uint64_t)row.assignment.plan_version;
    assignment->position = (uint32_t)row.assignment.position;
    assignment->tentative = out->status == CALLOUT__APPOINTMENT_STATUS__SCHEDULED;
    out->assignment = assignment;
    out->planned_start_us = row.assignment.planned_start_us;
    out->planned_end_us = row.assignment.planned_end_us;
}

static Callout__Appointment *read_appointment(struct call *call, const char *appointment_id)
{
    union row row;
    if (store_get(call->engine->store, ROW_APPOINTMENT,
                  &(struct row_appointment){.appointment_id = appointment_id}, &row) != ERR_OK)
        return NULL;
    Callout__Appointment *out = arena_need(call->arena, sizeof *out);
    callout__appointment__init(out);
    out->appointment_id = arena_text(call->arena, row.appointment.appointment_id);
    out->work_order_id = arena_text(call->arena, row.appointment.work_order_id);
    out->status = (Callout__AppointmentStatus)row.appointment.status;
    out->version = (uint64_t)row.appointment.version;
    out->service_day = row.appointment.service_day;
    out->late = row.appointment.late != 0;
    out->on_hold = row.appointment.held != 0;
    read_assignment(call, out);
    read_pin(call, out);
    return out;
}

struct children {
    struct arena *arena;
    Callout__WorkOrder *order;
};

static bool add_window(void *context, const void *visited)
{
    struct children *it = context;
    const struct row_arrival_window *row = visited;
    if (it->order->n_windows == LIMIT_WINDOWS_PER_ORDER) return false;
    Callout__ArrivalWindow *window = arena_need(it->arena, sizeof *window);
    callout__arrival_window__init(window);
    window->start_us = row->start_us;
    window->end_us = row->end_us;
    window->promised = row->promised != 0;
    window->preferred = row->preferred != 0;
    it->order->windows[it->order->n_windows++] = window;
    return true;
}

static bool add_skill(void *context, const void *visited)
{
    struct children *it = context;
    const struct row_work_order_skill *row = visited;
    if (it->order->n_skills == LIMIT_SKILLS_PER_ENTITY) return false;
    Callout__Skill *skill = arena_need(it->arena, sizeof *skill);
    callout__skill__init(skill);
    skill->name = arena_text(it->arena, row->skill);
    skill->level = (uint32_t)row->level;
    it->order->skills[it->order->n_skills++] = skill;
    return true;
}

static bool add_choice(void *context, const void *visited)
{
    struct children *it = context;
    const struct row_work_order_choice *row = visited;
    Callout__WorkOrder *order = it->order;
    if (row->choice < 0 || row->choice >= LIMIT_SKILL_CHOICES_PER_ORDER) return false;
    while (order->n_skill_choices <= (size_t)row->choice) {
        Callout__SkillChoice *choice = arena_need(it->arena, sizeof *choice);
        callout__skill_choice__init(choice);
        choice->any_of = arena_need(it->arena, LIMIT_SKILLS_PER_CHOICE * sizeof *choice->any_of);
        order->skill_choices[order->n_skill_choices++] = choice;
    }
    Callout__SkillChoice *choice = order->skill_choices[row->choice];
    if (choice->n_any_of == LIMIT_SKILLS_PER_CHOICE) return false;
    Callout__Skill *skill = arena_need(it->arena, sizeof *skill);
    callout__skill__init(skill);
    skill->name = arena_text(it->arena, row->skill);
    skill->level = (uint32_t)row->level;
    choice->any_of[choice->n_any_of++] = skill;
    return true;
}

static bool add_technician(void *context, const void *visited)
{
    struct children *it = context;
    const struct row_work_order_technician *row = visited;
    Callout__WorkOrder *order = it->order;
    char **ids = row->wish == WISH_REQUIRED    ? order->required_technician_ids
                 : row->wish == WISH_PREFERRED ? order->preferred_technician_ids
                                               : order->excluded_technician_ids;
    size_t *count = row->wish == WISH_REQUIRED    ? &order->n_required_technician_ids
                    : row->wish == WISH_PREFERRED ? &order->n_preferred_technician_ids
                                                  : &order->n_excluded_technician_ids;
    if (*count == LIMIT_TECHNICIANS_PER_ORDER) return false;
    ids[(*count)++] = arena_text(it->arena, row->technician_id);
    return true;
}

/* Whom the order asks for. */
static enum err read_need(struct call *call, Callout__WorkOrder *out)
{
    struct children children = {call->arena, out};
    struct row_work_order_choice choices = {.work_order_id = out->work_order_id};
    struct row_work_order_technician technicians = {.work_order_id = out->work_order_id};
    struct row_work_order_skill skills = {.work_order_id = out->work_order_id};
    const size_t names = LIMIT_TECHNICIANS_PER_ORDER * sizeof(char *);
    out->skills = arena_need(call->arena, LIMIT_SKILLS_PER_ENTITY * sizeof *out->skills);
    out->skill_choices =
        arena_need(call->arena, LIMIT_SKILL_CHOICES_PER_ORDER * sizeof *out->skill_choices);
    out->required_technician_ids = arena_need(call->arena, names);
    out->preferred_technician_ids = arena_need(call->arena, names);
    out->excluded_technician_ids = arena_need(call->arena, names);
    enum err err = store_each(call->engine->store, ROW_WORK_ORDER_SKILL, &skills, 1, false,
                              add_skill, &children);
    if (err == ERR_OK)
        err = store_each(call->engine->store, ROW_WORK_ORDER_CHOICE, &choices, 1, false, add_choice,
                         &children);
    if (err == ERR_OK)
        err = store_each(call->engine->store, ROW_WORK_ORDER_TECHNICIAN, &technicians, 1, false,
                         add_technician, &children);
    return err;
}

static void read_customer(struct call *call, const char *customer_id, Callout__WorkOrder *out)
{
    union row row;
    if (customer_id[0] == '\0' ||
        store_get(call->engine->store, ROW_CUSTOMER,
                  &(struct row_customer){.customer_id = customer_id}, &row) != ERR_OK)
        return;
    out->customer = arena_need(call->arena, sizeof *out->customer);
    callout__customer__init(out->customer);
    out->customer->customer_id = arena_text(call->arena, row.customer.customer_id);
    out->customer->name = arena_text(call->arena, row.customer.name);
    out->customer->locale = arena_text(call->arena, row.customer.locale);
    out->customer->external_id = arena_text(call->arena, row.customer.external_id);
}

static void read_contact(struct call *call, const char *contact_id, Callout__WorkOrder *out)
{
    union row row;
    if (contact_id[0] == '\0' ||
        store_get(call->engine->store, ROW_CONTACT, &(struct row_contact){.contact_id = contact_id},
                  &row) != ERR_OK)
        return;
    out->contact = arena_need(call->arena, sizeof *out->contact);
    callout__contact__init(out->contact);
    out->contact->contact_id = arena_text(call->arena, row.contact.contact_id);
    out->contact->customer_id = arena_text(call->arena, row.contact.customer_id);
    out->contact->name = arena_text(call->arena, row.contact.name);
    out->contact->phone = arena_text(call->arena, row.contact.phone);
    out->contact->email = arena_text(call->arena, row.contact.email);
}

static Callout__WorkOrder *read_work_order(struct call *call, const char *work_order_id)
{
    union row row;
    if (store_get(call->engine->store, ROW_WORK_ORDER,
                  &(struct row_work_order){.work_order_id = work_order_id}, &row) != ERR_OK)
        return NULL;
    struct row_work_order it = row.work_order;
    Callout__WorkOrder *out = arena_need(call->arena, sizeof *out);
    callout__work_order__init(out);
    out->work_order_id = arena_text(call->arena, it.work_order_id);
    out->territory_id = arena_text(call->arena, it.territory_id);
    out->external_id = arena_text(call->arena, it.external_id);
    out->asset_id = arena_text(call->arena, it.asset_id);
    out->work_type = arena_text(call->arena, it.work_type);
    out->note = arena_text(call->arena, it.note);
    out->service_seconds = (int32_t)it.service_seconds;
    out->priority = (uint32_t)it.priority;
    out->earliest_start_us = it.earliest_start_us;
    out->due_us = it.due_us;
    out->emergency = it.emergency != 0;
    out->late_seconds_max = (int32_t)it.late_seconds_max;
    const char *site_id = arena_text(call->arena, it.site_id);
    const char *customer_id = arena_text(call->arena, it.customer_id);
    const char *contact_id = arena_text(call->arena, it.contact_id);
    if (record_checklist(call, out, it.items) != ERR_OK) return NULL;
    out->site = read_site(call, site_id);
    read_customer(call, customer_id, out);
    read_contact(call, contact_id, out);
    out->windows = arena_need(call->arena, LIMIT_WINDOWS_PER_ORDER * sizeof *out->windows);
    struct children children = {call->arena, out};
    struct row_arrival_window windows = {.work_order_id = out->work_order_id};
    if (store_each(call->engine->store, ROW_ARRIVAL_WINDOW, &windows, 1, false, add_window,
                   &children) != ERR_OK)
        return NULL;
    return read_need(call, out) == ERR_OK ? out : NULL;
}

static Callout__WorkOrderStatus order_status(const Callout__Appointment *appointment)
{
    enum appointment_status only = (enum appointment_status)appointment->status;
    if (appointment->on_hold && life_plannable(only)) return CALLOUT__WORK_ORDER_STATUS__ON_HOLD;
    return (Callout__WorkOrderStatus)life_work_order(&only, 1);
}

Callout__FieldAppointment *read_field_appointment(struct call *call, const char *appointment_id)
{
    Callout__FieldAppointment *out = arena_need(call->arena, sizeof *out);
    callout__field_appointment__init(out);
    out->appointment = read_appointment(call, appointment_id);
    if (out->appointment == NULL) return NULL;
    out->work_order = read_work_order(call, out->appointment->work_order_id);
    if (out->work_order != NULL) out->work_order->status = order_status(out->appointment);
    return out;
}

enum err handle_work_order_detail(struct call *call)
{
    const Callout__WorkOrderDetailRequest *request =
        (const Callout__WorkOrderDetailRequest *)call->message;
    Callout__FieldAppointment *whole = read_field_appointment(call, request->appointment_id);
    if (whole == NULL || whole->work_order == NULL)
        return problem_set(&call->problem, ERR_NOT_FOUND, "appointment_id",
                           "there is no such thing");
    union row row;
    const struct row_follow_up key = {.work_order_id = whole->work_order->work_order_id};
    if (store_get(call->engine->store, ROW_FOLLOW_UP, &key, &row) == ERR_OK)
        whole->work_order->follow_up_of = arena_text(call->arena, row.follow_up.of_work_order_id);
    enum err err = record_read(call, whole);
    if (err == ERR_OK && call->who->kind == CALLOUT__PRINCIPAL_KIND__PERSON &&
        (whole->work_order->customer != NULL || whole->work_order->contact != NULL))
        err = audit_read(call, request->appointment_id);
    if (err != ERR_OK) return err;
    Callout__WorkOrderDetailReply *answer = arena_need(call->arena, sizeof *answer);
    callout__work_order_detail_reply__init(answer);
    answer->work_order = whole->work_order;
    answer->appointment = whole->appointment;
    answer->answers = whole->answers;
    answer->n_answers = whole->n_answers;
    answer->notes = whole->notes;
    answer->n_notes = whole->n_notes;
    answer->attachments = whole->attachments;
    answer->n_attachments = whole->n_attachments;
    call->answer = &answer->base;
    return ERR_OK;
}

/* --- EventFeed --- */

struct feed {
    struct call *call;
    Callout__EventFeedReply *answer;
    struct fact_about about[FEED_PAGE];
};

/* May whoever asks hear of it? */
static bool may_hear(const struct call *call, const struct fact_about *about)
{
    struct store *store = call->engine->store;
    union row row;
    switch (about->what) {
    case ABOUT_TERRITORY: return granted(call, about->id);
    case ABOUT_TECHNICIAN:
        return store_get(store, ROW_TECHNICIAN,
                         &(struct row_technician){.technician_id = about->id}, &row) == ERR_OK &&
               granted(call, row.technician.territory_id);
    case ABOUT_WORK_ORDER:
        return store_get(store, ROW_WORK_ORDER,
                         &(struct row_work_order){.work_order_id = about->id}, &row) == ERR_OK &&
               granted(call, row.work_order.territory_id);
    case ABOUT_APPOINTMENT:
        return store_get(store, ROW_APPOINTMENT,
                         &(struct row_appointment){.appointment_id = about->id}, &row) == ERR_OK &&
               granted(call, row.appointment.territory_id);
    }
    return false;
}

static void leave_out_foreign(struct feed *feed)
{
    Callout__EventFeedReply *answer = feed->answer;
    size_t kept = 0;
    if (strcmp(feed->call->territories, GRANT_ALL) == 0) return;
    for (size_t i = 0; i < answer->n_events; i++)
        if (may_hear(feed->call, &feed->about[i])) answer->events[kept++] = answer->events[i];
    answer->n_events = kept;
}

static void fill_recent(struct call *call, Callout__FeedEvent *event)
{
    const struct recent *recent = engine_recent(call->engine, (int64_t)event->seq);
    if (recent == NULL) return;
    event->committed_mono_us = recent->committed_mono_us;
    event->changed_appointments = recent->changes;
    event->plan_version = recent->plan_version;
    event->technician_ids =
        arena_need(call->arena, (recent->technician_count + 1) * sizeof(char *));
    for (uint32_t i = 0; i < recent->technician_count; i++)
        event->technician_ids[event->n_technician_ids++] =
            arena_text(call->arena, recent->technicians[i]);
}

static void fill_plan_event(const Callout__FactBody *body, Callout__FeedEvent *event,
                            struct arena *arena)
{
    if (body->body_case != CALLOUT__FACT_BODY__BODY_PLAN) return;
    event->cause_seq = body->plan->cause_seq;
    if (body->plan->bound != NULL && body->plan->bound->known)
        event->bound = bound_copy(arena, body->plan->bound);
    event->stage = arena_text(arena, plan_stage_name(body->plan->stage));
}

static bool add_event(void *context, const void *visited)
{
    struct feed *feed = context;
    const struct row_fact *row = visited;
    struct arena *arena = feed->call->arena;
    if (feed->answer->n_events == FEED_PAGE) return false;
    Callout__FactBody *body =
        callout__fact_body__unpack(NULL, row->body.size, (const uint8_t *)row->body.bytes);
    if (body == NULL) return true;
    char text[256];
    Callout__FeedEvent *event = arena_need(arena, sizeof *event);
    callout__feed_event__init(event);
    event->seq = (uint64_t)row->seq;
    event->time_us = row->time_us;
    event->kind = arena_text(arena, fact_kind_name((enum fact_kind)row->kind));
    event->subject = arena_text(arena, fact_subject(body));
    event->actor = arena_text(arena, fact_actor(body));
    fact_text(body, row, text, sizeof text);
    event->text = arena_text(arena, text);
    event->is_event = fact_is_event((enum fact_kind)row->kind) && row->kind != FACT_TICK;
    fill_recent(feed->call, event);
    fill_plan_event(body, event, arena);
    feed->about[feed->answer->n_events] = fact_about(body);
    feed->about[feed->answer->n_events].id = event->subject;
    callout__fact_body__free_unpacked(body, NULL);
    feed->answer->events[feed->answer->n_events++] = event;
    feed->answer->next_after_seq = event->seq;
    return true;
}

/* A report that opened a conflict says so. */
static enum err fill_conflicts(struct store *store, Callout__EventFeedReply *answer)
{
    union row row;
    for (size_t i = 0; i < answer->n_events; i++) {
        Callout__FeedEvent *event = answer->events[i];
        const struct row_conflict key = {.seq = (int64_t)event->seq};
        enum err err = store_get(store, ROW_CONFLICT, &key, &row);
        if (err == ERR_OK) event->conflict = (Callout__ConflictKind)row.conflict.kind;
        if (err != ERR_OK && err != ERR_NOT_FOUND) return err;
    }
    return ERR_OK;
}

/* One page; *more: it was full of what is not his to hear, so that his own may be on the next. */
static enum err read_feed(struct feed *feed, bool *more)
{
    struct store *store = feed->call->engine->store;
    const struct row_fact after = {.seq = (int64_t)feed->answer->next_after_seq};
    enum err err = store_each(store, ROW_FACT, &after, 0, true, add_event, feed);
    bool full = feed->answer->n_events == FEED_PAGE;
    if (err == ERR_OK) leave_out_foreign(feed);
    *more = full && feed->answer->n_events == 0;
    return err;
}

enum err handle_event_feed(struct call *call)
{
    const Callout__EventFeedRequest *request = (const Callout__EventFeedRequest *)call->message;
    Callout__EventFeedReply *answer = arena_need(call->arena, sizeof *answer);
    callout__event_feed_reply__init(answer);
    if (request->after_seq > (uint64_t)core_seq(call->engine->core))
        return problem_set(&call->problem, ERR_RESET, "after_seq",
                           "lies in the future: start from 0");
    answer->events = arena_need(call->arena, FEED_PAGE * sizeof *answer->events);
    answer->next_after_seq = request->after_seq;
    struct feed feed = {.call = call, .answer = answer};
    bool more = true;
    enum err err = ERR_OK;
    for (unsigned i = 0; err == ERR_OK && more && i < FEED_PAGES_MAX; i++)
        err = read_feed(&feed, &more);
    if (err == ERR_OK) err = fill_conflicts(call->engine->store, answer);
    call->answer = &answer->base;
    return err;
}

enum err handle_advance_clock(struct call *call)
{
    const Callout__AdvanceClockRequest *request =
        (const Callout__AdvanceClockRequest *)call->message;
    struct engine *engine = call->engine;
    if (!engine->options.clock_by_hand)
        return problem_set(&call->problem, ERR_NOT_FOUND, "method",
                           "the clock runs by itself (it needs --lab and --clock START,0)");
    if (request->time_us < engine->now_us)
        return problem_set(&call->problem, ERR_INVALID, "time_us",
                           "domain time never runs backwards");
    if (request->time_us > engine->now_us + 366 * US_PER_DAY)
        return problem_set(&call->problem, ERR_INVALID, "time_us", "is more than a year ahead");
    for (uint32_t guard = 0; guard < 100000; guard++) {
        int64_t wake_us = engine_next_wake_us(engine, engine->now_us);
        if (wake_us > request->time_us) break;
        engine->now_us = wake_us > engine->now_us ? wake_us : engine->now_us;
        if (!engine_tick_in_batch(engine)) break;
    }
    engine->now_us = engine->hand_us = request->time_us;
    Callout__MutationReply *answer = arena_need(call->arena, sizeof *answer);
    callout__mutation_reply__init(answer);
    answer->log_seq = (uint64_t)core_seq(engine->core);
    call->answer = &answer->base;
    return ERR_OK;
}
