/* system.h - a Callout system on this machine, as a tool finds it or starts it: its addresses, its
 * key, and the process, if it is ours.
 *
 * `callout serve` writes DIR/endpoints when everything answers, and the dispatcher keeps an admin's
 * key in DIR/keys/local.key that only the folder's owner can read.
 * Owner: the caller; system_stop ends what system_start began. Thread: one. Order: start a system
 * and run commands before the first client is opened: a process with threads is not forked.
 */
#ifndef CALLOUT_SIM_SYSTEM_H
#define CALLOUT_SIM_SYSTEM_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { SYSTEM_TEXT = 512, SYSTEM_TOKEN = 128 };

struct system {
    char data_dir[SYSTEM_TEXT];
    char gateway[SYSTEM_TEXT];    /* URL */
    char admin[SYSTEM_TEXT];      /* HOST:PORT */
    char http[SYSTEM_TEXT];       /* HOST:PORT or https://HOST:PORT; "": no such door */
    char dispatcher[SYSTEM_TEXT]; /* URL of its private socket */
    char key[SYSTEM_TEXT];
    char ca_file[SYSTEM_TEXT + 32]; /* of the folder, for a gateway that speaks TLS; "": none */
    pid_t pid;                      /* of `serve`, if it is ours; else 0 */
};

/* Reads the addresses and the key of a system that runs on the folder. ERR_NOT_FOUND: none does. */
MUST_USE enum err system_find(struct system *out, const char *data_dir, struct problem *problem);
/* Starts `callout serve --data DIR` with more arguments (NULL at the end) and waits until it is
 * ready, at most 60 s. Its messages go to `log_path` (NULL: to ours). */
MUST_USE enum err system_start(struct system *out, const char *data_dir, const char *const *more,
                               const char *log_path, struct problem *problem);
/* TERM, and KILL after 12 s. False: it did not end with exit code 0. */
bool system_stop(struct system *system);
/* Has our `serve` ended by itself? */
bool system_died(struct system *system);

/* Runs this program with other arguments (NULL at the end) and collects its standard output. */
MUST_USE enum err system_command(const char *const *arguments, char *output, size_t size,
                                 struct problem *problem);

/* Runs it with a short text as its standard input; what it prints is dropped, what it complains
 * about goes to `log_path`. */
MUST_USE enum err system_tell(const char *const *arguments, const char *input, const char *log_path,
                              struct problem *problem);

/* A fresh enrolment token for each technician, one a line, in their order, from the system that
 * runs on the folder. Each needs up to SYSTEM_TOKEN bytes. */
MUST_USE enum err system_enrol(const char *data_dir, const char *const *technician_ids,
                               size_t count, char *tokens, size_t size, struct problem *problem);

/* Reads the first line of a file, without its line end. */
MUST_USE enum err system_read_line(const char *path, char *out, size_t size,
                                   struct problem *problem);

#endif
