/* words.h - a text of words and numbers, read line by line; what is wrong is named by line and
 * field.
 *
 * Blanks, tabs and carriage returns part words, whichever and however many. The first thing wrong
 * ends it: the reader remembers that and gives zeros from then on, so that several numbers can be
 * asked for one after another and the outcome once.
 *
 * Owner: the text and the problem are borrowed for as long as the reader is used. Thread: any.
 */
#ifndef CALLOUT_OPTIMIZER_WORDS_H
#define CALLOUT_OPTIMIZER_WORDS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct words {
    const char *at, *end; /* what is left of this line begins at `at` */
    uint32_t line;        /* from 1; 0: none was taken yet */
    enum err err;         /* the first one */
    struct problem *problem;
};

struct word {
    const char *text; /* not terminated */
    size_t size;
};

/* A number as a field wants it: `decimals` digits behind its point are kept, so that 2.5 with one
 * is 25; further ones must be 0. The bounds are of the whole part. */
struct number {
    const char *name;
    int decimals;
    int64_t low, high;
};

void words_open(struct words *words, const char *text, size_t size, struct problem *problem);

/* On to the next line that has a word; false at the end of the text, or after an error. */
bool words_line(struct words *words);
/* The next word of this line; false at its end. words_peek leaves it there. */
bool words_next(struct words *words, struct word *word);
bool words_peek(const struct words *words, struct word *word);

/* What stands before the colon of this line, or its first word; the colon is passed over. */
bool words_key(struct words *words, struct word *key);

/* The next word of this line as a number; 0 and an error if it is none or out of its bounds. */
int64_t words_number(struct words *words, const struct number *want);
/* An error if there is anything more on this line. */
void words_line_ends(struct words *words, const char *name);

/* Remembers what is wrong, unless something was before. Returns words->err. */
enum err words_refuse(struct words *words, enum err err, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Is it that word, in capitals or not? */
bool word_is(struct word word, const char *text);
bool word_begins_number(struct word word);

/* For messages: a part of it, without what a terminal would not show. */
enum { WORD_SHOWN = 24 };
void word_show(struct word word, char shown[WORD_SHOWN + 1]);

#endif
