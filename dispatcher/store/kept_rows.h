/* kept_rows.h - rows that are asked for or put again and again, as they stand in their tables.
 *
 * Idea: with each Push its device's row is read and written, and each report puts its appointment
 * and its assignment, mostly as it is already. A statement costs some hundred times what looking
 * here does; so a row that is put is only noted, and written once, at the end of its batch. Only
 * tables with one text for a key are kept, and of those only the ones named in kept_rows.c.
 *
 *   K1  a kept row is what a statement would read now, were those that are due written
 *   K2  so whoever writes notes or forgets it, and a batch that is rolled back forgets everything
 *   K3  a row that is due stays until it is written, or the batch is rolled back
 *
 * Owner: the store that opened it; it is the only writer of its file. Rows handed out are borrowed
 * until the next note or forget. Memory: some thousand rows at most, a newer one takes the place of
 * an older.
 */
#ifndef CALLOUT_STORE_KEPT_ROWS_H
#define CALLOUT_STORE_KEPT_ROWS_H

#include "dispatcher/core/row.h"

struct kept_rows;

enum { KEPT_DUE_MAX = 8192 };

struct kept_rows *kept_rows_open(void);
void kept_rows_close(struct kept_rows *kept);

/* Of the kind and with the key of `key`, a struct of that kind; NULL: not known. */
const void *kept_rows_find(const struct kept_rows *kept, enum row_kind kind, const void *key);
bool kept_rows_keep(enum row_kind kind); /* is the kind one that is kept? */
/* Keeps a copy, if the kind is one that is kept. */
void kept_rows_note(struct kept_rows *kept, enum row_kind kind, const void *row);
/* The same, of a kind that is kept; it is due then. False: too much is due, and is to be written
 * first. */
bool kept_rows_put(struct kept_rows *kept, enum row_kind kind, const void *row);
/* The row of that number that is due, from 0, borrowed as above; NULL: there are no more. There are
 * KEPT_DUE_MAX at most. */
const void *kept_rows_due(const struct kept_rows *kept, uint32_t number, enum row_kind *kind);
void kept_rows_written(struct kept_rows *kept); /* all that were due */
void kept_rows_forget(struct kept_rows *kept, enum row_kind kind, const void *key);
void kept_rows_forget_all(struct kept_rows *kept);

#endif
