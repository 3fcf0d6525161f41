#include "base/rundir.h"

#include "base/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void name_rundir(uint64_t hash, char path[RUNDIR_PATH_SIZE])
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (runtime != NULL && runtime[0] == '/') {
        int length = snprintf(path, RUNDIR_PATH_SIZE, "%s/callout-%016" PRIx64, runtime, hash);
        struct stat info;
        if (length < RUNDIR_PATH_SIZE && stat(runtime, &info) == 0 && S_ISDIR(info.st_mode)) return;
    }
    snprintf(path, RUNDIR_PATH_SIZE, "/tmp/callout-%lu-%016" PRIx64, (unsigned long)geteuid(),
             hash);
}

/* A folder that was there before us may have been planted: it must be ours, and ours alone. */
static enum err check_private(const char *path, struct problem *problem)
{
    struct stat info;
    if (lstat(path, &info) != 0)
        return problem_set(problem, ERR_IO, path, "cannot be read: %s", strerror(errno));
    if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 077) != 0)
        return problem_set(
            problem, ERR_INVALID, path,
            "is not a folder of this user with mode 0700; remove it and start again");
    return ERR_OK;
}

enum err rundir_make(const char *data_dir, char path[RUNDIR_PATH_SIZE], struct problem *problem)
{
    struct stat folder;
    if (stat(data_dir, &folder) != 0)
        return problem_set(problem, ERR_IO, data_dir, "cannot be entered: %s", strerror(errno));
    struct digest digest = digest_start();
    digest_u64(&digest, (uint64_t)folder.st_dev);
    digest_u64(&digest, (uint64_t)folder.st_ino);
    char made[RUNDIR_PATH_SIZE];
    name_rundir(digest.state, made);
    if (mkdir(made, 0700) != 0 && errno != EEXIST)
        return problem_set(problem, ERR_IO, made, "cannot be made: %s", strerror(errno));
    enum err err = check_private(made, problem);
    if (err == ERR_OK) memcpy(path, made, sizeof made);
    return err;
}
