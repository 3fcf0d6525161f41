#include "dispatcher/health.h"

#include "base/clock.h"
#include "dispatcher/authz.h"
#include "dispatcher/blobs.h"
#include "dispatcher/engine_impl.h"
#include "tls_init.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { PATH_SIZE = 4200 };

/* --- what is a reason to worry --- */

uint32_t health_ends_lately(const struct role_ends *role, int64_t now_us)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < role->kept; i++)
        count += now_us - role->ended_us[i] < HEALTH_HOUR_US;
    return count;
}

static bool dies(const struct health *it, const char *role)
{
    for (uint32_t i = 0; i < it->role_count; i++) {
        if (strcmp(it->roles[i].role, role) == 0)
            return health_ends_lately(&it->roles[i], it->now_us) >= HEALTH_ENDS_MANY;
    }
    return false;
}

static bool disk_low(const struct health *it)
{
    if (it->disk_bytes == 0) return false;
    return it->disk_free_bytes < HEALTH_DISK_BYTES_LOW ||
           it->disk_free_bytes / HEALTH_DISK_LOW_PERCENT <
               it->disk_bytes / 100; /* in this order nothing overflows */
}

/* An installation of yesterday needs none yet, and one that is nowhere on a disk never does. */
static bool backup_old(const struct health *it)
{
    int64_t since_us = it->backup_us != 0 ? it->backup_us : it->installed_us;
    return it->installed_us != 0 && it->now_us - since_us > HEALTH_BACKUP_OLD_US;
}

static bool optimizer_silent(const struct health *it)
{
    int64_t since_us = it->optimizer_asked_us != 0 ? it->optimizer_asked_us : it->started_us;
    return it->now_us - since_us > HEALTH_SILENT_US;
}

uint32_t health_judge(const struct health *it, int warnings[HEALTH_WARNINGS_MAX])
{
    uint32_t count = 0;
    bool ends =
        it->certificate_end_us != 0 && it->certificate_end_us - it->now_us < HEALTH_CERTIFICATE_US;
    if (it->writing_fails) warnings[count++] = CALLOUT__HEALTH_WARNING__HEALTH_WRITING_FAILS;
    if (disk_low(it)) warnings[count++] = CALLOUT__HEALTH_WARNING__HEALTH_DISK_LOW;
    if (dies(it, "gateway")) warnings[count++] = CALLOUT__HEALTH_WARNING__HEALTH_GATEWAY_DIES;
    if (dies(it, "optimizer")) warnings[count++] = CALLOUT__HEALTH_WARNING__HEALTH_OPTIMIZER_DIES;
    if (optimizer_silent(it)) warnings[count++] = CALLOUT__HEALTH_WARNING__HEALTH_OPTIMIZER_SILENT;
    if (ends) warnings[count++] = CALLOUT__HEALTH_WARNING__HEALTH_CERTIFICATE_ENDS;
    if (backup_old(it)) warnings[count++] = CALLOUT__HEALTH_WARNING__HEALTH_BACKUP_OLD;
    return count;
}

/* --- what can be seen --- */

static bool file_stat(const char *folder, const char *name, struct stat *out)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return stat(path, out) == 0;
}

static void look_at_folder(const char *folder, struct health *out)
{
    static const char *const parts[] = {"callout.db", "callout.db-wal", "callout.db-shm"};
    struct statvfs disk;
    struct stat file;
    char path[PATH_SIZE];
    if (statvfs(folder, &disk) == 0) {
        out->disk_free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
        out->disk_bytes = (uint64_t)disk.f_blocks * disk.f_frsize;
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (file_stat(folder, parts[i], &file)) out->store_bytes += (uint64_t)file.st_size;
    /* The key of a folder is written when the folder is made, and never again. */
    if (file_stat(folder, "keys/local.key", &file))
        out->installed_us = (int64_t)file.st_mtim.tv_sec * US_PER_SECOND;
    snprintf(path, sizeof path, "%s/tls/server.pem", folder);
    if (tls_certificate_end(path, &out->certificate_end_us) != ERR_OK) out->certificate_end_us = 0;
    out->role_count = role_ends_read(folder, out->roles, HEALTH_ROLES_MAX);
}

static int64_t read_backup(const char *folder)
{
    char path[PATH_SIZE];
    int64_t time_us = 0;
    snprintf(path, sizeof path, "%s/backup", folder);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%" SCNd64, &time_us) != 1) time_us = 0;
    fclose(file);
    return time_us;
}

static enum err note_backup(struct call *call)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/backup", call->engine->options.folder);
    FILE *file = fopen(path, "w");
    bool good = file != NULL && fprintf(file, "%" PRId64 "\n", engine_wall_us(call->engine)) > 0;
    if (file != NULL && fclose(file) != 0) good = false;
    if (good) return ERR_OK;
    return problem_set(&call->problem, ERR_IO, "backup",
                       "was made, but that cannot be noted in the data folder");
}

enum err admin_backup(struct call *call, const Callout__AdminRequest *request)
{
    const char *folder = call->engine->options.folder;
    if (request->n_arguments != 1)
        return problem_set(&call->problem, ERR_INVALID, "arguments", "a new folder is needed");
    enum err err = store_backup(call->engine->store, request->arguments[0], &call->problem);
    if (err != ERR_OK || folder == NULL) return err;
    err = blobs_copy(folder, request->arguments[0], &call->problem);
    if (err == ERR_OK) err = note_safe_commands(call, request->arguments[0]);
    return err == ERR_OK ? note_backup(call) : err;
}

/* --- who waits for changes --- */

struct backlog {
    struct call *call;
    Callout__SystemHealthReply *answer;
    bool never; /* one that is behind was never heard of */
    enum err err;
};

static bool count_device(void *context, const char *technician_id)
{
    struct backlog *backlog = context;
    Callout__SystemHealthReply *answer = backlog->answer;
    struct core_technician technician;
    int64_t delivered_seq, heard_us;
    const struct engine *engine = backlog->call->engine;
    if (!core_technician(engine->core, technician_id, engine->now_us, &technician)) return true;
    enum err err = plan_ack_heard(backlog->call, technician_id, &delivered_seq, &heard_us);
    if (err == ERR_NOT_FOUND) return true;
    backlog->err = err;
    if (err != ERR_OK) return false;
    answer->devices++;
    if (technician.changed_seq <= delivered_seq) return true;
    answer->devices_behind++;
    backlog->never = backlog->never || heard_us == 0;
    if (answer->behind_since_us == 0 || heard_us < answer->behind_since_us)
        answer->behind_since_us = heard_us;
    return true;
}

static enum err count_devices(struct call *call, Callout__SystemHealthReply *answer)
{
    struct backlog backlog = {.call = call, .answer = answer};
    struct core_territory territory;
    const struct core *core = call->engine->core;
    for (uint32_t i = 0; backlog.err == ERR_OK && core_territory(core, i, &territory); i++)
        if (granted(call, territory.territory_id))
            core_technicians_of(core, territory.territory_id, count_device, &backlog);
    if (backlog.never) answer->behind_since_us = 0;
    return backlog.err;
}

/* --- SystemHealth --- */

static void out_roles(struct arena *arena, const struct health *it,
                      Callout__SystemHealthReply *answer)
{
    answer->roles = arena_need(arena, HEALTH_ROLES_MAX * sizeof *answer->roles);
    for (uint32_t i = 0; i < it->role_count; i++) {
        Callout__RoleHealth *to = arena_need(arena, sizeof *to);
        callout__role_health__init(to);
        to->role = arena_text(arena, it->roles[i].role);
        to->ends = it->roles[i].ends;
        to->ends_lately = health_ends_lately(&it->roles[i], it->now_us);
        if (it->roles[i].kept > 0) to->ended_us = it->roles[i].ended_us[0];
        to->exit_code = it->roles[i].exit_code;
        answer->roles[answer->n_roles++] = to;
    }
}

static void out_warnings(struct arena *arena, const struct health *it,
                         Callout__SystemHealthReply *answer)
{
    int warnings[HEALTH_WARNINGS_MAX];
    uint32_t count = health_judge(it, warnings);
    answer->warnings = arena_need(arena, HEALTH_WARNINGS_MAX * sizeof *answer->warnings);
    for (uint32_t i = 0; i < count; i++)
        answer->warnings[answer->n_warnings++] = (Callout__HealthWarning)warnings[i];
}

enum err handle_system_health(struct call *call)
{
    const struct engine *engine = call->engine;
    const char *folder = engine->options.folder;
    struct health it = {
        .now_us = engine_wall_us(engine),
        .writing_fails = engine->disk_fails,
        .started_us = engine->started_wall_us,
        .optimizer_asked_us = engine->optimizer_asked_wall_us,
    };
    if (folder != NULL) {
        look_at_folder(folder, &it);
        it.backup_us = read_backup(folder);
    }
    Callout__SystemHealthReply *answer = arena_need(call->arena, sizeof *answer);
    callout__system_health_reply__init(answer);
    answer->now_us = it.now_us;
    answer->disk_free_bytes = it.disk_free_bytes;
    answer->disk_bytes = it.disk_bytes;
    answer->store_bytes = it.store_bytes;
    answer->installed_us = it.installed_us;
    answer->started_us = it.started_us;
    answer->backup_us = it.backup_us;
    answer->certificate_end_us = it.certificate_end_us;
    answer->optimizer_asked_us = it.optimizer_asked_us;
    answer->optimizer_planned_us = engine->optimizer_planned_wall_us;
    answer->dead_letters = engine->counts.dead_letters;
    out_roles(call->arena, &it, answer);
    out_warnings(call->arena, &it, answer);
    call->answer = &answer->base;
    return count_devices(call, answer);
}
