/* push.c - the commands of a device: each applied exactly once, in the order of its own sequence.
 *
 *   seq <= last   the stored result again, to the byte (or PAYLOAD_MISMATCH when the bytes differ)
 *   seq == last+1 applied; or REJECTED for good, which also lets the sequence go on
 *   seq >  last+1 GAP: nothing is applied
 */
#include "base/clock.h"
#include "dispatcher/engine_impl.h"
#include "message.h"

#include <sodium.h>
#include <string.h>

enum { PAYLOAD_HASH = 16, FIXES_MAX = 100 };
#define DRIFT_MIN_US   (5 * US_PER_MINUTE)
#define DRIFT_EVERY_US (2 * US_PER_MINUTE)
#define SKEW_MAX_US    (5 * US_PER_MINUTE)

struct sender {
    struct call *call;
    struct row_device device; /* as it will be after the batch */
    uint8_t public_key[64], secret_hash[64];
};

static enum err load_sender(struct call *call, struct sender *sender)
{
    union row row;
    enum err err = store_get(call->engine->store, ROW_DEVICE,
                             &(struct row_device){.device_id = call->who->id}, &row);
    if (err == ERR_NOT_FOUND) err = ERR_UNAUTH;
    if (err != ERR_OK) return err;
    if (row.device.revoked || row.device.epoch != call->who->epoch) return ERR_UNAUTH;
    sender->call = call;
    sender->device = row.device;
    sender->device.device_id = arena_text(call->arena, row.device.device_id);
    sender->device.technician_id = arena_text(call->arena, row.device.technician_id);
    sender->device.key_algorithm = arena_text(call->arena, row.device.key_algorithm);
    sender->device.name = arena_text(call->arena, row.device.name);
    memcpy(sender->public_key, row.device.public_key.bytes, row.device.public_key.size);
    memcpy(sender->secret_hash, row.device.secret_hash.bytes, row.device.secret_hash.size);
    sender->device.public_key.bytes = sender->public_key;
    sender->device.secret_hash.bytes = sender->secret_hash;
    return ERR_OK;
}

static Callout__CommandResult *new_result(struct arena *arena, uint64_t seq,
                                          Callout__Outcome outcome, const char *text)
{
    Callout__CommandResult *result = arena_need(arena, sizeof *result);
    callout__command_result__init(result);
    result->seq = seq;
    result->outcome = outcome;
    result->text = arena_text(arena, text);
    return result;
}

static void add_error(struct arena *arena, Callout__CommandResult *result,
                      const struct problem *problem)
{
    Callout__FieldError *error = arena_need(arena, sizeof *error);
    callout__field_error__init(error);
    error->field = arena_text(arena, problem->field);
    error->problem = arena_text(arena, problem->text);
    result->errors = arena_need(arena, sizeof *result->errors);
    result->errors[0] = error;
    result->n_errors = 1;
}

/* A clock far ahead of ours says nothing, and its fix would stay the newest for ever. */
static int64_t fix_time_us(const struct engine *engine, const Callout__Fix *fix)
{
    return fix->fix_time_us > engine->now_us + SKEW_MAX_US ? engine->now_us : fix->fix_time_us;
}

static enum err put_positions(struct sender *sender, const Callout__PositionBatch *batch,
                              struct problem *problem)
{
    struct engine *engine = sender->call->engine;
    const char *technician_id = sender->device.technician_id;
    if (batch->n_fixes > FIXES_MAX)
        return problem_set(problem, ERR_TOO_LARGE, "positions.fixes", "at most %d", FIXES_MAX);
    union row row;
    int64_t last_us = 0;
    if (store_get(engine->store, ROW_POSITION,
                  &(struct row_position){.technician_id = technician_id}, &row) == ERR_OK)
        last_us = row.position.fix_time_us;
    for (size_t i = 0; i < batch->n_fixes; i++) {
        const Callout__Fix *fix = batch->fixes[i];
        if (fix->point == NULL ||
            !point_valid((struct point){fix->point->lat_e7, fix->point->lon_e7}))
            return problem_set(problem, ERR_INVALID, "positions.fixes.point",
                               "is missing or outside the earth");
        int64_t time_us = fix_time_us(engine, fix);
        struct row_fix fact = {technician_id,        time_us,         fix->point->lat_e7,
                               fix->point->lon_e7,   fix->accuracy_m, fix->speed_cm_s,
                               fix->heading_degrees, engine->now_us};
        enum err err = engine_put(engine, ROW_FIX, &fact);
        if (err == ERR_OK && time_us > last_us) {
            last_us = time_us;
            err = engine_put(engine, ROW_POSITION,
                             &(struct row_position){technician_id, last_us, fix->accuracy_m,
                                                    fix->point->lat_e7, fix->point->lon_e7});
        }
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

/* A fix that moves the predicted arrival by more than five minutes is a fact: at most one per
 * technician in two minutes. */
static void consider_drift(struct sender *sender, const Callout__PositionBatch *batch)
{
    struct engine *engine = sender->call->engine;
    const char *technician_id = sender->device.technician_id;
    if (batch->n_fixes == 0) return;
    const Callout__Fix *fix = batch->fixes[batch->n_fixes - 1];
    struct point at = {fix->point->lat_e7, fix->point->lon_e7};
    int64_t planned = core_predicted_arrival_us(engine->core, technician_id, engine->now_us, NULL);
    if (planned == 0) return;
    int64_t seen = core_predicted_arrival_us(engine->core, technician_id, engine->now_us, &at);
    int64_t moved = seen > planned ? seen - planned : planned - seen;
    uint64_t slot = 5381;
    for (const char *c = technician_id; *c != '\0'; c++)
        slot = slot * 33 + (unsigned char)*c;
    int64_t *last_us = &engine->drift_us[slot % LIMIT_TECHNICIANS];
    if (moved <= DRIFT_MIN_US || engine->now_us < *last_us + DRIFT_EVERY_US) return;
    *last_us = engine->now_us;
    Callout__FactBody body;
    callout__fact_body__init(&body);
    Callout__PositionDrift drift;
    callout__position_drift__init(&drift);
    struct problem problem;
    int64_t seq;
    drift.technician_id = arena_text(sender->call->arena, technician_id);
    drift.point = fix->point;
    drift.fix_time_us = fix->fix_time_us;
    if (drift.fix_time_us > engine->now_us) drift.fix_time_us = engine->now_us;
    body.body_case = CALLOUT__FACT_BODY__BODY_DRIFT;
    body.drift = &drift;
    (void)!engine_apply(engine, &body, &seq, NULL, &problem);
}

/* What never becomes a fact: acknowledgements, positions, heartbeats. */
static bool side_command(struct sender *sender, const Callout__Command *command, enum err *err,
                         struct problem *problem)
{
    if (command->body_case == CALLOUT__COMMAND__BODY_ACK_PLAN) {
        if ((int64_t)command->ack_plan->log_seq > sender->device.acked_seq &&
            (int64_t)command->ack_plan->log_seq <= core_seq(sender->call->engine->core))
            sender->device.acked_seq = (int64_t)command->ack_plan->log_seq;
        return true;
    }
    if (command->body_case == CALLOUT__COMMAND__BODY_HEARTBEAT) return true;
    if (command->body_case != CALLOUT__COMMAND__BODY_POSITIONS) return false;
    *err = put_positions(sender, command->positions, problem);
    if (*err == ERR_OK) consider_drift(sender, command->positions);
    return true;
}

static Callout__CommandResult *apply(struct sender *sender, Callout__Command *command)
{
    struct call *call = sender->call;
    struct engine *engine = call->engine;
    Callout__FactBody body;
    callout__fact_body__init(&body);
    Callout__Quarantined quarantined;
    callout__quarantined__init(&quarantined);
    struct problem problem = {{0}, {0}};
    struct acts acts = {0};
    int64_t seq = core_seq(engine->core);
    enum err err = ERR_OK;
    bool quarantine = engine->quarantine &&
                      (engine->refused_command == 0 || engine->refused_command == command->seq);
    if (quarantine) {
        body.body_case = CALLOUT__FACT_BODY__BODY_QUARANTINED;
        body.quarantined = &quarantined;
    } else if (side_command(sender, command, &err, &problem)) {
        if (err == ERR_OK)
            return new_result(call->arena, command->seq, CALLOUT__OUTCOME__APPLIED, "");
    } else {
        body.command = command;
    }
    body.actor = (Callout__Principal *)(uintptr_t)call->who;
    if (err == ERR_OK) err = engine_apply(engine, &body, &seq, &acts, &problem);
    if (err != ERR_OK || quarantine) {
        Callout__CommandResult *result =
            new_result(call->arena, command->seq, CALLOUT__OUTCOME__REJECTED,
                       quarantine ? "internal error: kept in quarantine" : err_name(err));
        if (!quarantine) add_error(call->arena, result, &problem);
        result->log_seq = (uint64_t)seq;
        return result;
    }
    Callout__CommandResult *result =
        new_result(call->arena, command->seq,
                   acts.conflict ? CALLOUT__OUTCOME__CONFLICT_RECORDED : CALLOUT__OUTCOME__APPLIED,
                   acts.conflict ? acts.conflict_text : "");
    result->log_seq = (uint64_t)seq;
    return result;
}

static Callout__CommandResult *stored(struct sender *sender, const Callout__Command *command,
                                      const uint8_t *hash)
{
    struct arena *arena = sender->call->arena;
    union row row;
    struct row_command_result key = {.device_id = sender->device.device_id,
                                     .epoch = sender->device.epoch,
                                     .seq = (int64_t)command->seq};
    ProtobufCMessage *message;
    if (store_get(sender->call->engine->store, ROW_COMMAND_RESULT, &key, &row) != ERR_OK)
        return new_result(arena, command->seq, CALLOUT__OUTCOME__APPLIED,
                          "its result is not kept any more");
    if (memcmp(row.command_result.payload_hash.bytes, hash, PAYLOAD_HASH) != 0)
        return new_result(arena, command->seq, CALLOUT__OUTCOME__PAYLOAD_MISMATCH,
                          "this sequence number was used for something else");
    if (message_decode(&callout__command_result__descriptor, row.command_result.result.bytes,
                       row.command_result.result.size, arena, &message, NULL) != ERR_OK)
        return new_result(arena, command->seq, CALLOUT__OUTCOME__APPLIED, "");
    Callout__CommandResult *result = (Callout__CommandResult *)message;
    result->duplicate = true;
    return result;
}

static Callout__CommandResult *one(struct sender *sender, Callout__Command *command, enum err *err)
{
    struct arena *arena = sender->call->arena;
    uint8_t hash[PAYLOAD_HASH];
    ProtobufCBinaryData bytes = message_encode(&command->base, arena);
    crypto_generichash(hash, sizeof hash, bytes.data, bytes.len, NULL, 0);
    if (command->seq >= 1 && command->seq <= (uint64_t)sender->device.last_seq)
        return stored(sender, command, hash);
    if (command->seq != (uint64_t)sender->device.last_seq + 1)
        return new_result(arena, command->seq, CALLOUT__OUTCOME__OUTCOME_GAP,
                          "a command before it is missing");
    Callout__CommandResult *result;
    if (bytes.len > LIMIT_COMMAND) {
        struct problem problem;
        problem_set(&problem, ERR_TOO_LARGE, "command", "is %zu bytes; at most %d", bytes.len,
                    LIMIT_COMMAND);
        result = new_result(arena, command->seq, CALLOUT__OUTCOME__REJECTED, "too large");
        add_error(arena, result, &problem);
    } else {
        result = apply(sender, command);
    }
    ProtobufCBinaryData packed = message_encode(&result->base, arena);
    sender->device.last_seq = (int64_t)command->seq;
    *err = engine_put(sender->call->engine, ROW_COMMAND_RESULT,
                      &(struct row_command_result){sender->device.device_id,
                                                   sender->device.epoch,
                                                   sender->device.last_seq,
                                                   {hash, sizeof hash},
                                                   {packed.data, packed.len},
                                                   sender->call->engine->now_us});
    return result;
}

enum err handle_push(struct call *call)
{
    const Callout__PushRequest *request = (const Callout__PushRequest *)call->message;
    struct sender sender;
    if (request->n_commands > LIMIT_BATCH_COMMANDS)
        return problem_set(&call->problem, ERR_TOO_LARGE, "commands", "%zu commands; at most %d",
                           request->n_commands, LIMIT_BATCH_COMMANDS);
    enum err err = load_sender(call, &sender);
    if (err != ERR_OK)
        return problem_set(&call->problem, err, "session_token", "the device has no session");
    int64_t last_seq = sender.device.last_seq;
    Callout__PushReply *answer = arena_need(call->arena, sizeof *answer);
    callout__push_reply__init(answer);
    answer->results = arena_need(call->arena, (request->n_commands + 1) * sizeof *answer->results);
    bool refused = false; /* what stands behind it is not done now: the device sends it again */
    for (size_t i = 0; i < request->n_commands && err == ERR_OK && !refused; i++) {
        Callout__Command *command = request->commands[i];
        answer->results[answer->n_results++] = one(&sender, command, &err);
        refused = call->engine->quarantine && call->engine->refused_command == command->seq;
        if (call->engine->poisoned == ERR_OK || call->engine->quarantine) continue;
        call->engine->refused_command = command->seq;
        refused = true;
    }
    if (err == ERR_OK && sender.device.last_seq != last_seq)
        err = engine_put(call->engine, ROW_DEVICE, &sender.device);
    if (err != ERR_OK) return ERR_INTERNAL;
    answer->last_seq = (uint64_t)sender.device.last_seq;
    call->answer = &answer->base;
    return ERR_OK;
}
