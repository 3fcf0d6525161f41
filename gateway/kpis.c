#include "gateway/kpis.h"

#include "base/clock.h"
#include "gateway/gateway.h"
#include "message.h"
#include "model/kpi.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* Live figures are to be at most 5 s old (J1). */
static const int64_t ask_every_us = 3 * US_PER_SECOND;
static const int64_t look_lasts_us = 2 * US_PER_MINUTE;
enum { DEADLINE_MS = 5000 };

void kpis_open(struct kpis *kpis, struct gateway *gateway)
{
    *kpis = (struct kpis){.gateway = gateway};
    arena_open(&kpis->arena, 4 * LIMIT_INNER_MESSAGE);
}

void kpis_close(struct kpis *kpis)
{
    arena_close(&kpis->arena);
}

/* --- asking --- */

static void on_answer(void *context, const struct upstream_answer *answer)
{
    struct kpis *kpis = context;
    ProtobufCMessage *message = NULL;
    kpis->asked = false;
    bool good = answer->err == ERR_OK && answer->reply->status == CALLOUT__STATUS__OK;
    if (good) {
        kpis->last = NULL;
        arena_rewind(&kpis->arena);
        good = message_decode(&callout__kpis_reply__descriptor, answer->reply->body.data,
                              answer->reply->body.len, &kpis->arena, &message, NULL) == ERR_OK;
    }
    if (!good) {
        kpis->failures++;
        return;
    }
    kpis->last = (const Callout__KpisReply *)message;
    kpis->answered_us = gateway_now_us(kpis->gateway);
}

static void ask(struct kpis *kpis, int64_t now_us)
{
    struct gateway *gateway = kpis->gateway;
    Callout__KpisRequest request;
    callout__kpis_request__init(&request);
    arena_rewind(&gateway->pack_arena);
    ProtobufCBinaryData body = message_encode(&request.base, &gateway->pack_arena);
    kpis->asked_us = now_us;
    kpis->asked =
        upstream_ask(gateway->upstream, "Kpis", body, DEADLINE_MS, on_answer, kpis) == ERR_OK;
}

void kpis_tick(struct kpis *kpis)
{
    int64_t now_us = gateway_now_us(kpis->gateway);
    bool looked = kpis->looked_us != 0 && now_us - kpis->looked_us < look_lasts_us;
    bool due = kpis->asked_us == 0 || now_us - kpis->asked_us >= ask_every_us;
    if (looked && due && !kpis->asked && !kpis->gateway->stopping) ask(kpis, now_us);
}

/* --- /metrics --- */

/* A label's value: quote, backslash and line end are escaped. */
static void add_label(struct evbuffer *out, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\n')
            evbuffer_add_printf(out, "\\n");
        else if (*at == '"' || *at == '\\')
            evbuffer_add_printf(out, "\\%c", *at);
        else
            evbuffer_add(out, at, 1);
    }
}

static void head(struct evbuffer *out, const char *name, const char *help)
{
    evbuffer_add_printf(out, "# HELP callout_kpi_%s %s\n# TYPE callout_kpi_%s gauge\n", name, help,
                        name);
}

/* One figure of each territory. `label` is a second one, such as state="open", or "". */
static void add_value(struct evbuffer *out, const char *name, const Callout__DayKpis *day,
                      const char *label, double value)
{
    evbuffer_add_printf(out, "callout_kpi_%s{territory=\"", name);
    add_label(out, day->territory_id);
    evbuffer_add_printf(out, "\"%s%s} %.10g\n", label[0] != '\0' ? "," : "", label, value);
}

enum unit { COUNT, SECONDS, RATIO };

/* A figure, where it lies in Kpis, and what makes it a figure of the series `name`. */
struct gauge {
    const char *name, *help, *label; /* help NULL: of the same series as the one before */
    size_t offset;
    enum unit unit;
};

#define FIGURE(field) offsetof(Callout__Kpis, field)
static const struct gauge gauges[] = {
    {"appointments", "Appointments of the day, by what became of them.", "state=\"completed\"",
     FIGURE(completed), COUNT},
    {"appointments", NULL, "state=\"incomplete\"", FIGURE(incomplete), COUNT},
    {"appointments", NULL, "state=\"no_access\"", FIGURE(no_access), COUNT},
    {"appointments", NULL, "state=\"running\"", FIGURE(running), COUNT},
    {"appointments", NULL, "state=\"open\"", FIGURE(open), COUNT},
    {"appointments", NULL, "state=\"unserved\"", FIGURE(unserved), COUNT},
    {"appointments", NULL, "state=\"cancelled\"", FIGURE(cancelled), COUNT},
    {"on_time_ratio", "Share of arrivals within their window.", "", FIGURE(on_time_permille),
     RATIO},
    {"sla_ratio", "Share of decided deadlines that were kept.", "", FIGURE(sla_permille), RATIO},
    {"sla_due", "Appointments whose deadlines are decided.", "", FIGURE(sla_due), COUNT},
    {"sla_met", "Those of them that kept all.", "", FIGURE(sla_met), COUNT},
    {"first_time_fix_ratio", "Share of first visits that fixed it.", "",
     FIGURE(first_time_fix_permille), RATIO},
    {"paid_seconds", "Paid time of technicians until now, by what they did.", "part=\"work\"",
     FIGURE(work_us), SECONDS},
    {"paid_seconds", NULL, "part=\"travel\"", FIGURE(travel_us), SECONDS},
    {"paid_seconds", NULL, "part=\"wait\"", FIGURE(wait_us), SECONDS},
    {"paid_seconds", NULL, "part=\"break\"", FIGURE(break_us), SECONDS},
    {"paid_seconds", NULL, "part=\"idle\"", FIGURE(idle_us), SECONDS},
    {"overtime_seconds", "What of the paid time lies outside the shifts.", "", FIGURE(overtime_us),
     SECONDS},
    {"travel_per_visit_seconds", "Travel for each arrival.", "", FIGURE(travel_per_arrival_us),
     SECONDS},
    {"travel_seconds", "Journeys that arrived.", "kind=\"planned\"", FIGURE(leg_planned_us),
     SECONDS},
    {"travel_seconds", NULL, "kind=\"actual\"", FIGURE(leg_actual_us), SECONDS},
    {"service_seconds", "Work that ended.", "kind=\"planned\"", FIGURE(service_planned_us),
     SECONDS},
    {"service_seconds", NULL, "kind=\"actual\"", FIGURE(service_actual_us), SECONDS},
    {"moves", "What plans changed of what was planned before.", "kind=\"technician\"",
     FIGURE(technician_changes), COUNT},
    {"moves", NULL, "kind=\"start\"", FIGURE(start_changes), COUNT},
    {"moves_after_promise", "Those of them whose customer had a window promised.", "",
     FIGURE(moves_after_promise), COUNT},
    {"stability_overrides", "Technician-days that an emergency took beyond their limit.", "",
     FIGURE(overrides), COUNT},
    {"plans", "Plans published for the day.", "", FIGURE(plans), COUNT},
};

static void write_gauge(struct evbuffer *out, const Callout__KpisReply *reply,
                        const struct gauge *gauge)
{
    static const double units[] = {[COUNT] = 1, [SECONDS] = 1e6, [RATIO] = 1000};
    if (gauge->help != NULL) head(out, gauge->name, gauge->help);
    for (size_t i = 0; i < reply->n_days; i++) {
        int64_t value;
        memcpy(&value, (const char *)reply->days[i]->kpis + gauge->offset, sizeof value);
        bool none = value < 0; /* nothing to divide by */
        if (!none)
            add_value(out, gauge->name, reply->days[i], gauge->label,
                      (double)value / units[gauge->unit]);
    }
}

/* Percentiles, with how many there were. */
static void write_lengths(struct evbuffer *out, const Callout__KpisReply *reply, const char *name,
                          const char *help, size_t offset)
{
    head(out, name, help);
    for (size_t i = 0; i < reply->n_days; i++) {
        const Callout__DayKpis *day = reply->days[i];
        const Callout__KpiLengths *it;
        memcpy(&it, (const char *)day->kpis + offset, sizeof it);
        if (it == NULL || it->count == 0) continue;
        add_value(out, name, day, "quantile=\"0.5\"", (double)it->p50_us / 1e6);
        add_value(out, name, day, "quantile=\"0.95\"", (double)it->p95_us / 1e6);
        add_value(out, name, day, "quantile=\"0.99\"", (double)it->p99_us / 1e6);
    }
}

static void write_counts(struct evbuffer *out, const Callout__Counts *counts)
{
    const struct {
        const char *name, *help;
        uint64_t value;
    } all[] = {
        {"fixes_refused_total", "Positions taken off shift, or too old: nothing was kept.",
         counts->fixes_refused},
        {"fixes_flagged_total", "Positions that were kept, but are wrong in some way.",
         counts->fixes_flagged},
        {"conflicts_total", "Reports of devices that the plan knew otherwise.", counts->conflicts},
        {"dead_letters_total", "Commands of devices that were rejected for good.",
         counts->dead_letters},
        {"payload_mismatches_total", "Commands that came under a number used for another.",
         counts->payload_mismatches},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        evbuffer_add_printf(out,
                            "# HELP callout_dispatcher_%s %s\n"
                            "# TYPE callout_dispatcher_%s counter\n"
                            "callout_dispatcher_%s %" PRIu64 "\n",
                            all[i].name, all[i].help, all[i].name, all[i].name, all[i].value);
}

void kpis_write(struct kpis *kpis, struct evbuffer *out)
{
    int64_t now_us = gateway_now_us(kpis->gateway);
    const Callout__KpisReply *reply = kpis->last;
    kpis->looked_us = now_us;
    evbuffer_add_printf(out,
                        "# HELP callout_kpi_failures_total Questions about figures that the "
                        "dispatcher did not answer.\n"
                        "# TYPE callout_kpi_failures_total counter\n"
                        "callout_kpi_failures_total %" PRIu64 "\n",
                        kpis->failures);
    if (reply == NULL) return;
    if (reply->counts != NULL) write_counts(out, reply->counts);
    head(out, "age_seconds", "How old these figures are.");
    evbuffer_add_printf(out, "callout_kpi_age_seconds %.3f\n",
                        (double)(now_us - kpis->answered_us) / 1e6);
    head(out, "service_day", "The day they are of, counted from 1970-01-01.");
    for (size_t i = 0; i < reply->n_days; i++)
        add_value(out, "service_day", reply->days[i], "", (double)reply->days[i]->service_day);
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++)
        write_gauge(out, reply, &gauges[i]);
    write_lengths(out, reply, "response_seconds", "From when the customer waited to the arrival.",
                  FIGURE(response));
    write_lengths(out, reply, "solve_seconds", "What published plans took the optimizer.",
                  FIGURE(solve));
    write_lengths(out, reply, "repair_seconds", "The same of first answers.", FIGURE(repair_solve));
}
