#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "message.h"
#include "oracle_impl.h"
#include "pb/wire.pb-c.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOOR_ARENA = 16 << 20 };
#define REVOKED_WITHIN_US (60 * US_PER_SECOND)

/* --- texts --- */

static struct text *place_of(const struct texts *texts, const char *text)
{
    struct digest digest = digest_start();
    digest_bytes(&digest, text, strlen(text));
    size_t at = digest.state & (texts->room - 1);
    while (texts->items[at].text[0] != '\0' && strcmp(texts->items[at].text, text) != 0)
        at = (at + 1) & (texts->room - 1);
    return &texts->items[at];
}

static void grow(struct texts *texts)
{
    struct texts more = {.room = texts->room == 0 ? 256 : 2 * texts->room, .count = texts->count};
    more.items = calloc(more.room, sizeof *more.items);
    CHECK(more.items != NULL);
    for (size_t i = 0; i < texts->room; i++)
        if (texts->items[i].text[0] != '\0')
            *place_of(&more, texts->items[i].text) = texts->items[i];
    free(texts->items);
    *texts = more;
}

struct text *texts_take(struct texts *texts, const char *text)
{
    if (2 * (texts->count + 1) > texts->room) grow(texts);
    struct text *it = place_of(texts, text);
    if (it->text[0] == '\0') {
        snprintf(it->text, sizeof it->text, "%s", text);
        texts->count++;
    }
    return it;
}

struct text *texts_find(const struct texts *texts, const char *text)
{
    if (texts->room == 0) return NULL;
    struct text *it = place_of(texts, text);
    return it->text[0] == '\0' ? NULL : it;
}

/* --- life --- */

struct oracle *oracle_open(struct ordeal_result *result, const struct ordeal_options *options)
{
    struct oracle *oracle = calloc(1, sizeof *oracle);
    CHECK(oracle != NULL);
    oracle->result = result;
    oracle->options = options;
    arena_open(&oracle->arena, DOOR_ARENA);
    return oracle;
}

void oracle_close(struct oracle *oracle)
{
    for (struct life *life = oracle->lives, *next; life != NULL; life = next) {
        next = life->next;
        free(life->words);
        free(life);
    }
    free(oracle->asked);
    free(oracle->shown.items);
    free(oracle->owned.items);
    free(oracle->accepted.items);
    free(oracle->requests.items);
    arena_close(&oracle->arena);
    free(oracle);
}

void oracle_blame(struct oracle *oracle, enum finding what, const char *format, ...)
{
    static const char *const names[FINDINGS] = {"lost", "twice", "leaked", "stuck"};
    struct ordeal_result *result = oracle->result;
    uint64_t *const counts[FINDINGS] = {&result->lost, &result->twice, &result->leaked,
                                        &result->stuck};
    char line[ORDEAL_TEXT] = {0}; /* results are compared byte by byte */
    int size = snprintf(line, sizeof line, "%s: ", names[what]);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + size, sizeof line - (size_t)size, format, arguments);
    va_end(arguments);
    ++*counts[what];
    if (result->first[0] == '\0') {
        memcpy(result->first, line, sizeof line);
        result->step = (uint32_t)result->steps;
    }
    if (oracle->options->say != NULL) oracle->options->say(oracle->options->context, line);
}

/* --- what is said and heard --- */

struct life *oracle_life(struct oracle *oracle, const char *technician_id, const char *token)
{
    struct life *life = calloc(1, sizeof *life);
    CHECK(life != NULL);
    snprintf(life->technician_id, sizeof life->technician_id, "%s", technician_id);
    snprintf(life->token, sizeof life->token, "%s", token);
    life->next = oracle->lives;
    return oracle->lives = life;
}

static uint64_t digest_of(const Callout__Command *command, struct arena *arena)
{
    ProtobufCBinaryData bytes = message_encode(&command->base, arena);
    struct digest digest = digest_start();
    digest_bytes(&digest, bytes.data, bytes.len);
    return digest.state;
}

void oracle_saved(struct oracle *oracle, struct life *life, const Callout__Command *command)
{
    if (command->seq != life->word_count + 1)
        oracle_blame(oracle, LOST, "%s saved %llu after %llu", life->technician_id,
                     (unsigned long long)command->seq, (unsigned long long)life->word_count);
    while (life->word_count < command->seq) {
        if (life->word_count == life->word_room) {
            life->word_room = life->word_room == 0 ? 64 : 2 * life->word_room;
            life->words = realloc(life->words, life->word_room * sizeof *life->words);
            CHECK(life->words != NULL);
        }
        life->words[life->word_count++] = (struct word){.digest = 0};
    }
    struct word *word = &life->words[command->seq - 1];
    *word = (struct word){.digest = digest_of(command, &oracle->arena), .body = command->body_case};
    if (command->body_case == CALLOUT__COMMAND__BODY_POSITIONS) {
        const Callout__Point *point = command->positions->fixes[0]->point;
        word->place = (struct point){point->lat_e7, point->lon_e7};
    }
    arena_rewind(&oracle->arena);
    oracle->result->saved++;
}

void oracle_heard(struct oracle *oracle, struct life *life, const Callout__CommandResult *result)
{
    if (result->seq == 0 || result->seq > life->word_count) {
        oracle_blame(oracle, TWICE, "%s hears of %llu, which it never said", life->technician_id,
                     (unsigned long long)result->seq);
        return;
    }
    struct word *word = &life->words[result->seq - 1];
    if (word->outcome == 0) oracle->result->acknowledged++;
    if (word->outcome != 0 && word->outcome != result->outcome)
        oracle_blame(oracle, LOST, "%s hears outcome %d of %llu, and heard %d before",
                     life->technician_id, (int)result->outcome, (unsigned long long)result->seq,
                     (int)word->outcome);
    word->outcome = result->outcome;
    word->refused = result->fixes_refused > 0;
}

void oracle_revoked(struct life *life, int64_t now_us)
{
    life->revoked_us = now_us;
}

void oracle_ended(struct life *life)
{
    life->ended = true;
}

const char *life_device_id(const struct life *life)
{
    return life->device_id;
}

const char *life_technician_id(const struct life *life)
{
    return life->technician_id;
}

bool life_was_revoked(const struct life *life)
{
    return life->revoked_us != 0;
}

void oracle_accepted(struct oracle *oracle, const char *request_id)
{
    oracle->result->orders++;
    texts_take(&oracle->accepted, request_id);
}

/* --- the door --- */

/* Whose request this is: Enroll tells by its token, and from then on the address does. */
static struct life *life_of(struct oracle *oracle, const char *peer,
                            const Callout__Request *request)
{
    ProtobufCMessage *message;
    const char *token = NULL;
    if (strcmp(request->method, "Enroll") == 0 &&
        message_decode(&callout__enroll_request__descriptor, request->body.data, request->body.len,
                       &oracle->arena, &message, NULL) == ERR_OK)
        token = ((const Callout__EnrollRequest *)message)->enrol_token;
    for (struct life *life = oracle->lives; life != NULL; life = life->next) {
        bool is = token == NULL ? strcmp(life->peer, peer) == 0 : strcmp(life->token, token) == 0;
        if (!is) continue;
        snprintf(life->peer, sizeof life->peer, "%s", peer);
        return life;
    }
    return NULL;
}

struct passer oracle_request(struct oracle *oracle, struct sp_ticket from, const char *peer,
                             const uint8_t *bytes, size_t size)
{
    struct passer passer = {.life = NULL};
    ProtobufCMessage *message;
    while (from.slot >= oracle->asked_room) {
        uint32_t room = oracle->asked_room == 0 ? 64 : 2 * oracle->asked_room;
        oracle->asked = realloc(oracle->asked, room * sizeof *oracle->asked);
        CHECK(oracle->asked != NULL);
        memset(oracle->asked + oracle->asked_room, 0,
               (room - oracle->asked_room) * sizeof *oracle->asked);
        oracle->asked_room = room;
    }
    if (message_decode(&callout__request__descriptor, bytes, size, &oracle->arena, &message,
                       NULL) == ERR_OK) {
        const Callout__Request *request = (const Callout__Request *)message;
        const struct asked *before = &oracle->asked[from.slot];
        bool same_line = before->passer.life != NULL &&
                         before->ticket.generation == from.generation &&
                         strcmp(before->passer.life->peer, peer) == 0;
        passer.life = same_line && strcmp(request->method, "Enroll") != 0
                          ? before->passer.life
                          : life_of(oracle, peer, request);
        snprintf(passer.method, sizeof passer.method, "%s", request->method);
    }
    oracle->asked[from.slot] = (struct asked){from, passer};
    arena_rewind(&oracle->arena);
    return passer;
}

static void see_appointment(struct oracle *oracle, const struct life *life,
                            const Callout__FieldAppointment *field)
{
    char pair[2 * LIMIT_ID + 4];
    const Callout__Appointment *appointment = field->appointment;
    const Callout__Assignment *assignment = appointment == NULL ? NULL : appointment->assignment;
    const char *owner = assignment == NULL ? "nobody" : assignment->technician_id;
    const char *id = appointment == NULL ? "?" : appointment->appointment_id;
    oracle->result->shown++;
    if (strcmp(owner, life->technician_id) != 0)
        oracle_blame(oracle, LEAKED, "%s is shown %s, which is %s's", life->technician_id, id,
                     owner);
    if (field->work_order != NULL && appointment != NULL &&
        strcmp(field->work_order->work_order_id, appointment->work_order_id) != 0)
        oracle_blame(oracle, LEAKED, "%s is shown %s with the order %s", life->technician_id, id,
                     field->work_order->work_order_id);
    snprintf(pair, sizeof pair, "%s %s", life->technician_id, id);
    texts_take(&oracle->shown, pair);
}

static void see_left(struct oracle *oracle, const struct life *life, const char *id)
{
    char pair[2 * LIMIT_ID + 4];
    snprintf(pair, sizeof pair, "%s %s", life->technician_id, id);
    texts_take(&oracle->shown, pair);
}

static void see_body(struct oracle *oracle, struct life *life, const char *method,
                     ProtobufCBinaryData body)
{
    static const struct {
        const char *method;
        const ProtobufCMessageDescriptor *type;
    } kinds[] = {{"Enroll", &callout__enroll_reply__descriptor},
                 {"Pull", &callout__pull_reply__descriptor},
                 {"Snapshot", &callout__snapshot_reply__descriptor}};
    ProtobufCMessage *message = NULL;
    size_t kind = 0;
    while (kind < 3 && strcmp(kinds[kind].method, method) != 0)
        kind++;
    if (kind == 3) return;
    if (message_decode(kinds[kind].type, body.data, body.len, &oracle->arena, &message, NULL) !=
        ERR_OK) {
        oracle_blame(oracle, LOST, "a reply to %s cannot be read", method);
        return;
    }
    if (kind == 0) {
        const Callout__EnrollReply *reply = (const Callout__EnrollReply *)message;
        snprintf(life->device_id, sizeof life->device_id, "%s", reply->device_id);
        life->epoch = reply->epoch;
    } else if (kind == 1) {
        const Callout__PullReply *reply = (const Callout__PullReply *)message;
        for (size_t i = 0; i < reply->n_appointments; i++)
            see_appointment(oracle, life, reply->appointments[i]);
        for (size_t i = 0; i < reply->n_left_scope; i++)
            see_left(oracle, life, reply->left_scope[i]);
    } else {
        const Callout__SnapshotReply *reply = (const Callout__SnapshotReply *)message;
        for (size_t i = 0; i < reply->n_appointments; i++)
            see_appointment(oracle, life, reply->appointments[i]);
    }
}

/* The first half of Hello gives anybody a nonce to sign, which opens nothing. */
static bool is_nonce_only(struct oracle *oracle, const char *method, ProtobufCBinaryData body)
{
    ProtobufCMessage *message = NULL;
    return strcmp(method, "Hello") == 0 &&
           message_decode(&callout__hello_reply__descriptor, body.data, body.len, &oracle->arena,
                          &message, NULL) == ERR_OK &&
           ((const Callout__HelloReply *)message)->session_token.len == 0;
}

struct passer oracle_reply(struct oracle *oracle, struct sp_ticket to, const uint8_t *bytes,
                           size_t size, int64_t now_us)
{
    struct passer passer = {.life = NULL};
    ProtobufCMessage *message;
    if (to.slot >= oracle->asked_room) return passer;
    const struct asked *asked = &oracle->asked[to.slot];
    if (asked->ticket.generation != to.generation || asked->ticket.request != to.request)
        return passer; /* it comes too late: its line has another request out */
    passer = asked->passer;
    if (passer.life == NULL) return passer;
    if (message_decode(&callout__reply__descriptor, bytes, size, &oracle->arena, &message, NULL) ==
        ERR_OK) {
        const Callout__Reply *reply = (const Callout__Reply *)message;
        bool ended =
            passer.life->revoked_us != 0 && now_us > passer.life->revoked_us + REVOKED_WITHIN_US;
        if (reply->status == CALLOUT__STATUS__OK && ended &&
            !is_nonce_only(oracle, passer.method, reply->body))
            oracle_blame(oracle, LEAKED, "%s of the device of %s is served %lld s after its end",
                         passer.method, passer.life->technician_id,
                         (long long)((now_us - passer.life->revoked_us) / US_PER_SECOND));
        if (reply->status == CALLOUT__STATUS__OK)
            see_body(oracle, passer.life, passer.method, reply->body);
    }
    arena_rewind(&oracle->arena);
    return passer;
}
