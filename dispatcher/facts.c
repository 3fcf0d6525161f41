/* facts.c - from the body of a fact, as it is kept for ever, to what the core takes. All that can
 * be wrong with one message by itself is found here; what needs the state is found by the core.
 *
 * Two things are asked of a body. Its shape (nothing missing, no more than there is room for) must
 * be right whenever it is read. Its values are judged once, when it is taken; a fact of the log was
 * taken by the rules of its day and is read as it stands, so that a rule which becomes stricter
 * never makes an old log unreadable.
 */
#include "dispatcher/facts.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

enum err check_text(const char *text, size_t max, const char *field,
                    const struct fact_reader *reader)
{
    if (reader->stored || strlen(text) <= max) return ERR_OK;
    return problem_set(reader->problem, ERR_TOO_LARGE, field, "is %zu bytes long; at most %zu",
                       strlen(text), max);
}

enum err check_range(int64_t value, int64_t low, int64_t high, const char *field,
                     const struct fact_reader *reader)
{
    if (reader->stored || (value >= low && value <= high)) return ERR_OK;
    return problem_set(reader->problem, ERR_INVALID, field, "is %lld; must be from %lld to %lld",
                       (long long)value, (long long)low, (long long)high);
}

/* Times that people give lie within five years of the fact's: sums of them never overflow. */
static enum err check_time(int64_t value, const char *field, const struct fact_reader *reader)
{
    const int64_t span_us = 5 * 366 * US_PER_DAY;
    int64_t low_us = reader->now_us - span_us, high_us = reader->now_us + span_us;
    if (reader->stored || (value >= low_us && value <= high_us)) return ERR_OK;
    return problem_set(reader->problem, ERR_INVALID, field,
                       "is more than five years away from now");
}

static enum err read_point(const Callout__Point *point, const char *field, struct point *out,
                           const struct fact_reader *reader)
{
    if (point == NULL) return problem_set(reader->problem, ERR_INVALID, field, "is missing");
    *out = (struct point){point->lat_e7, point->lon_e7};
    if (reader->stored || point_valid(*out)) return ERR_OK;
    return problem_set(
        reader->problem, ERR_INVALID, field,
        "lies outside the earth: lat_e7 within +-900000000, lon_e7 within +-1800000000");
}

static enum err read_skills(Callout__Skill *const *skills, size_t count, const char *field,
                            const struct fact_skill **out, uint32_t *out_count,
                            const struct fact_reader *reader)
{
    if (count > LIMIT_SKILLS_PER_ENTITY)
        return problem_set(reader->problem, ERR_TOO_LARGE, field, "%zu skills; at most %d", count,
                           LIMIT_SKILLS_PER_ENTITY);
    struct fact_skill *items = arena_need(reader->arena, (count + 1) * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        enum err err = check_range(skills[i]->level, 1, LIMIT_SKILL_LEVEL, field, reader);
        if (err != ERR_OK) return err;
        items[i] = (struct fact_skill){skills[i]->name, skills[i]->level, skills[i]->valid_from_us,
                                       skills[i]->valid_to_us};
    }
    *out = items;
    *out_count = (uint32_t)count;
    return ERR_OK;
}

/* A policy of before a field was there has 0 in it: that must be a value, or mean one. */
static enum err check_policy(const Callout__Policy *it, const struct fact_reader *reader)
{
    const int64_t day_s = 86400;
    const struct {
        const char *field;
        int64_t value, low, high;
    } ranges[] = {
        {"freeze_seconds", it->freeze_seconds, 0, day_s},
        {"dispatch_ahead_seconds", it->dispatch_ahead_seconds, 0, 7 * day_s},
        {"accept_timeout_seconds", it->accept_timeout_seconds, 10, day_s},
        {"overtime_price_percent", it->overtime_price_percent, 100, POLICY_PERCENT_MAX},
        {"unserved_seconds_per_priority", it->unserved_seconds_per_priority, 1, POLICY_PRICE_S_MAX},
        {"change_technician_seconds", it->change_technician_seconds, 0, POLICY_PRICE_S_MAX},
        {"change_start_seconds", it->change_start_seconds, 0, POLICY_PRICE_S_MAX},
        {"change_start_tolerance_seconds", it->change_start_tolerance_seconds, 0, day_s},
        {"overtime_tier_seconds", it->overtime_tier_seconds, 0, day_s},
        {"overtime_tier_price_percent", it->overtime_tier_price_percent,
         it->overtime_tier_seconds > 0 ? it->overtime_price_percent : 0, POLICY_PERCENT_MAX},
        {"lateness_price_percent", it->lateness_price_percent, 0, POLICY_PERCENT_MAX},
        {"preferred_window_missed_seconds", it->preferred_window_missed_seconds, 0,
         POLICY_PRICE_S_MAX},
        {"preferred_technician_missed_seconds", it->preferred_technician_missed_seconds, 0,
         POLICY_PRICE_S_MAX},
        {"travel_price_percent", it->travel_price_percent, 0, POLICY_PERCENT_MAX},
        {"changes_per_technician_day_max", it->changes_per_technician_day_max, 0,
         LIMIT_VISITS_PER_PLAN},
        {"changed_visits_percent_max", it->changed_visits_percent_max, 0, 100},
        {"position_moving_seconds", it->position_moving_seconds, 0, day_s},
        {"position_resting_seconds", it->position_resting_seconds, 0, day_s},
    };
    if (it->base.n_unknown_fields > 0 && !reader->stored)
        return problem_set(reader->problem, ERR_INVALID, "territory.policy",
                           "has a field of number %u, which is not known here: 1 to 19 are",
                           it->base.unknown_fields[0].tag);
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        char field[80];
        snprintf(field, sizeof field, "territory.policy.%s", ranges[i].field);
        enum err err = check_range(ranges[i].value, ranges[i].low, ranges[i].high, field, reader);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

static enum err read_policy(const Callout__Policy *it, struct policy *out,
                            const struct fact_reader *reader)
{
    *out = (struct policy){
        .version = 1,
        .freeze_us = it->freeze_seconds * US_PER_SECOND,
        .dispatch_ahead_us = it->dispatch_ahead_seconds * US_PER_SECOND,
        .accept_timeout_us = it->accept_timeout_seconds * US_PER_SECOND,
        .overtime_price_percent = it->overtime_price_percent,
        .unserved_s_per_priority = it->unserved_seconds_per_priority,
        .change_technician_s = it->change_technician_seconds,
        .change_start_s = it->change_start_seconds,
        .change_start_tolerance_us = it->change_start_tolerance_seconds * US_PER_SECOND,
        .overtime_tier_us = it->overtime_tier_seconds * US_PER_SECOND,
        .overtime_tier_price_percent = it->overtime_tier_price_percent,
        .travel_price_percent = it->travel_price_percent == 0 ? 100 : it->travel_price_percent,
        .lateness_price_percent =
            it->lateness_price_percent == 0 ? 100 : it->lateness_price_percent,
        .preferred_window_missed_s = it->preferred_window_missed_seconds,
        .preferred_technician_missed_s = it->preferred_technician_missed_seconds,
        .changes_per_technician_day_max = it->changes_per_technician_day_max,
        .changed_visits_percent_max = it->changed_visits_percent_max,
        .position_moving_s = it->position_moving_seconds == 0 ? policy_default.position_moving_s
                                                              : it->position_moving_seconds,
        .position_resting_s = it->position_resting_seconds == 0 ? policy_default.position_resting_s
                                                                : it->position_resting_seconds,
    };
    return check_policy(it, reader);
}

static enum err read_territory(const Callout__UpsertTerritoryRequest *request, struct fact *out,
                               const struct fact_reader *reader)
{
    const Callout__Territory *it = request->territory;
    if (it == NULL) return problem_set(reader->problem, ERR_INVALID, "territory", "is missing");
    if (request->n_skill_names > LIMIT_SKILLS && !reader->stored)
        return problem_set(reader->problem, ERR_TOO_LARGE, "skill_names", "%zu names; at most %d",
                           request->n_skill_names, LIMIT_SKILLS);
    enum err err = check_text(it->name, LIMIT_NAME, "territory.name", reader);
    out->kind = FACT_TERRITORY;
    out->territory =
        (struct fact_territory){.territory_id = it->territory_id,
                                .name = it->name,
                                .time_zone = it->time_zone,
                                .policy_given = it->policy != NULL,
                                .skill_names = (const char *const *)request->skill_names,
                                .skill_count = (uint32_t)request->n_skill_names};
    if (err == ERR_OK && it->policy != NULL)
        err = read_policy(it->policy, &out->territory.policy, reader);
    return err;
}

static enum err read_shift(const Callout__Shift *it, struct fact_shift *out,
                           const struct fact_reader *reader)
{
    enum err err = check_time(it->start_us, "technician.shifts.start_us", reader);
    if (err == ERR_OK) err = check_time(it->end_us, "technician.shifts.end_us", reader);
    if (err == ERR_OK)
        err = check_range((it->end_us - it->start_us) / US_PER_SECOND, 1, 86400,
                          "technician.shifts.end_us (seconds after start_us)", reader);
    if (err == ERR_OK) /* a service day begins at any hour of UTC, and a shift may reach over it */
        err = check_range(it->service_day, it->start_us / US_PER_DAY - 2,
                          it->start_us / US_PER_DAY + 2,
                          "technician.shifts.service_day (of start_us)", reader);
    if (err == ERR_OK && it->break_earliest_us != 0)
        err = check_time(it->break_earliest_us, "technician.shifts.break_earliest_us", reader);
    if (err == ERR_OK && it->break_latest_us != 0)
        err = check_time(it->break_latest_us, "technician.shifts.break_latest_us", reader);
    if (err == ERR_OK)
        err = check_range(it->overtime_seconds_max, 0, 86400,
                          "technician.shifts.overtime_seconds_max", reader);
    if (err == ERR_OK)
        err = check_range(it->break_seconds, 0, 86400, "technician.shifts.break_seconds", reader);
    *out = (struct fact_shift){it->service_day,
                               it->start_us,
                               it->end_us,
                               it->overtime_seconds_max * US_PER_SECOND,
                               it->break_earliest_us,
                               it->break_latest_us,
                               it->break_seconds * US_PER_SECOND,
                               it->start != NULL,
                               it->end != NULL,
                               {0, 0},
                               {0, 0}};
    if (err == ERR_OK && it->start != NULL)
        err = read_point(it->start, "technician.shifts.start", &out->start, reader);
    if (err == ERR_OK && it->end != NULL)
        err = read_point(it->end, "technician.shifts.end", &out->end, reader);
    return err;
}

enum { SHIFTS_AT_ONCE = 64 };

static enum err read_technician(const Callout__UpsertTechnicianRequest *request, struct fact *out,
                                const struct fact_reader *reader)
{
    const Callout__Technician *it = request->technician;
    if (it == NULL) return problem_set(reader->problem, ERR_INVALID, "technician", "is missing");
    struct fact_technician *to = &out->technician;
    out->kind = FACT_TECHNICIAN;
    *to = (struct fact_technician){
        .technician_id = it->technician_id, .territory_id = it->territory_id, .name = it->name};
    to->leg_s_max = it->leg_seconds_max;
    to->travel_s_max = it->travel_seconds_max;
    enum err err = check_text(it->name, LIMIT_NAME, "technician.name", reader);
    if (err == ERR_OK)
        err = check_range(it->leg_seconds_max, 0, 86400, "technician.leg_seconds_max", reader);
    if (err == ERR_OK)
        err =
            check_range(it->travel_seconds_max, 0, 86400, "technician.travel_seconds_max", reader);
    if (err == ERR_OK) err = read_point(it->home, "technician.home", &to->home, reader);
    if (err == ERR_OK)
        err = read_skills(it->skills, it->n_skills, "technician.skills", &to->skills,
                          &to->skill_count, reader);
    if (err == ERR_OK && it->n_shifts > SHIFTS_AT_ONCE)
        err = problem_set(reader->problem, ERR_TOO_LARGE, "technician.shifts", "at most %d at once",
                          SHIFTS_AT_ONCE);
    if (err == ERR_OK && request->n_days_off > SHIFTS_AT_ONCE)
        err = problem_set(reader->problem, ERR_TOO_LARGE, "days_off", "at most %d at once",
                          SHIFTS_AT_ONCE);
    if (err != ERR_OK) return err;
    struct fact_shift *shifts = arena_need(reader->arena, (it->n_shifts + 1) * sizeof *shifts);
    for (size_t i = 0; i < it->n_shifts && err == ERR_OK; i++)
        err = read_shift(it->shifts[i], &shifts[i], reader);
    to->shifts = shifts;
    to->shift_count = (uint32_t)it->n_shifts;
    to->days_off = request->days_off;
    to->day_off_count = (uint32_t)request->n_days_off;
    to->expected_version = request->expected_version;
    return err;
}

static enum err read_windows(const Callout__WorkOrder *it, struct fact_work_order *to,
                             const struct fact_reader *reader)
{
    if (it->n_windows > LIMIT_WINDOWS_PER_ORDER)
        return problem_set(reader->problem, ERR_TOO_LARGE, "work_order.windows",
                           "%zu windows; at most %d", it->n_windows, LIMIT_WINDOWS_PER_ORDER);
    struct window *windows = arena_need(reader->arena, (it->n_windows + 1) * sizeof *windows);
    bool *promised = arena_need(reader->arena, (it->n_windows + 1) * sizeof *promised);
    bool *preferred = arena_need(reader->arena, (it->n_windows + 1) * sizeof *preferred);
    for (size_t i = 0; i < it->n_windows; i++) {
        enum err err = check_time(it->windows[i]->start_us, "work_order.windows.start_us", reader);
        if (err == ERR_OK)
            err = check_time(it->windows[i]->end_us, "work_order.windows.end_us", reader);
        if (err != ERR_OK) return err;
        windows[i] = (struct window){it->windows[i]->start_us, it->windows[i]->end_us};
        promised[i] = it->windows[i]->promised;
        preferred[i] = it->windows[i]->preferred;
    }
    to->windows = windows;
    to->promised = promised;
    to->window_preferred = preferred;
    to->window_count = (uint32_t)it->n_windows;
    return ERR_OK;
}

static struct fact_named named_of(char *const *ids, size_t count)
{
    return (struct fact_named){(const char *const *)ids, (uint32_t)count};
}

static enum err read_choices(const Callout__WorkOrder *it, struct fact_work_order *to,
                             const struct fact_reader *reader)
{
    static const char field[] = "work_order.skill_choices";
    if (it->n_skill_choices > LIMIT_SKILL_CHOICES_PER_ORDER)
        return problem_set(reader->problem, ERR_TOO_LARGE, field, "%zu choices; at most %d",
                           it->n_skill_choices, LIMIT_SKILL_CHOICES_PER_ORDER);
    struct fact_choice *choices =
        arena_need(reader->arena, (it->n_skill_choices + 1) * sizeof *choices);
    for (size_t i = 0; i < it->n_skill_choices; i++) {
        const Callout__SkillChoice *from = it->skill_choices[i];
        enum err err = read_skills(from->any_of, from->n_any_of, field, &choices[i].any_of,
                                   &choices[i].count, reader);
        if (err != ERR_OK) return err;
    }
    to->choices = choices;
    to->choice_count = (uint32_t)it->n_skill_choices;
    to->required = named_of(it->required_technician_ids, it->n_required_technician_ids);
    to->preferred = named_of(it->preferred_technician_ids, it->n_preferred_technician_ids);
    to->excluded = named_of(it->excluded_technician_ids, it->n_excluded_technician_ids);
    return ERR_OK;
}

static enum err read_items(const Callout__WorkOrder *it, struct fact_work_order *to,
                           const struct fact_reader *reader)
{
    static const char id[] = "work_order.checklist.item_id", text[] = "work_order.checklist.text";
    if (it->n_checklist > LIMIT_ITEMS_PER_ORDER)
        return problem_set(reader->problem, ERR_TOO_LARGE, "work_order.checklist",
                           "%zu items; at most %d", it->n_checklist, LIMIT_ITEMS_PER_ORDER);
    struct fact_item *items = arena_need(reader->arena, (it->n_checklist + 1) * sizeof *items);
    for (size_t i = 0; i < it->n_checklist; i++) {
        const Callout__ChecklistItem *from = it->checklist[i];
        enum err err = check_text(from->item_id, LIMIT_ID, id, reader);
        if (err == ERR_OK) err = check_text(from->text, LIMIT_ITEM_TEXT, text, reader);
        if (err != ERR_OK) return err;
        bool twice = false;
        for (size_t before = 0; before < i; before++)
            twice |= strcmp(it->checklist[before]->item_id, from->item_id) == 0;
        if ((from->item_id[0] == '\0' || twice) && !reader->stored)
            return problem_set(reader->problem, ERR_INVALID, id, "must be given, each one once");
        items[i] = (struct fact_item){from->item_id, from->text, from->required, from->kind};
    }
    to->items = items;
    to->item_count = (uint32_t)it->n_checklist;
    return ERR_OK;
}

static enum err check_order_texts(const struct fact_work_order *it,
                                  const struct fact_reader *reader)
{
    const struct {
        const char *text;
        size_t max;
        const char *field;
    } texts[] = {
        {it->external_id, LIMIT_ID, "work_order.external_id"},
        {it->customer_id, LIMIT_ID, "work_order.customer.customer_id"},
        {it->customer_name, LIMIT_NAME, "work_order.customer.name"},
        {it->customer_locale, LIMIT_ID, "work_order.customer.locale"},
        {it->customer_external_id, LIMIT_ID, "work_order.customer.external_id"},
        {it->contact_id, LIMIT_ID, "work_order.contact.contact_id"},
        {it->contact_name, LIMIT_NAME, "work_order.contact.name"},
        {it->contact_phone, LIMIT_ID, "work_order.contact.phone"},
        {it->contact_email, LIMIT_NAME, "work_order.contact.email"},
        {it->site_id, LIMIT_ID, "work_order.site.site_id"},
        {it->address, LIMIT_TEXT, "work_order.site.address"},
        {it->access_note, LIMIT_TEXT, "work_order.site.access_note"},
        {it->site_time_zone, LIMIT_ID, "work_order.site.time_zone"},
        {it->asset_id, LIMIT_ID, "work_order.asset_id"},
        {it->work_type, LIMIT_NAME, "work_order.work_type"},
        {it->note, LIMIT_TEXT, "work_order.note"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        enum err err = check_text(texts[i].text, texts[i].max, texts[i].field, reader);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

static void read_around(const Callout__WorkOrder *it, struct fact_work_order *to)
{
    static Callout__Customer nobody;
    static Callout__Contact no_contact;
    callout__customer__init(&nobody);
    callout__contact__init(&no_contact);
    const Callout__Customer *customer = it->customer != NULL ? it->customer : &nobody;
    const Callout__Contact *contact = it->contact != NULL ? it->contact : &no_contact;
    to->customer_id = customer->customer_id;
    to->customer_name = customer->name;
    to->customer_locale = customer->locale;
    to->customer_external_id = customer->external_id;
    to->contact_id = contact->contact_id;
    to->contact_name = contact->name;
    to->contact_phone = contact->phone;
    to->contact_email = contact->email;
    to->site_id = it->site->site_id;
    to->address = it->site->address;
    to->access_note = it->site->access_note;
    to->site_time_zone = it->site->time_zone;
}

static enum err read_work_order(const Callout__FactBody *body, struct fact *out,
                                const struct fact_reader *reader)
{
    const Callout__WorkOrder *it = body->upsert_work_order->work_order;
    if (it == NULL) return problem_set(reader->problem, ERR_INVALID, "work_order", "is missing");
    if (it->site == NULL)
        return problem_set(reader->problem, ERR_INVALID, "work_order.site", "is missing");
    struct fact_work_order *to = &out->work_order;
    out->kind = FACT_WORK_ORDER;
    *to = (struct fact_work_order){
        .work_order_id = it->work_order_id,
        .territory_id = it->territory_id,
        .external_id = it->external_id,
        .asset_id = it->asset_id,
        .work_type = it->work_type,
        .note = it->note,
        .service_us = it->service_seconds * US_PER_SECOND,
        .priority = it->priority,
        .earliest_start_us = it->earliest_start_us,
        .due_us = it->due_us,
        .service_day = body->service_day,
        .emergency = it->emergency,
        .late_us_max = it->late_seconds_max * US_PER_SECOND,
        .follow_up_of = "",
        .any_window = body->rules == 0,
        .expected_version = body->upsert_work_order->expected_version,
    };
    read_around(it, to);
    enum err err = read_point(it->site->point, "work_order.site.point", &to->point, reader);
    if (err == ERR_OK)
        err = check_range(it->service_seconds, 1, LIMIT_SERVICE_SECONDS,
                          "work_order.service_seconds", reader);
    if (err == ERR_OK)
        err = check_range(it->priority, 1, LIMIT_PRIORITY, "work_order.priority", reader);
    if (err == ERR_OK && it->earliest_start_us != 0)
        err = check_time(it->earliest_start_us, "work_order.earliest_start_us", reader);
    if (err == ERR_OK && it->due_us != 0) err = check_time(it->due_us, "work_order.due_us", reader);
    if (err == ERR_OK)
        err = check_range(it->late_seconds_max, 0, 86400, "work_order.late_seconds_max", reader);
    if (err == ERR_OK) err = check_order_texts(to, reader);
    if (err == ERR_OK) err = read_items(it, to, reader);
    if (err == ERR_OK) err = read_choices(it, to, reader);
    if (err == ERR_OK)
        err = read_skills(it->skills, it->n_skills, "work_order.skills", &to->skills,
                          &to->skill_count, reader);
    if (err == ERR_OK) err = read_windows(it, to, reader);
    return err;
}

static enum err read_absence(const char *technician_id, int64_t start_us, int64_t end_us,
                             const char *reason, struct fact *out, const struct fact_reader *reader)
{
    out->kind = FACT_ABSENCE;
    out->absence = (struct fact_absence){technician_id, reason, start_us, end_us, 0};
    enum err err = check_text(reason, LIMIT_TEXT, "absence.reason", reader);
    if (err == ERR_OK && start_us != 0) err = check_time(start_us, "absence.start_us", reader);
    if (err == ERR_OK && end_us != 0) err = check_time(end_us, "absence.end_us", reader);
    return err;
}

static void read_plan(const Callout__PlanCandidate *it, struct arena *arena, struct fact *out)
{
    struct fact_route *routes = arena_need(arena, (it->n_routes + 1) * sizeof *routes);
    for (size_t i = 0; i < it->n_routes; i++)
        routes[i] = (struct fact_route){it->routes[i]->technician_id,
                                        (const char *const *)it->routes[i]->appointment_ids,
                                        (uint32_t)it->routes[i]->n_appointment_ids};
    out->kind = FACT_PLAN;
    out->role = ROLE_OPTIMIZER;
    out->plan = (struct fact_plan){
        .territory_id = it->territory_id,
        .service_day = it->service_day,
        .cost_s = it->cost_seconds,
        .stage = it->stage,
        .base_revision = it->base_revision,
        .cause_seq = it->cause_seq,
        .routes = routes,
        .route_count = (uint32_t)it->n_routes,
        .unserved_ids = (const char *const *)it->unserved_ids,
        .unserved_count = (uint32_t)it->n_unserved_ids,
    };
    if (it->bound != NULL && it->bound->known)
        out->plan.bound =
            (struct plan_bound){it->bound->cost_seconds, it->bound->lower_bound_seconds,
                                it->bound->gap_ppm, it->bound->age_seconds};
}

enum err check_report(Callout__AppointmentStatus status, const char *reason,
                      const struct fact_reader *reader)
{
    if (status < CALLOUT__APPOINTMENT_STATUS__ACCEPTED ||
        status > CALLOUT__APPOINTMENT_STATUS__NO_ACCESS)
        return problem_set(
            reader->problem, ERR_INVALID, "status.status",
            "a technician reports ACCEPTED, EN_ROUTE, ON_SITE, WORKING, PAUSED, COMPLETED, "
            "INCOMPLETE or NO_ACCESS");
    bool needs_reason = status >= CALLOUT__APPOINTMENT_STATUS__INCOMPLETE;
    if (needs_reason && reason[0] == '\0')
        return problem_set(reader->problem, ERR_INVALID, "status.reason",
                           "is needed for INCOMPLETE and NO_ACCESS");
    return check_text(reason, LIMIT_TEXT, "status.reason", reader);
}

/* The shell has made an order of it, from the one that it follows. */
static enum err read_follow_up(const Callout__FactBody *body, struct fact *out,
                               const struct fact_reader *reader)
{
    if (body->body_case != CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER)
        return problem_set(reader->problem, ERR_INVALID, "follow_up", "has no order");
    enum err err = read_work_order(body, out, reader);
    if (err == ERR_OK)
        out->work_order.follow_up_of = body->upsert_work_order->work_order->follow_up_of;
    return err;
}

static enum err read_command(const Callout__FactBody *body, struct fact *out,
                             const struct fact_reader *reader)
{
    const Callout__Command *it = body->command;
    struct fact_status *status = &out->status;
    out->device_time_us = it->device_time_us;
    switch (it->body_case) {
    case CALLOUT__COMMAND__BODY_STATUS: {
        const Callout__StatusReport *report = it->status;
        out->kind = FACT_STATUS;
        *status = (struct fact_status){.appointment_id = report->appointment_id,
                                       .reason = report->reason,
                                       .status = (enum appointment_status)report->status,
                                       .point_given = report->point != NULL,
                                       .items_open = body->items_open};
        if (report->point != NULL) {
            enum err err = read_point(report->point, "status.point", &status->point, reader);
            if (err != ERR_OK) return err;
        }
        return check_report(report->status, report->reason, reader);
    }
    case CALLOUT__COMMAND__BODY_DECLINE:
        out->kind = FACT_DECLINE;
        *status = (struct fact_status){.appointment_id = it->decline->appointment_id,
                                       .reason = it->decline->reason};
        return check_text(it->decline->reason, LIMIT_TEXT, "decline.reason", reader);
    case CALLOUT__COMMAND__BODY_ABSENCE:
        return read_absence(out->technician_id, it->absence->start_us, it->absence->end_us,
                            it->absence->reason, out, reader);
    case CALLOUT__COMMAND__BODY_MESSAGE: return message_from_device(it->message, out, reader);
    case CALLOUT__COMMAND__BODY_FOLLOW_UP: return read_follow_up(body, out, reader);
    case CALLOUT__COMMAND__BODY_RUNNING_LATE:
    case CALLOUT__COMMAND__BODY_ANSWER:
    case CALLOUT__COMMAND__BODY_NOTE:
    case CALLOUT__COMMAND__BODY_NEED:
    case CALLOUT__COMMAND__BODY_ATTACHMENT:
    case CALLOUT__COMMAND__BODY_BREAK_REPORT:
    case CALLOUT__COMMAND__BODY_CONSENT:
    case CALLOUT__COMMAND__BODY__NOT_SET:
    case _CALLOUT__COMMAND__BODY__CASE_IS_INT_SIZE:
    case CALLOUT__COMMAND__BODY_ACK_PLAN:
    case CALLOUT__COMMAND__BODY_POSITIONS:
    case CALLOUT__COMMAND__BODY_HEARTBEAT:
    default: break;
    }
    return field_from_command(body, out, reader);
}

static void read_subject(struct fact *out, enum fact_kind kind, const char *id,
                         const char *technician_id, const char *reason, uint64_t expected_version)
{
    out->kind = kind;
    out->subject = (struct fact_subject){.id = id,
                                         .technician_id = technician_id,
                                         .reason = reason,
                                         .expected_version = expected_version};
}

static enum actor_role role_of(const Callout__Principal *actor)
{
    if (actor == NULL) return ROLE_CLOCK;
    if (actor->kind == CALLOUT__PRINCIPAL_KIND__DEVICE) return ROLE_TECHNICIAN;
    return strcmp(actor->role, "integrator") == 0 ? ROLE_INTEGRATOR : ROLE_DISPATCHER;
}

enum err fact_from_body(const Callout__FactBody *body, int64_t seq, int64_t time_us, bool stored,
                        struct arena *arena, struct fact *out, struct problem *problem)
{
    const struct fact_reader its = {arena, time_us, stored, problem}, *reader = &its;
    *out = (struct fact){
        .seq = seq, .time_us = time_us, .technician_id = "", .role = role_of(body->actor)};
    if (body->actor != NULL) out->technician_id = body->actor->technician_id;
    out->happened_us = body->happened_us;
    out->time_uncertain = body->time_uncertain;
    if (body->command != NULL) return read_command(body, out, reader);
    switch (body->body_case) {
    case CALLOUT__FACT_BODY__BODY_UPSERT_TERRITORY:
        return read_territory(body->upsert_territory, out, reader);
    case CALLOUT__FACT_BODY__BODY_UPSERT_TECHNICIAN:
        return read_technician(body->upsert_technician, out, reader);
    case CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER: return read_work_order(body, out, reader);
    case CALLOUT__FACT_BODY__BODY_CANCEL_WORK_ORDER:
        read_subject(out, FACT_CANCEL, body->cancel_work_order->work_order_id, "",
                     body->cancel_work_order->reason, body->cancel_work_order->expected_version);
        return check_text(body->cancel_work_order->reason, LIMIT_TEXT, "reason", reader);
    case CALLOUT__FACT_BODY__BODY_REPORT_ABSENCE: {
        const Callout__Absence *it = body->report_absence->absence;
        if (it == NULL) return problem_set(reader->problem, ERR_INVALID, "absence", "is missing");
        enum err err =
            read_absence(it->technician_id, it->start_us, it->end_us, it->reason, out, reader);
        out->absence.expected_plan_seq = body->report_absence->expected_plan_seq;
        return err;
    }
    case CALLOUT__FACT_BODY__BODY_ASSIGN:
        read_subject(out, FACT_ASSIGN, body->assign->appointment_id, body->assign->technician_id,
                     body->assign->override_reason, body->assign->expected_version);
        out->subject.start_us = body->assign->start_us;
        out->subject.place = body->assign->place;
        if (strlen(body->assign->override_reason) > LIMIT_TEXT || body->assign->start_us == 0)
            return check_text(body->assign->override_reason, LIMIT_TEXT, "override_reason", reader);
        return check_time(body->assign->start_us, "start_us", reader);
    case CALLOUT__FACT_BODY__BODY_UNASSIGN:
        read_subject(out, FACT_UNASSIGN, body->unassign->appointment_id, "", body->unassign->reason,
                     body->unassign->expected_version);
        return check_text(body->unassign->reason, LIMIT_TEXT, "reason", reader);
    case CALLOUT__FACT_BODY__BODY_SET_PIN: {
        static Callout__Pin none;
        callout__pin__init(&none);
        const Callout__Pin *pin = body->set_pin->pin != NULL ? body->set_pin->pin : &none;
        read_subject(out, FACT_PIN, body->set_pin->appointment_id, pin->technician_id, "",
                     body->set_pin->expected_version);
        out->subject.pin_technician = pin->technician;
        out->subject.pin_time = pin->time;
        out->subject.start_us = pin->start_us;
        if (pin->time && pin->start_us != 0)
            return check_time(pin->start_us, "pin.start_us", reader);
        return ERR_OK;
    }
    case CALLOUT__FACT_BODY__BODY_SET_FREEZE_HORIZON:
        out->kind = FACT_FREEZE;
        out->freeze.territory_id = body->set_freeze_horizon->territory_id;
        out->freeze.freeze_us = body->set_freeze_horizon->freeze_seconds * US_PER_SECOND;
        return check_range(body->set_freeze_horizon->freeze_seconds, 0, 86400, "freeze_seconds",
                           reader);
    case CALLOUT__FACT_BODY__BODY_PLAN: read_plan(body->plan, arena, out); return ERR_OK;
    case CALLOUT__FACT_BODY__BODY_TICK:
        out->kind = FACT_TICK;
        out->role = ROLE_CLOCK;
        out->tick.territory_id = body->tick->territory_id;
        out->tick.service_day = body->tick->service_day;
        return ERR_OK;
    case CALLOUT__FACT_BODY__BODY_DRIFT:
        out->kind = FACT_DRIFT;
        out->drift.technician_id = body->drift->technician_id;
        out->drift.fix_time_us = body->drift->fix_time_us;
        return read_point(body->drift->point, "drift.point", &out->drift.point, reader);
    case CALLOUT__FACT_BODY__BODY_QUARANTINED: out->kind = FACT_QUARANTINED; return ERR_OK;
    case CALLOUT__FACT_BODY__BODY_RESOLVE_CONFLICT:
        out->kind = FACT_RESOLVE;
        out->resolve.conflict_seq = (int64_t)body->resolve_conflict->seq;
        out->resolve.note = body->resolve_conflict->note;
        out->resolve.actor = body->actor != NULL ? body->actor->id : "";
        return check_text(body->resolve_conflict->note, LIMIT_TEXT, "note", reader);
    case CALLOUT__FACT_BODY__BODY_SWAP:
    case CALLOUT__FACT_BODY__BODY_HOLD:
    case CALLOUT__FACT_BODY__BODY_RELEASE:
    case CALLOUT__FACT_BODY__BODY_REPORT_STATUS:
    case CALLOUT__FACT_BODY__BODY_RESTORED:
    case CALLOUT__FACT_BODY__BODY_SEND_MESSAGE:
    case CALLOUT__FACT_BODY__BODY__NOT_SET:
    case _CALLOUT__FACT_BODY__BODY__CASE_IS_INT_SIZE:
    default: return edit_from_body(body, out, reader);
    }
}
