#include "dispatcher/blobs.h"

#include "base/clock.h"
#include "base/log.h"
#include "dispatcher/authz.h"
#include "dispatcher/engine_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEX = 2 * BLOB_HASH + 1, MAGIC = 12, PATH = PATH_MAX };
#define PART_KEPT_S (7 * 86400)

/* --- what a picture begins with --- */

static const struct type {
    const char *name, *magic;
    size_t size;
    const char *more; /* at 8 */
} types[] = {
    {"image/jpeg", "\xff\xd8\xff", 3, ""},
    {"image/png", "\x89PNG\r\n\x1a\n", 8, ""},
    {"image/webp", "RIFF", 4, "WEBP"},
};

static const struct type *find_type(const char *media_type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].name, media_type) == 0) return &types[i];
    return NULL;
}

bool blob_type_known(const char *media_type)
{
    return find_type(media_type) != NULL;
}

static bool begins_as(const char *media_type, ProtobufCBinaryData bytes)
{
    const struct type *type = find_type(media_type);
    return type != NULL && bytes.len >= MAGIC && memcmp(bytes.data, type->magic, type->size) == 0 &&
           memcmp(bytes.data + 8, type->more, strlen(type->more)) == 0;
}

/* --- where it lies --- */

static void part_path(const char *folder, const char *hash, char out[PATH])
{
    snprintf(out, PATH, "%.3000s/blobs/parts/%s", folder, hash);
}

static void blob_path(const char *folder, const char *hash, char out[PATH])
{
    snprintf(out, PATH, "%.3000s/blobs/%.2s/%s", folder, hash, hash);
}

static int64_t file_size(const char *path)
{
    struct stat it;
    return stat(path, &it) == 0 && S_ISREG(it.st_mode) ? (int64_t)it.st_size : -1;
}

static void make_folders(const char *folder, const char *hash)
{
    char path[PATH];
    snprintf(path, sizeof path, "%.3000s/blobs", folder);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%.3000s/blobs/parts", folder);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%.3000s/blobs/%.2s", folder, hash);
    (void)mkdir(path, 0700);
}

/* A new name is there for good only when its folder is synced, and the folder's in its own. */
static bool sync_folder(const char *path, unsigned up)
{
    char folder[PATH];
    snprintf(folder, sizeof folder, "%s", path);
    for (unsigned i = 0; i <= up; i++)
        *strrchr(folder, '/') = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    bool fine = fsync(fd) == 0;
    close(fd);
    return fine;
}

static bool hash_of_file(const char *path, char out[HEX])
{
    static uint8_t bytes[65536];
    crypto_hash_sha256_state state;
    uint8_t hash[crypto_hash_sha256_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t got = -1;
    if (fd < 0) return false;
    crypto_hash_sha256_init(&state);
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        crypto_hash_sha256_update(&state, bytes, (size_t)got);
    close(fd);
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(out, HEX, hash, sizeof hash);
    return got == 0;
}

/* --- PutBlob --- */

struct use {
    struct call *call;
    const char *technician_id;
    bool found;
    char media_type[32];
    int64_t size;
};

static bool note_own(void *context, const void *visited)
{
    struct use *use = context;
    const struct row_blob_use *row = visited;
    if (strcmp(row->technician_id, use->technician_id) != 0) return true;
    use->found = true;
    use->size = row->size;
    snprintf(use->media_type, sizeof use->media_type, "%s", row->media_type);
    return false;
}

static enum err no_such_blob(struct call *call)
{
    return problem_set(&call->problem, ERR_NOT_FOUND, "sha256", "there is no such thing");
}

static enum err read_hash(struct call *call, ProtobufCBinaryData bytes, char out[HEX])
{
    if (bytes.len != BLOB_HASH)
        return problem_set(&call->problem, ERR_INVALID, "sha256", "must be %d bytes", BLOB_HASH);
    sodium_bin2hex(out, HEX, bytes.data, bytes.len);
    return ERR_OK;
}

static bool is_kept(struct call *call, const char *hash)
{
    union row row;
    return store_get(call->engine->store, ROW_BLOB, &(struct row_blob){.sha256 = hash}, &row) ==
           ERR_OK;
}

static enum err keep(struct call *call, const char *hash, const struct use *use)
{
    return engine_put(call->engine, ROW_BLOB,
                      &(struct row_blob){hash, use->size, use->media_type, call->engine->now_us});
}

static enum err disk_refused(struct call *call)
{
    call->retry_after_ms = 5000;
    return problem_set(&call->problem, ERR_BUSY, "", "the disk refused it: %s", strerror(errno));
}

/* The whole is here: is it what it was said to be? */
static enum err finish(struct call *call, const char *part, const char *hash, const struct use *use)
{
    char path[PATH], really[HEX];
    blob_path(call->engine->options.folder, hash, path);
    if (!hash_of_file(part, really)) return disk_refused(call);
    if (strcmp(really, hash) != 0) {
        unlink(part);
        return problem_set(&call->problem, ERR_INVALID, "bytes",
                           "are not what their hash says: begin again");
    }
    int fd = open(part, O_RDONLY | O_CLOEXEC);
    bool fine = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    if (!fine || rename(part, path) != 0 || !sync_folder(path, 0) || !sync_folder(path, 1))
        return disk_refused(call);
    return keep(call, hash, use);
}

static enum err take_quota(struct call *call, int64_t size)
{
    union row row;
    struct row_blob_day day = {.device_id = call->who->id,
                               .day = call->engine->now_us / US_PER_DAY};
    if (store_get(call->engine->store, ROW_BLOB_DAY, &day, &row) == ERR_OK)
        day.bytes = row.blob_day.bytes;
    if (day.bytes + size > BLOB_DAY_BYTES) {
        call->retry_after_ms = 3600 * 1000;
        return problem_set(&call->problem, ERR_RATE, "bytes", "at most %lld bytes a day",
                           (long long)BLOB_DAY_BYTES);
    }
    day.bytes += size;
    return engine_put(call->engine, ROW_BLOB_DAY, &day);
}

static enum err add_piece(struct call *call, const char *part, const char *hash,
                          const struct use *use)
{
    const Callout__PutBlobRequest *request = (const Callout__PutBlobRequest *)call->message;
    ProtobufCBinaryData bytes = request->bytes;
    if (request->offset == 0 && !begins_as(use->media_type, bytes))
        return problem_set(&call->problem, ERR_INVALID, "bytes", "are no %s", use->media_type);
    enum err err = request->offset == 0 ? take_quota(call, use->size) : ERR_OK;
    if (err != ERR_OK) return err;
    make_folders(call->engine->options.folder, hash);
    int fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return disk_refused(call);
    ssize_t put = pwrite(fd, bytes.data, bytes.len, (off_t)request->offset);
    close(fd);
    if (put != (ssize_t)bytes.len) return disk_refused(call); /* what is there is gone on with */
    bool whole = request->offset + bytes.len == (uint64_t)use->size;
    return whole ? finish(call, part, hash, use) : ERR_OK;
}

static enum err check_piece(struct call *call, const struct use *use)
{
    const Callout__PutBlobRequest *request = (const Callout__PutBlobRequest *)call->message;
    if (request->bytes.len > BLOB_PIECE_MAX)
        return problem_set(&call->problem, ERR_TOO_LARGE, "bytes", "at most %d at once",
                           BLOB_PIECE_MAX);
    if (request->offset > (uint64_t)use->size ||
        request->bytes.len > (uint64_t)use->size - request->offset)
        return problem_set(&call->problem, ERR_INVALID, "offset",
                           "with its bytes it is beyond the %lld that were announced",
                           (long long)use->size);
    return ERR_OK;
}

/* One that is whole has a row; or has had none yet when its batch failed. */
static enum err find_kept(struct call *call, const char *hash, const struct use *use, bool *kept)
{
    char path[PATH];
    *kept = is_kept(call, hash);
    if (*kept) return ERR_OK;
    blob_path(call->engine->options.folder, hash, path);
    *kept = file_size(path) == use->size;
    return *kept ? keep(call, hash, use) : ERR_OK;
}

/* A part that has all its bytes, and was never made a blob: we were killed right then, or the disk
 * refused. Its device must not hear that it is kept before it is. */
static enum err finish_part(struct call *call, const char *part, const char *hash,
                            const struct use *use, int64_t *have, bool *kept)
{
    if (*kept || *have < use->size || *have == 0) return ERR_OK;
    if (call->engine->disk_fails) return ERR_RETRY;
    if (*have > use->size) { /* somebody announced it longer than it can be */
        *have = 0;
        return unlink(part) == 0 ? ERR_OK : disk_refused(call);
    }
    enum err err = finish(call, part, hash, use);
    *kept = err == ERR_OK;
    return err;
}

enum err handle_put_blob(struct call *call)
{
    const Callout__PutBlobRequest *request = (const Callout__PutBlobRequest *)call->message;
    struct use use = {.call = call, .technician_id = call->who->technician_id};
    char hash[HEX], part[PATH];
    bool kept = false;
    enum err err = read_hash(call, request->sha256, hash);
    if (err != ERR_OK) return err;
    const struct row_blob_use key = {.sha256 = hash};
    err = store_each(call->engine->store, ROW_BLOB_USE, &key, 1, false, note_own, &use);
    if (err == ERR_OK && (!use.found || call->engine->options.folder == NULL))
        err = no_such_blob(call);
    if (err == ERR_OK) err = check_piece(call, &use);
    if (err == ERR_OK) err = find_kept(call, hash, &use, &kept);
    if (err != ERR_OK) return err;
    part_path(call->engine->options.folder, hash, part);
    int64_t have = kept ? use.size : file_size(part);
    if (have < 0) have = 0;
    err = finish_part(call, part, hash, &use, &have, &kept);
    if (err != ERR_OK) return err;
    bool adds = !kept && request->bytes.len > 0 && (int64_t)request->offset == have;
    if (adds) err = call->engine->disk_fails ? ERR_RETRY : add_piece(call, part, hash, &use);
    if (err != ERR_OK) return err;
    Callout__PutBlobReply *answer = arena_need(call->arena, sizeof *answer);
    callout__put_blob_reply__init(answer);
    answer->received = (uint64_t)have + (adds ? request->bytes.len : 0);
    answer->kept = kept || (int64_t)answer->received == use.size;
    call->answer = &answer->base;
    return ERR_OK;
}

/* --- GetBlob --- */

struct reader {
    struct call *call;
    bool may;
};

/* Whose visit it is or was may, and whoever looks after its territory. */
static bool note_right(void *context, const void *visited)
{
    struct reader *reader = context;
    const struct row_blob_use *row = visited;
    const struct call *call = reader->call;
    const struct core *core = call->engine->core;
    const char *territory_id = core_territory_of(core, row->appointment_id);
    reader->may = call->who->kind == CALLOUT__PRINCIPAL_KIND__DEVICE
                      ? core_was_his(core, call->who->technician_id, row->appointment_id)
                      : territory_id != NULL && granted(call, territory_id);
    return !reader->may;
}

static enum err read_piece(struct call *call, const char *hash, uint64_t offset,
                           Callout__GetBlobReply *answer)
{
    char path[PATH];
    blob_path(call->engine->options.folder, hash, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return no_such_blob(call);
    answer->bytes.data = arena_need(call->arena, BLOB_PIECE_MAX);
    ssize_t got = pread(fd, answer->bytes.data, BLOB_PIECE_MAX, (off_t)offset);
    close(fd);
    if (got < 0) return ERR_IO;
    answer->bytes.len = (size_t)got;
    return ERR_OK;
}

enum err handle_get_blob(struct call *call)
{
    const Callout__GetBlobRequest *request = (const Callout__GetBlobRequest *)call->message;
    struct reader reader = {.call = call};
    union row row;
    char hash[HEX];
    enum err err = read_hash(call, request->sha256, hash);
    if (err != ERR_OK) return err;
    const struct row_blob_use key = {.sha256 = hash};
    err = store_each(call->engine->store, ROW_BLOB_USE, &key, 1, false, note_right, &reader);
    if (err != ERR_OK) return err;
    if (!reader.may || call->engine->options.folder == NULL ||
        store_get(call->engine->store, ROW_BLOB, &(struct row_blob){.sha256 = hash}, &row) !=
            ERR_OK)
        return no_such_blob(call);
    Callout__GetBlobReply *answer = arena_need(call->arena, sizeof *answer);
    callout__get_blob_reply__init(answer);
    answer->size = (uint64_t)row.blob.size;
    answer->media_type = arena_text(call->arena, row.blob.media_type);
    call->answer = &answer->base;
    if (request->offset >= answer->size) return ERR_OK;
    return read_piece(call, hash, request->offset, answer);
}

/* --- all of them --- */

void blobs_sweep(struct engine *engine)
{
    char path[PATH], file[PATH + NAME_MAX + 2];
    struct stat it;
    if (engine->options.folder == NULL) return;
    part_path(engine->options.folder, "", path);
    DIR *listing = opendir(path);
    for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(file, sizeof file, "%s%s", path, entry->d_name);
        bool old = stat(file, &it) == 0 &&
                   engine_wall_us(engine) / US_PER_SECOND - it.st_mtim.tv_sec > PART_KEPT_S;
        if (old && unlink(file) != 0) log_warn("%s cannot be removed", file);
    }
    if (listing != NULL) closedir(listing);
}

static bool copy_bytes(int from, int to)
{
    char bytes[65536];
    ssize_t got;
    while ((got = read(from, bytes, sizeof bytes)) > 0)
        if (write(to, bytes, (size_t)got) != got) return false;
    return got == 0 && fsync(to) == 0;
}

/* The same file under another name, or where that cannot be, a copy. */
static bool bring(const char *from, const char *to)
{
    if (link(from, to) == 0 || errno == EEXIST) return true;
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool fine = in >= 0 && out >= 0 && copy_bytes(in, out);
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    return fine;
}

static bool bring_folder(const char *from, const char *to)
{
    char one[PATH + NAME_MAX + 2], other[PATH + NAME_MAX + 2];
    bool fine = mkdir(to, 0700) == 0 || errno == EEXIST;
    DIR *listing = opendir(from);
    for (struct dirent *entry; fine && listing != NULL && (entry = readdir(listing)) != NULL;) {
        if (strlen(entry->d_name) != HEX - 1) continue;
        snprintf(one, sizeof one, "%s/%s", from, entry->d_name);
        snprintf(other, sizeof other, "%s/%s", to, entry->d_name);
        fine = bring(one, other);
    }
    if (listing != NULL) closedir(listing);
    return fine;
}

enum err blobs_copy(const char *from_folder, const char *to_folder, struct problem *problem)
{
    char from[PATH], to[PATH];
    snprintf(from, sizeof from, "%.3000s/blobs", from_folder);
    snprintf(to, sizeof to, "%.3000s/blobs", to_folder);
    if (access(from, F_OK) != 0) return ERR_OK;
    bool fine = mkdir(to, 0700) == 0 || errno == EEXIST;
    for (unsigned i = 0; i < 256 && fine; i++) {
        snprintf(from, sizeof from, "%.3000s/blobs/%02x", from_folder, i);
        snprintf(to, sizeof to, "%.3000s/blobs/%02x", to_folder, i);
        if (access(from, F_OK) == 0) fine = bring_folder(from, to) && sync_folder(to, 0);
    }
    return fine ? ERR_OK : problem_set(problem, ERR_IO, to, "%s", strerror(errno));
}

struct verifying {
    const char *folder;
    uint64_t count, bad;
    char *hash;
};

static bool verify_blob(void *context, const void *visited)
{
    struct verifying *it = context;
    const struct row_blob *row = visited;
    char path[PATH], really[HEX];
    blob_path(it->folder, row->sha256, path);
    it->count++;
    if (file_size(path) == row->size && hash_of_file(path, really) &&
        strcmp(really, row->sha256) == 0)
        return true;
    it->bad++;
    snprintf(it->hash, HEX, "%s", row->sha256);
    return true;
}

enum err blobs_verify(struct store *store, const char *folder, uint64_t *count, uint64_t *bad,
                      char hash[2 * BLOB_HASH + 1])
{
    struct verifying it = {.folder = folder, .hash = hash};
    hash[0] = '\0';
    enum err err = store_each(store, ROW_BLOB, NULL, 0, false, verify_blob, &it);
    *count = it.count;
    *bad = it.bad;
    return err;
}
