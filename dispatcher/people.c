/* people.c - who is asking: sessions, API keys, and what an administrator does about them. Secrets
 * are stored as hashes only. */
#include "base/clock.h"
#include "dispatcher/authz.h"
#include "dispatcher/blobs.h"
#include "dispatcher/engine_impl.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

void hash_hex(const void *bytes, size_t size, char out[65])
{
    uint8_t hash[32];
    crypto_generichash(hash, sizeof hash, bytes, size, NULL, 0);
    sodium_bin2hex(out, 65, hash, sizeof hash);
}

char *random_hex(struct arena *arena, size_t size)
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
    enum err err = device_of_session(call, hash, who);
    if (err == ERR_NOT_FOUND) err = person_of_session(call, hash, who);
    if (err != ERR_NOT_FOUND) return err;
    struct find_key find = {hash, call->arena, who};
    return store_each(call->engine->store, ROW_API_KEY, NULL, 0, false, find_key, &find);
}

/* --- what an administrator on this machine asks, over the private socket --- */

static enum err admin_key(struct call *call, const Callout__AdminRequest *request,
                          Callout__AdminReply *answer)
{
    char hash[65];
    if (request->n_arguments < 2)
        return problem_set(&call->problem, ERR_INVALID, "arguments",
                           "a name and a role are needed");
    const char *name = request->arguments[0], *role = request->arguments[1];
    const char *territories = request->n_arguments > 2 ? request->arguments[2] : GRANT_ALL;
    enum err err = check_grant(call, true, name, role, territories);
    if (err != ERR_OK) return err;
    char *key = random_hex(call->arena, 32);
    hash_hex(key, strlen(key), hash);
    answer->values = arena_need(call->arena, sizeof *answer->values);
    answer->values[answer->n_values++] = key;
    rights_changed(call->engine, CALLOUT__PRINCIPAL_KIND__KEY, name);
    err = engine_put(call->engine, ROW_API_KEY,
                     &(struct row_api_key){name, hash, role, 0, territories});
    return err == ERR_OK ? audit(call, AUDIT_KEY_MADE, name) : err;
}

struct key_listing {
    struct call *call;
    Callout__AdminReply *answer;
};

static bool list_key(void *context, const void *visited)
{
    struct key_listing *listing = context;
    const struct row_api_key *row = visited;
    char line[LIMIT_ID * 2 + GRANT_SIZE + 64];
    snprintf(line, sizeof line, "%s %s %s%s", row->name, row->role, row->territories,
             row->revoked ? " revoked" : "");
    if (listing->answer->n_values == ADMIN_LINES_MAX) return false;
    listing->answer->values[listing->answer->n_values++] = arena_text(listing->call->arena, line);
    return true;
}

static enum err admin_keys(struct call *call, Callout__AdminReply *answer)
{
    struct key_listing listing = {call, answer};
    answer->values = arena_need(call->arena, ADMIN_LINES_MAX * sizeof *answer->values);
    return store_each(call->engine->store, ROW_API_KEY, NULL, 0, false, list_key, &listing);
}

static enum err revoke_key(struct call *call, const char *name)
{
    union row row;
    enum err err =
        store_get(call->engine->store, ROW_API_KEY, &(struct row_api_key){.name = name}, &row);
    if (err == ERR_NOT_FOUND)
        return problem_set(&call->problem, err, "arguments", "there is no device or key \"%.64s\"",
                           name);
    if (err != ERR_OK) return err;
    row.api_key.revoked = 1;
    rights_changed(call->engine, CALLOUT__PRINCIPAL_KIND__KEY, name);
    return engine_put(call->engine, ROW_API_KEY, &row.api_key);
}

static enum err admin_revoke(struct call *call, const Callout__AdminRequest *request)
{
    struct row_device device;
    if (request->n_arguments != 1)
        return problem_set(&call->problem, ERR_INVALID, "arguments",
                           "a device id or key name is needed");
    const char *name = request->arguments[0];
    enum err err = device_load(call, name, &device);
    if (err == ERR_OK)
        err = device_end(call, &device);
    else if (err == ERR_NOT_FOUND)
        err = revoke_key(call, name);
    return err == ERR_OK ? audit(call, AUDIT_REVOKED, name) : err;
}

enum err handle_admin(struct call *call)
{
    const Callout__AdminRequest *request = (const Callout__AdminRequest *)call->message;
    Callout__AdminReply *answer = arena_need(call->arena, sizeof *answer);
    callout__admin_reply__init(answer);
    call->answer = &answer->base;
    if (strcmp(request->verb, "enrol") == 0) return admin_enrol(call, request, answer);
    if (strcmp(request->verb, "key") == 0) return admin_key(call, request, answer);
    if (strcmp(request->verb, "keys") == 0) return admin_keys(call, answer);
    if (strcmp(request->verb, "person") == 0) return admin_person(call, request, answer);
    if (strcmp(request->verb, "audit") == 0) return admin_audit(call, request, answer);
    if (strcmp(request->verb, "revoke") == 0) return admin_revoke(call, request);
    if (strcmp(request->verb, "backup") == 0) return admin_backup(call, request);
    return problem_set(&call->problem, ERR_INVALID, "verb", "there is no such verb: \"%.32s\"",
                       request->verb);
}
