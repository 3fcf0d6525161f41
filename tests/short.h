/* short.h - the short form of a long test, for runs that look at the code and not at the figures: a
 * sanitizer sees the same lines in a tenth of the days. CALLOUT_SHORT=1 in the environment asks.
 */
#ifndef CALLOUT_TESTS_SHORT_H
#define CALLOUT_TESTS_SHORT_H

#include <stdbool.h>
#include <stdlib.h>

static inline bool short_form(void)
{
    return getenv("CALLOUT_SHORT") != NULL;
}

/* At the start of a test whose lines others of its binary run, too. */
#define NOT_IN_SHORT_FORM()                                                                        \
    do {                                                                                           \
        if (short_form()) skip();                                                                  \
    } while (0)

#endif
