#define _DEFAULT_SOURCE /* flock */
#include "sim/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { HELD_MAX = 64, ROOM_MIB = 256 };

static const char prefix[] = "callout-scratch-";

static void empty(int folder)
{
    DIR *listing = fdopendir(folder);
    if (listing == NULL) {
        close(folder);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        int inner = openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner >= 0) empty(inner);
        unlinkat(folder, entry->d_name, inner >= 0 ? AT_REMOVEDIR : 0);
    }
    closedir(listing);
}

static void remove_folder(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) return;
    empty(folder);
    rmdir(path);
}

/* --- who holds what -------------------------------------------------------------------------- */

/* A lock is on an open folder, so it ends with its process, however that ends. */
static struct held {
    char path[SCRATCH_PATH]; /* "": free */
    int folder;
} held[HELD_MAX];

static struct held *find_held(const char *path)
{
    for (size_t i = 0; i < HELD_MAX; i++)
        if (strcmp(held[i].path, path) == 0) return &held[i];
    return NULL;
}

/* The open folder, locked; -1: somebody holds it, or it is gone. */
static int lock_folder(const char *path, bool waits)
{
    struct stat info;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) return -1;
    bool locked = flock(folder, LOCK_EX | (waits ? 0 : LOCK_NB)) == 0;
    if (locked && fstat(folder, &info) == 0 && info.st_nlink > 0 && info.st_uid == geteuid())
        return folder;
    close(folder);
    return -1;
}

static void sweep_out(const char *parent)
{
    DIR *listing = opendir(parent);
    if (listing == NULL) return;
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        char path[SCRATCH_PATH];
        if (strncmp(entry->d_name, prefix, sizeof prefix - 1) != 0) continue;
        int size = snprintf(path, sizeof path, "%s/%s", parent, entry->d_name);
        int folder = size < SCRATCH_PATH ? lock_folder(path, false) : -1;
        if (folder < 0) continue;
        remove_folder(path);
        close(folder);
    }
    closedir(listing);
}

/* Between making and locking, somebody who sweeps out may take it away: then another one. */
static bool make_in(char path[SCRATCH_PATH], const char *parent)
{
    struct held *free_place = find_held("");
    for (int tries = 0; tries < 8 && free_place != NULL; tries++) {
        int size = snprintf(path, SCRATCH_PATH, "%s/%sXXXXXX", parent, prefix);
        if (size >= SCRATCH_PATH || mkdtemp(path) == NULL) return false;
        int folder = lock_folder(path, true);
        if (folder < 0) continue;
        snprintf(free_place->path, sizeof free_place->path, "%s", path);
        free_place->folder = folder;
        return true;
    }
    return false;
}

/* --- the door -------------------------------------------------------------------------------- */

/* A container's /dev/shm has 64 MiB unless it is told otherwise. */
static bool is_roomy(const char *parent)
{
    struct statvfs room;
    return statvfs(parent, &room) == 0 &&
           room.f_bavail >= ((uint64_t)ROOM_MIB << 20) / room.f_frsize;
}

enum err scratch_make(char path[SCRATCH_PATH], struct problem *problem)
{
    const char *const parents[] = {"/dev/shm", getenv("TMPDIR"), "/tmp"};
    for (size_t i = 0; i < sizeof parents / sizeof parents[0]; i++) {
        if (parents[i] == NULL) continue;
        sweep_out(parents[i]);
        bool fits = is_roomy(parents[i]) || i + 1 == sizeof parents / sizeof parents[0];
        if (fits && make_in(path, parents[i])) return ERR_OK;
    }
    return problem_set(problem, ERR_IO, path, "no folder for devices: %s", strerror(errno));
}

void scratch_remove(const char *path)
{
    if (path[0] == '\0') return;
    remove_folder(path);
    struct held *mine = find_held(path);
    if (mine == NULL) return;
    close(mine->folder);
    *mine = (struct held){.path = ""};
}
