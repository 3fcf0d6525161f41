/* fields.h - every section and key of a scenario's text: one table that the reader, the printer and
 * the list of keys share.
 *
 * Thread: any; nothing here changes.
 */
#ifndef CALLOUT_SIM_SCENARIO_FIELDS_H
#define CALLOUT_SIM_SCENARIO_FIELDS_H

#include "sim/scenario/scenario.h"

enum field_kind {
    FIELD_INT,     /* int32_t */
    FIELD_INTS,    /* int32_t x count */
    FIELD_TEXT,    /* char[count]; low: at least so many bytes */
    FIELD_CLOCK,   /* int32_t seconds of the day, as HH:MM */
    FIELD_SPAN,    /* int32_t seconds, as 1h30m, 90s */
    FIELD_SPAN_US, /* int64_t microseconds, written as FIELD_SPAN; bounds in seconds */
    FIELD_DATE,    /* int64_t days since 1970, as 2026-11-23 */
    FIELD_POINT,   /* struct point, as latitude and longitude in degrees */
    FIELD_WORD,    /* int32_t: place in `words` */
    FIELD_SPREAD,  /* struct spread */
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset; /* in its section's item */
    int32_t low, high;
    size_t count;             /* of numbers or bytes */
    const char *const *words; /* of FIELD_WORD, with NULL behind the last */
    const char *about;
};

struct section {
    const char *name;
    size_t offset; /* of the item, or of the first item, in struct scenario */
    const struct field *fields;
    size_t field_count;
    /* of sections that come several times, each with a name: [work repair] */
    bool repeats;
    size_t item_size, items_max;
    size_t count_offset; /* of the number of items in struct scenario; each begins with its name */
    const char *about;
};

extern const struct section sections[];
extern const size_t section_count;

/* Where the value of a field stands. */
static inline void *field_at(struct scenario *scenario, const struct section *section, size_t item,
                             const struct field *field)
{
    return (char *)scenario + section->offset + item * section->item_size + field->offset;
}

static inline size_t *section_items(struct scenario *scenario, const struct section *section)
{
    return (size_t *)(void *)((char *)scenario + section->count_offset);
}

/* What holds where a text says nothing. Skills, shifts and work types of it hold as long as a text
 * has no section of that kind. */
void scenario_defaults(struct scenario *out);

/* Reads `text` to *value (of the field's type). False: `why` (of `size` bytes) says what would be
 * right. */
bool field_read(const struct field *field, const char *text, void *value, char *why, size_t size);
enum { FIELD_PRINTED = 1200 };
char *field_print(const struct field *field, const void *value, char text[FIELD_PRINTED]);
/* The range that field_read takes, for people. */
char *field_range(const struct field *field, char text[FIELD_PRINTED]);

#endif
