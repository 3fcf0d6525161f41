/* words.h - a text where protobuf-c's structs want one that could be written to. */
#ifndef CALLOUT_TESTS_WORDS_H
#define CALLOUT_TESTS_WORDS_H

#include "base/borrowed.h"

static inline char *words(const char *text)
{
    return borrowed(text);
}

#endif
