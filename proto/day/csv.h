/* csv.h - comma-separated values by RFC 4180, strictly: what is not well-formed is said, not
 * guessed.
 *
 * A byte-order mark at the start is passed over; lines end in LF or CRLF; a field in quotes may
 * hold commas, line ends and doubled quotes. NUL, a quote inside a bare field, and text behind a
 * closing quote are errors. Empty lines are passed over.
 *
 * Owner: the text is borrowed for as long as the reader is used; fields are copies in the reader
 * and live until the next csv_next. Thread: any, one at a time.
 */
#ifndef CALLOUT_DAY_CSV_H
#define CALLOUT_DAY_CSV_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { CSV_FIELDS_MAX = 64, CSV_ROW_BYTES = 16 * 1024 };

struct csv {
    const char *at, *end;
    unsigned line; /* of the row that csv_next gave, counted from 1; a row may span lines */
    unsigned next_line;
    size_t field_count;
    const char *fields[CSV_FIELDS_MAX];
    char bytes[CSV_ROW_BYTES];
};

void csv_open(struct csv *csv, const char *text, size_t size);
/* The next row; false at the end. A row that cannot be read is passed over and *err set
 * (ERR_INVALID or ERR_TOO_LARGE, with the problem's text); reading goes on behind it. */
bool csv_next(struct csv *csv, enum err *err, struct problem *problem);

#endif
