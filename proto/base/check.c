#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

noreturn void check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "callout: %s:%d: CHECK(%s) failed\n", file, line, condition);
    fflush(NULL);
    abort();
}
