#include "base/utf8.h"

#include <stddef.h>
#include <string.h>

/* The length of the character at `at`, 0 if there is none. */
static size_t character_size(const char *at)
{
    unsigned char lead = (unsigned char)*at;
    size_t size = lead < 0x80 ? 1 : lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead >= 0xf5 || (lead >= 0x80 && lead < 0xc2)) return 0;
    for (size_t i = 1; i < size; i++)
        if (((unsigned char)at[i] & 0xc0) != 0x80) return 0;
    return size;
}

bool utf8_printable(const char *text)
{
    while (*text != '\0') {
        size_t size = character_size(text);
        bool control = (unsigned char)*text < 0x20 || *text == 0x7f;
        if (size == 0 || control) return false;
        text += size;
    }
    return true;
}

void utf8_mend(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0';) {
        size_t size = character_size(at);
        memmove(to, at, size);
        to += size;
        at += size == 0 ? 1 : size;
    }
    *to = '\0';
}
