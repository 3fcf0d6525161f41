#include "sim/system.h"

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

enum { ARGUMENTS_MAX = 8192, READY_MS = 60000, STOP_MS = 12000, STEP_MS = 20, INPUT_MAX = 512 };

/* --- files ----------------------------------------------------------------------------------- */

enum err system_read_line(const char *path, char *out, size_t size, struct problem *problem)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) return problem_set(problem, ERR_NOT_FOUND, path, "%s", strerror(errno));
    char *line = fgets(out, (int)size, file);
    fclose(file);
    if (line == NULL) return problem_set(problem, ERR_INVALID, path, "the file is empty");
    out[strcspn(out, "\r\n")] = '\0';
    return ERR_OK;
}

/* A line of DIR/endpoints is a word and an address; of several gateways the first serves us. */
static enum err read_endpoints(struct system *system, struct problem *problem)
{
    char path[SYSTEM_TEXT + 32], line[SYSTEM_TEXT];
    snprintf(path, sizeof path, "%s/endpoints", system->data_dir);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return problem_set(problem, ERR_NOT_FOUND, system->data_dir,
                           "no system runs on this folder (no file \"endpoints\" in it)");
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (strncmp(line, "gateway ", 8) == 0 && system->gateway[0] == '\0')
            snprintf(system->gateway, sizeof system->gateway, "%s", line + 8);
        if (strncmp(line, "admin ", 6) == 0)
            snprintf(system->admin, sizeof system->admin, "%s", line + 6);
        if (strncmp(line, "http ", 5) == 0)
            snprintf(system->http, sizeof system->http, "%s", line + 5);
        if (strncmp(line, "dispatcher ", 11) == 0)
            snprintf(system->dispatcher, sizeof system->dispatcher, "%s", line + 11);
    }
    fclose(file);
    if (system->gateway[0] != '\0') return ERR_OK;
    return problem_set(problem, ERR_INVALID, path, "it names no gateway");
}

enum err system_find(struct system *out, const char *data_dir, struct problem *problem)
{
    struct system found = {0};
    char path[SYSTEM_TEXT + 32];
    if (strlen(data_dir) >= sizeof found.data_dir)
        return problem_set(problem, ERR_TOO_LARGE, "--data", "the path is too long");
    snprintf(found.data_dir, sizeof found.data_dir, "%s", data_dir);
    enum err err = read_endpoints(&found, problem);
    if (err != ERR_OK) return err;
    snprintf(path, sizeof path, "%s/keys/local.key", data_dir);
    err = system_read_line(path, found.key, sizeof found.key, problem);
    if (strncmp(found.gateway, "tls+", 4) == 0)
        snprintf(found.ca_file, sizeof found.ca_file, "%s/tls/ca.pem", data_dir);
    if (err == ERR_OK) *out = found;
    return err;
}

/* --- processes ------------------------------------------------------------------------------- */

static void sleep_step(void)
{
    nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
}

/* The reading end of a pipe that holds the text; -1: it could not be made. */
static int pipe_with(const char *text)
{
    int ends[2];
    size_t size = strlen(text);
    CHECK(size <= INPUT_MAX); /* so much always fits, before anybody reads */
    if (pipe(ends) != 0) return -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    bool written = write(ends[1], text, size) == (ssize_t)size;
    close(ends[1]);
    if (written) return ends[0];
    close(ends[0]);
    return -1;
}

/* Starts this program again with standard output into a pipe. `input`: its standard input; -1:
 * ours. */
static enum err start(const char *const *arguments, const char *log_path, int input, pid_t *pid,
                      int *output, struct problem *problem)
{
    int ends[2];
    if (pipe(ends) != 0) return problem_set(problem, ERR_IO, "pipe", "%s", strerror(errno));
    for (int i = 0; i < 2; i++)
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    struct spawn spawn = {.program = "/proc/self/exe",
                          .arguments = arguments,
                          .input = input,
                          .output = ends[1],
                          .log_path = log_path,
                          .apart = true, /* an interrupt from the terminal is ours to pass on */
                          .ends_with_us = true};
    enum err err = spawn_start(&spawn, pid, problem);
    close(ends[1]);
    if (err == ERR_OK)
        *output = ends[0];
    else
        close(ends[0]);
    return err;
}

static size_t count_arguments(const char *const *arguments)
{
    size_t count = 0;
    while (arguments[count] != NULL)
        count++;
    CHECK(count < ARGUMENTS_MAX - 8);
    return count;
}

/* Waits for the line that begins with "ready". */
static enum err await_ready(pid_t pid, int output, struct problem *problem)
{
    char text[2048];
    size_t size = 0;
    int64_t until_us = clock_mono_us() + READY_MS * INT64_C(1000);
    while (clock_mono_us() < until_us && size < sizeof text - 1) {
        struct pollfd ready = {.fd = output, .events = POLLIN};
        if (poll(&ready, 1, 200) <= 0) continue;
        ssize_t got = read(output, text + size, sizeof text - 1 - size);
        if (got <= 0) {
            int status = 0;
            waitpid(pid, &status, 0);
            return problem_set(problem, ERR_CONFLICT, "callout serve",
                               "it ended with exit code %d before it was ready",
                               WIFEXITED(status) ? WEXITSTATUS(status) : 128);
        }
        size += (size_t)got;
        text[size] = '\0';
        if (strstr(text, "ready") != NULL && strchr(text, '\n') != NULL) return ERR_OK;
    }
    return problem_set(problem, ERR_IO, "callout serve", "it was not ready within %d s",
                       READY_MS / 1000);
}

enum err system_start(struct system *out, const char *data_dir, const char *const *more,
                      const char *log_path, struct problem *problem)
{
    const char *arguments[64] = {"callout", "serve", "--data", data_dir};
    size_t count = 4, more_count = count_arguments(more);
    CHECK(count + more_count < sizeof arguments / sizeof *arguments);
    for (size_t i = 0; i < more_count; i++)
        arguments[count++] = more[i];
    pid_t pid = 0;
    int output = -1;
    enum err err = start(arguments, log_path, -1, &pid, &output, problem);
    if (err != ERR_OK) return err;
    err = await_ready(pid, output, problem);
    close(output);
    struct system system = {.pid = pid};
    if (err == ERR_CONFLICT) return err; /* it is gone already */
    if (err == ERR_OK) err = system_find(&system, data_dir, problem);
    system.pid = pid;
    if (err == ERR_OK)
        *out = system;
    else
        system_stop(&system);
    return err;
}

bool system_died(struct system *system)
{
    int status;
    if (system->pid == 0 || waitpid(system->pid, &status, WNOHANG) != system->pid) return false;
    system->pid = 0;
    return true;
}

bool system_stop(struct system *system)
{
    if (system->pid == 0) return false;
    int status = 0;
    kill(system->pid, SIGTERM);
    int64_t until_us = clock_mono_us() + STOP_MS * INT64_C(1000);
    pid_t ended = 0;
    while ((ended = waitpid(system->pid, &status, WNOHANG)) == 0 && clock_mono_us() < until_us)
        sleep_step();
    if (ended == 0) {
        kill(system->pid, SIGKILL);
        waitpid(system->pid, &status, 0);
    }
    system->pid = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static enum err run_to_end(const char *const *arguments, const char *log_path, int input,
                           char *output, size_t size, struct problem *problem)
{
    count_arguments(arguments);
    pid_t pid = 0;
    int end = -1;
    enum err err = start(arguments, log_path, input, &pid, &end, problem);
    if (err != ERR_OK) return err;
    size_t have = 0;
    for (ssize_t got; have < size - 1; have += (size_t)got) {
        got = read(end, output + have, size - 1 - have);
        if (got < 0 && errno == EINTR)
            got = 0;
        else if (got <= 0)
            break;
    }
    output[have] = '\0';
    close(end);
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ERR_OK;
    return problem_set(problem, ERR_IO, arguments[1], "`callout %s %s` ended with exit code %d",
                       arguments[1], arguments[2] == NULL ? "" : arguments[2],
                       WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

enum err system_command(const char *const *arguments, char *output, size_t size,
                        struct problem *problem)
{
    return run_to_end(arguments, NULL, -1, output, size, problem);
}

enum err system_tell(const char *const *arguments, const char *input, const char *log_path,
                     struct problem *problem)
{
    char output[4096]; /* what does not fit is left in the pipe, which closes */
    int end = pipe_with(input);
    if (end < 0) return problem_set(problem, ERR_IO, "pipe", "%s", strerror(errno));
    enum err err = run_to_end(arguments, log_path, end, output, sizeof output, problem);
    close(end);
    return err;
}

enum err system_enrol(const char *data_dir, const char *const *technician_ids, size_t count,
                      char *tokens, size_t size, struct problem *problem)
{
    const char *const words[] = {"callout", "admin", "enrol", "--data", data_dir, "--"};
    enum { WORDS = sizeof words / sizeof words[0] };
    const char **arguments = calloc(count + WORDS + 1, sizeof *arguments);
    CHECK(arguments != NULL);
    memcpy(arguments, words, sizeof words);
    memcpy(arguments + WORDS, technician_ids, count * sizeof *arguments);
    enum err err = system_command(arguments, tokens, size, problem);
    free(arguments);
    return err;
}
