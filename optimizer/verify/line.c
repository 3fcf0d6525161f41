#include "optimizer/verify/line.h"

#include "optimizer/verify/certificate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool line_wrong(struct lines *lines, enum err err, const char *format, ...)
{
    if (lines->err != ERR_OK) return false;
    lines->err = err;
    if (lines->problem == NULL) return false;
    va_list arguments;
    va_start(arguments, format);
    snprintf(lines->problem->field, sizeof lines->problem->field, "line %u", lines->number);
    vsnprintf(lines->problem->text, sizeof lines->problem->text, format, arguments);
    va_end(arguments);
    return false;
}

void *line_memory(struct lines *lines, size_t size)
{
    if (lines->err != ERR_OK) return NULL;
    void *memory = arena_take(lines->memory, size);
    if (memory == NULL) line_wrong(lines, ERR_TOO_LARGE, "takes more memory than there may be");
    return memory;
}

void lines_open(struct lines *lines, const char *text, size_t size, struct arena *memory,
                struct problem *problem)
{
    *lines = (struct lines){.problem = problem, .memory = memory};
    if (size > CERTIFICATE_BYTES_MAX) {
        line_wrong(lines, ERR_TOO_LARGE, "has %zu bytes, and %d are the limit", size,
                   (int)CERTIFICATE_BYTES_MAX);
        return;
    }
    char *copy = line_memory(lines, size + 1);
    if (copy == NULL) return;
    memcpy(copy, text, size);
    copy[size] = '\0';
    lines->at = copy;
    lines->end = copy + size;
}

/* Cuts the next line off and sees that it is one. */
static bool line_next(struct lines *lines)
{
    if (lines->err != ERR_OK) return false;
    lines->number++;
    char *stop = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    if (lines->at == lines->end) return line_wrong(lines, ERR_INVALID, "the text ends too soon");
    if (stop == NULL) return line_wrong(lines, ERR_INVALID, "has no newline at its end");
    for (const char *byte = lines->at; byte < stop; byte++) {
        if ((unsigned char)*byte < 0x20 || *byte == 0x7f)
            return line_wrong(lines, ERR_INVALID, "has a control character");
        bool blank = *byte == ' ';
        if (blank && (byte == lines->at || byte + 1 == stop || byte[1] == ' '))
            return line_wrong(lines, ERR_INVALID, "has a blank too many");
    }
    *stop = '\0';
    lines->word = lines->at;
    lines->at = stop + 1;
    return true;
}

bool line_more(const struct lines *lines)
{
    return lines->err == ERR_OK && lines->word != NULL;
}

const char *line_word(struct lines *lines, const char *what)
{
    if (lines->err != ERR_OK) return NULL;
    if (lines->word == NULL || lines->word[0] == '\0') {
        line_wrong(lines, ERR_INVALID, "%s is missing", what);
        return NULL;
    }
    char *word = lines->word, *blank = strchr(word, ' ');
    if (blank != NULL) *blank = '\0';
    lines->word = blank == NULL ? NULL : blank + 1;
    return word;
}

bool line_takes(struct lines *lines, const char *word)
{
    if (!line_more(lines)) return false;
    size_t length = strlen(word);
    if (strncmp(lines->word, word, length) != 0) return false;
    if (lines->word[length] != ' ' && lines->word[length] != '\0') return false;
    return line_word(lines, word) != NULL;
}

bool line_expect(struct lines *lines, const char *word)
{
    if (lines->err != ERR_OK) return false;
    if (line_takes(lines, word)) return true;
    if (lines->word == NULL) return line_wrong(lines, ERR_INVALID, "\"%s\" is missing", word);
    return line_wrong(lines, ERR_INVALID, "has \"%.*s\" where \"%s\" must stand",
                      (int)strcspn(lines->word, " ") > 40 ? 40 : (int)strcspn(lines->word, " "),
                      lines->word, word);
}

bool line_begin(struct lines *lines, const char *key)
{
    return line_next(lines) && line_expect(lines, key);
}

bool line_begins(struct lines *lines, const char *key)
{
    if (lines->err != ERR_OK) return false;
    size_t length = strlen(key), left = (size_t)(lines->end - lines->at);
    if (left <= length || memcmp(lines->at, key, length) != 0) return false;
    if (lines->at[length] != ' ' && lines->at[length] != '\n') return false;
    return line_begin(lines, key);
}

bool line_over(struct lines *lines)
{
    if (lines->err != ERR_OK) return false;
    if (lines->word == NULL) return true;
    return line_wrong(lines, ERR_INVALID, "does not end before \"%.40s\"", lines->word);
}

/* Digits, and a minus before them; at most 18, so that it is a number. */
static bool is_number(const char *word)
{
    const char *digits = word[0] == '-' ? word + 1 : word;
    size_t count = strspn(digits, "0123456789");
    bool plain = digits[0] != '0' || (count == 1 && digits == word);
    return count > 0 && count <= 18 && digits[count] == '\0' && plain;
}

static int64_t value_of(const char *word)
{
    int64_t value = 0;
    for (const char *digit = word[0] == '-' ? word + 1 : word; *digit != '\0'; digit++)
        value = value * 10 + (*digit - '0');
    return word[0] == '-' ? -value : value;
}

int64_t line_number(struct lines *lines, const char *what, int64_t low, int64_t high)
{
    const char *word = line_word(lines, what);
    if (word == NULL) return 0;
    if (!is_number(word) || value_of(word) < low || value_of(word) > high) {
        line_wrong(lines, ERR_INVALID, "%s is %.40s, and must be a number from %lld to %lld", what,
                   word, (long long)low, (long long)high);
        return 0;
    }
    return value_of(word);
}
