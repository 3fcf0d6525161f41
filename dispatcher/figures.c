/* figures.c - Kpis: the figures of a day as a message. What each means is model/kpi.h. */
#include "dispatcher/engine_impl.h"
#include "dispatcher/kpi.h"
#include "dispatcher/page_token.h"

#include <string.h>

enum { LEGS_PAGE = 100 };

static Callout__KpiLengths *out_lengths(struct arena *arena, const struct kpi_lengths *it)
{
    Callout__KpiLengths *to = arena_need(arena, sizeof *to);
    callout__kpi_lengths__init(to);
    to->count = it->count;
    to->sum_us = it->sum_us;
    to->mean_us = kpi_lengths_mean(it);
    to->p50_us = kpi_lengths_at(it, 500);
    to->p95_us = kpi_lengths_at(it, 950);
    to->p99_us = kpi_lengths_at(it, 990);
    return to;
}

static bool hour_empty(const struct kpi_hour *it)
{
    int64_t sum_us = it->windowed;
    for (uint32_t part = 0; part < KPI_PARTS; part++)
        sum_us += it->parts_us[part];
    return sum_us == 0;
}

static void out_hours(struct arena *arena, const struct kpi *kpi, int64_t begin_us,
                      Callout__Kpis *to)
{
    to->hours = arena_need(arena, KPI_HOURS * sizeof *to->hours);
    for (uint32_t i = 0; i < KPI_HOURS; i++) {
        const struct kpi_hour *it = &kpi->hours[i];
        if (hour_empty(it)) continue;
        Callout__KpiHour *hour = arena_need(arena, sizeof *hour);
        callout__kpi_hour__init(hour);
        hour->start_us = begin_us + i * INT64_C(3600000000);
        hour->work_us = it->parts_us[KPI_WORK];
        hour->travel_us = it->parts_us[KPI_TRAVEL];
        hour->wait_us = it->parts_us[KPI_WAIT];
        hour->break_us = it->parts_us[KPI_BREAK];
        hour->idle_us = it->parts_us[KPI_IDLE];
        hour->overtime_us = it->overtime_us;
        hour->windowed = it->windowed;
        hour->on_time = it->on_time;
        to->hours[to->n_hours++] = hour;
    }
}

static Callout__Kpis *out_kpis(struct arena *arena, const struct kpi *kpi, int64_t begin_us)
{
    Callout__Kpis *to = arena_need(arena, sizeof *to);
    callout__kpis__init(to);
#define SAY(name) to->name = kpi->name;
    KPI_EACH_SUM(SAY)
#undef SAY
#define SAY(name) to->name = out_lengths(arena, &kpi->name);
    KPI_EACH_LENGTHS(SAY)
#undef SAY
#define SAY(name, part, whole) to->name = kpi_permille(kpi->part, kpi->whole);
    KPI_EACH_SHARE(SAY)
#undef SAY
    to->travel_per_arrival_us = kpi_mean(kpi->travel_us, kpi->arrivals);
    out_hours(arena, kpi, begin_us, to);
    return to;
}

static Callout__Leg *out_leg(struct arena *arena, const struct leg *it)
{
    Callout__Leg *to = arena_need(arena, sizeof *to);
    callout__leg__init(to);
    to->technician_id = arena_text(arena, it->technician_id);
    to->appointment_id = arena_text(arena, it->appointment_id);
    to->status = (Callout__AppointmentStatus)it->status;
    to->departed_us = it->times.departed_us;
    to->planned_travel_us = it->times.planned_travel_us;
    to->arrived_us = it->times.arrived_us;
    to->planned_start_us = it->planned_start_us;
    to->begun_us = it->times.begun_us;
    to->planned_service_us = it->times.planned_service_us;
    to->worked_us = it->times.worked_us;
    to->ended_us = it->times.ended_us;
    to->late_us = it->late_us;
    return to;
}

static void out_legs(struct call *call, uint32_t from, const struct day_figures *figures,
                     Callout__KpisReply *answer)
{
    answer->legs = arena_need(call->arena, LEGS_PAGE * sizeof *answer->legs);
    for (uint32_t i = from; i < figures->leg_count && answer->n_legs < LEGS_PAGE; i++)
        answer->legs[answer->n_legs++] = out_leg(call->arena, &figures->legs[i]);
    if (from >= figures->leg_count || figures->leg_count - from <= LEGS_PAGE) return;
    answer->next_page_token = page_token_of(call, from + LEGS_PAGE);
}

/* One territory's day, 0: that of now. */
static enum err add_day(struct call *call, const char *territory_id, const char *zone,
                        const Callout__KpisRequest *request, Callout__KpisReply *answer)
{
    struct engine *engine = call->engine;
    int64_t service_day = request->service_day;
    if (service_day == 0) service_day = zone_service_day(zone, engine->now_us);
    const struct kpi_day day = {zone_day_begin_us(zone, service_day), engine->now_us};
    struct day_figures *figures = arena_need(call->arena, sizeof *figures);
    enum err err = day_figures(engine->store, engine->core, territory_id, service_day, &day,
                               call->arena, figures);
    if (err != ERR_OK) return err;
    Callout__DayKpis *to = arena_need(call->arena, sizeof *to);
    callout__day_kpis__init(to);
    to->territory_id = arena_text(call->arena, territory_id);
    to->service_day = service_day;
    to->kpis = out_kpis(call->arena, &figures->kpi, day.begin_us);
    answer->days[answer->n_days++] = to;
    if (!request->legs) return ERR_OK;
    int64_t from;
    err = page_token_number(call, request->page_token, &from);
    if (err == ERR_OK) out_legs(call, (uint32_t)from, figures, answer);
    return err;
}

static Callout__Counts *out_counts(struct call *call)
{
    const struct counts *counts = &call->engine->counts;
    Callout__Counts *to = arena_need(call->arena, sizeof *to);
    callout__counts__init(to);
    to->fixes_refused = counts->fixes_refused;
    to->fixes_flagged = counts->fixes_flagged;
    to->conflicts = counts->conflicts;
    to->dead_letters = counts->dead_letters;
    to->payload_mismatches = counts->payload_mismatches;
    return to;
}

enum err handle_kpis(struct call *call)
{
    const Callout__KpisRequest *request = (const Callout__KpisRequest *)call->message;
    const struct core *core = call->engine->core;
    const char *zone = core_territory_zone(core, request->territory_id);
    bool all = request->territory_id[0] == '\0';
    enum { DAYS_APART = 40000 }; /* about a century: any further is no day of anybody's */
    if (!all && zone == NULL)
        return problem_set(&call->problem, ERR_NOT_FOUND, "territory_id",
                           "there is no territory \"%.64s\"", request->territory_id);
    if (request->service_day < 0 || request->service_day > DAYS_APART)
        return problem_set(&call->problem, ERR_INVALID, "service_day",
                           "is counted in days since 1970-01-01; 0 means today");
    if (all && request->legs)
        return problem_set(&call->problem, ERR_INVALID, "territory_id",
                           "must be given: legs are told of one territory");
    Callout__KpisReply *answer = arena_need(call->arena, sizeof *answer);
    callout__kpis_reply__init(answer);
    answer->now_us = call->engine->now_us;
    answer->counts = out_counts(call);
    answer->days = arena_need(call->arena, LIMIT_TERRITORIES * sizeof *answer->days);
    struct core_territory territory;
    enum err err = all ? ERR_OK : add_day(call, request->territory_id, zone, request, answer);
    for (uint32_t i = 0; all && err == ERR_OK && core_territory(core, i, &territory); i++)
        err = add_day(call, territory.territory_id, territory.time_zone, request, answer);
    call->answer = &answer->base;
    return err;
}
