/* piles.h - rows of an open batch that are written together, by one statement for each table.
 *
 * Idea: a statement costs as much to begin and to end as its row costs to write, and each finds its
 * way from the root of the table to its end anew. So the rows of a batch are piled up, and one
 * statement reads the pile as a table of its own and adds all of it:
 *
 *      INSERT OR FAIL INTO fact SELECT ... FROM pile_fact
 *
 * Tables that only grow have a pile for that. Of the tables whose rows are kept (kept_rows.h) the
 * rows that are due are lent to theirs at the end, and replace what is there.
 *
 * Whatever makes such a statement fail (a key that is there already, a rule in the file), some of
 * the rows may have been written: then each is to be put by a statement of its own.
 *
 * Owner: the store that opened them; rows are copied. Nothing is piled up outside a batch. The
 * tables of piles are for the connection alone, and in no file.
 */
#ifndef CALLOUT_STORE_PILES_H
#define CALLOUT_STORE_PILES_H

#include "dispatcher/core/row.h"

#include <sqlite3.h>

struct piles;

/* Makes the piles known to a connection, before its first statement; they are closed when all
 * statements are finalized. */
struct piles *piles_open(sqlite3 *db);
void piles_close(struct piles *piles);

/* Is this a table that only grows, and has a pile? */
bool piles_have(enum row_kind kind);
/* Adds a copy; false: the pile is full, and is to be written first. */
bool piles_add(struct piles *piles, enum row_kind kind, const void *row);
/* Adds a row of a table whose rows are kept; it is borrowed until the pile is cleared. */
void piles_lend(struct piles *piles, enum row_kind kind, const void *row);
uint32_t piles_count(const struct piles *piles, enum row_kind kind);
/* Borrowed until it is cleared; number < count. */
const void *piles_row(const struct piles *piles, enum row_kind kind, uint32_t number);
void piles_clear(struct piles *piles, enum row_kind kind);

#endif
