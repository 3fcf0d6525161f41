#include "dispatcher/core/row.h"

#include "base/check.h"
#include "base/digest.h"

#include <string.h>

/* Each table is described inside a function of its own, where `here` can mean its struct. */
#define ROW_BEGIN(KIND, name, class)                                                               \
    static const struct row_table *table_##name(void)                                              \
    {                                                                                              \
        typedef struct row_##name here;                                                            \
        static const char table_name[] = #name;                                                    \
        enum { table_class = ROW_##class };                                                        \
        static const struct row_column columns[] = {
#define COLUMN(column, type, key, located) {#column, type, key, located, offsetof(here, column)},
#define KEY_TEXT(column)                   COLUMN(column, COLUMN_TEXT, true, false)
#define KEY_INT(column)                    COLUMN(column, COLUMN_INT, true, false)
#define TEXT(column)                       COLUMN(column, COLUMN_TEXT, false, false)
#define INT(column)                        COLUMN(column, COLUMN_INT, false, false)
#define BLOB(column)                       COLUMN(column, COLUMN_BLOB, false, false)
#define LOCATED                                                                                    \
    COLUMN(lat_e7, COLUMN_INT, false, true)                                                        \
    COLUMN(lon_e7, COLUMN_INT, false, true)
#define ROW_END                                                                                    \
    }                                                                                              \
    ;                                                                                              \
    static const struct row_table table = {table_name, (enum row_class)table_class, sizeof(here),  \
                                           sizeof columns / sizeof columns[0], columns};           \
    return &table;                                                                                 \
    }
#include "dispatcher/core/row.def"

#include "dispatcher/core/row_undef.h"

const struct row_table *row_table(enum row_kind kind)
{
    switch (kind) {
#define ROW_BEGIN(KIND, name, class)                                                               \
    case ROW_##KIND:                                                                               \
        return table_##name();
#include "dispatcher/core/row_blank.h"

#include "dispatcher/core/row.def"

#include "dispatcher/core/row_undef.h"
    case ROW_KINDS: break;
    }
    check_failed("a known kind of row", __FILE__, __LINE__);
}

uint64_t row_digest(enum row_kind kind, const void *row)
{
    const struct row_table *table = row_table(kind);
    struct digest digest = digest_start();
    digest_u64(&digest, (uint64_t)kind);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct row_column *column = &table->columns[i];
        if (column->type == COLUMN_INT) {
            digest_u64(&digest, (uint64_t)row_int(row, column));
        } else if (column->type == COLUMN_TEXT) {
            const char *text = row_text(row, column);
            digest_bytes(&digest, text, strlen(text));
        } else {
            struct blob blob = row_blob(row, column);
            digest_bytes(&digest, blob.bytes, blob.size);
        }
    }
    return digest.state;
}
