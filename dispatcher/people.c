/* people.c - who is asking: enrolment, sessions, keys. Secrets are stored as hashes only. */
#include "base/clock.h"
#include "dispatcher/authz.h"
#include "dispatcher/device_clock.h"
#include "dispatcher/engine_impl.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define SESSION_US (12 * INT64_C(3600) * US_PER_SECOND)
#define ENROL_US   (15 * US_PER_MINUTE)
enum { ENROL_TRIES = 5, TOKEN_SIZE = 32 };

void hash_hex(const void *bytes, size_t size, char out[65])
{
    uint8_t hash[32];
    crypto_generichash(hash, sizeof hash, bytes, size, NULL, 0);
    sodium_bin2hex(out, 65, hash, sizeof hash);
}

static char *random_hex(struct arena *arena, size_t size)
{
    uint8_t bytes[64];
    randombytes_buf(bytes, size);
    char *text = arena_need(arena, size * 2 + 1);
    sodium_bin2hex(text, size * 2 + 1, bytes, size);
    return text;
}

enum err handle_ping(struct call *call)
{
    Callout__PingReply *answer = arena_need(call->arena, sizeof *answer);
    callout__ping_reply__init(answer);
    call->answer = &answer->base;
    return ERR_OK;
}

static enum err bad_token(struct call *call)
{
    return problem_set(&call->problem, ERR_UNAUTH, "enrol_token",
                       "is unknown, used or too old: ask for a new one (callout admin enrol)");
}

/* An empty signature is allowed (the token alone counts today); one that is given must be right. */
static enum err check_signature(struct call *call, const Callout__EnrollRequest *request)
{
    if (strcmp(request->key_algorithm, "ed25519") != 0)
        return problem_set(&call->problem, ERR_INVALID, "key_algorithm", "must be \"ed25519\"");
    if (request->public_key.len != crypto_sign_PUBLICKEYBYTES)
        return problem_set(&call->problem, ERR_INVALID, "public_key", "must be %d bytes",
                           (int)crypto_sign_PUBLICKEYBYTES);
    if (request->signature.len == 0) return ERR_OK;
    if (request->signature.len == crypto_sign_BYTES &&
        crypto_sign_verify_detached(request->signature.data, (const uint8_t *)request->enrol_token,
                                    strlen(request->enrol_token), request->public_key.data) == 0)
        return ERR_OK;
    return problem_set(&call->problem, ERR_INVALID, "signature",
                       "is not the token's text signed by that key");
}

/* What a technician's devices tell an enrolment: how many there are, and the one with this key. */
struct find_device {
    const char *technician_id;
    const Callout__EnrollRequest *request;
    struct arena *arena;
    int64_t count;
    struct row_device same_key; /* device_id NULL: none has it */
};

static struct blob keep_blob(struct arena *arena, struct blob blob)
{
    void *bytes = arena_need(arena, blob.size + 1);
    memcpy(bytes, blob.bytes, blob.size);
    return (struct blob){bytes, blob.size};
}

static bool find_device(void *context, const void *visited)
{
    struct find_device *find = context;
    const struct row_device *row = visited;
    const ProtobufCBinaryData *key = &find->request->public_key;
    if (strcmp(row->technician_id, find->technician_id) != 0) return true;
    find->count++;
    if (row->revoked || row->public_key.size != key->len ||
        memcmp(row->public_key.bytes, key->data, key->len) != 0)
        return true;
    find->same_key = *row;
    find->same_key.device_id = arena_text(find->arena, row->device_id);
    find->same_key.technician_id = arena_text(find->arena, row->technician_id);
    find->same_key.key_algorithm = arena_text(find->arena, row->key_algorithm);
    find->same_key.name = arena_text(find->arena, row->name);
    find->same_key.public_key = keep_blob(find->arena, row->public_key);
    return true;
}

/* The device that this request enrols. A used token makes no second one: but the device that used
 * it may ask again, since the reply can be lost on its way. It proves itself by its signature, and
 * gets a new secret. */
static enum err choose_device(struct call *call, const struct row_enrol_token *token,
                              struct row_device *device)
{
    const Callout__EnrollRequest *request = (const Callout__EnrollRequest *)call->message;
    struct find_device find = {.technician_id = arena_text(call->arena, token->technician_id),
                               .request = request,
                               .arena = call->arena};
    bool used = token->tries_left <= 0;
    enum err err = store_each(call->engine->store, ROW_DEVICE, NULL, 0, false, find_device, &find);
    if (err != ERR_OK) return err;
    if (used && (find.same_key.device_id == NULL || request->signature.len == 0))
        return bad_token(call);
    *device = find.same_key;
    if (used) return ERR_OK;
    *device = (struct row_device){
        .device_id = random_hex(call->arena, 8),
        .technician_id = find.technician_id,
        .epoch = find.count + 1,
        .key_algorithm = request->key_algorithm,
        .public_key = {request->public_key.data, request->public_key.len},
        .name = request->device_name,
    };
    return ERR_OK;
}

enum err handle_enroll(struct call *call)
{
    const Callout__EnrollRequest *request = (const Callout__EnrollRequest *)call->message;
    struct engine *engine = call->engine;
    char token_hash[65], secret_hash[65];
    union row row;
    struct row_device device = {0};
    hash_hex(request->enrol_token, strlen(request->enrol_token), token_hash);
    enum err err = store_get(engine->store, ROW_ENROL_TOKEN,
                             &(struct row_enrol_token){.token_hash = token_hash}, &row);
    if (err == ERR_NOT_FOUND) return bad_token(call);
    if (err != ERR_OK) return err;
    if (row.enrol_token.expires_wall_us < engine_wall_us(call->engine)) return bad_token(call);
    if (strlen(request->device_name) > LIMIT_NAME)
        return problem_set(&call->problem, ERR_TOO_LARGE, "device_name", "at most %d bytes",
                           LIMIT_NAME);
    struct row_enrol_token token = row.enrol_token;
    token.token_hash = token_hash;
    token.technician_id = arena_text(call->arena, token.technician_id);
    err = check_signature(call, request);
    if (err != ERR_OK && token.tries_left > 0) {
        token.tries_left--; /* without any left it is as good as used */
        enum err kept = engine_put(engine, ROW_ENROL_TOKEN, &token);
        return kept == ERR_OK ? err : kept;
    }
    if (err == ERR_OK) err = choose_device(call, &token, &device);
    if (err != ERR_OK) return err;
    uint8_t *secret = arena_need(call->arena, TOKEN_SIZE);
    randombytes_buf(secret, TOKEN_SIZE);
    hash_hex(secret, TOKEN_SIZE, secret_hash);
    device.secret_hash = (struct blob){secret_hash, 64};
    token.tries_left = 0;
    err = engine_put(engine, ROW_ENROL_TOKEN, &token);
    if (err == ERR_OK) err = engine_put(engine, ROW_DEVICE, &device);
    if (err != ERR_OK) return err;
    Callout__EnrollReply *answer = arena_need(call->arena, sizeof *answer);
    callout__enroll_reply__init(answer);
    answer->device_id = arena_text(call->arena, device.device_id);
    answer->epoch = (uint32_t)device.epoch;
    answer->technician_id = arena_text(call->arena, device.technician_id);
    answer->device_secret = (ProtobufCBinaryData){TOKEN_SIZE, secret};
    call->answer = &answer->base;
    return ERR_OK;
}

/* The one answer for a device that is unknown, has another epoch, or cannot prove itself. */
static enum err no_device(struct call *call)
{
    return problem_set(&call->problem, ERR_UNAUTH, "device_id",
                       "is not enrolled, or its secret is wrong");
}

static enum err sample_clock(struct engine *engine, struct row_device *device,
                             int64_t device_time_us)
{
    int64_t offset_us = device->clock_offset_us;
    device_clock_sample(device, device_time_us, engine->now_us);
    return device->clock_offset_us == offset_us ? ERR_OK : engine_put(engine, ROW_DEVICE, device);
}

enum err handle_hello(struct call *call)
{
    const Callout__HelloRequest *request = (const Callout__HelloRequest *)call->message;
    struct engine *engine = call->engine;
    union row row;
    char secret_hash[65], token_hash[65];
    enum err err = store_get(engine->store, ROW_DEVICE,
                             &(struct row_device){.device_id = request->device_id}, &row);
    if (err == ERR_NOT_FOUND) return no_device(call);
    if (err != ERR_OK) return err;
    hash_hex(request->device_secret.data, request->device_secret.len, secret_hash);
    if (row.device.epoch != request->epoch || row.device.secret_hash.size != 64 ||
        sodium_memcmp(row.device.secret_hash.bytes, secret_hash, 64) != 0)
        return no_device(call);
    if (row.device.revoked)
        return problem_set(&call->problem, ERR_GONE, "device_id",
                           "was revoked: remove its data and enrol again");
    Callout__HelloReply *answer = arena_need(call->arena, sizeof *answer);
    callout__hello_reply__init(answer);
    answer->last_seq = (uint64_t)row.device.last_seq;
    answer->technician_id = arena_text(call->arena, row.device.technician_id);
    err = sample_clock(engine, &row.device, request->device_time_us);
    if (err != ERR_OK) return err;
    uint8_t *token = arena_need(call->arena, TOKEN_SIZE);
    randombytes_buf(token, TOKEN_SIZE);
    hash_hex(token, TOKEN_SIZE, token_hash);
    answer->session_token = (ProtobufCBinaryData){TOKEN_SIZE, token};
    answer->expires_us = engine_wall_us(call->engine) + SESSION_US;
    call->answer = &answer->base;
    return engine_put(
        engine, ROW_SESSION,
        &(struct row_session){token_hash, request->device_id, request->epoch, answer->expires_us});
}

struct find_key {
    const char *hash;
    struct arena *arena;
    Callout__Principal *who;
};

static bool find_key(void *context, const void *visited)
{
    struct find_key *find = context;
    const struct row_api_key *row = visited;
    if (row->revoked || sodium_memcmp(row->key_hash, find->hash, 64) != 0) return true;
    find->who->kind = CALLOUT__PRINCIPAL_KIND__KEY;
    find->who->id = arena_text(find->arena, row->name);
    find->who->role = arena_text(find->arena, row->role);
    return false;
}

static enum err session_principal(struct call *call, const char *hash, Callout__Principal *who)
{
    struct store *store = call->engine->store;
    union row row;
    enum err err = store_get(store, ROW_SESSION, &(struct row_session){.token_hash = hash}, &row);
    if (err != ERR_OK) return err;
    if (row.session.expires_wall_us < engine_wall_us(call->engine)) return ERR_NOT_FOUND;
    int64_t epoch = row.session.epoch;
    const char *device_id = arena_text(call->arena, row.session.device_id);
    err = store_get(store, ROW_DEVICE, &(struct row_device){.device_id = device_id}, &row);
    if (err != ERR_OK) return err;
    if (row.device.revoked || row.device.epoch != epoch) return ERR_NOT_FOUND;
    who->kind = CALLOUT__PRINCIPAL_KIND__DEVICE;
    who->id = arena_text(call->arena, row.device.device_id);
    who->epoch = (uint32_t)epoch;
    who->technician_id = arena_text(call->arena, row.device.technician_id);
    who->role = arena_text(call->arena, "technician");
    return ERR_OK;
}

enum err handle_resolve_session(struct call *call)
{
    const Callout__ResolveSessionRequest *request =
        (const Callout__ResolveSessionRequest *)call->message;
    Callout__ResolveSessionReply *answer = arena_need(call->arena, sizeof *answer);
    Callout__Principal *who = arena_need(call->arena, sizeof *who);
    char hash[65];
    callout__resolve_session_reply__init(answer);
    callout__principal__init(who);
    who->kind = CALLOUT__PRINCIPAL_KIND__ANONYMOUS;
    answer->principal = who;
    call->answer = &answer->base;
    hash_hex(request->session_token.data, request->session_token.len, hash);
    enum err err = session_principal(call, hash, who);
    if (err != ERR_NOT_FOUND) return err;
    struct find_key find = {hash, call->arena, who};
    return store_each(call->engine->store, ROW_API_KEY, NULL, 0, false, find_key, &find);
}

/* --- what an administrator on this machine asks, over the private socket --- */

static enum err admin_enrol(struct call *call, const Callout__AdminRequest *request,
                            Callout__AdminReply *answer)
{
    answer->values = arena_need(call->arena, (request->n_arguments + 1) * sizeof *answer->values);
    for (size_t i = 0; i < request->n_arguments; i++) {
        struct core_technician technician;
        char hash[65];
        if (!core_technician(call->engine->core, request->arguments[i], call->engine->now_us,
                             &technician))
            return problem_set(&call->problem, ERR_NOT_FOUND, "technician_id",
                               "there is no technician \"%.64s\"", request->arguments[i]);
        char *token = random_hex(call->arena, 16);
        hash_hex(token, strlen(token), hash);
        enum err err = engine_put(call->engine, ROW_ENROL_TOKEN,
                                  &(struct row_enrol_token){hash, request->arguments[i],
                                                            engine_wall_us(call->engine) + ENROL_US,
                                                            ENROL_TRIES});
        if (err != ERR_OK) return err;
        answer->values[answer->n_values++] = token;
    }
    return ERR_OK;
}

static enum err admin_key(struct call *call, const Callout__AdminRequest *request,
                          Callout__AdminReply *answer)
{
    char hash[65];
    if (request->n_arguments != 2 || request->arguments[0][0] == '\0' ||
        strlen(request->arguments[0]) > LIMIT_ID)
        return problem_set(&call->problem, ERR_INVALID, "arguments",
                           "a name and a role are needed");
    if (!role_known(request->arguments[1]))
        return problem_set(&call->problem, ERR_INVALID, "role",
                           "must be dispatcher, integrator, auditor or admin");
    char *key = random_hex(call->arena, 32);
    hash_hex(key, strlen(key), hash);
    answer->values = arena_need(call->arena, sizeof *answer->values);
    answer->values[answer->n_values++] = key;
    return engine_put(call->engine, ROW_API_KEY,
                      &(struct row_api_key){request->arguments[0], hash, request->arguments[1], 0});
}

static enum err admin_revoke(struct call *call, const Callout__AdminRequest *request)
{
    union row row;
    if (request->n_arguments != 1)
        return problem_set(&call->problem, ERR_INVALID, "arguments",
                           "a device id or key name is needed");
    const char *name = request->arguments[0];
    enum err err =
        store_get(call->engine->store, ROW_DEVICE, &(struct row_device){.device_id = name}, &row);
    if (err == ERR_OK) {
        row.device.revoked = 1;
        return engine_put(call->engine, ROW_DEVICE, &row.device);
    }
    if (err != ERR_NOT_FOUND) return err;
    err = store_get(call->engine->store, ROW_API_KEY, &(struct row_api_key){.name = name}, &row);
    if (err == ERR_NOT_FOUND)
        return problem_set(&call->problem, err, "arguments", "there is no device or key \"%.64s\"",
                           name);
    if (err != ERR_OK) return err;
    row.api_key.revoked = 1;
    return engine_put(call->engine, ROW_API_KEY, &row.api_key);
}

enum err handle_admin(struct call *call)
{
    const Callout__AdminRequest *request = (const Callout__AdminRequest *)call->message;
    Callout__AdminReply *answer = arena_need(call->arena, sizeof *answer);
    callout__admin_reply__init(answer);
    call->answer = &answer->base;
    if (strcmp(request->verb, "enrol") == 0) return admin_enrol(call, request, answer);
    if (strcmp(request->verb, "key") == 0) return admin_key(call, request, answer);
    if (strcmp(request->verb, "revoke") == 0) return admin_revoke(call, request);
    if (strcmp(request->verb, "backup") == 0) {
        if (request->n_arguments != 1)
            return problem_set(&call->problem, ERR_INVALID, "arguments", "a new folder is needed");
        return store_backup(call->engine->store, request->arguments[0], &call->problem);
    }
    return problem_set(&call->problem, ERR_INVALID, "verb", "there is no such verb: \"%.32s\"",
                       request->verb);
}
