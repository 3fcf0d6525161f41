#include "sim/study/workers.h"

#include "base/check.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_MS = 200, CLOSED = -1, NOT_STARTED = 127 };

static const int64_t grace_us = 2 * US_PER_SECOND; /* from TERM to KILL */

struct worker {
    pid_t pid; /* 0: free. It leads a group of its own */
    size_t run;
    int out, err; /* ends of its pipes, CLOSED when at their end */
    char *answer;
    size_t answer_size, answer_room;
    char complaint[WORKER_COMPLAINT + 1];
    size_t complaint_size;
    int64_t began_us, term_us; /* term_us: when it was told to end; 0: it was not */
    const char *ended_because; /* by us; NULL: by itself */
};

struct workers {
    const struct worker_plan *plan;
    struct worker items[WORKERS_MAX];
    size_t next; /* run to start */
    size_t busy;
    bool killed; /* interrupted: all were told to end */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void workers_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    interrupted = 0;
    CHECK(sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0);
}

bool workers_interrupted(void)
{
    return interrupted != 0;
}

/* --- starting -------------------------------------------------------------------------------- */

static bool open_pipe(int ends[2])
{
    if (pipe(ends) != 0) return false;
    for (int i = 0; i < 2; i++)
        CHECK(fcntl(ends[i], F_SETFD, FD_CLOEXEC) == 0);
    CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    return true;
}

static void close_both(int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* exec wants writable texts but does not write. */
static char *const *writable(const char *const *texts)
{
    union {
        const char *const *constant;
        char *const *writable;
    } both = {texts};
    return both.writable;
}

static void become(const char *const *arguments, int out, int err)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigemptyset(&usual.sa_mask);
    sigaction(SIGINT, &usual, NULL);
    sigaction(SIGTERM, &usual, NULL);
    setpgid(0, 0);
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0) dup2(nothing, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execvp(arguments[0], writable(arguments));
    dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
    _exit(NOT_STARTED);
}

static bool start(struct worker *worker, const struct worker_plan *plan, size_t run)
{
    int out[2], err[2];
    const char *const *arguments = plan->arguments(plan->context, run);
    if (!open_pipe(out)) return false;
    if (!open_pipe(err)) {
        close_both(out);
        return false;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) become(arguments, out[1], err[1]);
    close(out[1]);
    close(err[1]);
    if (pid < 0) {
        close(out[0]);
        close(err[0]);
        return false;
    }
    setpgid(pid, pid); /* here too: whoever comes first */
    char *room = worker->answer;
    size_t room_size = worker->answer_room;
    *worker = (struct worker){.pid = pid,
                              .run = run,
                              .out = out[0],
                              .err = err[0],
                              .answer = room,
                              .answer_room = room_size,
                              .began_us = clock_mono_us()};
    return true;
}

static bool fill(struct workers *workers)
{
    const struct worker_plan *plan = workers->plan;
    for (size_t i = 0; i < plan->workers; i++) {
        struct worker *worker = &workers->items[i];
        if (worker->pid != 0 || workers->next == plan->runs || workers_interrupted()) continue;
        if (!start(worker, plan, workers->next)) return false;
        workers->next++;
        workers->busy++;
    }
    return true;
}

/* --- ending ---------------------------------------------------------------------------------- */

/* The first time it is asked to end, later it is made to. */
static void end(struct worker *worker, const char *because)
{
    int64_t now_us = clock_mono_us();
    if (worker->term_us == 0) {
        worker->term_us = now_us;
        worker->ended_because = because;
        kill(-worker->pid, SIGTERM);
    } else if (now_us - worker->term_us > grace_us)
        kill(-worker->pid, SIGKILL);
}

static void close_end(int *fd)
{
    if (*fd != CLOSED) close(*fd);
    *fd = CLOSED;
}

static void tell(struct workers *workers, struct worker *worker, int status)
{
    const char *complaint = worker->complaint;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (worker->ended_because != NULL) {
        complaint = worker->ended_because;
        code = -1;
    }
    struct worker_outcome outcome = {.run = worker->run,
                                     .exit_code = code,
                                     .answer = worker->answer_size == 0 ? "" : worker->answer,
                                     .answer_size = worker->answer_size,
                                     .complaint = complaint,
                                     .took_us = clock_mono_us() - worker->began_us};
    if (code == -1 && complaint[0] == '\0') outcome.complaint = "it was ended by a signal";
    bool cut_off = workers->killed && worker->ended_because != NULL;
    if (!cut_off) workers->plan->done(workers->plan->context, &outcome);
}

/* --- listening ------------------------------------------------------------------------------- */

static void keep_answer(struct worker *worker, const char *bytes, size_t size)
{
    if (worker->answer_size + size > WORKER_ANSWER_MAX) {
        end(worker, "its answer is too long");
        return;
    }
    while (worker->answer_size + size > worker->answer_room) {
        worker->answer_room = worker->answer_room == 0 ? 65536 : 2 * worker->answer_room;
        worker->answer = realloc(worker->answer, worker->answer_room);
        CHECK(worker->answer != NULL);
    }
    memcpy(worker->answer + worker->answer_size, bytes, size);
    worker->answer_size += size;
}

/* The last bytes of what it complained. */
static void keep_complaint(struct worker *worker, const char *bytes, size_t size)
{
    if (size > WORKER_COMPLAINT) {
        bytes += size - WORKER_COMPLAINT;
        size = WORKER_COMPLAINT;
    }
    size_t over = worker->complaint_size + size > WORKER_COMPLAINT
                      ? worker->complaint_size + size - WORKER_COMPLAINT
                      : 0;
    memmove(worker->complaint, worker->complaint + over, worker->complaint_size - over);
    worker->complaint_size -= over;
    memcpy(worker->complaint + worker->complaint_size, bytes, size);
    worker->complaint_size += size;
    worker->complaint[worker->complaint_size] = '\0';
}

static void listen_to(struct worker *worker, int *fd)
{
    char bytes[16384];
    ssize_t size;
    while (*fd != CLOSED && (size = read(*fd, bytes, sizeof bytes)) != 0) {
        if (size < 0) {
            if (errno == EAGAIN || errno == EINTR) return;
            break;
        }
        if (fd == &worker->out)
            keep_answer(worker, bytes, (size_t)size);
        else
            keep_complaint(worker, bytes, (size_t)size);
    }
    close_end(fd);
}

/* What is over is told and makes room. What it started and left behind is ended with it. */
static void reap(struct workers *workers, struct worker *worker)
{
    int status;
    pid_t ended = waitpid(worker->pid, &status, WNOHANG);
    if (ended == 0) return;
    CHECK(ended == worker->pid);
    kill(-worker->pid, SIGKILL);
    listen_to(worker, &worker->out);
    listen_to(worker, &worker->err);
    close_end(&worker->out);
    close_end(&worker->err);
    tell(workers, worker, status);
    worker->pid = 0;
    workers->busy--;
}

static void wait_for_news(struct workers *workers)
{
    struct pollfd polls[2 * WORKERS_MAX];
    nfds_t count = 0;
    bool closing = false;
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        const struct worker *worker = &workers->items[i];
        if (worker->pid == 0) continue;
        if (worker->out != CLOSED) polls[count++] = (struct pollfd){worker->out, POLLIN, 0};
        if (worker->err != CLOSED) polls[count++] = (struct pollfd){worker->err, POLLIN, 0};
        closing = closing || worker->out == CLOSED;
    }
    (void)poll(polls, count, closing ? 1 : TICK_MS); /* interrupted or not, all are looked at */
}

static void look_after(struct workers *workers, struct worker *worker)
{
    int64_t limit_us = workers->plan->limit_us;
    listen_to(worker, &worker->out);
    listen_to(worker, &worker->err);
    if (workers_interrupted()) {
        workers->killed = true;
        end(worker, "interrupted");
    } else if (worker->term_us > 0)
        end(worker, worker->ended_because);
    else if (limit_us > 0 && clock_mono_us() - worker->began_us > limit_us)
        end(worker, "it took too long");
    /* What it wrote last is in the pipe before its end is seen. */
    if (worker->out == CLOSED || worker->term_us > 0) reap(workers, worker);
}

enum err workers_run(const struct worker_plan *plan, struct problem *problem)
{
    static struct workers workers;
    workers = (struct workers){.plan = plan};
    CHECK(plan->workers > 0 && plan->workers <= WORKERS_MAX);
    bool started = fill(&workers);
    while (workers.busy > 0) {
        wait_for_news(&workers);
        for (size_t i = 0; i < plan->workers; i++)
            if (workers.items[i].pid != 0) look_after(&workers, &workers.items[i]);
        if (plan->tick != NULL) plan->tick(plan->context);
        if (started) started = fill(&workers);
    }
    for (size_t i = 0; i < plan->workers; i++)
        free(workers.items[i].answer);
    if (started) return ERR_OK;
    return problem_set(problem, ERR_IO, "workers", "no process could be started: %s",
                       strerror(errno));
}
