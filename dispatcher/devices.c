/* devices.c - who a device is: enrolment, Hello, sessions, revocation.
 *
 *      token (15 minutes, one device) --Enroll--> device: a technician's, with a key and an epoch
 *      nonce (a minute, one Hello)    --Hello---> session: 12 hours idle, 7 days at most
 *
 * A technician has one device: enrolling another ends the one before. A device that was ended is
 * told so by GONE whatever it asks, and may only still hand over its commands (push.c). Secrets are
 * stored as hashes; a nonce is not stored at all: it says which Hello of the device it is for, and
 * carries a keyed hash, so nobody else can make one and nobody can use one twice.
 */
#include "base/clock.h"
#include "dispatcher/device_clock.h"
#include "dispatcher/device_key.h"
#include "dispatcher/engine_impl.h"
#include "signed_bytes.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define SESSION_IDLE_US  (12 * INT64_C(3600) * US_PER_SECOND)
#define SESSION_LIFE_US  (7 * US_PER_DAY)
#define SESSION_TOUCH_US (10 * US_PER_MINUTE) /* how exactly idleness is known: a write each */
#define ENROL_US         (15 * US_PER_MINUTE)
#define NONCE_US         US_PER_MINUTE
enum { ENROL_TRIES = 5, TOKEN_SIZE = 32, NONCE_HEAD = 16, NONCE_SIZE = NONCE_HEAD + 16 };

/* --- rows --- */

static struct blob keep_blob(struct arena *arena, struct blob blob)
{
    void *bytes = arena_need(arena, blob.size + 1);
    if (blob.size > 0) memcpy(bytes, blob.bytes, blob.size);
    return (struct blob){bytes, blob.size};
}

enum err device_load(struct call *call, const char *device_id, struct row_device *out)
{
    union row row;
    enum err err = store_get(call->engine->store, ROW_DEVICE,
                             &(struct row_device){.device_id = device_id}, &row);
    if (err != ERR_OK) return err;
    *out = row.device;
    out->device_id = arena_text(call->arena, row.device.device_id);
    out->technician_id = arena_text(call->arena, row.device.technician_id);
    out->key_algorithm = arena_text(call->arena, row.device.key_algorithm);
    out->name = arena_text(call->arena, row.device.name);
    out->session_hash = arena_text(call->arena, row.device.session_hash);
    out->boot_id = arena_text(call->arena, row.device.boot_id);
    out->public_key = keep_blob(call->arena, row.device.public_key);
    return ERR_OK;
}

static enum err erase_session(struct call *call, struct row_device *device)
{
    if (device->session_hash[0] == '\0') return ERR_OK;
    struct row_session key = {.token_hash = device->session_hash};
    device->session_hash = "";
    return engine_erase(call->engine, ROW_SESSION, &key, 1);
}

enum err device_end(struct call *call, struct row_device *device)
{
    if (device->revoked) return ERR_OK;
    device->revoked = 1;
    device->ended_us = call->engine->now_us;
    rights_changed(call->engine, CALLOUT__PRINCIPAL_KIND__DEVICE, device->device_id);
    enum err err = erase_session(call, device);
    return err == ERR_OK ? engine_put(call->engine, ROW_DEVICE, device) : err;
}

/* --- enrolment --- */

static enum err bad_token(struct call *call)
{
    return problem_set(&call->problem, ERR_UNAUTH, "enrol_token",
                       "is unknown, used or too old: ask for a new one (callout admin enrol)");
}

static enum err check_signature(struct call *call, const Callout__EnrollRequest *request,
                                struct blob *key)
{
    uint8_t *bytes = arena_need(call->arena, DEVICE_KEY_MAX);
    if (!device_key_algorithm_known(request->key_algorithm))
        return problem_set(&call->problem, ERR_INVALID, "key_algorithm",
                           "must be \"ed25519\" or \"ecdsa-p256\"");
    if (!device_key_read(request->key_algorithm,
                         (struct blob){request->public_key.data, request->public_key.len}, bytes,
                         &key->size))
        return problem_set(&call->problem, ERR_INVALID, "public_key",
                           "is no key of that algorithm");
    key->bytes = bytes;
    if (device_key_signed(request->key_algorithm, *key,
                          (struct blob){request->enrol_token, strlen(request->enrol_token)},
                          (struct blob){request->signature.data, request->signature.len}))
        return ERR_OK;
    return problem_set(&call->problem, ERR_INVALID, "signature",
                       "is not the token's text signed by that key");
}

static char *key_text(struct arena *arena, struct blob key)
{
    char *text = arena_need(arena, key.size * 2 + 1);
    return sodium_bin2hex(text, key.size * 2 + 1, key.bytes, key.size);
}

/* The device that has this key already, if it may be told again: the reply to an enrolment can be
 * lost. It used this very token, or never came as far as its first Hello. */
static enum err same_device(struct call *call, const struct row_enrol_token *token,
                            const char *device_id, struct row_device *device)
{
    enum err err = device_load(call, device_id, device);
    if (err != ERR_OK) return err;
    bool its = strcmp(device->technician_id, token->technician_id) == 0 && !device->revoked;
    bool used = token->tries_left <= 0;
    if (its && (used ? strcmp(token->device_id, device_id) == 0 : device->hello_count == 0))
        return ERR_OK;
    if (used) return bad_token(call);
    return problem_set(&call->problem, ERR_CONFLICT, "public_key",
                       "is enrolled already: make a new key for this enrolment");
}

/* A new device of the token's technician; the one before ends. */
static enum err new_device(struct call *call, const struct row_enrol_token *token, struct blob key,
                           struct row_device *device)
{
    const Callout__EnrollRequest *request = (const Callout__EnrollRequest *)call->message;
    struct engine *engine = call->engine;
    struct row_device before;
    union row row;
    int64_t epoch = 0;
    enum err err = store_get(engine->store, ROW_DEVICE_OF,
                             &(struct row_device_of){.technician_id = token->technician_id}, &row);
    if (err == ERR_OK) {
        epoch = row.device_of.epoch;
        err = device_load(call, arena_text(call->arena, row.device_of.device_id), &before);
        if (err == ERR_OK) err = device_end(call, &before);
    }
    if (err != ERR_OK && err != ERR_NOT_FOUND) return err;
    *device = (struct row_device){
        .device_id = random_hex(call->arena, 8),
        .technician_id = token->technician_id,
        .epoch = epoch + 1,
        .key_algorithm = request->key_algorithm,
        .public_key = key,
        .name = request->device_name,
    };
    err = engine_put(engine, ROW_DEVICE, device);
    if (err == ERR_OK)
        err = engine_put(engine, ROW_DEVICE_KEY,
                         &(struct row_device_key){key_text(call->arena, key), device->device_id});
    if (err == ERR_OK)
        err = engine_put(
            engine, ROW_DEVICE_OF,
            &(struct row_device_of){device->technician_id, device->device_id, device->epoch});
    return err;
}

static enum err choose_device(struct call *call, const struct row_enrol_token *token,
                              struct blob key, struct row_device *device)
{
    union row row;
    enum err err =
        store_get(call->engine->store, ROW_DEVICE_KEY,
                  &(struct row_device_key){.public_key = key_text(call->arena, key)}, &row);
    if (err == ERR_OK)
        return same_device(call, token, arena_text(call->arena, row.device_key.device_id), device);
    if (err != ERR_NOT_FOUND) return err;
    if (token->tries_left <= 0) return bad_token(call);
    return new_device(call, token, key, device);
}

static enum err load_token(struct call *call, const char *text, struct row_enrol_token *token)
{
    char hash[65];
    union row row;
    hash_hex(text, strlen(text), hash);
    enum err err = store_get(call->engine->store, ROW_ENROL_TOKEN,
                             &(struct row_enrol_token){.token_hash = hash}, &row);
    if (err == ERR_NOT_FOUND) return bad_token(call);
    if (err != ERR_OK) return err;
    if (row.enrol_token.expires_wall_us < engine_wall_us(call->engine)) return bad_token(call);
    *token = row.enrol_token;
    token->token_hash = arena_text(call->arena, hash);
    token->technician_id = arena_text(call->arena, token->technician_id);
    token->device_id = arena_text(call->arena, token->device_id);
    return ERR_OK;
}

static void enroll_answer(struct call *call, const struct row_device *device)
{
    Callout__EnrollReply *answer = arena_need(call->arena, sizeof *answer);
    callout__enroll_reply__init(answer);
    answer->device_id = arena_text(call->arena, device->device_id);
    answer->epoch = (uint32_t)device->epoch;
    answer->technician_id = arena_text(call->arena, device->technician_id);
    answer->server_name = call->engine->server_name;
    call->answer = &answer->base;
}

enum err handle_enroll(struct call *call)
{
    const Callout__EnrollRequest *request = (const Callout__EnrollRequest *)call->message;
    struct row_enrol_token token;
    struct row_device device = {0};
    struct blob key = {NULL, 0};
    if (strlen(request->device_name) > LIMIT_NAME)
        return problem_set(&call->problem, ERR_TOO_LARGE, "device_name", "at most %d bytes",
                           LIMIT_NAME);
    enum err err = load_token(call, request->enrol_token, &token);
    if (err == ERR_UNAUTH) audit_failure(call, AUDIT_ENROL_REFUSED, "");
    if (err != ERR_OK) return err;
    err = check_signature(call, request, &key);
    if (err != ERR_OK && token.tries_left > 0) {
        token.tries_left--; /* without any left it is as good as used */
        audit_failure(call, AUDIT_ENROL_REFUSED, token.technician_id);
        enum err kept = engine_put(call->engine, ROW_ENROL_TOKEN, &token);
        return kept == ERR_OK ? err : kept;
    }
    if (err != ERR_OK) return bad_token(call);
    err = choose_device(call, &token, key, &device);
    if (err != ERR_OK) return err;
    if (token.tries_left > 0) {
        token.tries_left = 0;
        token.device_id = device.device_id;
        err = engine_put(call->engine, ROW_ENROL_TOKEN, &token);
        if (err == ERR_OK) err = audit(call, AUDIT_ENROLLED, device.device_id);
    }
    if (err == ERR_OK) enroll_answer(call, &device);
    return err;
}

/* --- Hello --- */

static void nonce_mac(struct call *call, const Callout__HelloRequest *request, const uint8_t *head,
                      uint8_t *mac)
{
    static const char label[] = "hello nonce";
    uint8_t epoch[4];
    memcpy(epoch, &request->epoch, sizeof epoch);
    crypto_generichash_state state;
    crypto_generichash_init(&state, call->engine->secret, SECRET_SIZE, NONCE_SIZE - NONCE_HEAD);
    crypto_generichash_update(&state, (const uint8_t *)label, sizeof label);
    crypto_generichash_update(&state, head, NONCE_HEAD);
    crypto_generichash_update(&state, epoch, sizeof epoch);
    crypto_generichash_update(&state, (const uint8_t *)request->device_id,
                              strlen(request->device_id));
    crypto_generichash_final(&state, mac, NONCE_SIZE - NONCE_HEAD);
}

/* Everybody gets one, so that asking tells nobody which devices there are. */
static void give_nonce(struct call *call, const Callout__HelloRequest *request, int64_t hello_count)
{
    Callout__HelloReply *answer = arena_need(call->arena, sizeof *answer);
    uint8_t *nonce = arena_need(call->arena, NONCE_SIZE);
    int64_t wall_us = engine_wall_us(call->engine);
    callout__hello_reply__init(answer);
    memcpy(nonce, &hello_count, 8);
    memcpy(nonce + 8, &wall_us, 8);
    nonce_mac(call, request, nonce, nonce + NONCE_HEAD);
    answer->nonce = (ProtobufCBinaryData){NONCE_SIZE, nonce};
    answer->server_name = call->engine->server_name;
    call->answer = &answer->base;
}

static bool nonce_fits(struct call *call, const Callout__HelloRequest *request, int64_t hello_count)
{
    uint8_t mac[NONCE_SIZE - NONCE_HEAD];
    int64_t count, wall_us;
    if (request->nonce.len != NONCE_SIZE) return false;
    nonce_mac(call, request, request->nonce.data, mac);
    if (sodium_memcmp(mac, request->nonce.data + NONCE_HEAD, sizeof mac) != 0) return false;
    memcpy(&count, request->nonce.data, 8);
    memcpy(&wall_us, request->nonce.data + 8, 8);
    int64_t age_us = engine_wall_us(call->engine) - wall_us;
    return count == hello_count && age_us >= 0 && age_us <= NONCE_US;
}

/* The one answer for a device that is unknown, has another epoch, or cannot prove itself. */
static enum err no_device(struct call *call)
{
    return problem_set(&call->problem, ERR_UNAUTH, "device_id",
                       "is not enrolled, or its nonce or signature is not valid");
}

static enum err prove(struct call *call, const struct row_device *device)
{
    const Callout__HelloRequest *request = (const Callout__HelloRequest *)call->message;
    if (device->epoch != request->epoch || !nonce_fits(call, request, device->hello_count))
        return no_device(call);
    ProtobufCBinaryData text = signed_hello(request, call->engine->server_name, call->arena);
    if (device_key_signed(device->key_algorithm, device->public_key,
                          (struct blob){text.data, text.len},
                          (struct blob){request->signature.data, request->signature.len}))
        return ERR_OK;
    audit_failure(call, AUDIT_HELLO_REFUSED, device->device_id);
    return no_device(call);
}

/* A session in place of the one before. */
static enum err open_session(struct call *call, struct row_device *device,
                             Callout__HelloReply *answer)
{
    const Callout__HelloRequest *request = (const Callout__HelloRequest *)call->message;
    uint8_t *token = arena_need(call->arena, TOKEN_SIZE);
    char *hash = arena_need(call->arena, 65);
    int64_t wall_us = engine_wall_us(call->engine);
    enum err err = erase_session(call, device);
    randombytes_buf(token, TOKEN_SIZE);
    hash_hex(token, TOKEN_SIZE, hash);
    device->hello_count++;
    device_clock_sample(device, request->device_time_us, call->engine->now_us);
    device->session_hash = hash;
    answer->session_token = (ProtobufCBinaryData){TOKEN_SIZE, token};
    answer->expires_us = wall_us + SESSION_LIFE_US;
    if (err == ERR_OK)
        err = engine_put(call->engine, ROW_SESSION,
                         &(struct row_session){hash, device->device_id, device->epoch,
                                               wall_us + SESSION_IDLE_US, answer->expires_us});
    return err == ERR_OK ? engine_put(call->engine, ROW_DEVICE, device) : err;
}

/* The answer to one that was ended. */
static enum err device_gone(struct call *call)
{
    return problem_set(&call->problem, ERR_GONE, "device_id",
                       "is not in use any more: remove its data, and enrol again");
}

enum err handle_hello(struct call *call)
{
    const Callout__HelloRequest *request = (const Callout__HelloRequest *)call->message;
    struct row_device device = {0};
    enum err err = device_load(call, request->device_id, &device);
    if (err != ERR_OK && err != ERR_NOT_FOUND) return err;
    if (request->nonce.len == 0) {
        give_nonce(call, request, device.hello_count);
        return ERR_OK;
    }
    err = err == ERR_OK ? prove(call, &device) : no_device(call);
    if (err != ERR_OK) return err;
    Callout__HelloReply *answer = arena_need(call->arena, sizeof *answer);
    callout__hello_reply__init(answer);
    answer->last_seq = (uint64_t)device.last_seq;
    answer->technician_id = arena_text(call->arena, device.technician_id);
    answer->server_name = call->engine->server_name;
    answer->wipe = device.revoked != 0;
    answer->safe_seq = (uint64_t)device.safe_seq;
    err = open_session(call, &device, answer);
    if (err != ERR_OK) return err;
    call->answer = &answer->base;
    return device.revoked ? device_gone(call) : ERR_OK;
}

/* --- sessions --- */

/* Who holds this session; keeps it from going idle. */
enum err device_of_session(struct call *call, const char *hash, Callout__Principal *who)
{
    union row row;
    int64_t wall_us = engine_wall_us(call->engine);
    enum err err = store_get(call->engine->store, ROW_SESSION,
                             &(struct row_session){.token_hash = hash}, &row);
    if (err != ERR_OK) return err;
    struct row_session session = row.session;
    if (session.expires_wall_us < wall_us || session.ends_wall_us < wall_us) return ERR_NOT_FOUND;
    session.token_hash = hash;
    session.device_id = arena_text(call->arena, session.device_id);
    struct row_device device;
    err = device_load(call, session.device_id, &device);
    if (err != ERR_OK) return err;
    if (device.epoch != session.epoch) return ERR_NOT_FOUND;
    who->kind = CALLOUT__PRINCIPAL_KIND__DEVICE;
    who->id = arena_text(call->arena, device.device_id);
    who->epoch = (uint32_t)device.epoch;
    who->technician_id = arena_text(call->arena, device.technician_id);
    who->role = arena_text(call->arena, device.revoked ? ROLE_GONE : "technician");
    if (session.expires_wall_us >= wall_us + SESSION_IDLE_US - SESSION_TOUCH_US) return ERR_OK;
    session.expires_wall_us = wall_us + SESSION_IDLE_US;
    return engine_put(call->engine, ROW_SESSION, &session);
}

/* --- what an administrator asks --- */

enum err enrol_token_make(struct call *call, const char *technician_id, char **token,
                          int64_t *expires_us)
{
    struct core_technician technician;
    char hash[65];
    if (!core_technician(call->engine->core, technician_id, call->engine->now_us, &technician))
        return problem_set(&call->problem, ERR_NOT_FOUND, "technician_id",
                           "there is no technician \"%.64s\"", technician_id);
    *token = random_hex(call->arena, 16);
    *expires_us = engine_wall_us(call->engine) + ENROL_US;
    hash_hex(*token, strlen(*token), hash);
    struct row_enrol_token row = {.token_hash = hash,
                                  .technician_id = technician_id,
                                  .expires_wall_us = *expires_us,
                                  .tries_left = ENROL_TRIES};
    enum err err = engine_put(call->engine, ROW_ENROL_TOKEN, &row);
    return err == ERR_OK ? audit(call, AUDIT_TOKEN_MADE, technician_id) : err;
}

enum err admin_enrol(struct call *call, const Callout__AdminRequest *request,
                     Callout__AdminReply *answer)
{
    int64_t expires_us;
    answer->values = arena_need(call->arena, (request->n_arguments + 1) * sizeof *answer->values);
    for (size_t i = 0; i < request->n_arguments; i++) {
        enum err err =
            enrol_token_make(call, request->arguments[i], &answer->values[i], &expires_us);
        if (err != ERR_OK) return err;
        answer->n_values++;
    }
    return ERR_OK;
}
