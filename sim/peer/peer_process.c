#include "sim/peer/peer_process.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

struct run {
    pid_t pid;
    int in, out; /* our ends of its pipes; -1: closed */
    const char *input;
    size_t input_left;
    char *output;
    size_t output_size, output_cap;
};

static void close_end(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static bool start(struct run *run, const char *command)
{
    int in[2], out[2];
    if (pipe(in) != 0) return false;
    if (pipe(out) != 0) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(in[i], F_SETFD, FD_CLOEXEC);
        fcntl(out[i], F_SETFD, FD_CLOEXEC);
    }
    const char *const arguments[] = {"sh", "-c", command, NULL};
    struct spawn spawn = {.program = "/bin/sh",
                          .arguments = arguments,
                          .input = in[0],
                          .output = out[1],
                          .apart = true};
    bool started = spawn_start(&spawn, &run->pid, NULL) == ERR_OK;
    close(in[0]);
    close(out[1]);
    run->in = in[1];
    run->out = out[0];
    fcntl(run->in, F_SETFL, O_NONBLOCK);
    fcntl(run->out, F_SETFL, O_NONBLOCK);
    return started;
}

/* A program that does not read all of its input may still answer. */
static void feed(struct run *run)
{
    ssize_t done = write(run->in, run->input, run->input_left);
    if (done < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (done > 0) {
        run->input += done;
        run->input_left -= (size_t)done;
    }
    if (done < 0 || run->input_left == 0) close_end(&run->in);
}

static void take(struct run *run)
{
    if (run->output_cap - run->output_size < CHUNK) {
        run->output_cap = run->output_cap * 2 + CHUNK;
        run->output = realloc(run->output, run->output_cap);
        CHECK(run->output != NULL);
    }
    ssize_t got = read(run->out, run->output + run->output_size, CHUNK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0)
        close_end(&run->out);
    else
        run->output_size += (size_t)got;
}

/* True when it has said all that it will say. */
static bool talk(struct run *run, int64_t until_us)
{
    while (run->out >= 0 && run->output_size <= PEER_OUTPUT_MAX) {
        struct pollfd ends[2] = {{.fd = run->out, .events = POLLIN},
                                 {.fd = run->in, .events = POLLOUT}};
        int64_t left_us = until_us - clock_mono_us();
        if (left_us <= 0) return false;
        int ready = poll(ends, 2, (int)(left_us / 1000 < 60000 ? left_us / 1000 + 1 : 60000));
        if (ready <= 0) continue;
        if (ends[1].revents != 0) feed(run);
        if (ends[0].revents != 0) take(run);
    }
    return true;
}

/* It has closed its output; now it should end. */
static bool ended(struct run *run, int64_t until_us, int *status)
{
    const struct timespec moment = {.tv_nsec = 2000000};
    while (waitpid(run->pid, status, WNOHANG) == 0) {
        if (clock_mono_us() >= until_us) return false;
        nanosleep(&moment, NULL); /* a child's end wakes nobody who has no handler for it */
    }
    run->pid = 0;
    return true;
}

static enum peer_end judge(struct run *run, int64_t until_us, struct problem *problem)
{
    int status = 0;
    if (run->pid < 0) {
        problem_set(problem, ERR_IO, "solver", "cannot be started: %s", strerror(errno));
        return PEER_DIED;
    }
    if (!talk(run, until_us) ||
        (run->output_size <= PEER_OUTPUT_MAX && !ended(run, until_us, &status))) {
        problem_set(problem, ERR_IO, "solver", "gave no whole answer in time and was killed");
        return PEER_HUNG;
    }
    if (run->output_size > PEER_OUTPUT_MAX) {
        problem_set(problem, ERR_TOO_LARGE, "solver", "wrote more than %d MiB",
                    PEER_OUTPUT_MAX >> 20);
        return PEER_NONSENSE;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return PEER_ANSWERED;
    if (WIFEXITED(status))
        problem_set(problem, ERR_IO, "solver", "ended with exit code %d", WEXITSTATUS(status));
    else
        problem_set(problem, ERR_IO, "solver", "was ended by signal %d", WTERMSIG(status));
    return PEER_DIED;
}

enum peer_end peer_process_run(const char *command, const char *input, size_t input_size,
                               double seconds_max, struct arena *memory, const char **output,
                               size_t *output_size, struct problem *problem)
{
    struct run run = {.pid = -1, .in = -1, .out = -1, .input = input, .input_left = input_size};
    int64_t until_us = clock_mono_us() + (int64_t)(seconds_max * (double)US_PER_SECOND);
    signal(SIGPIPE, SIG_IGN); /* a program that does not read is an answer, not a reason to die */
    if (!start(&run, command)) run.pid = -1;
    pid_t group = run.pid;
    enum peer_end end = judge(&run, until_us, problem);
    close_end(&run.in);
    close_end(&run.out);
    if (group > 0) kill(-group, SIGKILL); /* it, or whoever it left behind */
    if (run.pid > 0) waitpid(run.pid, NULL, 0);
    if (end == PEER_ANSWERED) {
        char *text = arena_need(memory, run.output_size + 1);
        if (run.output_size > 0) memcpy(text, run.output, run.output_size);
        *output = text;
        *output_size = run.output_size;
    }
    free(run.output);
    return end;
}
