#define _DEFAULT_SOURCE /* vfork */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { NOT_STARTED = 127 };

/* In the child, which has our memory until it is the program: system calls alone. */
static void become(const struct spawn *spawn, char *const *arguments)
{
    signal(SIGPIPE, SIG_DFL);
    if (spawn->apart) setpgid(0, 0);
    if (spawn->ends_with_us) prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (spawn->input >= 0 && dup2(spawn->input, STDIN_FILENO) < 0) _exit(NOT_STARTED);
    if (spawn->output >= 0 && dup2(spawn->output, STDOUT_FILENO) < 0) _exit(NOT_STARTED);
    if (spawn->log_path != NULL) {
        int log = open(spawn->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (log >= 0) dup2(log, STDERR_FILENO);
    }
    execv(spawn->program, arguments);
    _exit(NOT_STARTED);
}

enum err spawn_start(const struct spawn *spawn, pid_t *pid, struct problem *problem)
{
    union {
        const char *const *borrowed;
        char *const *texts;
    } arguments = {spawn->arguments}; /* execv does not write to them */
    pid_t child = vfork();
    if (child == 0) become(spawn, arguments.texts);
    if (child < 0) return problem_set(problem, ERR_IO, spawn->program, "%s", strerror(errno));
    *pid = child;
    return ERR_OK;
}
