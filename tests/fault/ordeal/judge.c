/* judge.c - the log against what was said, and devices against the dispatcher. */
#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "dispatcher/core/core.h"
#include "dispatcher/store/store.h"
#include "gateway/client/client.h"
#include "message.h"
#include "oracle_impl.h"
#include "pb/fact.pb-c.h"
#include "sim/world/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- reading the log --- */

static void note_owner(struct oracle *oracle, const char *technician_id, const char *appointment_id)
{
    char pair[2 * LIMIT_ID + 4];
    snprintf(pair, sizeof pair, "%s %s", technician_id, appointment_id);
    texts_take(&oracle->owned, pair);
}

static void read_command(struct oracle *oracle, const Callout__FactBody *body)
{
    const Callout__Command *command = body->command;
    struct life *life = oracle->lives;
    while (life != NULL &&
           (strcmp(life->device_id, body->actor->id) != 0 || life->epoch != body->actor->epoch))
        life = life->next;
    if (life == NULL || command->seq == 0 || command->seq > life->word_count) {
        oracle_blame(oracle, TWICE, "a fact of %s, number %llu, that nobody said",
                     life == NULL ? body->actor->id : life->technician_id,
                     (unsigned long long)command->seq);
        return;
    }
    struct word *word = &life->words[command->seq - 1];
    ProtobufCBinaryData bytes = message_encode(&command->base, &oracle->arena);
    struct digest digest = digest_start();
    digest_bytes(&digest, bytes.data, bytes.len);
    word->facts++;
    word->fact_digest = digest.state;
    if (word->facts == 2)
        oracle_blame(oracle, TWICE, "number %llu of %s has two facts",
                     (unsigned long long)command->seq, life->technician_id);
    if (command->body_case == CALLOUT__COMMAND__BODY_STATUS)
        note_owner(oracle, life->technician_id, command->status->appointment_id);
}

static void read_request(struct oracle *oracle, const char *request_id)
{
    struct text *request = texts_take(&oracle->requests, request_id);
    if (++request->number == 2)
        oracle_blame(oracle, TWICE, "the request %s has two facts", request_id);
}

static bool read_fact(void *context, const void *visited)
{
    struct oracle *oracle = context;
    const struct row_fact *row = visited;
    ProtobufCMessage *message;
    oracle->result->facts++;
    if (message_decode(&callout__fact_body__descriptor, row->body.bytes, row->body.size,
                       &oracle->arena, &message, NULL) != ERR_OK) {
        oracle_blame(oracle, LOST, "fact %lld cannot be read", (long long)row->seq);
        return true;
    }
    const Callout__FactBody *body = (const Callout__FactBody *)message;
    if (body->command != NULL && body->actor != NULL)
        read_command(oracle, body);
    else if (body->request_id[0] != '\0')
        read_request(oracle, body->request_id);
    if (body->body_case == CALLOUT__FACT_BODY__BODY_ASSIGN)
        note_owner(oracle, body->assign->technician_id, body->assign->appointment_id);
    for (size_t i = 0; body->body_case == CALLOUT__FACT_BODY__BODY_PLAN && i < body->plan->n_routes;
         i++) {
        const Callout__CandidateRoute *route = body->plan->routes[i];
        for (size_t k = 0; k < route->n_appointment_ids; k++)
            note_owner(oracle, route->technician_id, route->appointment_ids[k]);
    }
    arena_rewind(&oracle->arena);
    return true;
}

/* --- judging --- */

static bool becomes_fact(Callout__Command__BodyCase body)
{
    return body == CALLOUT__COMMAND__BODY_STATUS || body == CALLOUT__COMMAND__BODY_DECLINE ||
           body == CALLOUT__COMMAND__BODY_RUNNING_LATE || body == CALLOUT__COMMAND__BODY_ABSENCE;
}

static bool result_is_kept(struct store *store, const struct life *life, uint64_t seq)
{
    union row row;
    const struct row_command_result key = {
        .device_id = life->device_id, .epoch = life->epoch, .seq = (int64_t)seq};
    return store_get(store, ROW_COMMAND_RESULT, &key, &row) == ERR_OK;
}

/* No two positions of a technician are at the same place. */
struct fix_search {
    struct point place;
    bool found;
};

static bool see_fix(void *context, const void *visited)
{
    struct fix_search *search = context;
    const struct row_fix *row = visited;
    search->found = row->lat_e7 == search->place.lat_e7 && row->lon_e7 == search->place.lon_e7;
    return !search->found;
}

static bool fix_is_kept(struct store *store, const struct life *life, const struct word *word)
{
    struct fix_search search = {.place = word->place};
    const struct row_fix key = {.technician_id = life->technician_id};
    return store_each(store, ROW_FIX, &key, 1, false, see_fix, &search) == ERR_OK && search.found;
}

static void judge_word(struct oracle *oracle, struct store *store, const struct life *life,
                       uint64_t seq)
{
    const struct word *word = &life->words[seq - 1];
    bool applied = word->outcome == CALLOUT__OUTCOME__APPLIED ||
                   word->outcome == CALLOUT__OUTCOME__CONFLICT_RECORDED;
    const char *what = NULL;
    if (life->unknown ||
        (word->outcome == 0 && (!word->pledged || life->ended || !oracle->at_rest)))
        return;
    if (word->outcome == CALLOUT__OUTCOME__PAYLOAD_MISMATCH) what = "was taken for another";
    if (applied && becomes_fact(word->body) && word->facts == 0) what = "has no fact";
    if (word->facts > 0 && word->fact_digest != word->digest) what = "has another's fact";
    bool position = applied && word->body == CALLOUT__COMMAND__BODY_POSITIONS;
    if (position && !word->refused && !fix_is_kept(store, life, word)) what = "has no position";
    if (position && word->refused && fix_is_kept(store, life, word))
        oracle_blame(oracle, LEAKED, "number %llu of %s, taken off shift, is kept",
                     (unsigned long long)seq, life->technician_id);
    if (!result_is_kept(store, life, seq)) what = "has no result";
    if (what != NULL)
        oracle_blame(oracle, LOST, "number %llu of %s (device %s) was acknowledged, and %s",
                     (unsigned long long)seq, life->technician_id, life->device_id, what);
}

static void judge_shown(struct oracle *oracle)
{
    for (size_t i = 0; i < oracle->shown.room; i++) {
        struct text *pair = &oracle->shown.items[i];
        if (pair->text[0] == '\0' || pair->number != 0) continue;
        pair->number = 1; /* once is enough */
        if (texts_find(&oracle->owned, pair->text) == NULL)
            oracle_blame(oracle, LEAKED, "%s: shown, and never his", pair->text);
    }
}

static void read_log(struct oracle *oracle, struct store *store)
{
    for (struct life *life = oracle->lives; life != NULL; life = life->next)
        for (uint64_t i = 0; i < life->word_count; i++)
            life->words[i].facts = 0;
    for (size_t i = 0; i < oracle->requests.room; i++)
        oracle->requests.items[i].number = 0;
    oracle->result->facts = 0;
    enum err err = store_each(store, ROW_FACT, NULL, 0, false, read_fact, oracle);
    if (err != ERR_OK) oracle_blame(oracle, LOST, "the log cannot be read");
}

void oracle_judge(struct oracle *oracle, struct store *store, bool at_rest)
{
    oracle->at_rest = at_rest;
    read_log(oracle, store);
    for (const struct life *life = oracle->lives; life != NULL; life = life->next)
        for (uint64_t seq = 1; seq <= life->word_count; seq++)
            judge_word(oracle, store, life, seq);
    for (size_t i = 0; i < oracle->accepted.room; i++) {
        const char *id = oracle->accepted.items[i].text;
        const struct text *fact = id[0] == '\0' ? NULL : texts_find(&oracle->requests, id);
        if (id[0] != '\0' && (fact == NULL || fact->number == 0))
            oracle_blame(oracle, LOST, "the request %s was acknowledged, and has no fact", id);
    }
    judge_shown(oracle);
}

/* --- a restore --- */

static void restore_life(struct life *life, struct store *store)
{
    union row row;
    const struct row_device key = {.device_id = life->device_id};
    life->unknown = store_get(store, ROW_DEVICE, &key, &row) != ERR_OK;
    if (!life->unknown && !row.device.revoked) life->revoked_us = 0;
    for (uint64_t seq = 1; seq <= life->word_count; seq++) {
        struct word *word = &life->words[seq - 1];
        if (word->outcome == 0 || result_is_kept(store, life, seq)) continue;
        word->outcome = 0;
        word->pledged = true;
    }
}

void oracle_restored(struct oracle *oracle, struct store *store)
{
    read_log(oracle, store);
    struct texts kept = {.items = NULL};
    for (size_t i = 0; i < oracle->accepted.room; i++) {
        const char *id = oracle->accepted.items[i].text;
        const struct text *fact = id[0] == '\0' ? NULL : texts_find(&oracle->requests, id);
        if (fact != NULL && fact->number > 0) texts_take(&kept, id);
    }
    free(oracle->accepted.items);
    oracle->accepted = kept;
    for (struct life *life = oracle->lives; life != NULL; life = life->next)
        restore_life(life, store);
}

bool life_is_unknown(const struct life *life)
{
    return life->unknown;
}

/* --- convergence --- */

struct comparison {
    const struct client *client;
    struct hub *hub;
    char *why;
    size_t open; /* visits that the dispatcher has for him */
    bool equal;
};

static void compare(void *context, const char *id)
{
    struct comparison *it = context;
    const struct replica_visit *visit = client_appointment(it->client, id);
    union row row;
    const char *owner;
    int64_t start_us = 0;
    const struct row_assignment assignment = {.appointment_id = id};
    const struct row_appointment appointment = {.appointment_id = id};
    if (life_final(core_appointment(hub_core(it->hub), id, &owner))) return;
    it->open++;
    if (store_get(hub_store(it->hub), ROW_ASSIGNMENT, &assignment, &row) == ERR_OK)
        start_us = row.assignment.planned_start_us;
    bool known = store_get(hub_store(it->hub), ROW_APPOINTMENT, &appointment, &row) == ERR_OK;
    it->equal = it->equal && visit != NULL && known &&
                (int64_t)visit->status == row.appointment.status &&
                visit->planned_start_us == start_us;
    if (!it->equal && it->why[0] == '\0')
        snprintf(it->why, ORDEAL_TEXT, "%s is %s", id,
                 visit == NULL ? "not on the device" : "another on the device");
}

static size_t open_visits(const struct client *client)
{
    size_t count, open = 0;
    const struct replica_visit *visits = client_appointments(client, &count);
    for (size_t i = 0; i < count; i++)
        open += visits[i].status < CALLOUT__APPOINTMENT_STATUS__COMPLETED;
    return open;
}

bool oracle_agrees(const struct client *client, struct hub *hub, const char *technician_id,
                   char why[ORDEAL_TEXT])
{
    struct comparison it = {.client = client, .hub = hub, .why = why, .equal = true};
    why[0] = '\0';
    if (hub_core(hub) == NULL || !hub_is_up(hub, HUB_GATEWAY)) {
        snprintf(why, ORDEAL_TEXT, "the system is down");
        return false;
    }
    if (client_state(client) != CLIENT_LIVE || client_unsent(client) > 0) {
        snprintf(why, ORDEAL_TEXT, "state %d, %llu unsent", (int)client_state(client),
                 (unsigned long long)client_unsent(client));
        return false;
    }
    core_visits_of(hub_core(hub), technician_id, 0, INT64_MAX, compare, &it);
    if (it.equal && it.open != open_visits(client)) {
        it.equal = false;
        snprintf(why, ORDEAL_TEXT, "%zu open visits, and %zu on the device", it.open,
                 open_visits(client));
    }
    return it.equal;
}
