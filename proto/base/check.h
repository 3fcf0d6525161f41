/* check.h - programmer mistakes stop the program, in every build.
 *
 * CHECK guards an invariant that only a bug of ours can break: it stays on in release builds.
 * Input from outside is never CHECKed; it is refused with an error (err.h).
 */
#ifndef CALLOUT_BASE_CHECK_H
#define CALLOUT_BASE_CHECK_H

#include <stdnoreturn.h>

noreturn void check_failed(const char *condition, const char *file, int line);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) check_failed(#condition, __FILE__, __LINE__);                            \
    } while (0)

#endif
