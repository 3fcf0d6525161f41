#include "dispatcher/children.h"

#include "base/alive.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static sigset_t our_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

void children_open(void)
{
    sigset_t set = our_signals();
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}

void child_init(struct child *child, const char *role)
{
    *child = (struct child){.beats_fd = -1, .silence_ms = ALIVE_SILENCE_MS};
    child_arg(child, "callout");
    child_arg(child, role);
}

void child_arg(struct child *child, const char *text)
{
    CHECK(child->arg_count < CHILD_ARGS_MAX);
    char *copy = strdup(text);
    CHECK(copy != NULL);
    child->args[child->arg_count++] = copy;
}

void child_fini(struct child *child)
{
    CHECK(child->pid == 0);
    for (int i = 0; i < child->arg_count; i++)
        free(child->args[i]);
    *child = (struct child){.beats_fd = -1};
}

/* --- starting --- */

/* In the new process: becomes the role, or ends. `parent` guards against a parent that died before
 * the death signal was set. */
static void become(struct child *child, int beat_fd, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    sigset_t set = our_signals();
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    char number[16];
    snprintf(number, sizeof number, "%d", beat_fd);
    if (setenv(ALIVE_VARIABLE, number, 1) != 0) _exit(1);
    dup2(STDERR_FILENO, STDOUT_FILENO); /* our standard output belongs to whoever started us */
    execv("/proc/self/exe", child->args);
    _exit(127);
}

static enum err open_beats(int fds[2])
{
    if (pipe(fds) != 0) return ERR_IO;
    for (int i = 0; i < 2; i++)
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    return ERR_OK;
}

enum err child_start(struct child *child)
{
    CHECK(child->pid == 0 && child->beats_fd == -1);
    int beats[2];
    enum err err = open_beats(beats);
    if (err != ERR_OK) return err;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) become(child, beats[1], parent);
    close(beats[1]);
    if (pid < 0) {
        close(beats[0]);
        return ERR_IO;
    }
    child->pid = pid;
    child->beats_fd = beats[0];
    child->started_us = clock_mono_us();
    child->beat_us = 0;
    return ERR_OK;
}

/* --- watching --- */

bool children_wait(int timeout_ms)
{
    sigset_t set = our_signals();
    struct timespec limit = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
    int got = sigtimedwait(&set, NULL, &limit);
    return got == SIGTERM || got == SIGINT;
}

static void say_how_it_ended(const struct child *child, int status)
{
    if (WIFSIGNALED(status))
        log_warn("%s[%d] was killed by signal %d, again in %d ms", child->args[1], (int)child->pid,
                 WTERMSIG(status), (int)child->delay_ms);
    else
        log_warn("%s[%d] ended with code %d, again in %d ms", child->args[1], (int)child->pid,
                 WEXITSTATUS(status), (int)child->delay_ms);
}

static bool child_reap(struct child *child)
{
    int status;
    if (child->pid == 0 || waitpid(child->pid, &status, WNOHANG) != child->pid) return false;
    int64_t now_us = clock_mono_us();
    if (child->delay_ms == 0 || now_us - child->started_us >= US_PER_SECOND)
        child->delay_ms = CHILD_DELAY_MS_MIN;
    else if (child->delay_ms < CHILD_DELAY_MS_MAX / 2)
        child->delay_ms *= 2;
    else
        child->delay_ms = CHILD_DELAY_MS_MAX;
    child->restart_us = now_us + child->delay_ms * 1000;
    child->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    child->ended_us[child->ends++ % CHILD_ENDS_KEPT] = clock_wall_us();
    say_how_it_ended(child, status);
    close(child->beats_fd);
    child->beats_fd = -1;
    child->pid = 0;
    return true;
}

/* Reads before it judges: if it was us who slept, the beats lie waiting in the pipe. */
static void child_listen(struct child *child)
{
    if (child->pid == 0) return;
    char bytes[256];
    int64_t now_us = clock_mono_us();
    while (read(child->beats_fd, bytes, sizeof bytes) > 0)
        child->beat_us = now_us;
    if (child->beat_us == 0 || now_us - child->beat_us < child->silence_ms * 1000) return;
    log_error("%s[%d] showed no sign of life for %d ms: killed", child->args[1], (int)child->pid,
              (int)child->silence_ms);
    child->beat_us = now_us; /* say it once; the end is noted by child_reap */
    kill(child->pid, SIGKILL);
}

bool children_look(struct child *children, int count)
{
    bool ended = false;
    for (int i = 0; i < count; i++) {
        child_listen(&children[i]);
        ended = child_reap(&children[i]) || ended;
    }
    return ended;
}

void children_restart(struct child *children, int count)
{
    int64_t now_us = clock_mono_us();
    for (int i = 0; i < count; i++) {
        struct child *child = &children[i];
        if (child->pid != 0 || now_us < child->restart_us) continue;
        if (child_start(child) != ERR_OK) {
            log_error("%s cannot be started: %s", child->args[1], strerror(errno));
            child->restart_us = now_us + CHILD_DELAY_MS_MAX * INT64_C(1000);
        }
    }
}

void child_stop(struct child *child, int limit_ms)
{
    if (child->pid == 0) return;
    kill(child->pid, SIGTERM);
    int64_t limit_us = clock_mono_us() + limit_ms * INT64_C(1000);
    const struct timespec nap = {0, 5000000};
    while (waitpid(child->pid, NULL, WNOHANG) == 0) {
        if (clock_mono_us() >= limit_us) {
            log_warn("%s[%d] did not end in time: killed", child->args[1], (int)child->pid);
            kill(child->pid, SIGKILL);
            waitpid(child->pid, NULL, 0);
            break;
        }
        nanosleep(&nap, NULL);
    }
    close(child->beats_fd);
    child->beats_fd = -1;
    child->pid = 0;
}
