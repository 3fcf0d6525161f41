/* row.h - the rows that the core wants stored, made from row.def: one struct row_<name> per table,
 * and a description of its columns for those who handle any row (stores, digest).
 *
 * Ownership: texts and blobs in a row are borrowed; NULL text means "".
 */
#ifndef CALLOUT_CORE_ROW_H
#define CALLOUT_CORE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob {
    const void *bytes;
    size_t size;
};

#define ROW_BEGIN(KIND, name, class) struct row_##name {
#define KEY_TEXT(column)             const char *column;
#define KEY_INT(column)              int64_t column;
#define TEXT(column)                 const char *column;
#define INT(column)                  int64_t column;
#define BLOB(column)                 struct blob column;
#define LOCATED                      int64_t lat_e7, lon_e7;
#define ROW_END                                                                                    \
    }                                                                                              \
    ;
#include "dispatcher/core/row.def"

#include "dispatcher/core/row_undef.h"

#define ROW_BEGIN(KIND, name, class) ROW_##KIND,
#include "dispatcher/core/row_blank.h"
enum row_kind {
#include "dispatcher/core/row.def"
    ROW_KINDS
};
#include "dispatcher/core/row_undef.h"

#define ROW_BEGIN(KIND, name, class) struct row_##name name;
#include "dispatcher/core/row_blank.h"
union row {
#include "dispatcher/core/row.def"
};
#include "dispatcher/core/row_undef.h"

/* What a work_order_technician row says: one of these must serve it, should, or must not. */
enum technician_wish { WISH_REQUIRED = 1, WISH_PREFERRED = 2, WISH_EXCLUDED = 3 };

/* What a conflict is about; the numbers are those of ConflictKind on the wire. */
enum conflict_kind {
    CONFLICT_NONE,
    CONFLICT_DONE_AFTER_CANCEL,
    CONFLICT_TAKEN_BACK,
    CONFLICT_BEGUN_BY_TWO,
    CONFLICT_ENDED_BEFORE,
    CONFLICT_ANSWERED_LATE,
    CONFLICT_NOT_IN_PROGRESS,
    CONFLICT_CHECKLIST_OPEN,
    CONFLICT_KINDS
};

/* What a visit_entry row is; stored. The needs are at ENTRY_NEED + NeedKind of the wire. */
enum entry_kind {
    ENTRY_ANSWER = 1, /* of item_id: text */
    ENTRY_NOTE = 2,
    ENTRY_PHOTO = 3,     /* text: what is on it */
    ENTRY_SIGNATURE = 4, /* text: who signed */
    ENTRY_NEED = 10,
};

/* What is to be known of a check-in's happened_us; bits. */
enum time_flag {
    TIME_UNCERTAIN = 1,
    TIME_CLAMPED = 2, /* it would have ended before it began */
    TIME_TOLD = 4,    /* to a dispatcher, who reported it */
};

enum row_class { ROW_NOUN, ROW_LOG, ROW_PRIVATE, ROW_TRACK };
enum column_type { COLUMN_TEXT, COLUMN_INT, COLUMN_BLOB };

struct row_column {
    const char *name;
    enum column_type type;
    bool key;      /* keys come first */
    bool located;  /* lat_e7 or lon_e7 of the POINT that a spatial store keeps beside the row */
    size_t offset; /* in the row's struct */
};

struct row_table {
    const char *name;
    enum row_class class;
    size_t size; /* of the row's struct */
    uint32_t column_count;
    const struct row_column *columns;
};

/* The description of a table; kind < ROW_KINDS. */
const struct row_table *row_table(enum row_kind kind);

static inline uint32_t row_key_count(const struct row_table *table)
{
    uint32_t count = 0;
    while (count < table->column_count && table->columns[count].key)
        count++;
    return count;
}
static inline bool row_located(const struct row_table *table)
{
    return table->columns[table->column_count - 1].located;
}

static inline const char *row_text(const void *row, const struct row_column *column)
{
    const char *text = *(const char *const *)(const void *)((const char *)row + column->offset);
    return text == NULL ? "" : text;
}
static inline int64_t row_int(const void *row, const struct row_column *column)
{
    return *(const int64_t *)(const void *)((const char *)row + column->offset);
}
static inline struct blob row_blob(const void *row, const struct row_column *column)
{
    return *(const struct blob *)(const void *)((const char *)row + column->offset);
}

/* A digest of one row, of all columns: the same for the same values, whoever stores it. The digest
 * of a table is the sum of its rows' digests, so the order of rows does not matter. */
uint64_t row_digest(enum row_kind kind, const void *row);

#endif
