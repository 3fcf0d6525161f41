#include "sim/words.h"

#include <stdio.h>
#include <string.h>

static size_t place_of(const struct words *words, const char *appointment_id)
{
    size_t i = 0;
    while (i < words->count && strcmp(words->items[i].appointment_id, appointment_id) != 0)
        i++;
    return i;
}

const struct word *words_find(const struct words *words, const char *appointment_id)
{
    size_t place = place_of(words, appointment_id);
    return place < words->count ? &words->items[place] : NULL;
}

struct word *words_about(struct words *words, const char *appointment_id)
{
    size_t place = place_of(words, appointment_id);
    if (place < words->count) return &words->items[place];
    if (words->count == WORDS_MAX)
        memmove(words->items, words->items + 1, --words->count * sizeof *words->items);
    struct word *word = &words->items[words->count++];
    *word = (struct word){0};
    snprintf(word->appointment_id, sizeof word->appointment_id, "%s", appointment_id);
    return word;
}

void words_forget(struct words *words, const char *appointment_id)
{
    size_t place = place_of(words, appointment_id);
    if (place == words->count ||
        words->items[place].status >= CALLOUT__APPOINTMENT_STATUS__EN_ROUTE)
        return;
    words->items[place] = words->items[--words->count];
}
