/* The store in a SpatiaLite file. Every row is written and read by statements made from its
 * description (sql.h), one per (table, operation), prepared when first used.
 *
 *   I1  a statement is either in its slot or in use: whoever needs it meanwhile (a visitor that
 *       reads the same table) gets one of its own
 *   I2  after a failed fsync nothing that is in the page cache is known to be on the disk, and
 *       asking again may lie: no batch begins any more until the store was opened anew
 *   I3  a reader sees one moment: its transaction begins when it is opened and ends with it
 *   I4  a kept row is what a statement would read (kept_rows.h): a put or an erase notes or forgets
 *       it, a rollback forgets all
 *   I5  what a batch has put is written when it commits, or when a statement reads that table or
 *       erases from it; all of it is either kept and due, or in a pile (piles.h)
 */
#include "dispatcher/store/database.h"
#include "dispatcher/store/folder_lock.h"
#include "dispatcher/store/kept_rows.h"
#include "dispatcher/store/log_file.h"
#include "dispatcher/store/nearest.h"
#include "dispatcher/store/piles.h"
#include "dispatcher/store/place.h"
#include "dispatcher/store/row_copy.h"
#include "dispatcher/store/schema.h"
#include "dispatcher/store/sql.h"
#include "dispatcher/store/store_ops.h"

#include "base/check.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYS_MAX = 4 }; /* key columns of any table */

/* The statements of one table. */
enum slot {
    SLOT_PUT,
    SLOT_PILE,
    SLOT_ERASE_1, /* by the first key column, by the first two, ... */
    SLOT_EACH_0 = SLOT_ERASE_1 + KEYS_MAX,
    SLOT_AFTER_0 = SLOT_EACH_0 + KEYS_MAX + 1,
    SLOTS = SLOT_AFTER_0 + KEYS_MAX
};

/* The statements that belong to no one table. */
enum {
    EXTRA_LAST_FACT,
    EXTRA_CHANGES_OF,
    EXTRA_HISTORY_OF,
    EXTRA_ORDERS_OF, /* by the first link, by the second, ... */
    EXTRA_NEAREST = EXTRA_ORDERS_OF + ORDER_LINKS,
    EXTRAS
};

struct store_spatialite {
    struct store store;
    struct database database;
    int lock;   /* -1: a reader has none */
    bool dead;  /* an fsync failed (I2) */
    void *held; /* the row that the last get gave out */
    sqlite3_stmt *statements[ROW_KINDS][SLOTS];
    sqlite3_stmt *extras[EXTRAS];
    struct log_file *log;   /* SQLite's; NULL: a reader has none */
    struct kept_rows *kept; /* I4 */
    struct piles *piles;    /* I5 */
};

static struct store_spatialite *file_of(struct store *store)
{
    return (struct store_spatialite *)store;
}

static sqlite3 *db_of(struct store *store)
{
    return file_of(store)->database.db;
}

/* Keeps the words for the failure that SQLite just reported, and its meaning. */
static enum err failed(struct store *store, const char *doing)
{
    sqlite3 *db = db_of(store);
    int result = sqlite3_extended_errcode(db);
    snprintf(store->error_text, sizeof store->error_text, "%s (%d) in %s", sqlite3_errmsg(db),
             result, doing);
    if (result == SQLITE_IOERR_FSYNC || result == SQLITE_IOERR_DIR_FSYNC) {
        file_of(store)->dead = true;
    }
    return database_err(result);
}

/* --- statements ------------------------------------------------------------------------------ */

static enum err prepare(struct store *store, const char *sql, sqlite3_stmt **out)
{
    int result = sqlite3_prepare_v3(db_of(store), sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return result == SQLITE_OK ? ERR_OK : failed(store, sql);
}

static void sql_of_slot(struct sql *sql, enum row_kind kind, uint32_t slot)
{
    sql_init(sql);
    if (slot >= SLOT_AFTER_0) {
        sql_each(sql, kind, slot - SLOT_AFTER_0, true);
    } else if (slot >= SLOT_EACH_0) {
        sql_each(sql, kind, slot - SLOT_EACH_0, false);
    } else if (slot >= SLOT_ERASE_1) {
        sql_erase(sql, kind, slot - SLOT_ERASE_1 + 1);
    } else if (slot == SLOT_PILE) {
        sql_add_pile(sql, kind, kept_rows_keep(kind));
    } else {
        sql_put(sql, kind);
    }
}

static void sql_of_extra(struct sql *sql, uint32_t extra)
{
    sql_init(sql);
    if (extra == EXTRA_LAST_FACT) {
        sql_select(sql, ROW_FACT);
        sql_add(sql, " ORDER BY seq DESC LIMIT 1");
    } else if (extra == EXTRA_CHANGES_OF) { /* two indexes, each in order, merged */
        sql_select(sql, ROW_CHANGE);
        sql_add(sql, " WHERE owner_after = ?1 AND seq > ?2 UNION ALL ");
        sql_select(sql, ROW_CHANGE);
        sql_add(sql, " WHERE owner_before = ?1 AND seq > ?2 AND owner_before <> owner_after"
                     " ORDER BY seq, number");
    } else if (extra == EXTRA_HISTORY_OF) {
        sql_select(sql, ROW_CHANGE);
        sql_add(sql, " WHERE appointment_id = ?1 ORDER BY seq DESC, number DESC");
    } else if (extra < EXTRA_NEAREST) {
        static const char *const links[ORDER_LINKS] = {"site_id", "customer_id", "contact_id",
                                                       "asset_id"};
        const char *link = links[extra - EXTRA_ORDERS_OF];
        sql_select(sql, ROW_WORK_ORDER); /* "<> ''": as its index has it */
        sql_add(sql, " WHERE %s = ?1 AND %s <> '' ORDER BY work_order_id DESC", link, link);
    } else {
        sql_select(sql, ROW_POSITION);
        sql_add(sql,
                " WHERE rowid IN (SELECT pkid FROM " SQL_PLACE_INDEX(
                    "position") " WHERE xmin <= ?2 AND xmax >= ?1 AND ymin <= ?4 AND ymax >= ?3)");
    }
}

/* Takes a statement out of its slot, or makes it (I1). */
static enum err take(struct store *store, enum row_kind kind, uint32_t slot, sqlite3_stmt **out)
{
    sqlite3_stmt **place = &file_of(store)->statements[kind][slot];
    if (*place == NULL) {
        struct sql sql;
        sql_of_slot(&sql, kind, slot);
        return prepare(store, sql.text, out);
    }
    *out = *place;
    *place = NULL;
    return ERR_OK;
}

static enum err take_extra(struct store *store, uint32_t extra, sqlite3_stmt **out)
{
    sqlite3_stmt **place = &file_of(store)->extras[extra];
    if (*place == NULL) {
        struct sql sql;
        sql_of_extra(&sql, extra);
        return prepare(store, sql.text, out);
    }
    *out = *place;
    *place = NULL;
    return ERR_OK;
}

/* Puts it back. What was bound stays, and is not looked at before all of it is bound again. */
static void give(sqlite3_stmt **place, sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    if (*place == NULL) {
        *place = statement;
    } else {
        sqlite3_finalize(statement);
    }
}

static void give_back(struct store *store, enum row_kind kind, uint32_t slot,
                      sqlite3_stmt *statement)
{
    give(&file_of(store)->statements[kind][slot], statement);
}

static void give_back_extra(struct store *store, uint32_t extra, sqlite3_stmt *statement)
{
    give(&file_of(store)->extras[extra], statement);
}

/* --- rows in and out ------------------------------------------------------------------------- */

/* Binds the first `columns` columns; texts and blobs are borrowed until the statement is reset. */
static void bind_columns(sqlite3_stmt *statement, enum row_kind kind, const void *row,
                         uint32_t columns)
{
    const struct row_table *table = row_table(kind);
    for (uint32_t i = 0; i < columns; i++) {
        const struct row_column *column = &table->columns[i];
        int at = (int)i + 1, result = SQLITE_OK;
        if (column->type == COLUMN_INT) {
            result = sqlite3_bind_int64(statement, at, row_int(row, column));
        } else if (column->type == COLUMN_TEXT) {
            result = sqlite3_bind_text(statement, at, row_text(row, column), -1, SQLITE_STATIC);
        } else {
            struct blob blob = row_blob(row, column);
            result = blob.size == 0
                         ? sqlite3_bind_zeroblob(statement, at, 0)
                         : sqlite3_bind_blob64(statement, at, blob.bytes, blob.size, SQLITE_STATIC);
        }
        CHECK(result == SQLITE_OK);
    }
}

static void read_column(sqlite3_stmt *statement, int at, const struct row_column *column, void *row)
{
    void *place = (char *)row + column->offset;
    if (column->type == COLUMN_INT) {
        int64_t number = sqlite3_column_int64(statement, at);
        memcpy(place, &number, sizeof number);
    } else if (column->type == COLUMN_TEXT) {
        const char *text = (const char *)sqlite3_column_text(statement, at);
        CHECK(text != NULL);
        memcpy(place, &text, sizeof text);
    } else {
        struct blob blob = {.bytes = sqlite3_column_blob(statement, at)};
        blob.size = (size_t)sqlite3_column_bytes(statement, at);
        memcpy(place, &blob, sizeof blob);
    }
}

/* The row under the statement; its texts and blobs live until the next step. */
static void read_row(sqlite3_stmt *statement, enum row_kind kind, union row *row)
{
    const struct row_table *table = row_table(kind);
    for (uint32_t i = 0; i < table->column_count; i++) {
        read_column(statement, (int)i, &table->columns[i], row);
    }
}

static enum err step_write(struct store *store, enum row_kind kind, sqlite3_stmt *statement)
{
    int result = sqlite3_step(statement);
    return result == SQLITE_DONE ? ERR_OK : failed(store, row_table(kind)->name);
}

static enum err visit_rows(struct store *store, enum row_kind kind, sqlite3_stmt *statement,
                           store_visit *visit, void *context)
{
    for (;;) {
        union row row;
        int result = sqlite3_step(statement);
        if (result == SQLITE_DONE) return ERR_OK;
        if (result != SQLITE_ROW) return failed(store, row_table(kind)->name);
        read_row(statement, kind, &row);
        if (!visit(context, &row)) return ERR_OK;
    }
}

/* Copies a row into memory that is kept until the next get. */
static void hold(struct store *store, enum row_kind kind, const void *row, void *out)
{
    struct store_spatialite *file = file_of(store);
    free(file->held);
    file->held = row_copy(row_table(kind), row);
    memcpy(out, file->held, row_table(kind)->size);
}

/* Reads the one row of a statement. */
static enum err hold_row(struct store *store, enum row_kind kind, sqlite3_stmt *statement,
                         void *out)
{
    union row row;
    int result = sqlite3_step(statement);
    if (result == SQLITE_DONE) return ERR_NOT_FOUND;
    if (result != SQLITE_ROW) return failed(store, row_table(kind)->name);
    read_row(statement, kind, &row);
    hold(store, kind, &row, out);
    return ERR_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

static enum err write_row(struct store *store, enum row_kind kind, const void *row)
{
    const struct row_table *table = row_table(kind);
    sqlite3_stmt *statement = NULL;
    uint8_t place[PLACE_SIZE];
    enum err err = take(store, kind, SLOT_PUT, &statement);
    if (err != ERR_OK) return err;
    bind_columns(statement, kind, row, table->column_count);
    if (row_located(table)) {
        const struct row_column *lat = &table->columns[table->column_count - 2];
        place_encode(row_int(row, lat), row_int(row, lat + 1), place);
        int at = (int)table->column_count + 1;
        int result = sqlite3_bind_blob(statement, at, place, sizeof place, SQLITE_STATIC);
        CHECK(result == SQLITE_OK);
    }
    err = step_write(store, kind, statement);
    give_back(store, kind, SLOT_PUT, statement);
    return err;
}

/* What there is already is replaced, and what a rule refuses is told, by a statement for each row.
 */
static enum err write_pile_by_rows(struct store *store, enum row_kind kind)
{
    const struct piles *piles = file_of(store)->piles;
    enum err err = ERR_OK;
    for (uint32_t i = 0; i < piles_count(piles, kind) && err == ERR_OK; i++) {
        err = write_row(store, kind, piles_row(piles, kind, i));
    }
    return err;
}

static enum err write_pile(struct store *store, enum row_kind kind)
{
    struct piles *piles = file_of(store)->piles;
    sqlite3_stmt *statement = NULL;
    if (piles_count(piles, kind) == 0) return ERR_OK;
    enum err err = take(store, kind, SLOT_PILE, &statement);
    if (err != ERR_OK) return err;
    err = step_write(store, kind, statement);
    give_back(store, kind, SLOT_PILE, statement);
    if (err == ERR_CONFLICT) err = write_pile_by_rows(store, kind);
    piles_clear(piles, kind);
    return err;
}

static enum err write_kept(struct store *store)
{
    struct store_spatialite *file = file_of(store);
    enum row_kind kind;
    const void *row;
    enum err err = ERR_OK;
    for (uint32_t i = 0; (row = kept_rows_due(file->kept, i, &kind)) != NULL; i++) {
        piles_lend(file->piles, kind, row);
    }
    for (kind = 0; kind < ROW_KINDS && err == ERR_OK; kind++) {
        if (kept_rows_keep(kind)) err = write_pile(store, kind);
    }
    if (err == ERR_OK) kept_rows_written(file->kept);
    return err;
}

/* Before a statement looks at a table: it finds there what was put (I5). */
static enum err settle(struct store *store, enum row_kind kind)
{
    enum err err = ERR_OK;
    if (!store->in_batch) return ERR_OK;
    if (kept_rows_keep(kind)) err = write_kept(store);
    if (piles_have(kind)) err = write_pile(store, kind);
    if (err != ERR_OK && store->broken == ERR_OK) store->broken = err;
    return err;
}

static enum err settle_all(struct store *store)
{
    enum err err = write_kept(store);
    for (enum row_kind kind = 0; kind < ROW_KINDS && err == ERR_OK; kind++) {
        if (piles_have(kind)) err = write_pile(store, kind);
    }
    return err;
}

static enum err put_kept(struct store *store, enum row_kind kind, const void *row)
{
    struct kept_rows *kept = file_of(store)->kept;
    if (kept_rows_put(kept, kind, row)) return ERR_OK;
    enum err err = write_kept(store);
    if (err != ERR_OK) return err;
    bool put = kept_rows_put(kept, kind, row);
    CHECK(put);
    return ERR_OK;
}

static enum err put_on_pile(struct store *store, enum row_kind kind, const void *row)
{
    struct piles *piles = file_of(store)->piles;
    if (piles_add(piles, kind, row)) return ERR_OK;
    enum err err = write_pile(store, kind);
    if (err != ERR_OK) return err;
    bool added = piles_add(piles, kind, row);
    CHECK(added);
    return ERR_OK;
}

static enum err put_at_once(struct store *store, enum row_kind kind, const void *row)
{
    enum err err = write_row(store, kind, row);
    if (err == ERR_OK)
        kept_rows_note(file_of(store)->kept, kind, row);
    else
        kept_rows_forget(file_of(store)->kept, kind, row);
    return err;
}

static enum err spatialite_put(struct store *store, enum row_kind kind, const void *row)
{
    const void *known = kept_rows_find(file_of(store)->kept, kind, row);
    if (known != NULL && row_same(row_table(kind), known, row)) return ERR_OK;
    if (!store->at_once && kept_rows_keep(kind)) return put_kept(store, kind, row);
    if (!store->at_once && piles_have(kind)) return put_on_pile(store, kind, row);
    return put_at_once(store, kind, row);
}

static enum err spatialite_erase(struct store *store, enum row_kind kind, const void *key,
                                 uint32_t key_columns)
{
    uint32_t slot = SLOT_ERASE_1 + key_columns - 1;
    sqlite3_stmt *statement = NULL;
    enum err err = settle(store, kind);
    if (err == ERR_OK) err = take(store, kind, slot, &statement);
    if (err != ERR_OK) return err;
    bind_columns(statement, kind, key, key_columns);
    err = step_write(store, kind, statement);
    give_back(store, kind, slot, statement);
    kept_rows_forget(file_of(store)->kept, kind, key);
    return err;
}

/* --- batches --------------------------------------------------------------------------------- */

static enum err spatialite_begin(struct store *store)
{
    if (file_of(store)->dead) return ERR_IO;
    int result = sqlite3_exec(db_of(store), "BEGIN IMMEDIATE", NULL, NULL, NULL);
    return result == SQLITE_OK ? ERR_OK : failed(store, "begin");
}

static enum err spatialite_commit(struct store *store)
{
    enum err err = settle_all(store);
    if (err != ERR_OK) return err;
    int result = sqlite3_exec(db_of(store), "COMMIT", NULL, NULL, NULL);
    return result == SQLITE_OK ? ERR_OK : failed(store, "commit");
}

static void spatialite_sync_apart(struct store *store, void (*done)(void *context), void *context)
{
    log_file_sync_apart(file_of(store)->log, done, context);
}

static struct store_progress spatialite_progress(const struct store *store)
{
    const struct store_spatialite *file = (const struct store_spatialite *)store;
    return log_file_progress(file->log);
}

/* SQLite has rolled back by itself after some failures. */
static void spatialite_rollback(struct store *store)
{
    struct store_spatialite *file = file_of(store);
    sqlite3 *db = db_of(store);
    kept_rows_forget_all(file->kept);
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++) {
        piles_clear(file->piles, kind);
    }
    if (sqlite3_get_autocommit(db)) return;
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    if (!sqlite3_get_autocommit(db)) file->dead = true;
}

/* --- reading --------------------------------------------------------------------------------- */

static enum err spatialite_get(struct store *store, enum row_kind kind, const void *key,
                               union row *out)
{
    uint32_t keys = row_key_count(row_table(kind));
    const void *known = kept_rows_find(file_of(store)->kept, kind, key);
    sqlite3_stmt *statement = NULL;
    if (known != NULL) { /* it stays what it is until the next call */
        memcpy(out, known, row_table(kind)->size);
        return ERR_OK;
    }
    enum err err = piles_have(kind) ? settle(store, kind) : ERR_OK;
    if (err == ERR_OK) err = take(store, kind, SLOT_EACH_0 + keys, &statement);
    if (err != ERR_OK) return err;
    bind_columns(statement, kind, key, keys);
    err = hold_row(store, kind, statement, out);
    give_back(store, kind, SLOT_EACH_0 + keys, statement);
    if (err == ERR_OK) kept_rows_note(file_of(store)->kept, kind, out);
    return err;
}

static enum err spatialite_last_fact(struct store *store, struct row_fact *out)
{
    sqlite3_stmt *statement = NULL;
    enum err err = settle(store, ROW_FACT);
    if (err == ERR_OK) err = take_extra(store, EXTRA_LAST_FACT, &statement);
    if (err != ERR_OK) return err;
    err = hold_row(store, ROW_FACT, statement, out);
    give_back_extra(store, EXTRA_LAST_FACT, statement);
    return err;
}

static enum err spatialite_each(struct store *store, enum row_kind kind, const void *key,
                                uint32_t key_columns, bool after, store_visit *visit, void *context)
{
    uint32_t slot = (after ? SLOT_AFTER_0 : SLOT_EACH_0) + key_columns;
    sqlite3_stmt *statement = NULL;
    enum err err = settle(store, kind);
    if (err == ERR_OK) err = take(store, kind, slot, &statement);
    if (err != ERR_OK) return err;
    bind_columns(statement, kind, key, key_columns + (after ? 1 : 0));
    err = visit_rows(store, kind, statement, visit, context);
    give_back(store, kind, slot, statement);
    return err;
}

static enum err spatialite_changes_of(struct store *store, const char *technician_id,
                                      int64_t after_seq, store_visit *visit, void *context)
{
    sqlite3_stmt *statement = NULL;
    enum err err = settle(store, ROW_CHANGE);
    if (err == ERR_OK) err = take_extra(store, EXTRA_CHANGES_OF, &statement);
    if (err != ERR_OK) return err;
    int result = sqlite3_bind_text(statement, 1, technician_id, -1, SQLITE_STATIC);
    CHECK(result == SQLITE_OK);
    result = sqlite3_bind_int64(statement, 2, after_seq);
    CHECK(result == SQLITE_OK);
    err = visit_rows(store, ROW_CHANGE, statement, visit, context);
    give_back_extra(store, EXTRA_CHANGES_OF, statement);
    return err;
}

/* Visits the rows of an extra statement whose one parameter is an id. */
static enum err visit_of(struct store *store, uint32_t extra, enum row_kind kind, const char *id,
                         store_visit *visit, void *context)
{
    sqlite3_stmt *statement = NULL;
    enum err err = settle(store, kind);
    if (err == ERR_OK) err = take_extra(store, extra, &statement);
    if (err != ERR_OK) return err;
    int result = sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
    CHECK(result == SQLITE_OK);
    err = visit_rows(store, kind, statement, visit, context);
    give_back_extra(store, extra, statement);
    return err;
}

static enum err spatialite_history_of(struct store *store, const char *appointment_id,
                                      store_visit *visit, void *context)
{
    return visit_of(store, EXTRA_HISTORY_OF, ROW_CHANGE, appointment_id, visit, context);
}

static enum err spatialite_orders_of(struct store *store, enum order_link link, const char *id,
                                     store_visit *visit, void *context)
{
    return visit_of(store, EXTRA_ORDERS_OF + (uint32_t)link, ROW_WORK_ORDER, id, visit, context);
}

struct box {
    double lon_min, lon_max, lat_min, lat_max; /* degrees */
};

/* A box around all places within the radius; the whole earth when that would cross a pole or the
 * date line. */
static struct box box_around(struct point from, double radius_m)
{
    static const double m_per_degree = 111195.0, margin = 1.01;
    static const struct box earth = {-180, 180, -90, 90};
    double lat = (double)from.lat_e7 / 1e7, lon = (double)from.lon_e7 / 1e7;
    double half_lat = margin * radius_m / m_per_degree;
    double steepest = fabs(lat) + half_lat;
    if (steepest >= 89) return earth;
    double half_lon = half_lat / cos(steepest * 3.14159265358979 / 180);
    struct box box = {lon - half_lon, lon + half_lon, lat - half_lat, lat + half_lat};
    return box.lon_min < -180 || box.lon_max > 180 ? earth : box;
}

static bool offer_position(void *context, const void *row)
{
    nearest_offer(context, row);
    return true;
}

static enum err offer_box(struct store *store, struct box box, struct nearest *nearest)
{
    const double bounds[] = {box.lon_min, box.lon_max, box.lat_min, box.lat_max};
    sqlite3_stmt *statement = NULL;
    enum err err = take_extra(store, EXTRA_NEAREST, &statement);
    if (err != ERR_OK) return err;
    for (int i = 0; i < 4; i++) {
        int result = sqlite3_bind_double(statement, i + 1, bounds[i]);
        CHECK(result == SQLITE_OK);
    }
    err = visit_rows(store, ROW_POSITION, statement, offer_position, nearest);
    give_back_extra(store, EXTRA_NEAREST, statement);
    return err;
}

/* Boxes that grow until one is sure to hold all the nearest. */
static enum err spatialite_nearest(struct store *store, struct point from, uint32_t limit,
                                   store_visit *visit, void *context)
{
    enum err err = ERR_OK;
    bool complete = false;
    for (double radius_m = 2000; err == ERR_OK && !complete; radius_m *= 4) {
        struct box box = box_around(from, radius_m);
        struct nearest nearest;
        nearest_init(&nearest, from, limit);
        err = offer_box(store, box, &nearest);
        complete = nearest_complete(&nearest, radius_m) || box.lat_max >= 90;
        if (err == ERR_OK && complete) nearest_visit(&nearest, visit, context);
        nearest_fini(&nearest);
    }
    return err;
}

struct digest_sum {
    enum row_kind kind;
    uint64_t sum;
};

static bool add_digest(void *context, const void *row)
{
    struct digest_sum *digest = context;
    digest->sum += row_digest(digest->kind, row);
    return true;
}

static enum err spatialite_digest(struct store *store, uint64_t *out)
{
    struct digest_sum digest = {.sum = 0};
    enum err err = ERR_OK;
    for (enum row_kind kind = 0; kind < ROW_KINDS && err == ERR_OK; kind++) {
        digest.kind = kind;
        if (row_table(kind)->class != ROW_NOUN) continue;
        err = spatialite_each(store, kind, NULL, 0, false, add_digest, &digest);
    }
    if (err == ERR_OK) *out = digest.sum;
    return err;
}

static enum err spatialite_row_count(struct store *store, enum row_kind kind, uint64_t *out)
{
    char sql[128];
    int64_t count = 0;
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", row_table(kind)->name);
    enum err err = settle(store, kind);
    if (err != ERR_OK) return err;
    err = database_number(db_of(store), sql, &count, NULL);
    if (err != ERR_OK) return failed(store, sql);
    *out = (uint64_t)count;
    return ERR_OK;
}

/* --- verify ---------------------------------------------------------------------------------- */

static enum err expect_ok(sqlite3 *db, const char *sql, struct problem *problem)
{
    char text[200];
    enum err err = database_text(db, sql, text, sizeof text, problem);
    if (err == ERR_OK && strcmp(text, "ok") != 0) {
        err = problem_set(problem, ERR_INVALID, sql, "%s", text);
    }
    return err;
}

/* Each row's POINT is the one that its columns make. */
static enum err verify_points(sqlite3 *db, const char *name, struct problem *problem)
{
    char sql[128];
    sqlite3_stmt *statement = NULL;
    snprintf(sql, sizeof sql, "SELECT lat_e7, lon_e7, " SQL_PLACE ", rowid FROM %s", name);
    int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    bool same = true;
    int64_t row_id = 0;
    while (result == SQLITE_OK && same && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        uint8_t place[PLACE_SIZE];
        place_encode(sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1), place);
        same = sqlite3_column_bytes(statement, 2) == PLACE_SIZE &&
               memcmp(sqlite3_column_blob(statement, 2), place, PLACE_SIZE) == 0;
        row_id = sqlite3_column_int64(statement, 3);
        result = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    if (!same) {
        return problem_set(problem, ERR_INVALID, name,
                           "row %" PRId64 ": its POINT is not where its columns say", row_id);
    }
    if (result == SQLITE_DONE) return ERR_OK;
    return problem_set(problem, database_err(result), name, "%s", sqlite3_errstr(result));
}

/* The R*Tree is sound, holds every row's place (to a metre: it keeps 32-bit floats), and no more.
 */
static enum err verify_index(sqlite3 *db, const char *name, struct problem *problem)
{
    char sql[512], index[64];
    int64_t astray = 0;
    snprintf(index, sizeof index, SQL_PLACE_INDEX("%s"), name);
    snprintf(sql, sizeof sql, "SELECT rtreecheck('%s')", index);
    enum err err = expect_ok(db, sql, problem);
    if (err != ERR_OK) return err;
    snprintf(sql, sizeof sql,
             "SELECT (SELECT count(*) FROM %s) <> (SELECT count(*) FROM %s) OR EXISTS(SELECT 1"
             " FROM %s t LEFT JOIN %s i ON i.pkid = t.rowid WHERE i.pkid IS NULL"
             " OR abs(t.lon_e7 / 1e7 - i.xmin) > 4e-5 OR abs(t.lon_e7 / 1e7 - i.xmax) > 4e-5"
             " OR abs(t.lat_e7 / 1e7 - i.ymin) > 4e-5 OR abs(t.lat_e7 / 1e7 - i.ymax) > 4e-5)",
             name, index, name, index);
    err = database_number(db, sql, &astray, problem);
    if (err == ERR_OK && astray != 0) {
        err = problem_set(problem, ERR_INVALID, name, "the spatial index does not fit the rows");
    }
    return err;
}

static enum err spatialite_verify_file(struct store *store, struct problem *problem)
{
    sqlite3 *db = db_of(store);
    enum err err = expect_ok(db, "PRAGMA integrity_check(1)", problem);
    for (enum row_kind kind = 0; kind < ROW_KINDS && err == ERR_OK; kind++) {
        if (!row_located(row_table(kind))) continue;
        err = verify_points(db, row_table(kind)->name, problem);
        if (err == ERR_OK) err = verify_index(db, row_table(kind)->name, problem);
    }
    return err;
}

/* Nobody is waited for: who reads is asked again another time. */
static enum err spatialite_scrub(struct store *store)
{
    sqlite3 *db = db_of(store);
    sqlite3_busy_timeout(db, 0);
    int result = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(db, DATABASE_PATIENCE_MS);
    return result == SQLITE_OK ? ERR_OK : database_err(result);
}

/* --- backup ---------------------------------------------------------------------------------- */

/* Makes the folder, or takes one that is empty. */
static enum err take_empty_folder(const char *folder, struct problem *problem)
{
    if (mkdir(folder, 0700) == 0) return ERR_OK;
    DIR *listing = errno == EEXIST ? opendir(folder) : NULL;
    if (listing == NULL) return problem_set(problem, ERR_IO, folder, "%s", strerror(errno));
    bool empty = true;
    for (struct dirent *entry; empty && (entry = readdir(listing)) != NULL;) {
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    closedir(listing);
    return empty ? ERR_OK : problem_set(problem, ERR_CONFLICT, folder, "the folder is not empty");
}

/* Through a connection of its own, so that a batch that is not committed stays out of the copy. */
static enum err spatialite_backup(struct store *store, const char *folder, struct problem *problem)
{
    struct database database;
    const char *path = sqlite3_db_filename(db_of(store), "main");
    enum err err = take_empty_folder(folder, problem);
    if (err == ERR_OK) err = database_open(&database, path, true, problem);
    if (err != ERR_OK) return err;
    err = database_copy(database.db, folder, DATABASE_FILE, NULL, problem);
    database_close(&database);
    return err;
}

enum err store_restore(const char *backup, const char *folder, struct problem *problem)
{
    struct store *from = NULL;
    uint8_t epoch[8];
    char hex[2 * sizeof epoch + 1], sql[160];
    enum err err = store_open_reader(&from, backup, problem);
    if (err == ERR_OK) err = take_empty_folder(folder, problem);
    if (err == ERR_OK) {
        do {
            randombytes_buf(epoch, sizeof epoch);
        } while (sodium_is_zero(epoch, sizeof epoch));
        sodium_bin2hex(hex, sizeof hex, epoch, sizeof epoch);
        snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO meta VALUES('%s', x'%s')",
                 STORE_META_LOG_EPOCH, hex);
        err = database_copy(db_of(from), folder, DATABASE_FILE, sql, problem);
    }
    store_close(from);
    return err;
}

/* --- open and close -------------------------------------------------------------------------- */

static void spatialite_close(struct store *store)
{
    struct store_spatialite *file = file_of(store);
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++) {
        for (uint32_t slot = 0; slot < SLOTS; slot++) {
            sqlite3_finalize(file->statements[kind][slot]);
        }
    }
    for (uint32_t extra = 0; extra < EXTRAS; extra++) {
        sqlite3_finalize(file->extras[extra]);
    }
    database_close(&file->database);
    if (file->lock >= 0) folder_unlock(file->lock);
    piles_close(file->piles);
    kept_rows_close(file->kept);
    free(file->held);
    free(file);
}

static const struct store_ops spatialite_ops = {
    .close = spatialite_close,
    .begin = spatialite_begin,
    .commit = spatialite_commit,
    .rollback = spatialite_rollback,
    .sync_apart = spatialite_sync_apart,
    .progress = spatialite_progress,
    .put = spatialite_put,
    .erase = spatialite_erase,
    .get = spatialite_get,
    .last_fact = spatialite_last_fact,
    .each = spatialite_each,
    .changes_of = spatialite_changes_of,
    .history_of = spatialite_history_of,
    .orders_of = spatialite_orders_of,
    .nearest = spatialite_nearest,
    .digest = spatialite_digest,
    .row_count = spatialite_row_count,
    .verify_file = spatialite_verify_file,
    .scrub = spatialite_scrub,
    .backup = spatialite_backup,
};

static struct store_spatialite *file_make(bool read_only)
{
    struct store_spatialite *file = calloc(1, sizeof *file);
    CHECK(file != NULL);
    file->store.ops = &spatialite_ops;
    file->kept = kept_rows_open();
    file->store.read_only = read_only;
    file->lock = -1;
    return file;
}

static enum err path_of(const char *folder, char path[PATH_MAX], struct problem *problem)
{
    int length = snprintf(path, PATH_MAX, "%s/" DATABASE_FILE, folder);
    if (length > 0 && length < PATH_MAX) return ERR_OK;
    return problem_set(problem, ERR_INVALID, "data", "the path is too long");
}

/* What a process that was killed had written is here and told from now on: it must be on the disk,
 * too. */
static enum err take_log(struct store_spatialite *file, const char *folder, struct problem *problem)
{
    int64_t version;
    enum err err = database_number(file->database.db, "PRAGMA schema_version", &version, problem);
    if (err != ERR_OK) return err;
    file->log = log_file_of(file->database.db);
    CHECK(file->log != NULL);
    if (log_file_sync_old(file->log)) return ERR_OK;
    return problem_set(problem, ERR_IO, folder, "the write-ahead log cannot be synced");
}

/* The tables first: a file that is refused is left as it was, its journal mode included. */
static enum err prepare_writer(struct store_spatialite *file, const char *folder,
                               struct problem *problem)
{
    sqlite3 *db = file->database.db;
    char mode[16];
    enum err err = schema_prepare(db, folder, &schema_newest, problem);
    if (err == ERR_OK) {
        err = database_text(db, "PRAGMA journal_mode = WAL", mode, sizeof mode, problem);
    }
    if (err == ERR_OK && strcmp(mode, "wal") != 0) {
        err = problem_set(problem, ERR_IO, folder, "write-ahead logging is not possible there");
    }
    if (err == ERR_OK) {
        err = database_run(db, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;",
                           problem);
    }
    if (err == ERR_OK) err = take_log(file, folder, problem);
    if (err == ERR_OK) err = database_harden(&file->database, problem);
    return err;
}

enum err store_open_spatialite(struct store **out, const char *folder, struct problem *problem)
{
    char path[PATH_MAX];
    struct store_spatialite *file = file_make(false);
    enum err err = path_of(folder, path, problem);
    if (err == ERR_OK && mkdir(folder, 0700) != 0 && errno != EEXIST) {
        err = problem_set(problem, ERR_IO, "data", "%s: %s", folder, strerror(errno));
    }
    if (err == ERR_OK) err = folder_lock(folder, &file->lock, problem);
    if (err == ERR_OK) err = database_open(&file->database, path, false, problem);
    if (err == ERR_OK) file->piles = piles_open(file->database.db);
    if (err == ERR_OK) err = prepare_writer(file, folder, problem);
    if (err == ERR_OK) err = store_opened(&file->store, problem);
    if (err != ERR_OK) {
        spatialite_close(&file->store);
        return err;
    }
    *out = &file->store;
    return ERR_OK;
}

enum err store_open_reader(struct store **out, const char *folder, struct problem *problem)
{
    char path[PATH_MAX];
    struct store_spatialite *file = file_make(true);
    enum err err = path_of(folder, path, problem);
    if (err == ERR_OK && access(path, F_OK) != 0) {
        err = problem_set(problem, ERR_NOT_FOUND, "data", "%s: %s", path, strerror(errno));
    }
    if (err == ERR_OK) err = database_open(&file->database, path, true, problem);
    if (err == ERR_OK) err = database_run(file->database.db, "BEGIN", problem);
    if (err == ERR_OK) err = schema_check(file->database.db, &schema_newest, problem);
    if (err == ERR_OK) err = database_harden(&file->database, problem);
    if (err == ERR_OK) err = store_opened(&file->store, problem);
    if (err != ERR_OK) {
        spatialite_close(&file->store);
        return err;
    }
    *out = &file->store;
    return ERR_OK;
}
