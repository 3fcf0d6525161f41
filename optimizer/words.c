#include "optimizer/words.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS_MAX = 15 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void words_open(struct words *words, const char *text, size_t size, struct problem *problem)
{
    *words = (struct words){text, text + size, 0, ERR_OK, problem};
}

/* --- lines and words ------------------------------------------------------------------------- */

bool words_peek(const struct words *words, struct word *word)
{
    const char *at = words->at;
    if (words->err != ERR_OK || words->line == 0) return false;
    while (at < words->end && is_blank(*at))
        at++;
    const char *begin = at;
    while (at < words->end && !is_blank(*at) && *at != '\n')
        at++;
    if (at == begin) return false;
    *word = (struct word){begin, (size_t)(at - begin)};
    return true;
}

bool words_next(struct words *words, struct word *word)
{
    if (!words_peek(words, word)) return false;
    words->at = word->text + word->size;
    return true;
}

bool words_key(struct words *words, struct word *key)
{
    if (!words_peek(words, key)) return false;
    const char *colon = memchr(key->text, ':', key->size);
    if (colon != NULL) key->size = (size_t)(colon - key->text);
    words->at = key->text + key->size;
    while (words->at < words->end && is_blank(*words->at))
        words->at++;
    if (words->at < words->end && *words->at == ':') words->at++;
    return true;
}

bool words_line(struct words *words)
{
    struct word word;
    if (words->err != ERR_OK) return false;
    if (words->line == 0) {
        words->line = 1;
        if (words_peek(words, &word)) return true;
    }
    do {
        while (words->at < words->end && *words->at != '\n')
            words->at++;
        if (words->at == words->end) return false;
        words->at++;
        words->line++;
    } while (!words_peek(words, &word));
    return true;
}

void words_line_ends(struct words *words, const char *name)
{
    struct word word;
    if (words_peek(words, &word))
        words_refuse(words, ERR_INVALID, name, "there is more on this line than belongs there");
}

/* --- what is wrong --------------------------------------------------------------------------- */

enum err words_refuse(struct words *words, enum err err, const char *name, const char *format, ...)
{
    if (words->err != ERR_OK) return words->err;
    char field[96], text[200];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    snprintf(field, sizeof field, "line %" PRIu32 ", %s", words->line, name);
    return words->err = problem_set(words->problem, err, field, "%s", text);
}

/* A number in words: 25 with one decimal is 2.5. */
static void refuse_number(struct words *words, const struct number *want, struct word found)
{
    char shown[WORD_SHOWN + 1];
    word_show(found, shown);
    char decimals[60] = "";
    if (want->decimals > 0)
        snprintf(decimals, sizeof decimals, " and %d digits behind the point", want->decimals);
    words_refuse(words, ERR_INVALID, want->name,
                 "must be a %snumber from %" PRId64 " to %" PRId64 "%s, not \"%s\"",
                 want->decimals == 0 ? "whole " : "", want->low, want->high, decimals, shown);
}

/* --- numbers --------------------------------------------------------------------------------- */

static bool read_number(struct word word, int decimals, int64_t *out)
{
    const char *at = word.text, *end = at + word.size;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at == end || !is_digit(*at)) return false;
    int64_t value = 0;
    int digits = 0;
    for (; at < end && is_digit(*at); at++) {
        if (++digits > DIGITS_MAX) return false;
        value = value * 10 + (*at - '0');
    }
    if (at < end && *at == '.') at++;
    for (int i = 0; i < decimals; i++) {
        bool more = at < end && is_digit(*at);
        value = value * 10 + (more ? *at++ - '0' : 0);
    }
    while (at < end && *at == '0')
        at++;
    if (at < end) return false;
    *out = negative ? -value : value;
    return true;
}

int64_t words_number(struct words *words, const struct number *want)
{
    struct word word;
    int64_t value, scale = 1;
    CHECK(want->decimals >= 0 && want->decimals <= 3);
    for (int i = 0; i < want->decimals; i++)
        scale *= 10;
    if (!words_next(words, &word)) {
        words_refuse(words, ERR_INVALID, want->name, "is missing");
        return 0;
    }
    if (read_number(word, want->decimals, &value) && value >= want->low * scale &&
        value <= want->high * scale)
        return value;
    refuse_number(words, want, word);
    return 0;
}

/* --- words ----------------------------------------------------------------------------------- */

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool word_is(struct word word, const char *text)
{
    if (strlen(text) != word.size) return false;
    for (size_t i = 0; i < word.size; i++) {
        if (upper(word.text[i]) != upper(text[i])) return false;
    }
    return true;
}

bool word_begins_number(struct word word)
{
    char first = word.text[0];
    return is_digit(first) || first == '-' || first == '+' || first == '.';
}

void word_show(struct word word, char shown[WORD_SHOWN + 1])
{
    size_t count = word.size < WORD_SHOWN ? word.size : WORD_SHOWN;
    for (size_t i = 0; i < count; i++)
        shown[i] = word.text[i] > ' ' && word.text[i] < 127 ? word.text[i] : '?';
    shown[count] = '\0';
}
