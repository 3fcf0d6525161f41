#include "dispatcher/store/schema.h"

#include "base/crashpoint.h"
#include "dispatcher/store/database.h"
#include "dispatcher/store/place.h"
#include "dispatcher/store/sql.h"

#include <stdio.h>

/* What a policy of before did not say is what its zeros mean. */
static const char whole_problem[] =
    "ALTER TABLE policy ADD COLUMN overtime_tier_us INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE policy ADD COLUMN overtime_tier_price_percent INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE policy ADD COLUMN travel_price_percent INTEGER NOT NULL DEFAULT 100;"
    "ALTER TABLE policy ADD COLUMN lateness_price_percent INTEGER NOT NULL DEFAULT 100;"
    "ALTER TABLE policy ADD COLUMN preferred_window_missed_s INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE policy ADD COLUMN preferred_technician_missed_s INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE policy ADD COLUMN changes_per_technician_day_max INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE technician ADD COLUMN leg_seconds_max INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE technician ADD COLUMN travel_seconds_max INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE work_order ADD COLUMN late_seconds_max INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE work_order_choice(work_order_id TEXT NOT NULL, choice INTEGER NOT NULL,"
    "  skill TEXT NOT NULL, level INTEGER NOT NULL,"
    "  PRIMARY KEY(work_order_id, choice, skill)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE work_order_technician(work_order_id TEXT NOT NULL,"
    "  technician_id TEXT NOT NULL, wish INTEGER NOT NULL,"
    "  PRIMARY KEY(work_order_id, technician_id, wish)) STRICT, WITHOUT ROWID;"
    "ALTER TABLE arrival_window RENAME TO old_window;"
    "CREATE TABLE arrival_window(work_order_id TEXT NOT NULL, start_us INTEGER NOT NULL,"
    "  preferred INTEGER NOT NULL, end_us INTEGER NOT NULL, promised INTEGER NOT NULL,"
    "  PRIMARY KEY(work_order_id, start_us, preferred)) STRICT, WITHOUT ROWID;"
    "INSERT INTO arrival_window SELECT work_order_id, start_us, 0, end_us, promised"
    "  FROM old_window;"
    "DROP TABLE old_window;";

/* Plans of before did not say what they gained. */
static const char history[] =
    "ALTER TABLE plan ADD COLUMN gain_travel INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE plan ADD COLUMN gain_overtime INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE plan ADD COLUMN gain_lateness INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE plan ADD COLUMN gain_preferred_window INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE plan ADD COLUMN gain_preferred_technician INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE plan ADD COLUMN gain_unserved INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE plan ADD COLUMN gain_change_technician INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE plan ADD COLUMN gain_change_start INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE plan ADD COLUMN broken INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX change_by_appointment ON change(appointment_id, seq, number);";

static const char stability[] =
    "CREATE TABLE stability_override(seq INTEGER NOT NULL, technician_id TEXT NOT NULL,"
    "  territory_id TEXT NOT NULL, service_day INTEGER NOT NULL, version INTEGER NOT NULL,"
    "  appointment_id TEXT NOT NULL, changes_beyond INTEGER NOT NULL,"
    "  PRIMARY KEY(seq, technician_id)) STRICT, WITHOUT ROWID;";

/* Days of before do not say whom they ended without. */
static const char carry_over[] =
    "CREATE TABLE carry_over(territory_id TEXT NOT NULL, service_day INTEGER NOT NULL,"
    "  appointment_id TEXT NOT NULL, seq INTEGER NOT NULL,"
    "  PRIMARY KEY(territory_id, service_day, appointment_id)) STRICT, WITHOUT ROWID;";

/* Check-ins of before say only what their devices said; a policy of before asks for no fixes more
 * often than what its zeros mean. */
static const char sync_times[] =
    "ALTER TABLE policy ADD COLUMN position_moving_s INTEGER NOT NULL DEFAULT 30;"
    "ALTER TABLE policy ADD COLUMN position_resting_s INTEGER NOT NULL DEFAULT 300;"
    "ALTER TABLE check_in ADD COLUMN happened_us INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE check_in ADD COLUMN time_flags INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE fix ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE position ADD COLUMN doubted_us INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE position ADD COLUMN doubted_lat_e7 INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE position ADD COLUMN doubted_lon_e7 INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN boot_id TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE device ADD COLUMN clock_offset_us INTEGER NOT NULL DEFAULT 0;";

/* Devices prove themselves by their keys; sessions of before end: their devices say Hello again. */
static const char device_keys[] =
    "ALTER TABLE enrol_token ADD COLUMN device_id TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE device DROP COLUMN secret_hash;"
    "ALTER TABLE device ADD COLUMN hello_count INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN session_hash TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE device ADD COLUMN ended_us INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE device_key(public_key TEXT NOT NULL, device_id TEXT NOT NULL,"
    "  PRIMARY KEY(public_key)) STRICT, WITHOUT ROWID;"
    "INSERT OR IGNORE INTO device_key SELECT lower(hex(public_key)), device_id FROM device;"
    "CREATE TABLE device_of(technician_id TEXT NOT NULL, device_id TEXT NOT NULL,"
    "  epoch INTEGER NOT NULL, PRIMARY KEY(technician_id)) STRICT, WITHOUT ROWID;"
    "INSERT OR REPLACE INTO device_of SELECT technician_id, device_id, epoch FROM device"
    "  ORDER BY epoch;"
    "DROP TABLE session;"
    "CREATE TABLE session(token_hash TEXT NOT NULL, device_id TEXT NOT NULL,"
    "  epoch INTEGER NOT NULL, expires_wall_us INTEGER NOT NULL, ends_wall_us INTEGER NOT NULL,"
    "  PRIMARY KEY(token_hash)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE audit(number INTEGER NOT NULL, wall_us INTEGER NOT NULL, event TEXT NOT NULL,"
    "  actor TEXT NOT NULL, peer TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,"
    "  chain BLOB NOT NULL, PRIMARY KEY(number)) STRICT, WITHOUT ROWID;";

/* Conflicts and refusals of before are in the log and in stored results only. */
static const char conflicts[] =
    "CREATE TABLE conflict(seq INTEGER NOT NULL PRIMARY KEY, kind INTEGER NOT NULL,"
    "  territory_id TEXT NOT NULL, appointment_id TEXT NOT NULL, technician_id TEXT NOT NULL,"
    "  reported INTEGER NOT NULL, other_technician_id TEXT NOT NULL, status INTEGER NOT NULL,"
    "  other_seq INTEGER NOT NULL, time_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE conflict_resolution(conflict_seq INTEGER NOT NULL PRIMARY KEY,"
    "  seq INTEGER NOT NULL, time_us INTEGER NOT NULL, actor TEXT NOT NULL, note TEXT NOT NULL)"
    "  STRICT, WITHOUT ROWID;"
    "CREATE TABLE dead_letter(device_id TEXT NOT NULL, epoch INTEGER NOT NULL,"
    "  seq INTEGER NOT NULL, outcome INTEGER NOT NULL, technician_id TEXT NOT NULL,"
    "  territory_id TEXT NOT NULL, received_us INTEGER NOT NULL, command BLOB NOT NULL,"
    "  field TEXT NOT NULL, problem TEXT NOT NULL, times INTEGER NOT NULL,"
    "  dismissed_us INTEGER NOT NULL, dismissed_by TEXT NOT NULL,"
    "  PRIMARY KEY(device_id, epoch, seq, outcome)) STRICT, WITHOUT ROWID;"
    "ALTER TABLE device ADD COLUMN mismatches INTEGER NOT NULL DEFAULT 0;";

/* Most changes leave their owner as he was: one index has those. */
#define CHANGE_BY_LOSER                                                                            \
    "CREATE INDEX change_by_owner_before ON change(owner_before, seq, number)"                     \
    "  WHERE owner_before <> owner_after;"

static const char losers[] = "DROP INDEX change_by_owner_before;" CHANGE_BY_LOSER;

/* Keys of before have every territory. */
static const char people[] =
    "ALTER TABLE api_key ADD COLUMN territories TEXT NOT NULL DEFAULT '*';"
    "CREATE TABLE person(name TEXT NOT NULL, role TEXT NOT NULL, territories TEXT NOT NULL,"
    "  password_hash TEXT NOT NULL, disabled INTEGER NOT NULL, epoch INTEGER NOT NULL,"
    "  PRIMARY KEY(name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE person_session(token_hash TEXT NOT NULL, name TEXT NOT NULL,"
    "  epoch INTEGER NOT NULL, expires_wall_us INTEGER NOT NULL, ends_wall_us INTEGER NOT NULL,"
    "  PRIMARY KEY(token_hash)) STRICT, WITHOUT ROWID;";

static const char plan_acks[] =
    "ALTER TABLE device ADD COLUMN acked_us INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN seen_seq INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN seen_us INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN accepted_seq INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN accepted_us INTEGER NOT NULL DEFAULT 0;";

/* Plans of before had no such limit. */
static const char changed_visits[] =
    "ALTER TABLE policy ADD COLUMN changed_visits_percent_max INTEGER NOT NULL DEFAULT 0;";

static const char on_hold[] = "ALTER TABLE appointment ADD COLUMN held INTEGER NOT NULL DEFAULT 0;";

static const char edits[] =
    "CREATE TABLE edit(actor TEXT NOT NULL, seq INTEGER NOT NULL, time_us INTEGER NOT NULL,"
    "  undo BLOB NOT NULL, PRIMARY KEY(actor, seq)) STRICT, WITHOUT ROWID;";

static const char messages[] =
    "CREATE TABLE message(technician_id TEXT NOT NULL, seq INTEGER NOT NULL,"
    "  time_us INTEGER NOT NULL, from_technician INTEGER NOT NULL, sender TEXT NOT NULL,"
    "  text TEXT NOT NULL, appointment_id TEXT NOT NULL, in_reply_to INTEGER NOT NULL,"
    "  PRIMARY KEY(technician_id, seq)) STRICT, WITHOUT ROWID;";

static const char bounds[] = "ALTER TABLE plan ADD COLUMN bound_cost INTEGER NOT NULL DEFAULT 0;"
                             "ALTER TABLE plan ADD COLUMN bound_lower INTEGER NOT NULL DEFAULT 0;"
                             "ALTER TABLE plan ADD COLUMN bound_gap_ppm INTEGER NOT NULL DEFAULT 0;"
                             "ALTER TABLE plan ADD COLUMN bound_age INTEGER NOT NULL DEFAULT 0;";

/* Plans of before do not say how the day was with them. */
static const char plan_figures[] =
    "ALTER TABLE plan ADD COLUMN day_travel INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE plan ADD COLUMN day_cost INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE plan ADD COLUMN day_late_s INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE plan ADD COLUMN day_unserved INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE plan ADD COLUMN gain_late_s INTEGER NOT NULL DEFAULT 0;";

static const char field_entries[] =
    "ALTER TABLE work_order ADD COLUMN items INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE appointment ADD COLUMN needs INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE work_order_item(work_order_id TEXT NOT NULL, number INTEGER NOT NULL,"
    "  item_id TEXT NOT NULL, text TEXT NOT NULL, required INTEGER NOT NULL,"
    "  kind INTEGER NOT NULL, PRIMARY KEY(work_order_id, number)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX work_order_by_site ON work_order(site_id, work_order_id);"
    "CREATE TABLE follow_up(work_order_id TEXT NOT NULL, of_work_order_id TEXT NOT NULL,"
    "  technician_id TEXT NOT NULL, PRIMARY KEY(work_order_id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE visit_entry(appointment_id TEXT NOT NULL, seq INTEGER NOT NULL,"
    "  kind INTEGER NOT NULL, technician_id TEXT NOT NULL, time_us INTEGER NOT NULL,"
    "  item_id TEXT NOT NULL, text TEXT NOT NULL, sha256 TEXT NOT NULL,"
    "  media_type TEXT NOT NULL, size INTEGER NOT NULL,"
    "  PRIMARY KEY(appointment_id, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE blob_use(sha256 TEXT NOT NULL, appointment_id TEXT NOT NULL,"
    "  technician_id TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,"
    "  PRIMARY KEY(sha256, appointment_id, technician_id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE consent(technician_id TEXT NOT NULL, notice_version INTEGER NOT NULL,"
    "  granted INTEGER NOT NULL, time_us INTEGER NOT NULL,"
    "  PRIMARY KEY(technician_id)) STRICT, WITHOUT ROWID;";

static const char blobs[] =
    "CREATE TABLE blob(sha256 TEXT NOT NULL, size INTEGER NOT NULL, media_type TEXT NOT NULL,"
    "  stored_us INTEGER NOT NULL, PRIMARY KEY(sha256)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE blob_day(device_id TEXT NOT NULL, day INTEGER NOT NULL,"
    "  bytes INTEGER NOT NULL, PRIMARY KEY(device_id, day)) STRICT, WITHOUT ROWID;";

static const char addresses[] =
    "CREATE TABLE address(number INTEGER NOT NULL PRIMARY KEY, text TEXT NOT NULL,"
    "  lat_e7 INTEGER NOT NULL, lon_e7 INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE address_number(folded TEXT NOT NULL PRIMARY KEY, number INTEGER NOT NULL)"
    "  STRICT, WITHOUT ROWID;"
    "CREATE TABLE address_word(word TEXT NOT NULL, number INTEGER NOT NULL,"
    "  PRIMARY KEY(word, number)) STRICT, WITHOUT ROWID;";

/* Whose orders name a customer, a contact, an asset; most orders name none. */
#define ORDERS_BY_LINK                                                                             \
    "CREATE INDEX work_order_by_customer ON work_order(customer_id, work_order_id)"                \
    "  WHERE customer_id <> '';"                                                                   \
    "CREATE INDEX work_order_by_contact ON work_order(contact_id, work_order_id)"                  \
    "  WHERE contact_id <> '';"                                                                    \
    "CREATE INDEX work_order_by_asset ON work_order(asset_id, work_order_id)"                      \
    "  WHERE asset_id <> '';"

static const char order_links[] = ORDERS_BY_LINK;

/* Of before, whoever announced what is here counts as who brought it. */
static const char blob_owners[] =
    "CREATE TABLE blob_put(sha256 TEXT NOT NULL, technician_id TEXT NOT NULL,"
    "  time_us INTEGER NOT NULL, PRIMARY KEY(sha256, technician_id)) STRICT, WITHOUT ROWID;"
    "INSERT OR IGNORE INTO blob_put(sha256, technician_id, time_us)"
    "  SELECT used.sha256, used.technician_id, blob.stored_us"
    "  FROM blob_use AS used JOIN blob USING(sha256);";

static const char letter_counts[] =
    "ALTER TABLE device ADD COLUMN letters INTEGER NOT NULL DEFAULT 0;"
    "UPDATE device SET letters ="
    "  (SELECT count(*) FROM dead_letter AS it WHERE it.device_id = device.device_id);";

static const char safe_seqs[] =
    "ALTER TABLE device ADD COLUMN safe_seq INTEGER NOT NULL DEFAULT 0;";

static const char *const steps[] = {
    NULL,           /* 0 -> 1: everything, from row.def */
    whole_problem,  /* 1 -> 2: choices, names, wishes, limits of travel, prices */
    history,        /* 2 -> 3: what a plan gained, and an appointment's changes */
    stability,      /* 3 -> 4: plans that changed more than their limit */
    carry_over,     /* 4 -> 5: what a day ended without */
    sync_times,     /* 5 -> 6: three times of a check-in, flags of positions */
    device_keys,    /* 6 -> 7: devices' keys and sessions, the audit log */
    conflicts,      /* 7 -> 8: conflicts, and commands that were rejected */
    losers,         /* 8 -> 9: a smaller index of changes */
    people,         /* 9 -> 10: people, and territories of keys */
    plan_acks,      /* 10 -> 11: how far a plan has come to its technician */
    on_hold,        /* 11 -> 12: orders that are on hold */
    edits,          /* 12 -> 13: what people may take back */
    messages,       /* 13 -> 14: what dispatchers and technicians write */
    bounds,         /* 14 -> 15: how good a plan is, proved */
    field_entries,  /* 15 -> 16: what technicians note, answer, take and need at a visit */
    blobs,          /* 16 -> 17: photos and signatures that are here */
    addresses,      /* 17 -> 18: the list of addresses */
    order_links,    /* 18 -> 19: orders by what they name */
    blob_owners,    /* 19 -> 20: who brought photos and signatures */
    letter_counts,  /* 20 -> 21: how many dead letters a device has */
    plan_figures,   /* 21 -> 22: how the day was with each plan */
    safe_seqs,      /* 22 -> 23: what of a device is in a backup */
    changed_visits, /* 23 -> 24: how many visits of a day plans may give to others */
};

const struct schema schema_newest = {sizeof steps / sizeof steps[0], steps};

/* What store_changes_of needs: a technician's gains and losses in the order of the log; and
 * store_history_of and store_orders_of. */
static const char change_indexes[] = CHANGE_BY_LOSER
    "CREATE INDEX change_by_owner_after ON change(owner_after, seq, number);"
    "CREATE INDEX change_by_appointment ON change(appointment_id, seq, number);"
    "CREATE INDEX work_order_by_site ON work_order(site_id, work_order_id);" ORDERS_BY_LINK;

enum { APPLICATION_ID = 0x43616c6c }; /* "Call": what file(1) may tell our files by */

static enum err expect_true(sqlite3 *db, const char *sql, struct problem *problem)
{
    int64_t value = 0;
    enum err err = database_number(db, sql, &value, problem);
    if (err == ERR_OK && value != 1) err = problem_set(problem, ERR_INTERNAL, sql, "it failed");
    return err;
}

/* The triggers that SpatiaLite makes call its functions on every write, stamp a table of their own
 * and roll the whole batch back at a fault. Ours need the R*Tree only: any SQLite can write. */
static enum err replace_triggers(sqlite3 *db, enum row_kind kind, struct problem *problem)
{
    static const char *const made[] = {"ggi", "ggu", "tmi", "tmu", "tmd", "gii", "giu", "gid"};
    struct sql sql;
    sql_init(&sql);
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        sql_add(&sql, "DROP TRIGGER IF EXISTS \"%s_%s_" SQL_PLACE "\";\n", made[i],
                row_table(kind)->name);
    }
    sql_create_triggers(&sql, kind);
    return database_run(db, sql.text, problem);
}

static enum err make_spatial(sqlite3 *db, enum row_kind kind, struct problem *problem)
{
    const char *name = row_table(kind)->name;
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT RecoverGeometryColumn('%s', '" SQL_PLACE "', %d, 'POINT', 'XY')", name,
             PLACE_SRID);
    enum err err = expect_true(db, sql, problem);
    snprintf(sql, sizeof sql, "SELECT CreateSpatialIndex('%s', '" SQL_PLACE "')", name);
    if (err == ERR_OK) err = expect_true(db, sql, problem);
    if (err == ERR_OK) err = replace_triggers(db, kind, problem);
    return err;
}

static enum err make_table(sqlite3 *db, enum row_kind kind, struct problem *problem)
{
    struct sql sql;
    sql_init(&sql);
    sql_create_table(&sql, kind);
    enum err err = database_run(db, sql.text, problem);
    if (err == ERR_OK && row_located(row_table(kind))) err = make_spatial(db, kind, problem);
    return err;
}

static enum err make_all(sqlite3 *db, struct problem *problem)
{
    enum err err = expect_true(db, "SELECT InitSpatialMetaData(0, 'WGS84_ONLY')", problem);
    for (enum row_kind kind = 0; kind < ROW_KINDS && err == ERR_OK; kind++) {
        err = make_table(db, kind, problem);
    }
    if (err == ERR_OK) err = database_run(db, change_indexes, problem);
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA application_id = %d", APPLICATION_ID);
    if (err == ERR_OK) err = database_run(db, sql, problem);
    return err;
}

static enum err apply_steps(sqlite3 *db, const struct schema *schema, int64_t version,
                            struct problem *problem)
{
    enum err err = ERR_OK;
    if (version == 0) {
        err = make_all(db, problem);
        version = schema->version;
    }
    for (; version < schema->version && err == ERR_OK; version++) {
        err = database_run(db, schema->steps[version], problem);
        crash_here(CRASH_MIGRATION_STEP);
    }
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", schema->version);
    if (err == ERR_OK) err = database_run(db, sql, problem);
    return err;
}

static enum err migrate(sqlite3 *db, const char *folder, const struct schema *schema,
                        int64_t version, struct problem *problem)
{
    enum err err = ERR_OK;
    char name[64];
    snprintf(name, sizeof name, DATABASE_FILE ".v%d", (int)version);
    if (version > 0) err = database_copy(db, folder, name, NULL, problem);
    if (err == ERR_OK) err = database_run(db, "BEGIN IMMEDIATE", problem);
    if (err != ERR_OK) return err;
    err = apply_steps(db, schema, version, problem);
    crash_here(CRASH_MIGRATION_WRITTEN);
    if (err == ERR_OK) err = database_run(db, "COMMIT", problem);
    crash_here(CRASH_MIGRATION_COMMITTED);
    if (err != ERR_OK) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return err;
}

/* A table whose columns can be named is the one that row.def describes. */
static enum err check_tables(sqlite3 *db, struct problem *problem)
{
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++) {
        struct sql sql;
        sqlite3_stmt *statement = NULL;
        sql_init(&sql);
        sql_put(&sql, kind);
        int result = sqlite3_prepare_v2(db, sql.text, -1, &statement, NULL);
        sqlite3_finalize(statement);
        if (result != SQLITE_OK) {
            return problem_set(problem, ERR_VERSION, row_table(kind)->name,
                               "the file was made by another build: %s", sqlite3_errmsg(db));
        }
    }
    return ERR_OK;
}

enum err schema_check(sqlite3 *db, const struct schema *schema, struct problem *problem)
{
    int64_t version = 0;
    enum err err = database_number(db, "PRAGMA user_version", &version, problem);
    if (err != ERR_OK) return err;
    if (version != schema->version) {
        return problem_set(problem, ERR_VERSION, "user_version",
                           "the file has version %d, this program reads %d", (int)version,
                           schema->version);
    }
    return check_tables(db, problem);
}

enum err schema_prepare(sqlite3 *db, const char *folder, const struct schema *schema,
                        struct problem *problem)
{
    int64_t version = 0;
    enum err err = database_number(db, "PRAGMA user_version", &version, problem);
    if (err == ERR_OK && version < schema->version) {
        err = migrate(db, folder, schema, version, problem);
    }
    if (err == ERR_OK) err = schema_check(db, schema, problem);
    return err;
}
