#include "dispatcher/blob_files.h"

#include "base/clock.h"
#include "dispatcher/authz.h"
#include "dispatcher/engine_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAGIC = 12 };

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

/* --- who may have it --- */

bool blob_put_by(struct store *store, const char *hash, const char *technician_id)
{
    union row row;
    const struct row_blob_put key = {.sha256 = hash, .technician_id = technician_id};
    return store_get(store, ROW_BLOB_PUT, &key, &row) == ERR_OK;
}

struct reader {
    struct call *call;
    bool may;
};

/* Whose visit it is or was may, and whoever looks after its territory; if it was put there by
 * somebody who had it, and not only named. */
static bool note_right(void *context, const void *visited)
{
    struct reader *reader = context;
    const struct row_blob_use *row = visited;
    const struct call *call = reader->call;
    const struct core *core = call->engine->core;
    const char *territory_id = core_territory_of(core, row->appointment_id);
    if (!blob_put_by(call->engine->store, row->sha256, row->technician_id)) return true;
    reader->may = call->who->kind == CALLOUT__PRINCIPAL_KIND__DEVICE
                      ? core_was_his(core, call->who->technician_id, row->appointment_id)
                      : territory_id != NULL && granted(call, territory_id);
    return !reader->may;
}

static enum err may_read(struct call *call, const char *hash, bool *may)
{
    struct reader reader = {.call = call};
    const struct row_blob_use key = {.sha256 = hash};
    enum err err =
        store_each(call->engine->store, ROW_BLOB_USE, &key, 1, false, note_right, &reader);
    *may = reader.may;
    return err;
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

static enum err read_hash(struct call *call, ProtobufCBinaryData bytes, char out[BLOB_HEX])
{
    if (bytes.len != BLOB_HASH)
        return problem_set(&call->problem, ERR_INVALID, "sha256", "must be %d bytes", BLOB_HASH);
    sodium_bin2hex(out, BLOB_HEX, bytes.data, bytes.len);
    return ERR_OK;
}

static enum err note_put(struct call *call, const char *hash)
{
    return engine_put(call->engine, ROW_BLOB_PUT,
                      &(struct row_blob_put){hash, call->who->technician_id, call->engine->now_us});
}

static enum err keep(struct call *call, const char *hash, const struct use *use)
{
    enum err err =
        engine_put(call->engine, ROW_BLOB,
                   &(struct row_blob){hash, use->size, use->media_type, call->engine->now_us});
    return err == ERR_OK ? note_put(call, hash) : err;
}

static enum err disk_refused(struct call *call)
{
    call->retry_after_ms = 5000;
    return problem_set(&call->problem, ERR_BUSY, "", "the disk refused it: %s", strerror(errno));
}

/* The whole is here: is it what it was said to be? */
static enum err finish(struct call *call, const char *part, const char *hash, const struct use *use)
{
    char path[BLOB_PATH], really[BLOB_HEX];
    blob_path(call->engine->options.folder, hash, path);
    if (!blob_hash_of_file(part, really)) return disk_refused(call);
    if (strcmp(really, hash) != 0) {
        unlink(part);
        return problem_set(&call->problem, ERR_INVALID, "bytes",
                           "are not what their hash says: begin again");
    }
    int fd = open(part, O_RDONLY | O_CLOEXEC);
    bool fine = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    if (!fine || rename(part, path) != 0 || !blob_sync_folder(path, 0) ||
        !blob_sync_folder(path, 1))
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
    blob_make_folders(call->engine->options.folder, hash);
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

/* Whoever put it, or may look at it at a visit of his, need not bring it again. Who only knows its
 * hash does: so he learns nothing, not even that it is here. */
static enum err find_kept(struct call *call, const char *hash, bool *kept)
{
    struct store *store = call->engine->store;
    *kept = blob_put_by(store, hash, call->who->technician_id);
    if (*kept) return ERR_OK;
    enum err err = may_read(call, hash, kept);
    return err == ERR_OK && *kept ? note_put(call, hash) : err;
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
    char hash[BLOB_HEX], part[BLOB_PATH];
    bool kept = false;
    enum err err = read_hash(call, request->sha256, hash);
    if (err != ERR_OK) return err;
    const struct row_blob_use key = {.sha256 = hash};
    err = store_each(call->engine->store, ROW_BLOB_USE, &key, 1, false, note_own, &use);
    if (err == ERR_OK && (!use.found || call->engine->options.folder == NULL))
        err = no_such_blob(call);
    if (err == ERR_OK) err = check_piece(call, &use);
    if (err == ERR_OK) err = find_kept(call, hash, &kept);
    if (err != ERR_OK) return err;
    blob_part_path(call->engine->options.folder, hash, use.technician_id, part);
    int64_t have = kept ? use.size : blob_file_size(part);
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

static enum err read_piece(struct call *call, const char *hash, uint64_t offset,
                           Callout__GetBlobReply *answer)
{
    char path[BLOB_PATH];
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
    union row row;
    char hash[BLOB_HEX];
    bool may = false;
    enum err err = read_hash(call, request->sha256, hash);
    if (err == ERR_OK) err = may_read(call, hash, &may);
    if (err != ERR_OK) return err;
    if (!may || call->engine->options.folder == NULL ||
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
