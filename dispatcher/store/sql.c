#include "dispatcher/store/sql.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>

void sql_add(struct sql *sql, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = SQL_SIZE - sql->length;
    int length = vsnprintf(sql->text + sql->length, room, format, args);
    va_end(args);
    CHECK(length >= 0 && (size_t)length < room);
    sql->length += (size_t)length;
}

/* Adds the names of the columns [first, end). */
static void add_columns(struct sql *sql, const struct row_table *table, uint32_t first,
                        uint32_t end, const char *between)
{
    for (uint32_t i = first; i < end; i++) {
        sql_add(sql, "%s%s", i == first ? "" : between, table->columns[i].name);
    }
}

static void add_key(struct sql *sql, const struct row_table *table)
{
    add_columns(sql, table, 0, row_key_count(table), ", ");
}

/* One number as the key is SQLite's own row id. SpatiaLite needs a row id, too; all other tables
 * are kept in the order of their key. */
static bool has_row_id(const struct row_table *table)
{
    bool number = row_key_count(table) == 1 && table->columns[0].type == COLUMN_INT;
    return number || row_located(table);
}

void sql_create_table(struct sql *sql, enum row_kind kind)
{
    static const char *const types[] = {
        [COLUMN_TEXT] = "TEXT", [COLUMN_INT] = "INTEGER", [COLUMN_BLOB] = "BLOB"};
    const struct row_table *table = row_table(kind);
    sql_add(sql, "CREATE TABLE %s(\n", table->name);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct row_column *column = &table->columns[i];
        sql_add(sql, "  %s %s NOT NULL,\n", column->name, types[column->type]);
    }
    if (row_located(table)) sql_add(sql, "  " SQL_PLACE " BLOB NOT NULL,\n");
    sql_add(sql, "  PRIMARY KEY(");
    add_key(sql, table);
    sql_add(sql, ")\n) STRICT%s;\n", has_row_id(table) ? "" : ", WITHOUT ROWID");
}

/* Plain DELETE and INSERT: an OR REPLACE in a trigger gives way to the rule of the statement that
 * fired it. */
void sql_create_triggers(struct sql *sql, enum row_kind kind)
{
    static const char forget[] = "  DELETE FROM %s WHERE pkid = OLD.rowid;\n";
    static const char keep[] = "  INSERT INTO %s VALUES(NEW.rowid, NEW.lon_e7 / 1e7,\n"
                               "    NEW.lon_e7 / 1e7, NEW.lat_e7 / 1e7, NEW.lat_e7 / 1e7);\n";
    const char *name = row_table(kind)->name;
    char index[64];
    snprintf(index, sizeof index, SQL_PLACE_INDEX("%s"), name);
    sql_add(sql, "CREATE TRIGGER %s_came AFTER INSERT ON %s BEGIN\n", name, name);
    sql_add(sql, keep, index);
    sql_add(sql, "END;\nCREATE TRIGGER %s_moved AFTER UPDATE OF lat_e7, lon_e7 ON %s\n", name,
            name);
    sql_add(sql, "WHEN NEW.lat_e7 <> OLD.lat_e7 OR NEW.lon_e7 <> OLD.lon_e7 BEGIN\n");
    sql_add(sql, forget, index);
    sql_add(sql, keep, index);
    sql_add(sql, "END;\nCREATE TRIGGER %s_went AFTER DELETE ON %s BEGIN\n", name, name);
    sql_add(sql, forget, index);
    sql_add(sql, "END;\n");
}

/* A noun is often put as it stands already: then its page is not written. */
static void add_differs(struct sql *sql, const struct row_table *table)
{
    for (uint32_t i = row_key_count(table); i < table->column_count; i++) {
        const char *name = table->columns[i].name;
        bool first = i == row_key_count(table);
        sql_add(sql, "%s%s <> excluded.%s", first ? " WHERE " : " OR ", name, name);
    }
}

/* An UPSERT, not INSERT OR REPLACE: that would give the row a new row id and fire no DELETE
 * trigger, so that the R*Tree would keep the former place. */
void sql_put(struct sql *sql, enum row_kind kind)
{
    const struct row_table *table = row_table(kind);
    uint32_t keys = row_key_count(table);
    bool located = row_located(table);
    sql_add(sql, "INSERT INTO %s(", table->name);
    add_columns(sql, table, 0, table->column_count, ", ");
    sql_add(sql, "%s) VALUES(?1", located ? ", " SQL_PLACE : "");
    for (uint32_t i = 2; i <= table->column_count + (located ? 1 : 0); i++) {
        sql_add(sql, ", ?%u", i);
    }
    sql_add(sql, ") ON CONFLICT(");
    add_key(sql, table);
    sql_add(sql, keys == table->column_count ? ") DO NOTHING" : ") DO UPDATE SET ");
    for (uint32_t i = keys; i < table->column_count; i++) {
        const char *name = table->columns[i].name;
        sql_add(sql, "%s%s = excluded.%s", i == keys ? "" : ", ", name, name);
    }
    if (located) sql_add(sql, ", " SQL_PLACE " = excluded." SQL_PLACE);
    if (keys < table->column_count && table->class == ROW_NOUN) add_differs(sql, table);
}

void sql_add_pile(struct sql *sql, enum row_kind kind, bool replace)
{
    const struct row_table *table = row_table(kind);
    CHECK(!row_located(table));
    sql_add(sql, "INSERT OR %s INTO %s(", replace ? "REPLACE" : "FAIL", table->name);
    add_columns(sql, table, 0, table->column_count, ", ");
    sql_add(sql, ") SELECT ");
    add_columns(sql, table, 0, table->column_count, ", ");
    sql_add(sql, " FROM " SQL_PILE("%s"), table->name);
}

void sql_declare(struct sql *sql, enum row_kind kind)
{
    sql_add(sql, "CREATE TABLE pile(");
    add_columns(sql, row_table(kind), 0, row_table(kind)->column_count, ", ");
    sql_add(sql, ")");
}

static void add_where(struct sql *sql, const struct row_table *table, uint32_t key_columns,
                      bool after)
{
    for (uint32_t i = 0; i < key_columns + (after ? 1 : 0); i++) {
        sql_add(sql, " %s %s %s ?%u", i == 0 ? "WHERE" : "AND", table->columns[i].name,
                i < key_columns ? "=" : ">", i + 1);
    }
}

void sql_erase(struct sql *sql, enum row_kind kind, uint32_t key_columns)
{
    sql_add(sql, "DELETE FROM %s", row_table(kind)->name);
    add_where(sql, row_table(kind), key_columns, false);
}

void sql_select(struct sql *sql, enum row_kind kind)
{
    const struct row_table *table = row_table(kind);
    sql_add(sql, "SELECT ");
    add_columns(sql, table, 0, table->column_count, ", ");
    sql_add(sql, " FROM %s", table->name);
}

void sql_each(struct sql *sql, enum row_kind kind, uint32_t key_columns, bool after)
{
    sql_select(sql, kind);
    add_where(sql, row_table(kind), key_columns, after);
    sql_add(sql, " ORDER BY ");
    add_key(sql, row_table(kind));
}
