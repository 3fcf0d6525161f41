#include "dispatcher/field_news.h"

#include "base/clock.h"
#include "base/digest.h"

#include <string.h>

enum { DAYS = 10, ABSENCES_MAX = 20 };

uint64_t own_version(struct call *call)
{
    const struct core *core = call->engine->core;
    const char *technician_id = call->who->technician_id;
    struct digest digest = digest_start();
    digest_u64(&digest, core_sampling(core, technician_id).version);
    digest_u64(&digest, (uint64_t)core_roster_seq(core, technician_id));
    return digest.state;
}

/* --- his days --- */

struct reading {
    struct call *call;
    struct own_days *out;
    int64_t from_us;
};

static void read_shifts(struct call *call, Callout__Technician *technician)
{
    int64_t today = call->engine->now_us / US_PER_DAY;
    technician->shifts = arena_need(call->arena, DAYS * sizeof *technician->shifts);
    for (int64_t day = today - 1; day < today - 1 + DAYS; day++) {
        Callout__Shift *shift = read_shift_message(call, technician->technician_id, day);
        if (shift != NULL) technician->shifts[technician->n_shifts++] = shift;
    }
}

static bool add_absence(void *context, const void *visited)
{
    struct reading *reading = context;
    struct own_days *out = reading->out;
    const struct row_absence *row = visited;
    if (row->end_us < reading->from_us) return true;
    if (out->absence_count == ABSENCES_MAX) return false;
    Callout__Absence *absence = arena_need(reading->call->arena, sizeof *absence);
    callout__absence__init(absence);
    absence->technician_id = out->technician->technician_id;
    absence->start_us = row->start_us;
    absence->end_us = row->end_us;
    absence->reason = arena_text(reading->call->arena, row->reason);
    out->absences[out->absence_count++] = absence;
    return true;
}

static void read_consent(struct call *call, Callout__Consent *out)
{
    union row row;
    const struct row_consent key = {.technician_id = call->who->technician_id};
    callout__consent__init(out);
    if (store_get(call->engine->store, ROW_CONSENT, &key, &row) != ERR_OK) return;
    out->notice_version = (uint32_t)row.consent.notice_version;
    out->granted = row.consent.granted != 0;
    out->time_us = row.consent.time_us;
}

enum err own_days_read(struct call *call, struct own_days *out)
{
    const char *technician_id = call->who->technician_id;
    struct reading reading = {call, out, call->engine->now_us - US_PER_DAY};
    *out = (struct own_days){.technician = read_technician_message(call, technician_id)};
    if (out->technician == NULL) return ERR_OK;
    out->absences = arena_need(call->arena, ABSENCES_MAX * sizeof *out->absences);
    out->consent = arena_need(call->arena, sizeof *out->consent);
    read_consent(call, out->consent);
    const struct row_absence absences = {.technician_id = technician_id};
    read_shifts(call, out->technician);
    return store_each(call->engine->store, ROW_ABSENCE, &absences, 1, false, add_absence, &reading);
}

/* --- causes --- */

struct origin {
    enum fact_kind kind;
    bool device;
    const char *actor; /* of a person at a screen; "" */
};

static bool read_origin(struct call *call, int64_t seq, struct origin *out)
{
    union row row;
    if (store_get(call->engine->store, ROW_FACT, &(struct row_fact){.seq = seq}, &row) != ERR_OK)
        return false;
    Callout__FactBody *body = fact_body(&row.fact);
    *out = (struct origin){(enum fact_kind)row.fact.kind, false, ""};
    if (body == NULL) return true;
    const Callout__Principal *actor = body->actor;
    out->device = actor != NULL && actor->kind == CALLOUT__PRINCIPAL_KIND__DEVICE;
    if (actor != NULL && !out->device) out->actor = arena_text(call->arena, actor->id);
    callout__fact_body__free_unpacked(body, NULL);
    return true;
}

/* `direct`: the fact itself changed the visit; else a plan made room for what it brought. */
static Callout__ChangeReason reason_of(const struct origin *origin, bool direct)
{
    if (direct && origin->device) return CALLOUT__CHANGE_REASON__CHANGE_OWN_REPORT;
    switch ((int)origin->kind) {
    case FACT_WORK_ORDER:
        return direct ? CALLOUT__CHANGE_REASON__CHANGE_ORDER_CHANGED
                      : CALLOUT__CHANGE_REASON__CHANGE_NEW_ORDER;
    case FACT_CANCEL: return CALLOUT__CHANGE_REASON__CHANGE_CANCELLED;
    case FACT_ABSENCE: return CALLOUT__CHANGE_REASON__CHANGE_ABSENCE;
    case FACT_DECLINE: return CALLOUT__CHANGE_REASON__CHANGE_DECLINED;
    case FACT_NEED: return CALLOUT__CHANGE_REASON__CHANGE_NEED;
    case FACT_TICK: return CALLOUT__CHANGE_REASON__CHANGE_BY_TIME;
    case FACT_LATE:
    case FACT_DRIFT:
    case FACT_BREAK: return CALLOUT__CHANGE_REASON__CHANGE_DELAY;
    case FACT_STATUS:
        return direct ? CALLOUT__CHANGE_REASON__CHANGE_BY_DISPATCHER
                      : CALLOUT__CHANGE_REASON__CHANGE_DELAY;
    case FACT_TERRITORY:
    case FACT_TECHNICIAN:
    case FACT_ASSIGN:
    case FACT_UNASSIGN:
    case FACT_PIN:
    case FACT_FREEZE:
    case FACT_SWAP:
    case FACT_HOLD:
    case FACT_RELEASE:
    case FACT_RESTORE: return CALLOUT__CHANGE_REASON__CHANGE_BY_DISPATCHER;
    default: return CALLOUT__CHANGE_REASON__CHANGE_REASON_UNSPECIFIED;
    }
}

/* What lately happened is known without asking the log, which nine of ten checks of it need not. */
static bool find_origin(struct call *call, int64_t seq, struct origin *out)
{
    const struct recent *recent = engine_recent(call->engine, seq);
    if (recent == NULL || !recent->device) return read_origin(call, seq, out);
    *out = (struct origin){recent->kind, true, ""};
    return true;
}

Callout__ChangeCause *change_cause(struct call *call, const char *appointment_id, int64_t seq)
{
    const struct recent *recent = engine_recent(call->engine, seq);
    struct origin origin;
    int64_t cause_seq = recent != NULL ? recent->cause_seq : 0;
    bool direct = cause_seq == 0;
    if (!find_origin(call, direct ? seq : cause_seq, &origin)) return NULL;
    Callout__ChangeCause *out = arena_need(call->arena, sizeof *out);
    callout__change_cause__init(out);
    out->appointment_id = arena_text(call->arena, appointment_id);
    out->seq = (uint64_t)(direct ? seq : cause_seq);
    out->by_plan = !direct || origin.kind == FACT_PLAN;
    out->reason = reason_of(&origin, direct);
    if (out->reason == CALLOUT__CHANGE_REASON__CHANGE_BY_DISPATCHER)
        out->actor = arena_text(call->arena, origin.actor);
    return out;
}
