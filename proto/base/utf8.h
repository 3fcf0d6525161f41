/* utf8.h - is a text one that people can read, and does it stay one when it was cut? Overlong forms
 * and surrogates are left to the wire's stricter scan (proto/message.h). Thread: any.
 */
#ifndef CALLOUT_BASE_UTF8_H
#define CALLOUT_BASE_UTF8_H

#include <stdbool.h>

/* UTF-8 without control characters. */
bool utf8_printable(const char *text);

/* Takes out, in place, what is no whole character: where a text was made of others that were cut at
 * a number of bytes. A text that is not UTF-8 is one that no peer can decode. */
void utf8_mend(char *text);

#endif
