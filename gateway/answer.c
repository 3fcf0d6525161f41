#include "gateway/gateway.h"

#include "base/check.h"
#include "base/clock.h"
#include "message.h"

#include <assert.h>
#include <string.h>

/* A reply that cannot be had now: when to come back. */
enum { RETRY_AFTER_MS = 1000 };

static_assert((int)CALLOUT__STATUS__INVALID == (int)ERR_INVALID &&
                  (int)CALLOUT__STATUS__RETRY == (int)ERR_RETRY &&
                  (int)CALLOUT__STATUS__IO == (int)ERR_IO,
              "Status on the wire and enum err are the same words");

/* Packed strings are only read; protobuf-c has no const in its structs. */
static char *unconst(const char *text)
{
    union {
        const char *constant;
        char *text;
    } both = {text};
    return both.text;
}

void answer_send(struct gateway *gateway, const struct asker *asker, Callout__Reply *reply)
{
    arena_rewind(&gateway->send_arena);
    reply->request_id = unconst(asker->request_id);
    upstream_stamp(gateway->upstream, reply);
    ProtobufCBinaryData bytes = message_encode(&reply->base, &gateway->send_arena);
    if (bytes.len > LIMIT_OUTBOX) {
        struct problem problem;
        problem_set(&problem, ERR_TOO_LARGE, "reply", "the reply has %zu bytes: ask for less",
                    bytes.len);
        answer_error(gateway, asker, ERR_TOO_LARGE, &problem, 0);
    } else {
        metrics_answered(&gateway->metrics, asker->method, (enum err)reply->status);
        gateway->ports.reply(gateway->ports.context, asker->door, asker->ticket, bytes.data,
                             bytes.len);
    }
}

void answer_error(struct gateway *gateway, const struct asker *asker, enum err err,
                  const struct problem *problem, uint32_t retry_after_ms)
{
    Callout__Reply reply;
    Callout__FieldError error, *errors[] = {&error};
    callout__reply__init(&reply);
    callout__field_error__init(&error);
    reply.status = (Callout__Status)err;
    reply.retry_after_ms = retry_after_ms;
    reply.text = unconst(problem != NULL ? problem->text : err_name(err));
    if (problem != NULL && problem->field[0] != '\0') {
        error.field = unconst(problem->field);
        error.problem = unconst(problem->text);
        reply.errors = errors;
        reply.n_errors = 1;
    }
    answer_send(gateway, asker, &reply);
}

void answer_heard(struct gateway *gateway, const struct upstream_answer *answer)
{
    if (answer->err != ERR_OK) return;
    admission_heard(&gateway->admission, upstream_in_flight(gateway->upstream),
                    gateway_now_us(gateway));
}

/* --- from the dispatcher's answer
 * ------------------------------------------------------------------ */

static Callout__Reply *make(struct arena *arena, enum err err, const char *text)
{
    Callout__Reply *reply = arena_need(arena, sizeof *reply);
    callout__reply__init(reply);
    reply->status = (Callout__Status)err;
    reply->text = unconst(text);
    if (err == ERR_BUSY || err == ERR_RETRY) reply->retry_after_ms = RETRY_AFTER_MS;
    return reply;
}

static void forget_ended(struct gateway *gateway, const Callout__ForwardReply *forward)
{
    for (size_t i = 0; i < forward->n_ended_sessions; i++) {
        ProtobufCBinaryData token = forward->ended_sessions[i];
        if (token.len > 0 && token.len <= SESSION_TOKEN_MAX)
            sessions_forget(&gateway->sessions, token.data, token.len);
    }
}

/* A refusal of the envelope itself, such as RETRY after a failed commit. */
static Callout__Reply *copy_refusal(struct arena *arena, const Callout__Reply *envelope)
{
    Callout__Reply *reply = arena_need(arena, sizeof *reply);
    *reply = *envelope;
    reply->body = (ProtobufCBinaryData){0, NULL};
    return reply;
}

Callout__Reply *answer_of_forward(struct gateway *gateway, const struct upstream_answer *answer,
                                  struct arena *arena)
{
    const Callout__Reply *envelope = answer->reply;
    if (answer->err == ERR_RETRY && gateway->stopping)
        return make(arena, ERR_RETRY, "the gateway is being restarted");
    if (answer->err != ERR_OK)
        return make(arena, ERR_BUSY, "the dispatcher did not answer in time: send it again");
    if (envelope->status != CALLOUT__STATUS__OK) return copy_refusal(arena, envelope);
    ProtobufCMessage *message;
    if (message_decode(&callout__forward_reply__descriptor, envelope->body.data, envelope->body.len,
                       arena, &message, NULL) != ERR_OK)
        return make(arena, ERR_INTERNAL, "the dispatcher's answer cannot be read");
    Callout__ForwardReply *forward = (Callout__ForwardReply *)message;
    forget_ended(gateway, forward);
    if (forward->reply == NULL)
        return make(arena, ERR_INTERNAL, "the dispatcher's answer is empty");
    if (forward->reply->log_epoch == 0) {
        forward->reply->log_epoch = envelope->log_epoch;
        forward->reply->log_seq = envelope->log_seq;
        forward->reply->server_time_us = envelope->server_time_us;
        forward->reply->clock_rate = envelope->clock_rate;
    }
    return forward->reply;
}
