/* line.h - a text, line by line and word by word, until the first thing that is wrong.
 *
 * Idea: after a mistake every call does nothing and gives zeros, so that a reader is written
 * straight down and asks once at the end. Words are parted by one blank, lines end with a newline;
 * control characters are refused.
 */
#ifndef CALLOUT_OPTIMIZER_VERIFY_LINE_H
#define CALLOUT_OPTIMIZER_VERIFY_LINE_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct lines {
    char *at, *end; /* what is left of the text, which is cut into words in place */
    char *word;     /* what is left of the line; NULL: it is over */
    uint32_t number;
    enum err err;
    struct problem *problem;
    struct arena *memory;
};

/* Copies the text. */
void lines_open(struct lines *lines, const char *text, size_t size, struct arena *memory,
                struct problem *problem);

/* The first mistake counts. Returns false. */
bool line_wrong(struct lines *lines, enum err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Goes to the next line, whose first word must be `key`. */
bool line_begin(struct lines *lines, const char *key);
/* The same, if it is; else the line is still to come. */
bool line_begins(struct lines *lines, const char *key);
/* Nothing more stands in the line. */
bool line_over(struct lines *lines);

/* The next word, or NULL with a complaint that says what is missing. */
const char *line_word(struct lines *lines, const char *what);
/* Is there one more? */
bool line_more(const struct lines *lines);
/* The next word must be this one. */
bool line_expect(struct lines *lines, const char *word);
/* Takes the next word if it is this one. */
bool line_takes(struct lines *lines, const char *word);
int64_t line_number(struct lines *lines, const char *what, int64_t low, int64_t high);

/* Memory for what the text holds; ERR_TOO_LARGE when there is none, and then NULL. */
void *line_memory(struct lines *lines, size_t size);

#endif
