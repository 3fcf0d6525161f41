/* shell.h - a command of the shell as a test runs it: what it prints, and how it ends. */
#ifndef CALLOUT_TESTS_SHELL_H
#define CALLOUT_TESTS_SHELL_H

#include "base/check.h"

#include <stdio.h>
#include <sys/wait.h>

/* Runs it to its end and returns its exit code, -1 where a signal ended it. `text` gets the first
 * size - 1 bytes of what it prints. */
static inline int shell_output(const char *command, char *text, size_t size)
{
    FILE *pipe = popen(command, "r");
    CHECK(pipe != NULL);
    text[fread(text, 1, size - 1, pipe)] = '\0';
    while (fgetc(pipe) != EOF)
        ;
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
