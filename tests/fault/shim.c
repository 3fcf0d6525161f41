/* shim.c - to be preloaded into a process: its disk fails and its clock jumps when a file says so.
 *
 * CALLOUT_SHIM names a file of SHIM_SIZE bytes, which its owner changes while we live:
 *   byte 0   'R': reading a database fails with EIO; anything else: it does not
 *   byte 1   'W': the same of writing
 *   2 to 15  seconds by which UTC is wrong, with their sign
 *   byte 16  set to 'i' by us once something failed for this
 * Monotonic time is left alone, as no clock that is set touches it.
 */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SHIM_SIZE = 32, INJECTED = 16 };

static volatile char *shim; /* NULL: nobody named a file */

__attribute__((constructor)) static void open_shim(void)
{
    const char *path = getenv("CALLOUT_SHIM");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *map = mmap(NULL, SHIM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) shim = map;
    close(fd);
}

/* The database and its log, not what the program keeps beside them. */
static bool is_database(int fd)
{
    char link[32], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return false;
    path[size] = '\0';
    return strstr(path, ".db") != NULL;
}

static bool fails(int place, char sign, int fd)
{
    if (shim == NULL || shim[place] != sign || !is_database(fd)) return false;
    shim[INJECTED] = 'i';
    errno = EIO;
    return true;
}

typedef ssize_t reader(int fd, void *bytes, size_t size, off_t at);
typedef ssize_t writer(int fd, const void *bytes, size_t size, off_t at);
typedef int clock_reader(clockid_t id, struct timespec *out);

/* POSIX gives functions as pointers to objects. */
static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t at)
{
    static reader *next;
    if (next == NULL) *(void **)&next = real("pread");
    return fails(0, 'R', fd) ? -1 : next(fd, bytes, size, at);
}

ssize_t pread64(int fd, void *bytes, size_t size, off_t at)
{
    return pread(fd, bytes, size, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    static writer *next;
    if (next == NULL) *(void **)&next = real("pwrite");
    return fails(1, 'W', fd) ? -1 : next(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
    return pwrite(fd, bytes, size, at);
}

static time_t wrong_by(void)
{
    char text[INJECTED - 1] = {0};
    if (shim == NULL) return 0;
    for (size_t i = 0; i + 1 < sizeof text; i++)
        text[i] = shim[i + 2];
    return (time_t)strtoll(text, NULL, 10);
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    static clock_reader *next;
    if (next == NULL) *(void **)&next = real("clock_gettime");
    int result = next(id, out);
    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        out->tv_sec += wrong_by();
    return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){now.tv_sec, (suseconds_t)(now.tv_nsec / 1000)};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) *out = now.tv_sec;
    return now.tv_sec;
}
