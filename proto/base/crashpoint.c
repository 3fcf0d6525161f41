#include "base/crashpoint.h"

#include "base/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum crash_point crash_armed = CRASH_NOWHERE;

static long passings_left;
static const char *mark; /* NULL: none is made */

static const char *const names[CRASH_POINTS] = {
    [CRASH_NOWHERE] = "",
#define CRASH_POINT(POINT, name) [CRASH_##POINT] = (name),
#include "base/crashpoint.def"
#undef CRASH_POINT
};

const char *crash_point_name(enum crash_point point)
{
    CHECK(point < CRASH_POINTS);
    return names[point];
}

bool crash_arm(void)
{
    const char *where = getenv("CALLOUT_CRASHPOINT");
    crash_armed = CRASH_NOWHERE;
    mark = getenv("CALLOUT_CRASHPOINT_MARK");
    if (where == NULL || where[0] == '\0') return true;
    if (mark != NULL && access(mark, F_OK) == 0) return true;
    size_t size = strcspn(where, ":");
    passings_left = where[size] == ':' ? strtol(where + size + 1, NULL, 10) : 1;
    for (enum crash_point point = CRASH_NOWHERE + 1; point < CRASH_POINTS; point++)
        if (strlen(names[point]) == size && memcmp(names[point], where, size) == 0)
            crash_armed = point;
    return crash_armed != CRASH_NOWHERE && passings_left >= 1;
}

void crash_count(void)
{
    if (--passings_left > 0) return;
    int fd = mark == NULL ? -1 : open(mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (mark != NULL && fd < 0) return; /* another process was there before */
    kill(getpid(), SIGKILL);
}
