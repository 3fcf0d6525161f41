/* schema.h - the tables in the file, and how an older file gets them.
 *
 * Idea: a new file is made from row.def and has the newest version at once. Each change of row.def
 * after a release adds a step, plain SQL, that brings a file of the version before it to the same
 * tables; PRAGMA user_version says which steps a file has seen.
 */
#ifndef CALLOUT_STORE_SCHEMA_H
#define CALLOUT_STORE_SCHEMA_H

#include "base/err.h"

#include <sqlite3.h>

/* The first steps of a file's life: steps[v] leads from version v to v + 1; steps[0] is NULL, it
 * stands for making all tables anew. */
struct schema {
    int version; /* the newest, and the number of steps */
    const char *const *steps;
};

extern const struct schema schema_newest;

/* Brings the file to the schema's version in one transaction, after a copy of an older file was
 * written beside it (callout.db.v<version>). ERR_VERSION when the file is newer, or when its tables
 * are not those that row.def describes. */
MUST_USE enum err schema_prepare(sqlite3 *db, const char *folder, const struct schema *schema,
                                 struct problem *problem);
/* The same for one who may not write: whether it has the schema's version and tables. */
MUST_USE enum err schema_check(sqlite3 *db, const struct schema *schema, struct problem *problem);

#endif
