#include "base/nearest.h"

#include <string.h>

enum { WORD_MAX = 63 };

/* How many letters to change, add or leave out (Levenshtein); longer words are far from all. */
static size_t letters_apart(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1];
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > WORD_MAX || b_length > WORD_MAX) return WORD_MAX;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_length];
}

const char *nearest_word(const char *word, const char *const *words, size_t count)
{
    const char *nearest = NULL;
    size_t third = strlen(word) / 3;
    size_t near_enough = third < 2 ? 2 : third;
    for (size_t i = 0; i < count; i++) {
        size_t apart = letters_apart(word, words[i]);
        if (apart > near_enough || (nearest != NULL && apart == near_enough)) continue;
        near_enough = apart;
        nearest = words[i];
    }
    return nearest;
}
