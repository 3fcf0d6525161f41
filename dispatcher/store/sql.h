/* sql.h - the SQL of every table, made from its description (dispatcher/core/row.h).
 *
 * Parameters are numbered as the columns are: ?1 is the first one.
 */
#ifndef CALLOUT_STORE_SQL_H
#define CALLOUT_STORE_SQL_H

#include "dispatcher/core/row.h"

/* The geometry column of a located table, and the R*Tree on it. */
#define SQL_PLACE             "place"
#define SQL_PLACE_INDEX(name) "idx_" name "_" SQL_PLACE
/* The pile of a table (piles.h). */
#define SQL_PILE(name) "pile_" name

enum { SQL_SIZE = 4096 };

struct sql {
    char text[SQL_SIZE];
    size_t length;
};

static inline void sql_init(struct sql *sql)
{
    sql->text[0] = '\0';
    sql->length = 0;
}
void sql_add(struct sql *sql, const char *format, ...) __attribute__((format(printf, 2, 3)));

void sql_create_table(struct sql *sql, enum row_kind kind);
/* Keeps the R*Tree of a located table in step with lat_e7 and lon_e7. */
void sql_create_triggers(struct sql *sql, enum row_kind kind);

/* Inserts or replaces; in a located table the parameter after the last column is the POINT. */
void sql_put(struct sql *sql, enum row_kind kind);
/* Adds all rows of the table's pile; what is there already is replaced, or makes it fail. */
void sql_add_pile(struct sql *sql, enum row_kind kind, bool replace);
/* The table that a pile is to be. */
void sql_declare(struct sql *sql, enum row_kind kind);
void sql_erase(struct sql *sql, enum row_kind kind, uint32_t key_columns);
/* "SELECT all columns FROM table " in the order of the description. */
void sql_select(struct sql *sql, enum row_kind kind);
/* The rows of store_each, in key order. */
void sql_each(struct sql *sql, enum row_kind kind, uint32_t key_columns, bool after);

#endif
