/* words.h - a text where protobuf-c's structs want one that could be written to. */
#ifndef CALLOUT_TESTS_WORDS_H
#define CALLOUT_TESTS_WORDS_H

static inline char *words(const char *text)
{
    union {
        const char *in;
        char *out;
    } view = {text};
    return view.out;
}

#endif
