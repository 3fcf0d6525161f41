/* row_copy.h - what every store does with rows of any kind: compare their keys, keep copies.
 *
 * A copy is one piece of memory, texts and blobs included, and is given back with free(). In a copy
 * no text is NULL.
 */
#ifndef CALLOUT_STORE_ROW_COPY_H
#define CALLOUT_STORE_ROW_COPY_H

#include "dispatcher/core/row.h"

/* Orders two rows by their first `columns` key columns: numbers by value, texts by bytes. */
int row_compare(const struct row_table *table, const void *a, const void *b, uint32_t columns);

/* Are all columns equal? */
bool row_same(const struct row_table *table, const void *a, const void *b);

void *row_copy(const struct row_table *table, const void *row);
/* How many bytes a copy takes. */
size_t row_size(const struct row_table *table, const void *row);

#endif
