/* exit_code.h - what every role and tool returns to the shell. */
#ifndef CALLOUT_BASE_EXIT_CODE_H
#define CALLOUT_BASE_EXIT_CODE_H

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_VIOLATION = 3,     /* nothing feasible, or a check found a violation */
    EXIT_UNREACHABLE = 4,   /* nobody answers where we asked */
    EXIT_CONFIG = 5,        /* bad configuration or input */
    EXIT_INTERRUPTED = 130, /* by INT or TERM; partial results were given */
};

#endif
