#include "sim/world/audit.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/digest.h"
#include "message.h"
#include "pb/fact.pb-c.h"

#include <stdlib.h>
#include <string.h>

enum { FACT_ARENA = 64 << 20 }; /* a plan of thousands of visits, decoded */

/* Who said it, and which of his words it was. */
struct word {
    uint64_t who, number;
};

struct words {
    struct word *items;
    size_t count, room;
};

struct reading {
    struct log_audit *out;
    struct words commands, requests;
    struct arena arena;
};

static void add_word(struct words *words, uint64_t who, uint64_t number)
{
    if (words->count == words->room) {
        words->room = words->room == 0 ? 1024 : 2 * words->room;
        words->items = realloc(words->items, words->room * sizeof *words->items);
        CHECK(words->items != NULL);
    }
    words->items[words->count++] = (struct word){who, number};
}

static uint64_t digest_of(const char *text, uint64_t more)
{
    struct digest digest = digest_start();
    digest_bytes(&digest, text, strlen(text));
    digest_u64(&digest, more);
    return digest.state;
}

static bool read_fact(void *context, const void *visited)
{
    struct reading *reading = context;
    const struct row_fact *row = visited;
    ProtobufCMessage *message;
    reading->out->facts++;
    if (message_decode(&callout__fact_body__descriptor, row->body.bytes, row->body.size,
                       &reading->arena, &message, NULL) != ERR_OK) {
        reading->out->unreadable++;
        return true;
    }
    const Callout__FactBody *body = (const Callout__FactBody *)message;
    const char *who = body->actor == NULL ? "" : body->actor->id;
    if (body->command != NULL)
        add_word(&reading->commands, digest_of(who, body->actor == NULL ? 0 : body->actor->epoch),
                 body->command->seq);
    else if (body->body_case == CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER ||
             body->body_case == CALLOUT__FACT_BODY__BODY_CANCEL_WORK_ORDER)
        add_word(&reading->requests, digest_of(who, 0), digest_of(body->request_id, 0));
    arena_rewind(&reading->arena);
    return true;
}

static int by_word(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    if (x->who != y->who) return x->who < y->who ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* How many there are, each once; *doubled: how many more. */
static uint64_t count_words(struct words *words, uint64_t *doubled)
{
    uint64_t count = 0;
    if (words->count > 0) qsort(words->items, words->count, sizeof *words->items, by_word);
    for (size_t i = 0; i < words->count; i++)
        count += i == 0 || by_word(&words->items[i - 1], &words->items[i]) != 0;
    *doubled = words->count - count;
    free(words->items);
    return count;
}

enum err log_audit(struct store *store, struct log_audit *out)
{
    struct reading reading = {.out = out};
    *out = (struct log_audit){0};
    arena_open(&reading.arena, FACT_ARENA);
    enum err err = store_each(store, ROW_FACT, NULL, 0, false, read_fact, &reading);
    arena_close(&reading.arena);
    out->commands = count_words(&reading.commands, &out->doubled);
    out->requests = count_words(&reading.requests, &out->requests_doubled);
    return err;
}
