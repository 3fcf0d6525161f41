/* push.c - the commands of a device: each applied exactly once, in the order of its own sequence.
 *
 *   seq <= last   the stored result again, to the byte (or PAYLOAD_MISMATCH when the bytes differ)
 *   seq == last+1 applied; or REJECTED for good, which also lets the sequence go on
 *   seq >  last+1 GAP: nothing is applied
 *
 * A signature takes longer to check than all else about a command: of signed ones a Push has so
 * many done as 10 ms allow (LIMIT_BATCH_SIGNED), and what stands behind them comes again, since
 * last_seq tells the device where it is.
 *
 * What a command is identified by is the hash of its bytes as they came; what of it is kept may be
 * less (positions.h).
 */
#include "base/clock.h"
#include "dispatcher/device_key.h"
#include "dispatcher/field_record.h"
#include "dispatcher/positions.h"
#include "message.h"
#include "signed_bytes.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { PAYLOAD_HASH = 16 };
#define DRIFT_MIN_US   (5 * US_PER_MINUTE)
#define DRIFT_EVERY_US (2 * US_PER_MINUTE)

struct sender {
    struct call *call;
    struct row_device device; /* as it will be after the batch */
    struct device_clock clock;
    uint32_t signatures; /* checked so far */
    bool changed;        /* the device has to be stored again */
};

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

/* A fix that moves the predicted arrival by more than five minutes is a fact: at most one per
 * technician in two minutes. */
static void consider_drift(struct sender *sender, const struct positions *positions)
{
    struct engine *engine = sender->call->engine;
    const char *technician_id = sender->device.technician_id;
    if (!positions->moved) return;
    struct point at = positions->place;
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
    Callout__Point point;
    callout__point__init(&point);
    point.lat_e7 = at.lat_e7;
    point.lon_e7 = at.lon_e7;
    drift.technician_id = arena_text(sender->call->arena, technician_id);
    drift.point = &point;
    drift.fix_time_us = positions->at_us;
    body.body_case = CALLOUT__FACT_BODY__BODY_DRIFT;
    body.drift = &drift;
    (void)!engine_apply(engine, &body, &seq, NULL, &problem);
}

/* What never becomes a fact: acknowledgements, positions, heartbeats. */
static bool side_command(struct sender *sender, const Callout__Command *command,
                         struct positions *positions, enum err *err, struct problem *problem)
{
    struct engine *engine = sender->call->engine;
    if (command->body_case == CALLOUT__COMMAND__BODY_ACK_PLAN) {
        plan_ack_take(engine, &sender->device, command->ack_plan);
        return true;
    }
    if (command->body_case == CALLOUT__COMMAND__BODY_HEARTBEAT) return true;
    if (command->body_case != CALLOUT__COMMAND__BODY_POSITIONS) return false;
    *err = positions_put(engine, sender->device.technician_id, &sender->clock, command->positions,
                         positions, problem);
    if (*err == ERR_OK) consider_drift(sender, positions);
    return true;
}

/* Where somebody reports from is kept while he is at work, like his positions. */
static void keep_place_at_work(struct sender *sender, Callout__Command *command, int64_t at_us,
                               struct positions *positions)
{
    const struct engine *engine = sender->call->engine;
    if (command->body_case != CALLOUT__COMMAND__BODY_STATUS || command->status->point == NULL ||
        core_at_work(engine->core, sender->device.technician_id,
                     at_us != 0 ? at_us : engine->now_us))
        return;
    command->status->point = NULL;
    positions->refused = 1;
}

static void tell_positions(struct sender *sender, const struct positions *positions,
                           Callout__CommandResult *result)
{
    struct engine *engine = sender->call->engine;
    engine->counts.fixes_refused += positions->refused;
    engine->counts.fixes_flagged += positions->flagged;
    result->fixes_refused = positions->refused;
    if (positions->refused == 0 || result->text[0] != '\0') return;
    char text[96];
    snprintf(text, sizeof text, "%u positions were taken off shift, or too old: not kept",
             positions->refused);
    result->text = arena_text(sender->call->arena, text);
}

/* Is there something against a command, however right it may be? A device that was ended hands over
 * what it still had; it is for people to look at, since somebody else may have had it since. */
static enum err check_sender(struct sender *sender, const Callout__Command *command,
                             struct problem *problem)
{
    const struct row_device *device = &sender->device;
    ProtobufCBinaryData signature = command->signature;
    if (signature.len > 0) {
        ProtobufCBinaryData text = signed_command(command, device->device_id,
                                                  (uint32_t)device->epoch, sender->call->arena);
        if (!device_key_signed(device->key_algorithm, device->public_key,
                               (struct blob){text.data, text.len},
                               (struct blob){signature.data, signature.len})) {
            audit_failure(sender->call, AUDIT_SIGNATURE_WRONG, device->device_id);
            return problem_set(problem, ERR_UNAUTH, "signature", "is not by the device's key");
        }
    }
    if (!device->revoked) return ERR_OK;
    return problem_set(problem, ERR_GONE, "device_id", "was ended before this came; made %s",
                       command->device_time_us <= device->ended_us ? "before" : "after that");
}

/* What a command says only together with what is stored goes into its fact: a replay needs no
 * store.
 */
static enum err complete_body(struct sender *sender, const Callout__Command *command,
                              Callout__FactBody *body, struct problem *problem)
{
    if (command->body_case == CALLOUT__COMMAND__BODY_FOLLOW_UP)
        return record_follow_up(sender->call, sender->device.technician_id, command, body, problem);
    if (command->body_case == CALLOUT__COMMAND__BODY_STATUS &&
        command->status->status == CALLOUT__APPOINTMENT_STATUS__COMPLETED)
        body->items_open = record_items_open(sender->call, command->status->appointment_id);
    return ERR_OK;
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
    struct positions positions = {0};
    int64_t seq = core_seq(engine->core);
    enum err err = ERR_OK;
    bool quarantine = engine->quarantine &&
                      (engine->refused_command == 0 || engine->refused_command == command->seq);
    if (quarantine) {
        body.body_case = CALLOUT__FACT_BODY__BODY_QUARANTINED;
        body.quarantined = &quarantined;
    } else if (side_command(sender, command, &positions, &err, &problem)) {
        if (err == ERR_OK) {
            Callout__CommandResult *result =
                new_result(call->arena, command->seq, CALLOUT__OUTCOME__APPLIED, "");
            tell_positions(sender, &positions, result);
            return result;
        }
    } else {
        struct device_time time = device_clock_read(&sender->clock, command);
        keep_place_at_work(sender, command, time.happened_us, &positions);
        body.command = command;
        body.happened_us = time.happened_us;
        body.time_uncertain = time.uncertain;
        err = complete_body(sender, command, &body, &problem);
    }
    body.actor = (Callout__Principal *)(uintptr_t)call->who;
    if (err == ERR_OK) err = engine_apply(engine, &body, &seq, &acts, &problem);
    if (err == ERR_NOT_FOUND) audit_failure(call, AUDIT_REFUSED, sender->device.device_id);
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
    engine->counts.conflicts += acts.conflict;
    tell_positions(sender, &positions, result);
    return result;
}

/* A device counts as one, so it is broken, restored or copied. What it says is kept for people, and
 * the device flagged. */
static Callout__CommandResult *mismatch(struct sender *sender, Callout__Command *command,
                                        enum err *err)
{
    struct call *call = sender->call;
    Callout__CommandResult *result =
        new_result(call->arena, command->seq, CALLOUT__OUTCOME__PAYLOAD_MISMATCH,
                   "this sequence number was used for something else");
    struct positions positions = {0};
    struct device_time time = device_clock_read(&sender->clock, command);
    keep_place_at_work(sender, command, time.happened_us, &positions);
    audit_failure(call, AUDIT_PAYLOAD_MISMATCH, sender->device.device_id);
    sender->device.mismatches++;
    sender->changed = true;
    call->engine->counts.payload_mismatches++;
    *err = dead_letter_put(call, &sender->device, command, result);
    return result;
}

static Callout__CommandResult *stored(struct sender *sender, Callout__Command *command,
                                      const uint8_t *hash, enum err *err)
{
    struct arena *arena = sender->call->arena;
    union row row;
    struct row_command_result key = {.device_id = sender->device.device_id,
                                     .epoch = sender->device.epoch,
                                     .seq = (int64_t)command->seq};
    ProtobufCMessage *message;
    if (store_get(sender->call->engine->store, ROW_COMMAND_RESULT, &key, &row) != ERR_OK) {
        Callout__CommandResult *gone = new_result(arena, command->seq, CALLOUT__OUTCOME__APPLIED,
                                                  "its result is not kept any more");
        gone->duplicate = true;
        return gone;
    }
    if (memcmp(row.command_result.payload_hash.bytes, hash, PAYLOAD_HASH) != 0)
        return mismatch(sender, command, err);
    if (message_decode(&callout__command_result__descriptor, row.command_result.result.bytes,
                       row.command_result.result.size, arena, &message, NULL) != ERR_OK)
        return new_result(arena, command->seq, CALLOUT__OUTCOME__APPLIED, "");
    Callout__CommandResult *result = (Callout__CommandResult *)message;
    result->duplicate = true;
    return result;
}

/* Rejected for good: its sequence goes on, and people see what it was. */
static enum err dead(struct sender *sender, Callout__Command *command,
                     const Callout__CommandResult *result)
{
    struct positions positions = {0};
    struct device_time time = device_clock_read(&sender->clock, command);
    keep_place_at_work(sender, command, time.happened_us, &positions);
    sender->call->engine->counts.dead_letters++;
    return dead_letter_put(sender->call, &sender->device, command, result);
}

static Callout__CommandResult *one(struct sender *sender, Callout__Command *command, enum err *err)
{
    struct arena *arena = sender->call->arena;
    uint8_t hash[PAYLOAD_HASH];
    ProtobufCBinaryData bytes = message_encode(&command->base, arena);
    crypto_generichash(hash, sizeof hash, bytes.data, bytes.len, NULL, 0);
    if (command->seq >= 1 && command->seq <= (uint64_t)sender->device.last_seq)
        return stored(sender, command, hash, err);
    if (command->seq != (uint64_t)sender->device.last_seq + 1)
        return new_result(arena, command->seq, CALLOUT__OUTCOME__OUTCOME_GAP,
                          "a command before it is missing");
    Callout__CommandResult *result;
    struct problem problem = {{0}, {0}};
    enum err refused = check_sender(sender, command, &problem);
    if (refused == ERR_OK && bytes.len > LIMIT_COMMAND)
        refused = problem_set(&problem, ERR_TOO_LARGE, "command", "is %zu bytes; at most %d",
                              bytes.len, LIMIT_COMMAND);
    if (refused != ERR_OK) {
        result = new_result(arena, command->seq, CALLOUT__OUTCOME__REJECTED, err_name(refused));
        add_error(arena, result, &problem);
    } else {
        result = apply(sender, command);
    }
    ProtobufCBinaryData packed = message_encode(&result->base, arena);
    sender->device.last_seq = (int64_t)command->seq;
    sender->changed = true;
    if (command->boot_id[0] != '\0') sender->device.boot_id = command->boot_id;
    if (result->outcome == CALLOUT__OUTCOME__REJECTED) *err = dead(sender, command, result);
    if (*err != ERR_OK) return result;
    *err = engine_put(sender->call->engine, ROW_COMMAND_RESULT,
                      &(struct row_command_result){sender->device.device_id,
                                                   sender->device.epoch,
                                                   sender->device.last_seq,
                                                   {hash, sizeof hash},
                                                   {packed.data, packed.len},
                                                   sender->call->engine->now_us});
    return result;
}

/* Would this one need another signature checked, after as many as a Push may have? */
static bool signed_enough(struct sender *sender, const Callout__Command *command)
{
    if (command->signature.len == 0 || command->seq != (uint64_t)sender->device.last_seq + 1)
        return false;
    return ++sender->signatures > LIMIT_BATCH_SIGNED;
}

/* Of a device that was ended so much is kept as of any other; it has no right to more, and need not
 * be told that its numbers went on. */
static bool handed_over_enough(const struct sender *sender, const Callout__Command *command)
{
    const struct row_device *device = &sender->device;
    return device->revoked && device->letters >= LIMIT_DEAD_LETTERS &&
           command->seq > (uint64_t)device->last_seq;
}

/* Numbers that no outbox ever gives: a device with such a command is not one of ours. */
static enum err check_numbers(struct call *call, const Callout__PushRequest *request)
{
    for (size_t i = 0; i < request->n_commands; i++) {
        char field[40];
        uint64_t seq = request->commands[i]->seq;
        if (seq >= 1 && seq <= INT64_MAX) continue;
        snprintf(field, sizeof field, "commands[%zu].seq", i);
        return problem_set(&call->problem, ERR_INVALID, field, "must be from 1 to 2^63 - 1");
    }
    return ERR_OK;
}

static enum err refuse_more(struct call *call)
{
    return problem_set(&call->problem, ERR_GONE, "device_id",
                       "was ended, and %d of its commands are kept: no more are",
                       LIMIT_DEAD_LETTERS);
}

enum err handle_push(struct call *call)
{
    const Callout__PushRequest *request = (const Callout__PushRequest *)call->message;
    struct sender sender;
    if (request->n_commands > LIMIT_BATCH_COMMANDS)
        return problem_set(&call->problem, ERR_TOO_LARGE, "commands", "%zu commands; at most %d",
                           request->n_commands, LIMIT_BATCH_COMMANDS);
    if (call->device == NULL) return ERR_UNAUTH;
    enum err err = check_numbers(call, request);
    if (err != ERR_OK) return err;
    sender = (struct sender){.call = call, .device = *call->device};
    device_clock_open(&sender.clock, &sender.device, request, call->engine->now_us,
                      call->engine->options.clock_rate);
    Callout__PushReply *answer = arena_need(call->arena, sizeof *answer);
    callout__push_reply__init(answer);
    answer->results = arena_need(call->arena, (request->n_commands + 1) * sizeof *answer->results);
    bool refused = false; /* what stands behind it is not done now: the device sends it again */
    for (size_t i = 0; i < request->n_commands && err == ERR_OK && !refused; i++) {
        Callout__Command *command = request->commands[i];
        if (signed_enough(&sender, command)) break;
        if (handed_over_enough(&sender, command)) {
            if (i == 0) return refuse_more(call);
            break;
        }
        answer->results[answer->n_results++] = one(&sender, command, &err);
        refused = call->engine->quarantine && call->engine->refused_command == command->seq;
        if (call->engine->poisoned == ERR_OK || call->engine->quarantine) continue;
        call->engine->refused_command = command->seq;
        refused = true;
    }
    if (err == ERR_OK && sender.changed) err = engine_put(call->engine, ROW_DEVICE, &sender.device);
    if (err != ERR_OK) return ERR_INTERNAL;
    answer->last_seq = (uint64_t)sender.device.last_seq;
    call->answer = &answer->base;
    return ERR_OK;
}
