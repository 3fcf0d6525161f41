/* utf8.h - is a text from a file one that people can read? Overlong forms and surrogates are left
 * to the wire's stricter scan (proto/message.h). Thread: any.
 */
#ifndef CALLOUT_BASE_UTF8_H
#define CALLOUT_BASE_UTF8_H

#include <stdbool.h>

/* UTF-8 without control characters. */
bool utf8_printable(const char *text);

#endif
