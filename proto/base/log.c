#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const char *role_name = "callout";
static enum log_level level_limit = LOG_INFO;

void log_open(const char *role, enum log_level level_max)
{
    role_name = role;
    level_limit = level_max;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const words[] = {"", "error", "warn", "info", "debug"};
    if (level > level_limit) return;
    char line[1024], now[32];
    int length =
        snprintf(line, sizeof line, "%s %s[%d] %s: ", clock_format_utc(clock_wall_us(), now),
                 role_name, (int)getpid(), words[level]);
    va_list args;
    va_start(args, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length, format, args);
    va_end(args);
    if (length > (int)sizeof line - 2) length = (int)sizeof line - 2;
    line[length] = '\n';
    if (write(STDERR_FILENO, line, (size_t)length + 1) < 0) return; /* nobody is left to tell */
}
