#include "sim/day_send.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "pb/dispatch.pb-c.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_BYTES = 4 << 20 };

/* A text for a message: protobuf-c wants it writable but does not write. */
static char *text_of(struct arena *arena, const char *text)
{
    char *copy = arena_text(arena, text);
    CHECK(copy != NULL);
    return copy;
}

static Callout__Point *point_of(struct arena *arena, struct point at)
{
    Callout__Point *point = arena_need(arena, sizeof *point);
    callout__point__init(point);
    point->lat_e7 = at.lat_e7;
    point->lon_e7 = at.lon_e7;
    return point;
}

static Callout__Skill **skills_of(struct arena *arena, const struct day_skill *skills, size_t count)
{
    Callout__Skill **list = arena_need(arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = arena_need(arena, sizeof *list[i]);
        callout__skill__init(list[i]);
        list[i]->name = text_of(arena, skills[i].name);
        list[i]->level = skills[i].level;
    }
    return list;
}

static void ask(struct api *api, const char *method, const ProtobufCMessage *message,
                struct arena *arena, api_done *done, void *context)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_need(arena, size + 1);
    protobuf_c_message_pack(message, bytes);
    struct digest digest = digest_start();
    digest_bytes(&digest, method, strlen(method));
    digest_bytes(&digest, bytes, size);
    char request_id[32];
    snprintf(request_id, sizeof request_id, "import-%016llx", (unsigned long long)digest.state);
    api_ask(api, method, message, request_id, done, context);
}

/* --- the catalogue of skills ----------------------------------------------------------------- */

struct catalogue {
    char **names;
    size_t count;
};

static void catalogue_add(struct catalogue *catalogue, struct arena *arena,
                          const struct day_skill *skills, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t j = 0;
        while (j < catalogue->count && strcmp(catalogue->names[j], skills[i].name) != 0)
            j++;
        if (j == catalogue->count && j < LIMIT_SKILLS)
            catalogue->names[catalogue->count++] = text_of(arena, skills[i].name);
    }
}

static Callout__Policy policy_of(const struct policy *it)
{
    Callout__Policy to;
    callout__policy__init(&to);
    to.freeze_seconds = (int32_t)(it->freeze_us / US_PER_SECOND);
    to.dispatch_ahead_seconds = (int32_t)(it->dispatch_ahead_us / US_PER_SECOND);
    to.accept_timeout_seconds = (int32_t)(it->accept_timeout_us / US_PER_SECOND);
    to.overtime_price_percent = it->overtime_price_percent;
    to.unserved_seconds_per_priority = it->unserved_s_per_priority;
    to.change_technician_seconds = it->change_technician_s;
    to.change_start_seconds = it->change_start_s;
    to.change_start_tolerance_seconds = (int32_t)(it->change_start_tolerance_us / US_PER_SECOND);
    to.overtime_tier_seconds = (int32_t)(it->overtime_tier_us / US_PER_SECOND);
    to.overtime_tier_price_percent = it->overtime_tier_price_percent;
    to.lateness_price_percent = it->lateness_price_percent;
    to.preferred_window_missed_seconds = it->preferred_window_missed_s;
    to.preferred_technician_missed_seconds = it->preferred_technician_missed_s;
    to.travel_price_percent = it->travel_price_percent;
    to.changes_per_technician_day_max = it->changes_per_technician_day_max;
    to.changed_visits_percent_max = it->changed_visits_percent_max;
    to.position_moving_seconds = it->position_moving_s;
    to.position_resting_seconds = it->position_resting_s;
    return to;
}

void day_send_territory(struct api *api, const struct day *day, const char *territory_id,
                        const struct policy *policy, api_done *done, void *context)
{
    struct arena arena;
    arena_open(&arena, ARENA_BYTES);
    struct catalogue catalogue = {.names = arena_need(&arena, LIMIT_SKILLS * sizeof(char *))};
    for (size_t i = 0; i < day->technician_count; i++)
        catalogue_add(&catalogue, &arena, day->technicians[i].skills,
                      day->technicians[i].skill_count);
    for (size_t i = 0; i < day->order_count; i++)
        catalogue_add(&catalogue, &arena, day->orders[i].skills, day->orders[i].skill_count);
    Callout__Territory territory;
    callout__territory__init(&territory);
    territory.territory_id = text_of(&arena, territory_id);
    territory.name = territory.territory_id;
    territory.time_zone = text_of(&arena, day->time_zone);
    Callout__Policy given;
    if (policy != NULL) {
        given = policy_of(policy);
        territory.policy = &given;
    }
    Callout__UpsertTerritoryRequest request;
    callout__upsert_territory_request__init(&request);
    request.territory = &territory;
    request.skill_names = catalogue.names;
    request.n_skill_names = catalogue.count;
    ask(api, "UpsertTerritory", &request.base, &arena, done, context);
    arena_close(&arena);
}

void day_send_technician(struct api *api, const struct day *day, const char *territory_id,
                         const struct day_technician *row, api_done *done, void *context)
{
    struct arena arena;
    arena_open(&arena, ARENA_BYTES);
    Callout__Shift shift;
    callout__shift__init(&shift);
    Callout__Shift *shifts[] = {&shift};
    Callout__Technician technician;
    callout__technician__init(&technician);
    technician.technician_id = text_of(&arena, row->id);
    technician.territory_id = text_of(&arena, territory_id);
    technician.name = text_of(&arena, row->name);
    technician.home = point_of(&arena, row->home);
    technician.skills = skills_of(&arena, row->skills, row->skill_count);
    technician.n_skills = row->skill_count;
    technician.shifts = shifts;
    technician.n_shifts = 1;
    shift.technician_id = technician.technician_id;
    shift.service_day = day->service_day;
    shift.start_us = row->shift_start_us;
    shift.end_us = row->shift_end_us;
    shift.overtime_seconds_max = row->overtime_s_max;
    shift.break_earliest_us = row->break_earliest_us;
    shift.break_latest_us = row->break_latest_us;
    shift.break_seconds = row->break_s;
    Callout__UpsertTechnicianRequest request;
    callout__upsert_technician_request__init(&request);
    request.technician = &technician;
    ask(api, "UpsertTechnician", &request.base, &arena, done, context);
    arena_close(&arena);
}

void day_send_order(struct api *api, const char *territory_id, const struct day_order *row,
                    bool emergency, api_done *done, void *context)
{
    struct arena arena;
    arena_open(&arena, ARENA_BYTES);
    char site_id[LIMIT_ID + 8];
    snprintf(site_id, sizeof site_id, "S-%.60s", row->id);
    Callout__Site site;
    callout__site__init(&site);
    site.site_id = site_id;
    site.address = text_of(&arena, row->address);
    site.point = point_of(&arena, row->at);
    Callout__ArrivalWindow window;
    callout__arrival_window__init(&window);
    Callout__ArrivalWindow *windows[] = {&window};
    window.start_us = row->window_start_us;
    window.end_us = row->window_end_us - row->service_s * US_PER_SECOND;
    Callout__WorkOrder order;
    callout__work_order__init(&order);
    order.work_order_id = text_of(&arena, row->id);
    order.territory_id = text_of(&arena, territory_id);
    order.site = &site;
    order.work_type = text_of(&arena, row->work_type);
    order.service_seconds = row->service_s;
    order.priority = row->priority;
    order.skills = skills_of(&arena, row->skills, row->skill_count);
    order.n_skills = row->skill_count;
    order.windows = windows;
    order.n_windows = 1;
    order.due_us = row->due_us;
    order.emergency = emergency;
    Callout__UpsertWorkOrderRequest request;
    callout__upsert_work_order_request__init(&request);
    request.work_order = &order;
    ask(api, "UpsertWorkOrder", &request.base, &arena, done, context);
    arena_close(&arena);
}
