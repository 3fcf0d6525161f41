#include "dispatcher/store/piles.h"

#include "base/check.h"
#include "dispatcher/store/kept_rows.h"
#include "dispatcher/store/row_copy.h"
#include "dispatcher/store/sql.h"

#include <assert.h>
#include <stdlib.h>

enum {
    PILE_MAX = 8192,
    PILE_BYTES_MAX = 4 << 20, /* and one row more */
};

struct pile {
    enum row_kind kind;
    uint32_t count;
    size_t bytes;
    const void *rows[PILE_MAX]; /* copies (row_copy.h), or lent */
};

static const enum row_kind piled[] = {ROW_FACT,           ROW_CHANGE, ROW_CHECK_IN,
                                      ROW_COMMAND_RESULT, ROW_DEVICE, ROW_ASSIGNMENT,
                                      ROW_APPOINTMENT};
enum { PILES = sizeof piled / sizeof piled[0] };

struct piles {
    struct pile piles[PILES];
};

/* --- a pile as a table that SQLite reads from its first row to its last --- */

struct pile_table {
    sqlite3_vtab base;
    const struct pile *pile;
};

struct pile_cursor {
    sqlite3_vtab_cursor base;
    const struct pile *pile;
    uint32_t at;
};

static struct pile_cursor *cursor_of(sqlite3_vtab_cursor *cursor)
{
    return (struct pile_cursor *)cursor;
}

static int table_connect(sqlite3 *db, void *context, int argument_count,
                         const char *const *arguments, sqlite3_vtab **out, char **problem)
{
    (void)argument_count, (void)arguments, (void)problem;
    const struct pile *pile = context;
    struct sql sql;
    sql_init(&sql);
    sql_declare(&sql, pile->kind);
    int result = sqlite3_declare_vtab(db, sql.text);
    if (result != SQLITE_OK) return result;
    struct pile_table *table = sqlite3_malloc(sizeof *table);
    CHECK(table != NULL);
    *table = (struct pile_table){.pile = pile};
    *out = &table->base;
    return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

static int table_plan(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    info->estimatedCost = PILE_MAX;
    return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
    struct pile_cursor *cursor = sqlite3_malloc(sizeof *cursor);
    CHECK(cursor != NULL);
    *cursor = (struct pile_cursor){.pile = ((struct pile_table *)table)->pile};
    *out = &cursor->base;
    return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int cursor_first(sqlite3_vtab_cursor *cursor, int plan, const char *name, int value_count,
                        sqlite3_value **values)
{
    (void)plan, (void)name, (void)value_count, (void)values;
    cursor_of(cursor)->at = 0;
    return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *cursor)
{
    cursor_of(cursor)->at++;
    return SQLITE_OK;
}

static int cursor_at_end(sqlite3_vtab_cursor *cursor)
{
    return cursor_of(cursor)->at >= cursor_of(cursor)->pile->count;
}

/* The rows stay where they are until the statement has ended. */
static int cursor_column(sqlite3_vtab_cursor *cursor, sqlite3_context *out, int at)
{
    const struct pile *pile = cursor_of(cursor)->pile;
    const void *row = pile->rows[cursor_of(cursor)->at];
    const struct row_column *column = &row_table(pile->kind)->columns[at];
    if (column->type == COLUMN_INT) {
        sqlite3_result_int64(out, row_int(row, column));
    } else if (column->type == COLUMN_TEXT) {
        sqlite3_result_text(out, row_text(row, column), -1, SQLITE_STATIC);
    } else {
        struct blob blob = row_blob(row, column);
        sqlite3_result_blob64(out, blob.size == 0 ? "" : blob.bytes, blob.size, SQLITE_STATIC);
    }
    return SQLITE_OK;
}

static int cursor_row_id(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out)
{
    *out = cursor_of(cursor)->at;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = table_connect, /* without xCreate it is there by its name, and cannot be made */
    .xBestIndex = table_plan,
    .xDisconnect = table_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_first,
    .xNext = cursor_next,
    .xEof = cursor_at_end,
    .xColumn = cursor_column,
    .xRowid = cursor_row_id,
};

/* --- piling up --- */

static_assert((uint32_t)KEPT_DUE_MAX <= PILE_MAX, "all that is due is lent at once");

static uint32_t place_of(enum row_kind kind)
{
    uint32_t place = 0;
    while (place < PILES && piled[place] != kind)
        place++;
    return place;
}

struct piles *piles_open(sqlite3 *db)
{
    struct piles *piles = calloc(1, sizeof *piles);
    CHECK(piles != NULL);
    for (uint32_t i = 0; i < PILES; i++) {
        struct sql name;
        sql_init(&name);
        sql_add(&name, SQL_PILE("%s"), row_table(piled[i])->name);
        piles->piles[i].kind = piled[i];
        int result = sqlite3_create_module_v2(db, name.text, &module, &piles->piles[i], NULL);
        CHECK(result == SQLITE_OK);
    }
    return piles;
}

void piles_close(struct piles *piles)
{
    if (piles == NULL) return;
    for (uint32_t i = 0; i < PILES; i++)
        piles_clear(piles, piled[i]);
    free(piles);
}

bool piles_have(enum row_kind kind)
{
    return place_of(kind) < PILES && !kept_rows_keep(kind);
}

bool piles_add(struct piles *piles, enum row_kind kind, const void *row)
{
    struct pile *pile = &piles->piles[place_of(kind)];
    if (pile->count == PILE_MAX || pile->bytes > PILE_BYTES_MAX) return false;
    pile->bytes += row_size(row_table(kind), row);
    pile->rows[pile->count++] = row_copy(row_table(kind), row);
    return true;
}

void piles_lend(struct piles *piles, enum row_kind kind, const void *row)
{
    CHECK(kept_rows_keep(kind) && place_of(kind) < PILES);
    struct pile *pile = &piles->piles[place_of(kind)];
    CHECK(pile->count < PILE_MAX);
    pile->rows[pile->count++] = row;
}

uint32_t piles_count(const struct piles *piles, enum row_kind kind)
{
    return place_of(kind) < PILES ? piles->piles[place_of(kind)].count : 0;
}

const void *piles_row(const struct piles *piles, enum row_kind kind, uint32_t number)
{
    const struct pile *pile = &piles->piles[place_of(kind)];
    CHECK(number < pile->count);
    return pile->rows[number];
}

void piles_clear(struct piles *piles, enum row_kind kind)
{
    if (place_of(kind) == PILES) return;
    struct pile *pile = &piles->piles[place_of(kind)];
    for (uint32_t i = 0; i < pile->count && !kept_rows_keep(kind); i++)
        free((void *)(uintptr_t)pile->rows[i]);
    pile->count = 0;
    pile->bytes = 0;
}
