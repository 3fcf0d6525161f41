#include "sim/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool make_in(char path[SCRATCH_PATH], const char *parent)
{
    int size = snprintf(path, SCRATCH_PATH, "%s/callout-sim-XXXXXX", parent);
    return size > 0 && size < SCRATCH_PATH && mkdtemp(path) != NULL;
}

enum err scratch_make(char path[SCRATCH_PATH], struct problem *problem)
{
    const char *temporary = getenv("TMPDIR");
    if (make_in(path, "/dev/shm")) return ERR_OK;
    if (temporary != NULL && make_in(path, temporary)) return ERR_OK;
    if (make_in(path, "/tmp")) return ERR_OK;
    return problem_set(problem, ERR_IO, path, "no folder for devices: %s", strerror(errno));
}

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

void scratch_remove(const char *path)
{
    if (path[0] == '\0') return;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) return;
    empty(folder);
    rmdir(path);
}
