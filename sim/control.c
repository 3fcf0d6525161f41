#define _GNU_SOURCE /* accept4, O_PATH */
#include "sim/control.h"

#include "base/check.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, BACKLOG = 8 };

static const int64_t silent_us = 10 * US_PER_SECOND; /* a caller who sends no line is sent away */

struct seat {
    int socket; /* -1: free */
    uint32_t turn;
    int64_t since_us;
    bool asked; /* its line was passed on */
    char line[CONTROL_LINE];
    size_t size;
    char *answer; /* NULL: none yet */
    size_t left;  /* of its end, to be sent */
};

struct control {
    int listener;
    char path[PATH_BYTES];
    struct seat seats[CONTROL_CALLERS];
};

/* --- addresses ------------------------------------------------------------------------------- */

/* A socket's address has room for 107 bytes; through the open folder any path fits. -1: there is no
 * such folder, see errno. */
static int address_of(const char *path, struct sockaddr_un *address)
{
    char folder[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path + 1),
             slash == NULL ? "." : path);
    int opened = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int size = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", opened,
                        slash == NULL ? path : slash + 1);
    if (opened >= 0 && size >= (int)sizeof address->sun_path) {
        close(opened);
        errno = ENAMETOOLONG;
        return -1;
    }
    return opened;
}

/* -1: nobody listens there, or it cannot be reached; see errno. */
static int dial(const char *path)
{
    struct sockaddr_un address;
    int folder = address_of(path, &address);
    if (folder < 0) return -1;
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connection >= 0);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) {
        int why = errno;
        close(connection);
        connection = -1;
        errno = why;
    }
    int why = errno;
    close(folder);
    errno = why;
    return connection;
}

static enum err listen_at(int listener, const char *path, struct problem *problem)
{
    struct sockaddr_un address;
    int folder = address_of(path, &address);
    if (folder < 0) return problem_set(problem, ERR_IO, path, "%s", strerror(errno));
    mode_t usual = umask(077);
    bool bound = bind(listener, (struct sockaddr *)&address, sizeof address) == 0 &&
                 listen(listener, BACKLOG) == 0;
    int why = errno;
    umask(usual);
    close(folder);
    return bound ? ERR_OK : problem_set(problem, ERR_IO, path, "%s", strerror(why));
}

/* --- the fleet's end ------------------------------------------------------------------------- */

enum err control_open(struct control **out, const char *path, struct problem *problem)
{
    if (strlen(path) >= PATH_BYTES)
        return problem_set(problem, ERR_TOO_LARGE, "control", "the path is too long");
    int other = dial(path);
    if (other >= 0) {
        close(other);
        return problem_set(problem, ERR_CONFLICT, path, "another fleet is served there");
    }
    if (errno == ECONNREFUSED) unlink(path); /* of a fleet that was killed */
    struct control *control = calloc(1, sizeof *control);
    CHECK(control != NULL);
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(control->listener >= 0);
    for (size_t i = 0; i < CONTROL_CALLERS; i++)
        control->seats[i].socket = -1;
    enum err err = listen_at(control->listener, path, problem);
    if (err == ERR_OK) {
        snprintf(control->path, sizeof control->path, "%s", path);
        *out = control;
    } else
        control_close(control);
    return err;
}

static void free_seat(struct seat *seat)
{
    close(seat->socket);
    free(seat->answer);
    seat->answer = NULL;
    seat->socket = -1;
    seat->turn++;
}

void control_close(struct control *control)
{
    if (control == NULL) return;
    for (size_t i = 0; i < CONTROL_CALLERS; i++)
        if (control->seats[i].socket >= 0) free_seat(&control->seats[i]);
    close(control->listener);
    if (control->path[0] != '\0') unlink(control->path);
    free(control);
}

static void seat_callers(struct control *control)
{
    for (size_t i = 0; i < CONTROL_CALLERS; i++) {
        struct seat *seat = &control->seats[i];
        if (seat->socket >= 0) continue;
        int caller = accept4(control->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (caller < 0) return;
        seat->socket = caller;
        seat->since_us = clock_mono_us();
        seat->size = 0;
        seat->asked = false;
    }
}

/* True: its line is whole. Who hangs up, says too much or nothing loses the seat. */
static bool hear(struct seat *seat)
{
    ssize_t got =
        recv(seat->socket, seat->line + seat->size, sizeof seat->line - 1 - seat->size, 0);
    bool later = got < 0 && (errno == EAGAIN || errno == EINTR);
    if (got > 0) seat->size += (size_t)got;
    seat->line[seat->size] = '\0';
    char *end = strchr(seat->line, '\n');
    if (end != NULL) {
        *end = '\0';
        return true;
    }
    bool full = seat->size == sizeof seat->line - 1;
    bool silent = clock_mono_us() > seat->since_us + silent_us;
    if ((got <= 0 && !later) || full || silent) free_seat(seat);
    return false;
}

/* As much as the caller takes now; one who takes nothing for long loses the seat. */
static void tell(struct seat *seat)
{
    const char *end = seat->answer + strlen(seat->answer);
    ssize_t sent = send(seat->socket, end - seat->left, seat->left, MSG_NOSIGNAL);
    if (sent > 0) {
        seat->left -= (size_t)sent;
        seat->since_us = clock_mono_us();
    }
    bool gone = sent < 0 && errno != EAGAIN && errno != EINTR;
    if (seat->left == 0 || gone || clock_mono_us() > seat->since_us + silent_us) free_seat(seat);
}

void control_serve(struct control *control, control_on_line *on_line, void *context)
{
    seat_callers(control);
    for (uint32_t i = 0; i < CONTROL_CALLERS; i++) {
        struct seat *seat = &control->seats[i];
        if (seat->socket < 0) continue;
        if (seat->answer != NULL)
            tell(seat);
        else if (!seat->asked && hear(seat)) {
            seat->asked = true;
            on_line(context, (struct control_caller){i, seat->turn}, seat->line);
        }
    }
}

void control_answer(struct control *control, struct control_caller caller, bool ok,
                    const char *text)
{
    CHECK(caller.index < CONTROL_CALLERS);
    struct seat *seat = &control->seats[caller.index];
    if (seat->turn != caller.turn || seat->socket < 0) return;
    CHECK(seat->answer == NULL);
    seat->turn++; /* it is answered */
    size_t room = strlen(text) + 4;
    seat->answer = malloc(room);
    CHECK(seat->answer != NULL);
    seat->left = (size_t)snprintf(seat->answer, room, "%s%s", ok ? "ok\n" : "no\n", text);
    seat->since_us = clock_mono_us();
    tell(seat);
}

/* --- the caller's end ------------------------------------------------------------------------ */

/* Reads until the fleet hangs up; the size, or -1. */
static ssize_t read_answer(int connection, char *answer, size_t size)
{
    int64_t until_us = clock_mono_us() + CONTROL_WAIT_S * US_PER_SECOND;
    size_t have = 0;
    while (have < size - 1 && clock_mono_us() < until_us) {
        struct pollfd ready = {.fd = connection, .events = POLLIN};
        if (poll(&ready, 1, 200) <= 0) continue;
        ssize_t got = recv(connection, answer + have, size - 1 - have, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        have += (size_t)got;
    }
    answer[have] = '\0';
    return (ssize_t)have;
}

enum err control_call(const char *path, const char *line, char *answer, size_t size,
                      struct problem *problem)
{
    char sent[CONTROL_LINE];
    int length = snprintf(sent, sizeof sent, "%s\n", line);
    if (length >= (int)sizeof sent) return problem_set(problem, ERR_TOO_LARGE, path, "too long");
    int connection = dial(path);
    if (connection < 0) return problem_set(problem, ERR_NOT_FOUND, path, "no fleet lives there");
    ssize_t got = -1;
    if (send(connection, sent, (size_t)length, MSG_NOSIGNAL) == length)
        got = read_answer(connection, answer, size);
    close(connection);
    if (got < 3) return problem_set(problem, ERR_IO, path, "the fleet did not answer");
    bool ok = strncmp(answer, "ok\n", 3) == 0;
    memmove(answer, answer + 3, (size_t)got - 2);
    return ok ? ERR_OK : problem_set(problem, ERR_CONFLICT, "the fleet", "%s", answer);
}
