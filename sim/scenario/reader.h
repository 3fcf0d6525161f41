/* reader.h - what reading a scenario's text and checking the whole share: where each value was set,
 * and the list of what is wrong.
 */
#ifndef CALLOUT_SIM_SCENARIO_READER_H
#define CALLOUT_SIM_SCENARIO_READER_H

#include "sim/scenario/fields.h"

/* A key that was set. */
struct seen {
    const struct section *section;
    const struct field *field; /* NULL: the head of the section */
    size_t item;
    unsigned line; /* 0: an override */
    bool failed;   /* could not be read: the value is still the default */
};

struct reader {
    struct scenario *scenario;
    const char *name;
    struct day_errors *errors;
    unsigned line;                 /* 0: overrides */
    const struct section *section; /* of the lines that follow; NULL: an unknown one */
    size_t item;
    struct seen seen[SCENARIO_LINES_MAX + SCENARIO_SETS_MAX];
    size_t seen_count;
};

/* Something is wrong at the reader's line; `key` may be empty. */
void reader_complain(struct reader *reader, const char *section, const char *key,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Something is wrong with the value of a key, wherever it was set. */
void reader_complain_at(struct reader *reader, const char *section, size_t item, const char *key,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Was a key (or, with NULL, any head or key of the section) set? */
const struct seen *reader_seen(const struct reader *reader, const char *section, size_t item,
                               const char *key);

/* What only the whole can tell: bounds that must be in order, names that must exist, sizes. */
void reader_check(struct reader *reader);

#endif
