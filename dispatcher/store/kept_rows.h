/* kept_rows.h - rows that are asked for or put again and again, as they stand in their tables.
 *
 * Idea: with each Push its device's row is read and written, and each report puts its assignment,
 * mostly as it is already. A statement costs some hundred times what looking here does. Only tables
 * with one text for a key are kept, and of those only the ones named in kept_rows.c.
 *
 *   K1  a kept row is what a statement would read now, the open batch included
 *   K2  so whoever writes notes or forgets it, and a batch that is rolled back forgets everything
 *
 * Owner: the store that opened it; it is the only writer of its file. Rows handed out are borrowed
 * until the next note or forget. Memory: some thousand rows at most, a newer one takes the place of
 * an older.
 */
#ifndef CALLOUT_STORE_KEPT_ROWS_H
#define CALLOUT_STORE_KEPT_ROWS_H

#include "dispatcher/core/row.h"

struct kept_rows;

struct kept_rows *kept_rows_open(void);
void kept_rows_close(struct kept_rows *kept);

/* Of the kind and with the key of `key`, a struct of that kind; NULL: not known. */
const void *kept_rows_find(const struct kept_rows *kept, enum row_kind kind, const void *key);
/* Keeps a copy, if the kind is one that is kept. */
void kept_rows_note(struct kept_rows *kept, enum row_kind kind, const void *row);
void kept_rows_forget(struct kept_rows *kept, enum row_kind kind, const void *key);
void kept_rows_forget_all(struct kept_rows *kept);

#endif
