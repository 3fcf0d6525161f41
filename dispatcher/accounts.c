/* accounts.c - people at a screen: their accounts, logins and sessions.
 *
 * A login is asked twice of the engine: first it says which hash the password is to be held against
 * (HELD_PASSWORD), then it comes back with the verdict. Wrong guesses make the next one wait,
 * longer each time, for that account from that neighbourhood of addresses; never for good, so that
 * nobody can lock somebody else out.
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "dispatcher/authz.h"
#include "dispatcher/engine_impl.h"
#include "sp_peers.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define SESSION_IDLE_US  (30 * US_PER_MINUTE)
#define SESSION_LIFE_US  (12 * INT64_C(3600) * US_PER_SECOND)
#define SESSION_TOUCH_US US_PER_MINUTE
#define DELAY_MAX_US     (15 * US_PER_MINUTE)
#define DELAY_FORGET_US  (60 * US_PER_MINUTE)
enum { TOKEN_SIZE = 32, FREE_GUESSES = 3, DELAY_SHIFT_MAX = 10 };

/* --- rows --- */

enum err person_load(struct call *call, const char *name, struct row_person *out)
{
    union row row;
    enum err err =
        store_get(call->engine->store, ROW_PERSON, &(struct row_person){.name = name}, &row);
    if (err != ERR_OK) return err;
    *out = (struct row_person){arena_text(call->arena, row.person.name),
                               arena_text(call->arena, row.person.role),
                               arena_text(call->arena, row.person.territories),
                               arena_text(call->arena, row.person.password_hash),
                               row.person.disabled,
                               row.person.epoch};
    return ERR_OK;
}

enum err person_put(struct call *call, struct row_person *person)
{
    person->epoch++;
    rights_changed(call->engine, CALLOUT__PRINCIPAL_KIND__PERSON, person->name);
    return engine_put(call->engine, ROW_PERSON, person);
}

/* --- waiting after wrong guesses --- */

static struct login_delay *delay_of(struct call *call, const char *name)
{
    struct engine *engine = call->engine;
    const char *peer = call->peer == NULL ? "" : call->peer;
    struct digest digest = digest_start();
    digest_bytes(&digest, name, strlen(name) + 1);
    digest_u64(&digest, sp_address_neighbourhood(sp_address_read(peer)));
    struct login_delay *oldest = engine->login_delays;
    for (uint32_t i = 0; i < LOGIN_DELAYS; i++) {
        struct login_delay *it = &engine->login_delays[i];
        if (it->key == (digest.state | 1)) return it;
        if (it->until_mono_us < oldest->until_mono_us) oldest = it;
    }
    *oldest = (struct login_delay){.key = digest.state | 1};
    return oldest;
}

static enum err check_delay(struct call *call, const char *name)
{
    const struct login_delay *delay = delay_of(call, name);
    int64_t wait_us = delay->until_mono_us - engine_mono_us(call->engine);
    if (delay->failures <= FREE_GUESSES || wait_us <= 0) return ERR_OK;
    call->retry_after_ms = (uint32_t)(wait_us / 1000 + 1);
    return problem_set(&call->problem, ERR_RATE, "password", "too many wrong ones: again in %u s",
                       (uint32_t)(wait_us / US_PER_SECOND + 1));
}

static void note_guess(struct call *call, const char *name, bool right)
{
    struct login_delay *delay = delay_of(call, name);
    int64_t now_us = engine_mono_us(call->engine);
    if (right || now_us > delay->until_mono_us + DELAY_FORGET_US) delay->failures = 0;
    delay->until_mono_us = now_us;
    if (right) return;
    delay->failures++;
    if (delay->failures <= FREE_GUESSES) return;
    uint32_t shift = delay->failures - FREE_GUESSES - 1;
    int64_t wait_us = US_PER_SECOND << (shift < DELAY_SHIFT_MAX ? shift : DELAY_SHIFT_MAX);
    delay->until_mono_us += wait_us < DELAY_MAX_US ? wait_us : DELAY_MAX_US;
}

/* --- login --- */

/* Has the password checked; the request comes back with the verdict. */
static enum err ask_verdict(struct call *call, const char *password, const char *hash,
                            const char *new_password)
{
    if (call->forwarded == NULL) return ERR_INTERNAL;
    struct password_work *work = arena_need(call->arena, sizeof *work);
    snprintf(work->password, sizeof work->password, "%s", password);
    snprintf(work->hash, sizeof work->hash, "%s", hash);
    snprintf(work->new_password, sizeof work->new_password, "%s", new_password);
    call->forwarded->work = work;
    call->forwarded->held = HELD_PASSWORD;
    return ERR_OK;
}

static void say_grants(struct call *call, const char *territories, Callout__WhoAmIReply *out)
{
    if (out->all_territories) return;
    char *text = arena_text(call->arena, territories), *rest = text;
    out->territory_ids = arena_need(call->arena, LIMIT_TERRITORIES * sizeof *out->territory_ids);
    for (char *id; (id = strtok_r(rest, ",", &rest)) != NULL;)
        if (out->n_territory_ids < LIMIT_TERRITORIES)
            out->territory_ids[out->n_territory_ids++] = id;
}

static bool granted_of(const Callout__WhoAmIReply *who, const char *territory_id)
{
    for (size_t i = 0; i < who->n_territory_ids; i++)
        if (strcmp(who->territory_ids[i], territory_id) == 0) return true;
    return who->all_territories;
}

/* Those that there are, of the granted ones, with the zone that their days are read in. */
static void say_territories(struct call *call, Callout__WhoAmIReply *out)
{
    struct core_territory territory;
    out->territories = arena_need(call->arena, LIMIT_TERRITORIES * sizeof *out->territories);
    for (uint32_t i = 0; core_territory(call->engine->core, i, &territory); i++) {
        union row row;
        const struct row_territory key = {.territory_id = territory.territory_id};
        if (!granted_of(out, territory.territory_id)) continue;
        if (store_get(call->engine->store, ROW_TERRITORY, &key, &row) != ERR_OK) continue;
        CHECK(out->n_territories < LIMIT_TERRITORIES);
        Callout__TerritoryName *named = arena_need(call->arena, sizeof *named);
        callout__territory_name__init(named);
        named->territory_id = arena_text(call->arena, territory.territory_id);
        named->name = arena_text(call->arena, row.territory.name);
        named->time_zone = arena_text(call->arena, territory.time_zone);
        out->territories[out->n_territories++] = named;
    }
}

static void say_who(struct call *call, const char *name, const char *role, const char *territories,
                    Callout__WhoAmIReply *out)
{
    callout__who_am_ireply__init(out);
    out->name = arena_text(call->arena, name);
    out->role = arena_text(call->arena, role);
    out->all_territories = strcmp(territories, GRANT_ALL) == 0;
    say_grants(call, territories, out);
    say_territories(call, out);
}

static enum err open_session(struct call *call, const struct row_person *person)
{
    Callout__LoginReply *answer = arena_need(call->arena, sizeof *answer);
    uint8_t *token = arena_need(call->arena, TOKEN_SIZE);
    char hash[65];
    int64_t wall_us = engine_wall_us(call->engine);
    randombytes_buf(token, TOKEN_SIZE);
    hash_hex(token, TOKEN_SIZE, hash);
    callout__login_reply__init(answer);
    answer->session_token = (ProtobufCBinaryData){TOKEN_SIZE, token};
    answer->expires_us = wall_us + SESSION_LIFE_US;
    answer->who = arena_need(call->arena, sizeof *answer->who);
    say_who(call, person->name, person->role, person->territories, answer->who);
    call->answer = &answer->base;
    struct row_person_session row = {hash, person->name, person->epoch, wall_us + SESSION_IDLE_US,
                                     answer->expires_us};
    return engine_put(call->engine, ROW_PERSON_SESSION, &row);
}

enum err handle_login(struct call *call)
{
    const Callout__LoginRequest *request = (const Callout__LoginRequest *)call->message;
    struct row_person person;
    if (strlen(request->password) > PASSWORD_BYTES_MAX || strlen(request->name) > LIMIT_ID)
        return problem_set(&call->problem, ERR_TOO_LARGE, "password", "at most %d bytes",
                           PASSWORD_BYTES_MAX);
    enum err err = check_delay(call, request->name);
    if (err != ERR_OK) return err;
    err = person_load(call, request->name, &person);
    bool known = err == ERR_OK && !person.disabled;
    if (err != ERR_OK && err != ERR_NOT_FOUND) return err;
    if (call->forwarded == NULL || call->forwarded->verdict == PASSWORD_UNASKED)
        return ask_verdict(call, request->password, known ? person.password_hash : password_nobodys,
                           "");
    bool right = known && call->forwarded->verdict == PASSWORD_RIGHT;
    struct call as = *call; /* for the audit: who says he is that */
    Callout__Principal claimed = *call->who;
    claimed.id = arena_text(call->arena, known ? person.name : "");
    as.who = &claimed;
    note_guess(call, request->name, right);
    if (!right) {
        audit_failure(&as, AUDIT_LOGIN_REFUSED, claimed.id);
        return problem_set(&call->problem, ERR_UNAUTH, "password",
                           "the name or the password is wrong");
    }
    err = audit(&as, AUDIT_LOGIN, person.name);
    return err == ERR_OK ? open_session(call, &person) : err;
}

static enum err not_a_person(struct call *call)
{
    return problem_set(&call->problem, ERR_NOT_FOUND, "session_token", "is not of a person");
}

/* Ends the session that asks, and no other of the same person's; gateways ask about all again. */
static enum err end_session(struct call *call, const struct row_person *person)
{
    char hash[65];
    union row row;
    hash_hex(call->session.data, call->session.len, hash);
    enum err err = store_get(call->engine->store, ROW_PERSON_SESSION,
                             &(struct row_person_session){.token_hash = hash}, &row);
    if (err == ERR_OK && strcmp(row.person_session.name, person->name) != 0) err = ERR_NOT_FOUND;
    if (err != ERR_OK) return err;
    const struct row_person_session ended = {hash, person->name, person->epoch, 0, 0};
    rights_changed(call->engine, CALLOUT__PRINCIPAL_KIND__PERSON, person->name);
    return engine_put(call->engine, ROW_PERSON_SESSION, &ended);
}

enum err handle_logout(struct call *call)
{
    struct row_person person;
    bool only_this = ((const Callout__LogoutRequest *)call->message)->only_this;
    if (call->who->kind != CALLOUT__PRINCIPAL_KIND__PERSON) return not_a_person(call);
    enum err err = person_load(call, call->who->id, &person);
    if (err == ERR_OK) err = only_this ? end_session(call, &person) : person_put(call, &person);
    if (err == ERR_OK) err = audit(call, AUDIT_LOGOUT, person.name);
    if (err != ERR_OK) return err;
    Callout__LogoutReply *answer = arena_need(call->arena, sizeof *answer);
    callout__logout_reply__init(answer);
    call->answer = &answer->base;
    return ERR_OK;
}

enum err handle_who_am_i(struct call *call)
{
    Callout__WhoAmIReply *answer = arena_need(call->arena, sizeof *answer);
    bool device = call->who->kind == CALLOUT__PRINCIPAL_KIND__DEVICE;
    say_who(call, call->who->id, call->who->role, device ? "" : call->territories, answer);
    call->answer = &answer->base;
    return ERR_OK;
}

enum err person_confirm(struct call *call, const char *password, const char *new_password,
                        bool *asked)
{
    struct row_person person;
    *asked = false;
    if (call->who->kind != CALLOUT__PRINCIPAL_KIND__PERSON) return not_a_person(call);
    if (strlen(password) > PASSWORD_BYTES_MAX)
        return problem_set(&call->problem, ERR_TOO_LARGE, "password", "at most %d bytes",
                           PASSWORD_BYTES_MAX);
    enum err err = check_delay(call, call->who->id);
    if (err == ERR_OK) err = person_load(call, call->who->id, &person);
    if (err != ERR_OK) return err;
    *asked = call->forwarded == NULL || call->forwarded->verdict == PASSWORD_UNASKED;
    if (*asked) return ask_verdict(call, password, person.password_hash, new_password);
    bool right = call->forwarded->verdict == PASSWORD_RIGHT;
    note_guess(call, call->who->id, right);
    if (right) return ERR_OK;
    audit_failure(call, AUDIT_LOGIN_REFUSED, person.name);
    return problem_set(&call->problem, ERR_INVALID, "password", "is not the one so far");
}

enum err handle_change_password(struct call *call)
{
    const Callout__ChangePasswordRequest *request =
        (const Callout__ChangePasswordRequest *)call->message;
    struct row_person person;
    if (call->who->kind != CALLOUT__PRINCIPAL_KIND__PERSON) return not_a_person(call);
    bool asked = false;
    enum err err = password_check_new(request->new_password, &call->problem);
    if (err == ERR_OK) err = person_confirm(call, request->password, request->new_password, &asked);
    if (err != ERR_OK || asked) return err;
    err = person_load(call, call->who->id, &person);
    if (err != ERR_OK) return err;
    person.password_hash = call->forwarded->new_hash;
    err = person_put(call, &person);
    if (err == ERR_OK) err = audit(call, AUDIT_PASSWORD_CHANGED, person.name);
    if (err != ERR_OK) return err;
    Callout__ChangePasswordReply *answer = arena_need(call->arena, sizeof *answer);
    callout__change_password_reply__init(answer);
    call->answer = &answer->base;
    return ERR_OK;
}

/* --- sessions --- */

enum err person_of_session(struct call *call, const char *hash, Callout__Principal *who)
{
    union row row;
    struct row_person person;
    int64_t wall_us = engine_wall_us(call->engine);
    enum err err = store_get(call->engine->store, ROW_PERSON_SESSION,
                             &(struct row_person_session){.token_hash = hash}, &row);
    if (err != ERR_OK) return err;
    struct row_person_session session = row.person_session;
    session.token_hash = hash;
    session.name = arena_text(call->arena, session.name);
    if (session.expires_wall_us < wall_us || session.ends_wall_us < wall_us) return ERR_NOT_FOUND;
    err = person_load(call, session.name, &person);
    if (err != ERR_OK) return err;
    if (person.disabled || person.epoch != session.epoch) return ERR_NOT_FOUND;
    who->kind = CALLOUT__PRINCIPAL_KIND__PERSON;
    who->id = arena_text(call->arena, person.name);
    who->role = arena_text(call->arena, person.role);
    who->epoch = (uint32_t)person.epoch;
    if (session.expires_wall_us >= wall_us + SESSION_IDLE_US - SESSION_TOUCH_US) return ERR_OK;
    session.expires_wall_us = wall_us + SESSION_IDLE_US;
    return engine_put(call->engine, ROW_PERSON_SESSION, &session);
}

/* --- what an administrator asks: person add NAME ROLE TERRITORIES HASH, passwd NAME HASH, disable
 * NAME, list --- */

static enum err add_person(struct call *call, const Callout__AdminRequest *request)
{
    struct row_person person;
    const char *name = request->arguments[1];
    enum err err = check_grant(call, false, name, request->arguments[2], request->arguments[3]);
    if (err != ERR_OK) return err;
    if (strncmp(request->arguments[4], "$argon2id$", 10) != 0 ||
        strlen(request->arguments[4]) >= PASSWORD_HASH_SIZE)
        return problem_set(&call->problem, ERR_INVALID, "password", "is not hashed");
    err = person_load(call, name, &person);
    if (err == ERR_OK && !person.disabled)
        return problem_set(&call->problem, ERR_CONFLICT, "name", "there is \"%.64s\" already",
                           name);
    if (err != ERR_OK && err != ERR_NOT_FOUND) return err;
    int64_t epoch = err == ERR_OK ? person.epoch : 0;
    person = (struct row_person){
        name, request->arguments[2], request->arguments[3], request->arguments[4], 0, epoch};
    err = person_put(call, &person);
    return err == ERR_OK ? audit(call, AUDIT_PERSON_ADDED, name) : err;
}

static enum err change_person(struct call *call, const char *name, const char *hash)
{
    struct row_person person;
    enum err err = person_load(call, name, &person);
    if (err == ERR_NOT_FOUND)
        return problem_set(&call->problem, err, "name", "there is nobody called \"%.64s\"", name);
    if (err != ERR_OK) return err;
    if (hash != NULL)
        person.password_hash = hash;
    else
        person.disabled = 1;
    err = person_put(call, &person);
    return err == ERR_OK ? audit(call, hash != NULL ? AUDIT_PASSWORD_CHANGED : AUDIT_REVOKED, name)
                         : err;
}

struct listing {
    struct call *call;
    Callout__AdminReply *answer;
};

static bool list_person(void *context, const void *visited)
{
    struct listing *listing = context;
    const struct row_person *row = visited;
    char line[LIMIT_ID + GRANT_SIZE + 64];
    snprintf(line, sizeof line, "%s %s %s%s", row->name, row->role, row->territories,
             row->disabled ? " disabled" : "");
    if (listing->answer->n_values == ADMIN_LINES_MAX) return false;
    listing->answer->values[listing->answer->n_values++] = arena_text(listing->call->arena, line);
    return true;
}

enum err admin_person(struct call *call, const Callout__AdminRequest *request,
                      Callout__AdminReply *answer)
{
    size_t count = request->n_arguments;
    const char *what = count > 0 ? request->arguments[0] : "";
    if (strcmp(what, "add") == 0 && count == 5) return add_person(call, request);
    if (strcmp(what, "passwd") == 0 && count == 3)
        return change_person(call, request->arguments[1], request->arguments[2]);
    if (strcmp(what, "disable") == 0 && count == 2)
        return change_person(call, request->arguments[1], NULL);
    struct listing listing = {call, answer};
    answer->values = arena_need(call->arena, ADMIN_LINES_MAX * sizeof *answer->values);
    if (strcmp(what, "list") == 0 && count == 1)
        return store_each(call->engine->store, ROW_PERSON, NULL, 0, false, list_person, &listing);
    return problem_set(&call->problem, ERR_INVALID, "arguments",
                       "person add, passwd, disable or list");
}
