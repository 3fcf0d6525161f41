/* Whoever got SQL of his own into a statement could still not reach another file, nor load code,
 * nor change the schema behind SQLite's back (database_harden).
 */
#include "dispatcher/store/database.h"
#include "folder.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const forbidden[] = {
    "ATTACH ':memory:' AS other",
    "SELECT load_extension('mod_spatialite')",
    "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema",
};

static void a_statement_reaches_no_other_file_and_no_code(void **state)
{
    (void)state;
    struct database database;
    struct problem problem;
    char *folder = folder_make();
    assert_int_equal(database_open(&database, folder_file(folder, DATABASE_FILE), false, &problem),
                     ERR_OK);
    /* What is forbidden is possible before. */
    assert_int_equal(database_run(database.db, "CREATE TABLE one(x)", &problem), ERR_OK);
    assert_int_equal(database_run(database.db, forbidden[0], &problem), ERR_OK);
    assert_int_equal(database_run(database.db, "DETACH other", &problem), ERR_OK);
    assert_int_equal(database_harden(&database, &problem), ERR_OK);
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        assert_int_not_equal(database_run(database.db, forbidden[i], &problem), ERR_OK);
    char *said = NULL;
    int loaded = sqlite3_load_extension(database.db, "mod_spatialite", NULL, &said);
    assert_int_equal(loaded, SQLITE_ERROR);
    assert_string_equal(said, "not authorized");
    sqlite3_free(said);
    assert_int_equal(database_run(database.db, "SELECT x FROM one", &problem), ERR_OK);
    database_close(&database);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_reaches_no_other_file_and_no_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
