/* words.h - what a technician said about his visits, ahead of what his phone's replica knows.
 *
 * Owner: a plain value; {0} is empty. Thread: one.
 */
#ifndef CALLOUT_SIM_WORDS_H
#define CALLOUT_SIM_WORDS_H

#include "base/limits.h"
#include "pb/field.pb-c.h"

#include <stdbool.h>
#include <stddef.h>

enum { WORDS_MAX = 256 };

struct word {
    char appointment_id[LIMIT_ID + 1];
    Callout__AppointmentStatus status;
    bool declined;
};

struct words {
    struct word items[WORDS_MAX]; /* the oldest goes when there is no room */
    size_t count;
};

const struct word *words_find(const struct words *words, const char *appointment_id);
/* Finds or makes it; borrowed until the next call. */
struct word *words_about(struct words *words, const char *appointment_id);
/* A visit that comes or goes starts anew, unless he is on it or done with it. */
void words_forget(struct words *words, const char *appointment_id);

#endif
