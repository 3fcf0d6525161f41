#include "dispatcher/store/row_copy.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static int column_compare(const struct row_column *column, const void *a, const void *b)
{
    if (column->type == COLUMN_TEXT) return strcmp(row_text(a, column), row_text(b, column));
    int64_t left = row_int(a, column), right = row_int(b, column);
    return (left > right) - (left < right);
}

int row_compare(const struct row_table *table, const void *a, const void *b, uint32_t columns)
{
    int order = 0;
    for (uint32_t i = 0; i < columns && order == 0; i++) {
        order = column_compare(&table->columns[i], a, b);
    }
    return order;
}

static bool blob_same(struct blob a, struct blob b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}

bool row_same(const struct row_table *table, const void *a, const void *b)
{
    bool same = true;
    for (uint32_t i = 0; i < table->column_count && same; i++) {
        const struct row_column *column = &table->columns[i];
        if (column->type == COLUMN_BLOB)
            same = blob_same(row_blob(a, column), row_blob(b, column));
        else
            same = column_compare(column, a, b) == 0;
    }
    return same;
}

size_t row_size(const struct row_table *table, const void *row)
{
    size_t size = table->size;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct row_column *column = &table->columns[i];
        if (column->type == COLUMN_TEXT) size += strlen(row_text(row, column)) + 1;
        if (column->type == COLUMN_BLOB) size += row_blob(row, column).size;
    }
    return size;
}

/* Moves one text or blob of the copy into the copy's own tail; returns where the tail goes on. */
static char *tail_take(void *copy, const struct row_column *column, char *tail)
{
    void *place = (char *)copy + column->offset;
    if (column->type == COLUMN_TEXT) {
        size_t size = strlen(row_text(copy, column)) + 1;
        memcpy(tail, row_text(copy, column), size);
        memcpy(place, &tail, sizeof tail);
        return tail + size;
    }
    struct blob blob = row_blob(copy, column);
    if (blob.size > 0) memcpy(tail, blob.bytes, blob.size);
    blob.bytes = tail;
    memcpy(place, &blob, sizeof blob);
    return tail + blob.size;
}

void *row_copy(const struct row_table *table, const void *row)
{
    char *copy = malloc(row_size(table, row));
    CHECK(copy != NULL);
    memcpy(copy, row, table->size);
    char *tail = copy + table->size;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct row_column *column = &table->columns[i];
        if (column->type != COLUMN_INT) tail = tail_take(copy, column, tail);
    }
    return copy;
}
