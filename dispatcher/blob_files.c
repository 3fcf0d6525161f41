/* blob_files.c - where the bytes of photos and signatures lie, and what is done to all of them. */
#include "dispatcher/blob_files.h"

#include "base/clock.h"
#include "base/log.h"
#include "dispatcher/engine_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_KEPT_S (7 * 86400)

/* --- where it lies --- */

static void parts_path(const char *folder, char out[BLOB_PATH])
{
    snprintf(out, BLOB_PATH, "%.3000s/blobs/parts/", folder);
}

void blob_part_path(const char *folder, const char *hash, const char *technician_id,
                    char out[BLOB_PATH])
{
    uint8_t whose[crypto_generichash_BYTES_MIN];
    char hex[2 * sizeof whose + 1];
    crypto_generichash(whose, sizeof whose, (const uint8_t *)technician_id, strlen(technician_id),
                       NULL, 0);
    sodium_bin2hex(hex, sizeof hex, whose, sizeof whose);
    snprintf(out, BLOB_PATH, "%.3000s/blobs/parts/%s-%s", folder, hash, hex);
}

void blob_path(const char *folder, const char *hash, char out[BLOB_PATH])
{
    snprintf(out, BLOB_PATH, "%.3000s/blobs/%.2s/%s", folder, hash, hash);
}

int64_t blob_file_size(const char *path)
{
    struct stat it;
    return stat(path, &it) == 0 && S_ISREG(it.st_mode) ? (int64_t)it.st_size : -1;
}

void blob_make_folders(const char *folder, const char *hash)
{
    char path[BLOB_PATH];
    snprintf(path, sizeof path, "%.3000s/blobs", folder);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%.3000s/blobs/parts", folder);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%.3000s/blobs/%.2s", folder, hash);
    (void)mkdir(path, 0700);
}

/* A new name is there for good only when its folder is synced, and the folder's in its own. */
bool blob_sync_folder(const char *path, unsigned up)
{
    char folder[BLOB_PATH];
    snprintf(folder, sizeof folder, "%s", path);
    for (unsigned i = 0; i <= up; i++)
        *strrchr(folder, '/') = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    bool fine = fsync(fd) == 0;
    close(fd);
    return fine;
}

bool blob_hash_of_file(const char *path, char out[BLOB_HEX])
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
    sodium_bin2hex(out, BLOB_HEX, hash, sizeof hash);
    return got == 0;
}

/* --- all of them --- */

void blobs_sweep(struct engine *engine)
{
    char path[BLOB_PATH], file[BLOB_PATH + NAME_MAX + 2];
    struct stat it;
    if (engine->options.folder == NULL) return;
    parts_path(engine->options.folder, path);
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
    char one[BLOB_PATH + NAME_MAX + 2], other[BLOB_PATH + NAME_MAX + 2];
    bool fine = mkdir(to, 0700) == 0 || errno == EEXIST;
    DIR *listing = opendir(from);
    for (struct dirent *entry; fine && listing != NULL && (entry = readdir(listing)) != NULL;) {
        if (strlen(entry->d_name) != BLOB_HEX - 1) continue;
        snprintf(one, sizeof one, "%s/%s", from, entry->d_name);
        snprintf(other, sizeof other, "%s/%s", to, entry->d_name);
        fine = bring(one, other);
    }
    if (listing != NULL) closedir(listing);
    return fine;
}

enum err blobs_copy(const char *from_folder, const char *to_folder, struct problem *problem)
{
    char from[BLOB_PATH], to[BLOB_PATH];
    snprintf(from, sizeof from, "%.3000s/blobs", from_folder);
    snprintf(to, sizeof to, "%.3000s/blobs", to_folder);
    if (access(from, F_OK) != 0) return ERR_OK;
    bool fine = mkdir(to, 0700) == 0 || errno == EEXIST;
    for (unsigned i = 0; i < 256 && fine; i++) {
        snprintf(from, sizeof from, "%.3000s/blobs/%02x", from_folder, i);
        snprintf(to, sizeof to, "%.3000s/blobs/%02x", to_folder, i);
        if (access(from, F_OK) == 0) fine = bring_folder(from, to) && blob_sync_folder(to, 0);
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
    char path[BLOB_PATH], really[BLOB_HEX];
    blob_path(it->folder, row->sha256, path);
    it->count++;
    if (blob_file_size(path) == row->size && blob_hash_of_file(path, really) &&
        strcmp(really, row->sha256) == 0)
        return true;
    it->bad++;
    snprintf(it->hash, BLOB_HEX, "%s", row->sha256);
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
