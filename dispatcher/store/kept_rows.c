#include "dispatcher/store/kept_rows.h"

#include "base/check.h"
#include "base/digest.h"
#include "dispatcher/store/row_copy.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 32768 }; /* a power of two; two rows of each of 16,384 technicians */

/* A row is in the slot that its key hashes to, or nowhere. */
struct kept_rows {
    struct slot {
        enum row_kind kind;
        bool due;
        void *row; /* a copy (row_copy.h); NULL: free */
    } slots[SLOTS];
    uint32_t due[KEPT_DUE_MAX]; /* slots, in the order in which they became so */
    uint32_t due_count;
};

bool kept_rows_keep(enum row_kind kind)
{
    return kind == ROW_DEVICE || kind == ROW_ASSIGNMENT || kind == ROW_APPOINTMENT;
}

struct kept_rows *kept_rows_open(void)
{
    struct kept_rows *kept = calloc(1, sizeof *kept);
    CHECK(kept != NULL);
    return kept;
}

void kept_rows_close(struct kept_rows *kept)
{
    if (kept == NULL) return;
    kept_rows_forget_all(kept);
    free(kept);
}

static uint32_t slot_of(enum row_kind kind, const void *row)
{
    const char *key = row_text(row, &row_table(kind)->columns[0]);
    struct digest digest = digest_start();
    digest_u64(&digest, kind);
    digest_bytes(&digest, key, strlen(key));
    return (uint32_t)(digest.state >> 32) & (SLOTS - 1);
}

static bool is_in(const struct slot *slot, enum row_kind kind, const void *key)
{
    return slot->row != NULL && slot->kind == kind &&
           row_compare(row_table(kind), slot->row, key, 1) == 0;
}

const void *kept_rows_find(const struct kept_rows *kept, enum row_kind kind, const void *key)
{
    if (!kept_rows_keep(kind)) return NULL;
    const struct slot *slot = &kept->slots[slot_of(kind, key)];
    return is_in(slot, kind, key) ? slot->row : NULL;
}

static void fill(struct slot *slot, enum row_kind kind, const void *row)
{
    void *copy = row_copy(row_table(kind), row); /* the row may be the one that is kept */
    free(slot->row);
    slot->kind = kind;
    slot->row = copy;
}

void kept_rows_note(struct kept_rows *kept, enum row_kind kind, const void *row)
{
    if (!kept_rows_keep(kind)) return;
    struct slot *slot = &kept->slots[slot_of(kind, row)];
    if (!slot->due) fill(slot, kind, row); /* K3 */
}

bool kept_rows_put(struct kept_rows *kept, enum row_kind kind, const void *row)
{
    uint32_t index = slot_of(kind, row);
    struct slot *slot = &kept->slots[index];
    if (slot->due ? !is_in(slot, kind, row) : kept->due_count == KEPT_DUE_MAX) return false;
    fill(slot, kind, row);
    if (!slot->due) kept->due[kept->due_count++] = index;
    slot->due = true;
    return true;
}

const void *kept_rows_due(const struct kept_rows *kept, uint32_t number, enum row_kind *kind)
{
    if (number >= kept->due_count) return NULL;
    const struct slot *slot = &kept->slots[kept->due[number]];
    *kind = slot->kind;
    return slot->row;
}

void kept_rows_written(struct kept_rows *kept)
{
    for (uint32_t i = 0; i < kept->due_count; i++)
        kept->slots[kept->due[i]].due = false;
    kept->due_count = 0;
}

void kept_rows_forget(struct kept_rows *kept, enum row_kind kind, const void *key)
{
    if (!kept_rows_keep(kind)) return;
    struct slot *slot = &kept->slots[slot_of(kind, key)];
    if (!is_in(slot, kind, key)) return;
    CHECK(!slot->due);
    free(slot->row);
    slot->row = NULL;
}

void kept_rows_forget_all(struct kept_rows *kept)
{
    kept_rows_written(kept);
    for (uint32_t i = 0; i < SLOTS; i++) {
        free(kept->slots[i].row);
        kept->slots[i].row = NULL;
    }
}
