/* sorted.h - the rows of one table in key order, in memory.
 *
 * Idea: a sorted array cut into pages, so that an insertion moves at most one page of pointers;
 * a row is found by two binary searches. Rows that arrive in key order fill pages to the brim.
 * Owner: the list does not own the rows. A place is good until the next insertion or removal.
 */
#ifndef CALLOUT_STORE_SORTED_H
#define CALLOUT_STORE_SORTED_H

#include "dispatcher/core/row.h"

struct sorted_page;

struct sorted {
    const struct row_table *table;
    struct sorted_page **pages; /* none of them is empty */
    uint32_t page_count, page_room;
    uint64_t row_count;
};

struct sorted_place {
    uint32_t page, index;
};

void sorted_init(struct sorted *sorted, const struct row_table *table);
void sorted_fini(struct sorted *sorted);

/* The place of the first row whose first `columns` key columns are not below those of `key`;
 * `after`: are above them. */
struct sorted_place sorted_seek(const struct sorted *sorted, const void *key, uint32_t columns,
                                bool after);
/* The row there, NULL at the end. */
void *sorted_at(const struct sorted *sorted, struct sorted_place place);
/* The last row, NULL when there is none. */
void *sorted_last(const struct sorted *sorted);
struct sorted_place sorted_next(const struct sorted *sorted, struct sorted_place place);

/* Puts a row before the one at `place`, which must be where sorted_seek would put its full key. */
void sorted_insert(struct sorted *sorted, struct sorted_place place, void *row);
/* Both return the row that was there. */
void *sorted_replace(struct sorted *sorted, struct sorted_place place, void *row);
void *sorted_remove(struct sorted *sorted, struct sorted_place place);

#endif
