#include "dispatcher/suspects.h"

#include "base/check.h"
#include "base/crashpoint.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MARKS_MAX = 4096 };

struct suspects {
    int fd;
    uint64_t alone[MARKS_MAX], poison[MARKS_MAX];
    uint32_t alone_count, poison_count;
    uint64_t running[LIMIT_FACTS_PER_COMMIT];
    uint32_t running_count;
};

/* The file: marks of the batch that runs, then marks known as poison, each with a leading tag word.
 */
enum { TAG_RUNNING = 1, TAG_SUSPECT = 2, TAG_POISON = 3, TAG_CRASHED = 4 };

static int crash_fd = -1; /* appends to the file; used by the signal handler only */

static void note_crash(int signal_number)
{
    const uint64_t pair[2] = {TAG_CRASHED, 0};
    if (write(crash_fd, pair, sizeof pair) < 0) _exit(128 + signal_number);
    raise(signal_number); /* SA_RESETHAND: the default action, a core or an end */
}

static void watch_crashes(const char *path)
{
    crash_fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    struct sigaction action = {.sa_handler = note_crash, .sa_flags = (int)SA_RESETHAND};
    const int signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
}

static void load(struct suspects *suspects)
{
    uint64_t pair[2], running[LIMIT_FACTS_PER_COMMIT];
    uint32_t running_count = 0;
    bool crashed = false;
    while (read(suspects->fd, pair, sizeof pair) == sizeof pair) {
        if (pair[0] == TAG_RUNNING && running_count < LIMIT_FACTS_PER_COMMIT)
            running[running_count++] = pair[1];
        if (pair[0] == TAG_CRASHED) crashed = true;
        if (pair[0] == TAG_SUSPECT && suspects->alone_count < MARKS_MAX)
            suspects->alone[suspects->alone_count++] = pair[1];
        if (pair[0] == TAG_POISON && suspects->poison_count < MARKS_MAX)
            suspects->poison[suspects->poison_count++] = pair[1];
    }
    if (!crashed) return; /* killed from outside, or the machine went: nobody's fault */
    bool was_alone = running_count == 1 && suspects_alone(suspects, running[0]);
    for (uint32_t i = 0; i < running_count; i++) {
        if (was_alone && suspects->poison_count < MARKS_MAX) {
            log_error("a request that ran alone ended the dispatcher: it will be quarantined");
            suspects->poison[suspects->poison_count++] = running[i];
        } else if (suspects->alone_count < MARKS_MAX) {
            suspects->alone[suspects->alone_count++] = running[i];
        }
    }
}

struct suspects *suspects_open(const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/suspects", folder);
    struct suspects *suspects = calloc(1, sizeof *suspects);
    CHECK(suspects != NULL);
    suspects->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(suspects->fd >= 0);
    load(suspects);
    watch_crashes(path);
    return suspects;
}

void suspects_close(struct suspects *suspects)
{
    close(suspects->fd);
    free(suspects);
}

uint64_t suspect_mark(const void *bytes, size_t size)
{
    struct digest digest = digest_start();
    digest_bytes(&digest, bytes, size);
    return digest.state;
}

static bool contains(const uint64_t *marks, uint32_t count, uint64_t mark)
{
    for (uint32_t i = 0; i < count; i++) {
        if (marks[i] == mark) return true;
    }
    return false;
}

bool suspects_any(const struct suspects *suspects)
{
    return suspects->alone_count > 0;
}

bool suspects_alone(const struct suspects *suspects, uint64_t mark)
{
    return contains(suspects->alone, suspects->alone_count, mark);
}

bool suspects_poison(const struct suspects *suspects, uint64_t mark)
{
    return contains(suspects->poison, suspects->poison_count, mark);
}

static uint32_t add_pairs(uint64_t (*pairs)[2], uint32_t at, uint64_t tag, const uint64_t *marks,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        pairs[at][0] = tag;
        pairs[at++][1] = marks[i];
    }
    return at;
}

static void save(struct suspects *suspects)
{
    static uint64_t pairs[2 * MARKS_MAX + LIMIT_FACTS_PER_COMMIT][2];
    uint32_t count = add_pairs(pairs, 0, TAG_RUNNING, suspects->running, suspects->running_count);
    count = add_pairs(pairs, count, TAG_SUSPECT, suspects->alone, suspects->alone_count);
    count = add_pairs(pairs, count, TAG_POISON, suspects->poison, suspects->poison_count);
    ssize_t size = (ssize_t)(count * sizeof pairs[0]);
    if (pwrite(suspects->fd, pairs, (size_t)size, 0) != size || ftruncate(suspects->fd, size) != 0)
        log_warn("cannot note the batch in %s: a crash in it would not be traced", "suspects");
    crash_here(CRASH_SUSPECTS_NOTED);
}

void suspects_begin(struct suspects *suspects, const uint64_t *marks, uint32_t count)
{
    if (count > LIMIT_FACTS_PER_COMMIT) count = LIMIT_FACTS_PER_COMMIT;
    memcpy(suspects->running, marks, count * sizeof marks[0]);
    suspects->running_count = count;
    save(suspects);
}

static void forget(uint64_t *marks, uint32_t *count, uint64_t mark)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (marks[i] == mark) marks[i--] = marks[--*count];
    }
}

void suspects_end(struct suspects *suspects)
{
    for (uint32_t i = 0; i < suspects->running_count; i++) {
        forget(suspects->alone, &suspects->alone_count, suspects->running[i]);
        forget(suspects->poison, &suspects->poison_count, suspects->running[i]);
    }
    suspects->running_count = 0;
    save(suspects);
}
