/* plan_acks.c - how far a technician's plan has come to him: sent, delivered, seen, accepted.
 *
 * What he or his app says is kept with the device. What was sent, and that a cursor came back,
 * which proves that it arrived, is remembered only: each poll would be a write, and after a restart
 * the next poll says it again. The memory is a table by hash; who meets another in his place takes
 * it.
 */
#include "dispatcher/engine_impl.h"

#include <stdio.h>
#include <string.h>

static struct pulled *pulled_slot(struct engine *engine, const char *device_id)
{
    uint32_t hash = 5381;
    for (const char *at = device_id; *at != '\0'; at++)
        hash = hash * 33 + (unsigned char)*at;
    return &engine->pulled[hash % PULLED_MAX];
}

void plan_ack_pulled(struct engine *engine, const char *device_id, int64_t came_with_seq,
                     int64_t sent_seq)
{
    struct pulled *slot = pulled_slot(engine, device_id);
    if (strcmp(slot->device_id, device_id) != 0) {
        *slot = (struct pulled){.sent_seq = 0};
        snprintf(slot->device_id, sizeof slot->device_id, "%s", device_id);
    }
    slot->heard_us = engine->now_us;
    if (came_with_seq > slot->back_seq) {
        slot->back_seq = came_with_seq;
        slot->back_us = engine->now_us;
    }
    if (sent_seq > slot->sent_seq) {
        slot->sent_seq = sent_seq;
        slot->sent_us = engine->now_us;
    }
}

static void advance(int64_t *seq, int64_t *time_us, int64_t to_seq, int64_t now_us)
{
    if (to_seq <= *seq) return;
    *seq = to_seq;
    *time_us = now_us;
}

void plan_ack_take(struct engine *engine, struct row_device *device, const Callout__AckPlan *ack)
{
    int64_t now_us = engine->now_us;
    if (ack->log_seq > (uint64_t)core_seq(engine->core)) return; /* nobody has told him that */
    int64_t seq = (int64_t)ack->log_seq;
    advance(&device->acked_seq, &device->acked_us, seq, now_us);
    if (ack->stage >= CALLOUT__ACK_STAGE__ACK_SEEN)
        advance(&device->seen_seq, &device->seen_us, seq, now_us);
    if (ack->stage >= CALLOUT__ACK_STAGE__ACK_ACCEPTED)
        advance(&device->accepted_seq, &device->accepted_us, seq, now_us);
}

/* --- PlanAcks --- */

static Callout__PlanStage *new_stage(struct arena *arena, int64_t seq, int64_t time_us)
{
    Callout__PlanStage *stage = arena_need(arena, sizeof *stage);
    callout__plan_stage__init(stage);
    stage->log_seq = (uint64_t)seq;
    stage->time_us = time_us;
    return stage;
}

static void fill_stages(struct call *call, const struct row_device *device, Callout__PlanAck *out)
{
    struct engine *engine = call->engine;
    const struct pulled *pulled = pulled_slot(engine, device->device_id);
    int64_t delivered_seq = device->acked_seq, delivered_us = device->acked_us;
    if (strcmp(pulled->device_id, device->device_id) == 0) {
        out->heard_us = pulled->heard_us;
        out->sent = new_stage(call->arena, pulled->sent_seq, pulled->sent_us);
        advance(&delivered_seq, &delivered_us, pulled->back_seq, pulled->back_us);
    }
    out->delivered = new_stage(call->arena, delivered_seq, delivered_us);
    out->seen = new_stage(call->arena, device->seen_seq, device->seen_us);
    out->accepted = new_stage(call->arena, device->accepted_seq, device->accepted_us);
    out->device_id = arena_text(call->arena, device->device_id);
}

/* His device is the one that enrolled last. */
static enum err read_device(struct call *call, const char *technician_id, union row *row)
{
    const struct row_device_of key = {.technician_id = technician_id};
    enum err err = store_get(call->engine->store, ROW_DEVICE_OF, &key, row);
    if (err != ERR_OK) return err;
    const char *device_id = arena_text(call->arena, row->device_of.device_id);
    return store_get(call->engine->store, ROW_DEVICE, &(struct row_device){.device_id = device_id},
                     row);
}

enum err plan_ack_heard(struct call *call, const char *technician_id, int64_t *delivered_seq,
                        int64_t *heard_us)
{
    union row row;
    int64_t time_us;
    enum err err = read_device(call, technician_id, &row);
    if (err != ERR_OK) return err;
    const struct pulled *pulled = pulled_slot(call->engine, row.device.device_id);
    *delivered_seq = row.device.acked_seq;
    *heard_us = row.device.acked_us;
    if (strcmp(pulled->device_id, row.device.device_id) != 0) return ERR_OK;
    advance(delivered_seq, &time_us, pulled->back_seq, 0);
    if (pulled->heard_us > *heard_us) *heard_us = pulled->heard_us;
    return ERR_OK;
}

enum err plan_ack_reach(struct call *call, const char *technician_id, int64_t *delivered_seq,
                        int64_t *seen_seq)
{
    union row row;
    int64_t time_us;
    *delivered_seq = *seen_seq = 0;
    enum err err = read_device(call, technician_id, &row);
    if (err != ERR_OK) return err == ERR_NOT_FOUND ? ERR_OK : err;
    const struct pulled *pulled = pulled_slot(call->engine, row.device.device_id);
    *delivered_seq = row.device.acked_seq;
    *seen_seq = row.device.seen_seq;
    if (strcmp(pulled->device_id, row.device.device_id) == 0)
        advance(delivered_seq, &time_us, pulled->back_seq, 0);
    return ERR_OK;
}

struct acks {
    struct call *call;
    Callout__PlanAcksReply *answer;
    enum err err;
};

static bool add_ack(void *context, const char *technician_id)
{
    struct acks *acks = context;
    struct call *call = acks->call;
    const Callout__PlanAcksRequest *request = (const Callout__PlanAcksRequest *)call->message;
    struct core_technician technician;
    union row row;
    if (!core_technician(call->engine->core, technician_id, call->engine->now_us, &technician))
        return true;
    Callout__PlanAck *out = arena_need(call->arena, sizeof *out);
    callout__plan_ack__init(out);
    out->technician_id = arena_text(call->arena, technician_id);
    out->changed_seq = (uint64_t)technician.changed_seq;
    enum err err = read_device(call, technician_id, &row);
    if (err == ERR_OK) fill_stages(call, &row.device, out);
    if (err != ERR_OK && err != ERR_NOT_FOUND) acks->err = err;
    out->unseen =
        technician.changed_seq > 0 && (out->seen == NULL || out->seen->log_seq < out->changed_seq);
    if (out->unseen || !request->unseen_only) acks->answer->acks[acks->answer->n_acks++] = out;
    return acks->err == ERR_OK;
}

enum err handle_plan_acks(struct call *call)
{
    const Callout__PlanAcksRequest *request = (const Callout__PlanAcksRequest *)call->message;
    const struct core *core = call->engine->core;
    if (core_territory_zone(core, request->territory_id) == NULL)
        return problem_set(&call->problem, ERR_NOT_FOUND, "territory_id",
                           "there is no territory \"%.64s\"", request->territory_id);
    Callout__PlanAcksReply *answer = arena_need(call->arena, sizeof *answer);
    callout__plan_acks_reply__init(answer);
    answer->acks = arena_need(call->arena, LIMIT_TECHNICIANS * sizeof *answer->acks);
    struct acks acks = {call, answer, ERR_OK};
    core_technicians_of(core, request->territory_id, add_ack, &acks);
    call->answer = &answer->base;
    return acks.err;
}
