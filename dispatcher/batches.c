#include "dispatcher/batches.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/crashpoint.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 64, READY_AT_FIRST = 16 };
#define TICK_PAUSE_US US_PER_SECOND /* after a tick that could not be stored */
#define TICK_FAR_US   (3600 * US_PER_SECOND)

struct checking;

struct waiting {
    struct sp_ticket ticket;
    uint8_t *bytes;
    size_t size;
    int64_t until_mono_us;    /* held: when it is answered with what there is */
    int64_t asked_seq;        /* held: the log's last fact when it was asked again; 0: not yet */
    struct checking *checked; /* its password was checked; NULL: it has none, or not yet */
};

/* A request whose password is being checked. */
struct checking {
    enum { CHECKING_NOT, CHECKING, CHECKED } state;
    struct waiting waiting;
    struct password_work work;
};

/* An answer that waits for the disk. */
struct ready {
    struct sp_ticket to;
    uint8_t *bytes;
    size_t size;
    uint64_t commit; /* it may be told when this one is on the disk */
};

struct batches {
    struct engine *engine;
    struct batches_ports ports;
    struct engine_item items[LIMIT_FACTS_PER_COMMIT];
    struct waiting queue[LIMIT_FACTS_PER_COMMIT];
    uint32_t queue_count;
    struct waiting held[HELD_MAX];
    uint32_t held_count;
    struct checking checking[PASSWORDS_AT_ONCE];
    struct ready *ready; /* in the order of their commits */
    uint32_t ready_first, ready_count, ready_room;
    int64_t tick_after_mono_us; /* no tick before: the last one could not be stored */
};

static int64_t mono_us(const struct batches *batches)
{
    return batches->ports.mono_us(batches->ports.context);
}

static int64_t domain_us(const struct batches *batches)
{
    return batches->ports.domain_us(batches->ports.context);
}

/* --- answers --- */

/* Under load some always wait: the places of those that left are used again before more are
 * taken. */
static void make_room(struct batches *batches)
{
    uint32_t left = batches->ready_first;
    if (batches->ready_count < batches->ready_room) return;
    if (left > 0 && left >= batches->ready_room / 2) {
        batches->ready_count -= left;
        batches->ready_first = 0;
        memmove(batches->ready, batches->ready + left,
                batches->ready_count * sizeof *batches->ready);
        return;
    }
    batches->ready_room = batches->ready_room == 0 ? READY_AT_FIRST : 2 * batches->ready_room;
    batches->ready = realloc(batches->ready, batches->ready_room * sizeof *batches->ready);
    CHECK(batches->ready != NULL);
}

static void keep_ready(struct batches *batches, struct sp_ticket to, ProtobufCBinaryData reply,
                       uint64_t commit)
{
    make_room(batches);
    uint8_t *bytes = malloc(reply.len + 1);
    CHECK(bytes != NULL);
    if (reply.len > 0) memcpy(bytes, reply.data, reply.len);
    batches->ready[batches->ready_count++] = (struct ready){to, bytes, reply.len, commit};
}

bool batches_release(struct batches *batches)
{
    struct store_progress progress = engine_progress(batches->engine);
    while (batches->ready_first < batches->ready_count) {
        struct ready *ready = &batches->ready[batches->ready_first];
        if (ready->commit > progress.on_disk) return !progress.failed;
        batches->ports.reply(batches->ports.context, ready->to, ready->bytes, ready->size);
        free(ready->bytes);
        batches->ready_first++;
    }
    batches->ready_first = batches->ready_count = 0;
    return !progress.failed;
}

bool batches_release_due(const struct batches *batches)
{
    return batches->ready_first < batches->ready_count &&
           batches->ready[batches->ready_first].commit <= engine_progress(batches->engine).on_disk;
}

/* What is read while a commit is on its way may be of that commit. */
static void reply_to(struct batches *batches, struct sp_ticket to, ProtobufCBinaryData reply)
{
    struct store_progress progress = engine_progress(batches->engine);
    if (progress.on_disk < progress.written) {
        keep_ready(batches, to, reply, progress.written);
        return;
    }
    batches_release(batches); /* what was answered before goes before */
    batches->ports.reply(batches->ports.context, to, reply.data, reply.len);
}

/* --- what is held --- */

/* False: it is to be held on. */
static bool answer_one(struct batches *batches, struct waiting *held, int64_t now_mono_us)
{
    ProtobufCBinaryData reply;
    bool expired = now_mono_us >= held->until_mono_us;
    int64_t seq = core_seq(engine_core(batches->engine));
    if (!batches->ports.alive(batches->ports.context, held->ticket)) return true;
    if (seq == held->asked_seq && !expired) return false; /* only facts bring news */
    held->asked_seq = seq;
    if (engine_answer_held(batches->engine, held->bytes, held->size, expired, domain_us(batches),
                           &reply) == ERR_BUSY)
        return false;
    reply_to(batches, held->ticket, reply);
    return true;
}

void batches_answer_held(struct batches *batches)
{
    int64_t now_mono_us = mono_us(batches);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < batches->held_count; i++) {
        struct waiting *held = &batches->held[i];
        if (answer_one(batches, held, now_mono_us))
            free(held->bytes);
        else
            batches->held[kept++] = *held;
    }
    batches->held_count = kept;
}

static void hold(struct batches *batches, struct waiting *waiting, uint32_t hold_ms)
{
    if (hold_ms > LIMIT_HOLD_MS) hold_ms = LIMIT_HOLD_MS;
    if (batches->held_count ==
        HELD_MAX) { /* a neighbour that asks so often has forgotten the first */
        free(batches->held[0].bytes);
        memmove(batches->held, batches->held + 1, (HELD_MAX - 1) * sizeof batches->held[0]);
        batches->held_count--;
    }
    waiting->until_mono_us = mono_us(batches) + hold_ms * INT64_C(1000);
    batches->held[batches->held_count++] = *waiting;
}

/* --- batches --- */

/* --- passwords --- */

static void check_password(struct batches *batches, const struct waiting *waiting,
                           struct engine_item *item)
{
    for (uint32_t i = 0; i < PASSWORDS_AT_ONCE; i++) {
        struct checking *it = &batches->checking[i];
        if (it->state != CHECKING_NOT) continue;
        it->state = CHECKING;
        it->waiting = *waiting;
        it->work = *item->work;
        if (batches->ports.password != NULL) {
            batches->ports.password(batches->ports.context, i, &it->work);
        } else {
            password_do(&it->work);
            it->state = CHECKED;
        }
        return;
    }
    reply_to(batches, waiting->ticket, engine_busy_answer(batches->engine, item));
    free(waiting->bytes);
}

void batches_password_done(struct batches *batches, uint32_t slot)
{
    CHECK(slot < PASSWORDS_AT_ONCE && batches->checking[slot].state == CHECKING);
    batches->checking[slot].state = CHECKED;
}

/* Puts the requests whose passwords were checked back into the queue. */
static bool take_checked(struct batches *batches)
{
    uint32_t before = batches->queue_count;
    for (uint32_t i = 0; i < PASSWORDS_AT_ONCE; i++) {
        struct checking *it = &batches->checking[i];
        if (it->state != CHECKED || batches->queue_count == LIMIT_FACTS_PER_COMMIT) continue;
        it->waiting.checked = it;
        batches->queue[batches->queue_count++] = it->waiting;
    }
    return batches->queue_count > before;
}

static void forget_checked(struct checking *checked)
{
    if (checked == NULL) return;
    password_forget(&checked->work);
    checked->state = CHECKING_NOT;
}

/* Runs queue[first, first + count) as one batch, and answers; returns how many it took. */
static uint32_t run_batch(struct batches *batches, uint32_t first, uint32_t count)
{
    struct engine_item *items = batches->items;
    for (uint32_t i = 0; i < count; i++) {
        struct waiting *waiting = &batches->queue[first + i];
        items[i] = (struct engine_item){.bytes = waiting->bytes, .size = waiting->size};
        if (waiting->checked == NULL) continue;
        items[i].verdict = waiting->checked->work.right ? PASSWORD_RIGHT : PASSWORD_WRONG;
        items[i].new_hash = waiting->checked->work.new_hash;
    }
    uint32_t done = engine_batch(batches->engine, items, count, domain_us(batches));
    for (uint32_t i = 0; i < done; i++) {
        struct waiting *waiting = &batches->queue[first + i];
        if (items[i].held == HELD_PASSWORD) {
            check_password(batches, waiting, &items[i]);
            continue;
        }
        forget_checked(waiting->checked);
        if (items[i].held != HELD_NOT) {
            hold(batches, waiting, items[i].hold_ms);
            continue;
        }
        reply_to(batches, waiting->ticket, items[i].reply);
        free(waiting->bytes);
    }
    crash_here(CRASH_BATCH_REPLIED);
    return done;
}

/* How many go into the batch from `first` on: one that may have killed us before runs alone (F3).
 */
static uint32_t batch_size(const struct batches *batches, uint32_t first)
{
    uint32_t size = 0;
    while (first + size < batches->queue_count) {
        const struct waiting *next = &batches->queue[first + size];
        struct engine_item item = {.bytes = next->bytes, .size = next->size};
        bool alone = engine_is_suspect(batches->engine, &item);
        if (alone && size > 0) break;
        size++;
        if (alone) break;
    }
    return size;
}

void batches_run(struct batches *batches)
{
    do {
        for (uint32_t first = 0; first < batches->queue_count;)
            first += run_batch(batches, first, batch_size(batches, first));
        batches->queue_count = 0;
    } while (take_checked(batches));
    batches_answer_held(batches);
}

void batches_put(struct batches *batches, struct sp_ticket from, const uint8_t *bytes, size_t size)
{
    if (batches->queue_count == LIMIT_FACTS_PER_COMMIT) batches_run(batches);
    uint8_t *copy = malloc(size + 1);
    CHECK(copy != NULL);
    if (size > 0) memcpy(copy, bytes, size);
    batches->queue[batches->queue_count++] =
        (struct waiting){.ticket = from, .bytes = copy, .size = size};
}

uint32_t batches_waiting(const struct batches *batches)
{
    return batches->queue_count;
}

/* --- time --- */

void batches_tick(struct batches *batches)
{
    int64_t now_us = domain_us(batches);
    if (engine_tick(batches->engine, now_us))
        batches_answer_held(batches);
    else if (engine_next_wake_us(batches->engine, now_us) <= now_us)
        batches->tick_after_mono_us = mono_us(batches) + TICK_PAUSE_US;
}

int64_t batches_tick_wait_us(const struct batches *batches, double rate)
{
    int64_t now_us = domain_us(batches);
    int64_t wake_us = engine_next_wake_us(batches->engine, now_us);
    if (wake_us == INT64_MAX || rate <= 0) return INT64_MAX;
    double wait_us = wake_us > now_us ? (double)(wake_us - now_us) / rate : 0;
    if (wait_us > (double)TICK_FAR_US) wait_us = (double)TICK_FAR_US;
    int64_t pause_us = batches->tick_after_mono_us - mono_us(batches);
    return (int64_t)wait_us > pause_us ? (int64_t)wait_us : pause_us;
}

/* --- life --- */

struct batches *batches_open(struct engine *engine, const struct batches_ports *ports)
{
    struct batches *batches = calloc(1, sizeof *batches);
    CHECK(batches != NULL);
    batches->engine = engine;
    batches->ports = *ports;
    return batches;
}

void batches_close(struct batches *batches)
{
    if (batches == NULL) return;
    for (uint32_t i = 0; i < batches->queue_count; i++)
        free(batches->queue[i].bytes);
    for (uint32_t i = 0; i < batches->held_count; i++)
        free(batches->held[i].bytes);
    for (uint32_t i = 0; i < PASSWORDS_AT_ONCE; i++)
        if (batches->checking[i].state != CHECKING_NOT) free(batches->checking[i].waiting.bytes);
    for (uint32_t i = batches->ready_first; i < batches->ready_count; i++)
        free(batches->ready[i].bytes);
    free(batches->ready);
    free(batches);
}
