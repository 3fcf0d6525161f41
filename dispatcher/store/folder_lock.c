#include "dispatcher/store/folder_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The process id in a lock file, 0 when there is none. */
static long holder_of(int fd)
{
    char text[32] = "";
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    return size <= 0 ? 0 : strtol(text, NULL, 10);
}

/* Only for people who wonder who holds the lock: the lock is good without it. */
static void write_holder(int fd)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)size, 0) == size) return;
}

enum err folder_lock(const char *folder, int *fd, struct problem *problem)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/lock", folder);
    if (length < 0 || (size_t)length >= sizeof path) {
        return problem_set(problem, ERR_INVALID, "data", "the path is too long");
    }
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) {
        return problem_set(problem, ERR_IO, "data", "%s: %s", path, strerror(errno));
    }
    if (flock(file, LOCK_EX | LOCK_NB) == 0) {
        write_holder(file);
        *fd = file;
        return ERR_OK;
    }
    long holder = holder_of(file);
    close(file);
    return problem_set(problem, ERR_BUSY, "data", "%s is in use by process %ld", folder, holder);
}

void folder_unlock(int fd)
{
    close(fd);
}
