/* nearest.h - the word that somebody meant: for "did you mean" behind a word that does not exist.
 * Thread: any.
 */
#ifndef CALLOUT_BASE_NEAREST_H
#define CALLOUT_BASE_NEAREST_H

#include <stddef.h>

/* The word of `words` that is fewest letters (changed, added or left out) from `word`; NULL: none
 * is near enough to be meant, which is a third of the word's letters, and at least 2. */
const char *nearest_word(const char *word, const char *const *words, size_t count);

#endif
