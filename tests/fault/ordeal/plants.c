#include "plants.h"

#include "base/arena.h"
#include "base/check.h"
#include "message.h"
#include "pb/wire.pb-c.h"
#include "sim/draw.h"

#include <stdlib.h>
#include <string.h>

const char *const ordeal_plants[PLANT_COUNT] = {
    [PLANT_NONE] = "none",
    [PLANT_HOLLOW_REPLY] = "hollow-reply",
    [PLANT_LOST_ROW] = "lost-row",
    [PLANT_LYING_DISK] = "lying-disk",
    [PLANT_FORGETFUL] = "forgetful",
    [PLANT_MIXED_UP] = "mixed-up",
    [PLANT_OPEN_DOOR] = "open-door",
    [PLANT_DEAF] = "deaf",
    [PLANT_LOST_CHANGE] = "lost-change",
};

enum { ARENA_BYTES = 8 << 20, NEWS_BYTES = 400 };

struct plants {
    enum ordeal_plant plant;
    struct link_net *net;
    struct rng chance;
    struct arena arena;
    const struct life *victim; /* the first that asked */
    uint8_t *news;             /* somebody's last news */
    size_t news_size;
};

/* --- on the disk --- */

static bool drops(void *context, enum row_kind kind, const void *row)
{
    struct plants *plants = context;
    const struct row_device *device = row;
    switch (plants->plant) {
    case PLANT_LOST_ROW:
        return (kind == ROW_COMMAND_RESULT || kind == ROW_FIX) && draw_happens(&plants->chance, 10);
    case PLANT_LOST_CHANGE: return kind == ROW_CHANGE && draw_happens(&plants->chance, 50);
    case PLANT_OPEN_DOOR: return kind == ROW_DEVICE && device->revoked != 0;
    case PLANT_FORGETFUL:
        return kind == ROW_DEVICE && device->last_seq > 0 && draw_happens(&plants->chance, 100);
    case PLANT_NONE:
    case PLANT_LYING_DISK:
    case PLANT_HOLLOW_REPLY:
    case PLANT_MIXED_UP:
    case PLANT_DEAF:
    case PLANT_COUNT: break;
    }
    return false;
}

struct plants *plants_open(const struct ordeal_options *options, struct link_net *net,
                           struct disk *disk)
{
    struct plants *plants = calloc(1, sizeof *plants);
    CHECK(plants != NULL);
    plants->plant = options->plant;
    plants->net = net;
    plants->chance = (struct rng){options->seed ^ UINT64_C(0xb06)};
    arena_open(&plants->arena, ARENA_BYTES);
    if (plants->plant != PLANT_NONE) disk_lie(disk, drops, plants);
    return plants;
}

void plants_close(struct plants *plants)
{
    arena_close(&plants->arena);
    free(plants->news);
    free(plants);
}

/* --- at the door --- */

/* "All applied", for whatever was pushed. */
static void reply_hollow(struct plants *plants, struct sp_ticket to, const uint8_t *bytes,
                         size_t size)
{
    ProtobufCMessage *message, *body;
    Callout__PushReply push;
    Callout__Reply reply;
    if (message_decode(&callout__request__descriptor, bytes, size, &plants->arena, &message,
                       NULL) != ERR_OK)
        return;
    ProtobufCBinaryData inner = ((const Callout__Request *)message)->body;
    if (message_decode(&callout__push_request__descriptor, inner.data, inner.len, &plants->arena,
                       &body, NULL) != ERR_OK)
        return;
    const Callout__PushRequest *request = (const Callout__PushRequest *)body;
    callout__push_reply__init(&push);
    callout__reply__init(&reply);
    push.results = arena_need(&plants->arena, (request->n_commands + 1) * sizeof *push.results);
    for (size_t i = 0; i < request->n_commands; i++) {
        Callout__CommandResult *result = arena_need(&plants->arena, sizeof *result);
        callout__command_result__init(result);
        result->outcome = CALLOUT__OUTCOME__APPLIED;
        push.last_seq = result->seq = request->commands[i]->seq;
        push.results[push.n_results++] = result;
    }
    reply.status = CALLOUT__STATUS__OK;
    reply.body = message_encode(&push.base, &plants->arena);
    ProtobufCBinaryData packed = message_encode(&reply.base, &plants->arena);
    link_reply(plants->net, to, packed.data, packed.len);
}

bool plants_swallow(struct plants *plants, const struct passer *passer, struct sp_ticket from,
                    const uint8_t *bytes, size_t size)
{
    if (passer->life == NULL) return false;
    if (plants->victim == NULL) plants->victim = passer->life;
    if (plants->plant == PLANT_DEAF)
        return plants->victim == passer->life && strcmp(passer->method, "Pull") == 0;
    if (plants->plant != PLANT_HOLLOW_REPLY || strcmp(passer->method, "Push") != 0 ||
        !draw_happens(&plants->chance, 100))
        return false;
    reply_hollow(plants, from, bytes, size);
    arena_rewind(&plants->arena);
    return true;
}

void plants_spoil(struct plants *plants, const uint8_t **bytes, size_t *size)
{
    if (plants->plant != PLANT_MIXED_UP || *size < NEWS_BYTES || plants->news == NULL ||
        !draw_happens(&plants->chance, 100))
        return;
    *bytes = plants->news;
    *size = plants->news_size;
}

void plants_note(struct plants *plants, const struct passer *passer, const uint8_t *bytes,
                 size_t size)
{
    if (plants->plant != PLANT_MIXED_UP || bytes == plants->news || size < NEWS_BYTES ||
        passer->life == NULL || strcmp(passer->method, "Pull") != 0)
        return;
    plants->news = realloc(plants->news, size);
    CHECK(plants->news != NULL);
    memcpy(plants->news, bytes, size);
    plants->news_size = size;
}
