#include "base/err.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const names[ERR_COUNT] = {
    [ERR_OK] = "ok",
    [ERR_INVALID] = "invalid",
    [ERR_UNAUTH] = "unauthenticated",
    [ERR_NOT_FOUND] = "not found",
    [ERR_CONFLICT] = "conflict",
    [ERR_GONE] = "gone",
    [ERR_TOO_LARGE] = "too large",
    [ERR_VERSION] = "version not supported",
    [ERR_RATE] = "too many requests",
    [ERR_BUSY] = "busy",
    [ERR_RETRY] = "try again",
    [ERR_GAP] = "sequence gap",
    [ERR_SUPERSEDED] = "superseded",
    [ERR_RESET] = "cursor reset",
    [ERR_INTERNAL] = "internal error",
    [ERR_IO] = "input/output error",
};

const char *err_name(enum err err)
{
    return (unsigned)err < ERR_COUNT ? names[err] : "unknown error";
}

enum err problem_set(struct problem *problem, enum err err, const char *field, const char *format,
                     ...)
{
    if (problem == NULL) return err;
    snprintf(problem->field, sizeof problem->field, "%s", field);
    va_list args;
    va_start(args, format);
    vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
    utf8_mend(problem->field); /* the room, or the format ("%.64s"), may cut a character */
    utf8_mend(problem->text);
    return err;
}
