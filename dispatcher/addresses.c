/* addresses.c - the list of addresses from which new orders choose their place.
 *
 * Idea: an address is found by the beginnings of its words, in any order. Words are folded (small
 * letters without accents), so that "zurich bahnhofstr" finds "Bahnhofstrasse 1, Zürich". The
 * longest word that was typed leads to candidates in the order of the alphabet, the others choose
 * among them. Of what begins many addresses only the first CANDIDATES_MAX are looked at, and `more`
 * says so.
 */
#include "dispatcher/engine_impl.h"

#include <string.h>

enum {
    ADDRESSES_MAX = 100000,
    PUT_MAX = 500,
    TEXT_MAX = 200,
    FOLDED_SIZE = 2 * TEXT_MAX + 2,
    WORDS_MAX = 24,
    FIND_MAX = 50,
    FIND_USUAL = 10,
    CANDIDATES_MAX = 2000,
};

/* --- folding --- */

/* U+00C0 to U+00FF, one letter each; ' ' is no letter, 's' of sharp s is doubled. */
static const char latin[] = "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty";

struct words {
    char bytes[FOLDED_SIZE]; /* folded, each with a zero at its end */
    const char *items[WORDS_MAX];
    size_t count;
};

/* The folded letters at *text, moved past them; 0: what stands there is none. */
static size_t fold_one(const unsigned char **text, char out[2])
{
    unsigned char c = *(*text)++;
    if (c >= 'A' && c <= 'Z') c = (unsigned char)(c + 'a' - 'A');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x80) return 0;
    if (c == 0xc3 && **text >= 0x80 && **text < 0xc0) {
        unsigned char second = *(*text)++;
        out[0] = out[1] = latin[second - 0x80];
        return out[0] == ' ' ? 0 : second == 0x9f ? 2 : 1;
    }
    out[0] = (char)c; /* any other letter stays as it is written */
    return 1;
}

/* What is more than there is room for is left out. */
static void fold(const char *text, struct words *out)
{
    size_t used = 0;
    bool within = false;
    out->count = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        char letters[2];
        size_t count = fold_one(&at, letters);
        if (count == 0 && within) out->bytes[used++] = '\0';
        within = within && count > 0;
        if (count == 0) continue;
        if (!within && out->count == WORDS_MAX) break;
        if (used + count + 2 > sizeof out->bytes) break;
        if (!within) out->items[out->count++] = out->bytes + used;
        within = true;
        for (size_t i = 0; i < count; i++)
            out->bytes[used++] = letters[i];
    }
    out->bytes[used] = '\0';
}

static char *joined(struct arena *arena, const struct words *words)
{
    char *out = arena_need(arena, FOLDED_SIZE), *at = out;
    for (size_t i = 0; i < words->count; i++) {
        size_t size = strlen(words->items[i]);
        memcpy(at, words->items[i], size);
        at[size] = ' ';
        at += size + 1;
    }
    *at = '\0';
    return out;
}

static bool begins(const char *word, const char *with)
{
    return strncmp(word, with, strlen(with)) == 0;
}

/* --- PutAddresses --- */

static const struct row_meta count_key = {.name = "addresses"};

static enum err read_count(struct call *call, uint64_t *out)
{
    union row row;
    enum err err = store_get(call->engine->store, ROW_META, &count_key, &row);
    *out = 0;
    if (err == ERR_NOT_FOUND) return ERR_OK;
    if (err == ERR_OK && row.meta.value.size == sizeof *out)
        memcpy(out, row.meta.value.bytes, sizeof *out);
    return err;
}

static enum err check_address(struct call *call, const Callout__Address *address)
{
    size_t size = strlen(address->text);
    if (size == 0 || size > TEXT_MAX)
        return problem_set(&call->problem, ERR_INVALID, "addresses.text", "must be 1 to %d bytes",
                           TEXT_MAX);
    if (address->point != NULL &&
        point_valid((struct point){address->point->lat_e7, address->point->lon_e7}))
        return ERR_OK;
    return problem_set(&call->problem, ERR_INVALID, "addresses.point",
                       "is missing, or lies outside the earth: \"%.60s\"", address->text);
}

static enum err put_words(struct call *call, const struct words *words, int64_t number)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < words->count && err == ERR_OK; i++)
        err = engine_put(call->engine, ROW_ADDRESS_WORD,
                         &(struct row_address_word){words->items[i], number});
    return err;
}

static enum err put_row(struct call *call, const Callout__Address *address, int64_t number)
{
    return engine_put(call->engine, ROW_ADDRESS,
                      &(struct row_address){number, address->text, address->point->lat_e7,
                                            address->point->lon_e7});
}

/* One that is there, at its place or another one. */
static enum err put_again(struct call *call, const Callout__Address *address, int64_t number,
                          Callout__PutAddressesReply *answer)
{
    union row row;
    enum err err =
        store_get(call->engine->store, ROW_ADDRESS, &(struct row_address){.number = number}, &row);
    if (err != ERR_OK) return ERR_INTERNAL;
    bool same = row.address.lat_e7 == address->point->lat_e7 &&
                row.address.lon_e7 == address->point->lon_e7 &&
                strcmp(row.address.text, address->text) == 0;
    answer->same += same;
    answer->moved += !same;
    return same ? ERR_OK : put_row(call, address, number);
}

static enum err put_address(struct call *call, const Callout__Address *address, uint64_t *count,
                            Callout__PutAddressesReply *answer)
{
    struct words words;
    union row row;
    enum err err = check_address(call, address);
    if (err != ERR_OK) return err;
    fold(address->text, &words);
    if (words.count == 0)
        return problem_set(&call->problem, ERR_INVALID, "addresses.text", "has no letter or digit");
    struct row_address_number key = {.folded = joined(call->arena, &words)};
    err = store_get(call->engine->store, ROW_ADDRESS_NUMBER, &key, &row);
    if (err == ERR_OK) return put_again(call, address, row.address_number.number, answer);
    if (err != ERR_NOT_FOUND) return err;
    if (*count == ADDRESSES_MAX)
        return problem_set(&call->problem, ERR_TOO_LARGE, "addresses", "at most %d in all",
                           ADDRESSES_MAX);
    key.number = (int64_t)++ * count;
    answer->added++;
    err = engine_put(call->engine, ROW_ADDRESS_NUMBER, &key);
    if (err == ERR_OK) err = put_row(call, address, key.number);
    return err == ERR_OK ? put_words(call, &words, key.number) : err;
}

/* All are looked at before one is stored. */
static enum err check_all(struct call *call, const Callout__PutAddressesRequest *request)
{
    if (request->n_addresses > PUT_MAX)
        return problem_set(&call->problem, ERR_TOO_LARGE, "addresses", "at most %d at once",
                           PUT_MAX);
    enum err err = ERR_OK;
    for (size_t i = 0; i < request->n_addresses && err == ERR_OK; i++)
        err = check_address(call, request->addresses[i]);
    return err;
}

enum err handle_put_addresses(struct call *call)
{
    const Callout__PutAddressesRequest *request =
        (const Callout__PutAddressesRequest *)call->message;
    Callout__PutAddressesReply *answer = arena_need(call->arena, sizeof *answer);
    callout__put_addresses_reply__init(answer);
    uint64_t count;
    enum err err = check_all(call, request);
    if (err == ERR_OK) err = read_count(call, &count);
    for (size_t i = 0; i < request->n_addresses && err == ERR_OK; i++)
        err = put_address(call, request->addresses[i], &count, answer);
    if (err != ERR_OK) return err;
    struct row_meta row = count_key;
    row.value = (struct blob){&count, sizeof count};
    if (answer->added > 0) err = engine_put(call->engine, ROW_META, &row);
    answer->count = (uint32_t)count;
    call->answer = &answer->base;
    return err;
}

/* --- FindAddress --- */

struct candidates {
    const char *prefix;
    uint32_t count;
    int64_t numbers[CANDIDATES_MAX];
    bool more;
};

static bool add_candidate(void *context, const void *visited)
{
    struct candidates *it = context;
    const struct row_address_word *row = visited;
    if (!begins(row->word, it->prefix)) return false;
    it->more = it->count == CANDIDATES_MAX;
    if (it->more) return false;
    it->numbers[it->count++] = row->number;
    return true;
}

static bool has_all(const struct words *words, const struct words *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        size_t at = 0;
        while (at < words->count && !begins(words->items[at], wanted->items[i]))
            at++;
        if (at == words->count) return false;
    }
    return true;
}

static bool told_already(const Callout__FindAddressReply *answer, const char *text)
{
    for (size_t i = 0; i < answer->n_addresses; i++)
        if (strcmp(answer->addresses[i]->text, text) == 0) return true;
    return false;
}

static enum err look_at(struct call *call, int64_t number, const struct words *wanted,
                        Callout__FindAddressReply *answer, size_t max)
{
    union row row;
    struct words words;
    enum err err =
        store_get(call->engine->store, ROW_ADDRESS, &(struct row_address){.number = number}, &row);
    if (err != ERR_OK) return ERR_INTERNAL;
    fold(row.address.text, &words);
    if (!has_all(&words, wanted) || told_already(answer, row.address.text)) return ERR_OK;
    answer->more = answer->n_addresses == max;
    if (answer->more) return ERR_OK;
    Callout__Address *out = arena_need(call->arena, sizeof *out);
    callout__address__init(out);
    out->text = arena_text(call->arena, row.address.text);
    out->point = new_point(call->arena, row.address.lat_e7, row.address.lon_e7);
    answer->addresses[answer->n_addresses++] = out;
    return ERR_OK;
}

static const char *longest(const struct words *words)
{
    const char *found = words->items[0];
    for (size_t i = 1; i < words->count; i++)
        if (strlen(words->items[i]) > strlen(found)) found = words->items[i];
    return found;
}

static enum err find(struct call *call, const struct words *wanted, size_t max,
                     Callout__FindAddressReply *answer)
{
    struct candidates *it = arena_need(call->arena, sizeof *it);
    *it = (struct candidates){.prefix = longest(wanted)};
    const struct row_address_word key = {.word = it->prefix};
    struct store *store = call->engine->store; /* the word itself, then those that begin with it */
    enum err err = store_each(store, ROW_ADDRESS_WORD, &key, 1, false, add_candidate, it);
    if (err == ERR_OK && !it->more)
        err = store_each(store, ROW_ADDRESS_WORD, &key, 0, true, add_candidate, it);
    for (uint32_t i = 0; i < it->count && err == ERR_OK && !answer->more; i++)
        err = look_at(call, it->numbers[i], wanted, answer, max);
    answer->more |= it->more;
    return err;
}

enum err handle_find_address(struct call *call)
{
    const Callout__FindAddressRequest *request = (const Callout__FindAddressRequest *)call->message;
    struct words wanted;
    uint64_t known;
    if (strlen(request->text) > TEXT_MAX)
        return problem_set(&call->problem, ERR_TOO_LARGE, "text", "at most %d bytes", TEXT_MAX);
    if (request->count > FIND_MAX)
        return problem_set(&call->problem, ERR_TOO_LARGE, "count", "at most %d", FIND_MAX);
    Callout__FindAddressReply *answer = arena_need(call->arena, sizeof *answer);
    callout__find_address_reply__init(answer);
    size_t max = request->count != 0 ? request->count : FIND_USUAL;
    answer->addresses = arena_need(call->arena, max * sizeof *answer->addresses);
    fold(request->text, &wanted);
    enum err err = read_count(call, &known);
    answer->known = (uint32_t)known;
    if (err == ERR_OK && wanted.count > 0) err = find(call, &wanted, max, answer);
    call->answer = &answer->base;
    return err;
}
