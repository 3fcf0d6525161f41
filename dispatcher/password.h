/* password.h - passwords as argon2id hashes: 64 MiB and three passes, some 120 ms of a core each.
 *
 * So a hash is never made on the dispatcher's loop: whoever has one to check writes down the work,
 * a worker does it (password_pool.h), and the request comes back with the verdict.
 */
#ifndef CALLOUT_DISPATCHER_PASSWORD_H
#define CALLOUT_DISPATCHER_PASSWORD_H

#include "base/err.h"

#include <stdbool.h>

enum {
    PASSWORD_BYTES_MAX = 1024,
    PASSWORD_CHARACTERS_MIN = 12,
    PASSWORD_HASH_SIZE = 128, /* text, with its NUL */
    PASSWORDS_AT_ONCE = 2,    /* 64 MiB each */
};

struct password_work {
    char password[PASSWORD_BYTES_MAX + 1];
    char hash[PASSWORD_HASH_SIZE];             /* that it is held against */
    char new_password[PASSWORD_BYTES_MAX + 1]; /* "": none */
    bool right;                                /* the verdict */
    char new_hash[PASSWORD_HASH_SIZE];         /* of the new one, when the old one was right */
};

/* Leaves nothing of it in memory. */
void password_forget(struct password_work *work);
/* Does the work; any thread. */
void password_do(struct password_work *work);
/* The hash of a new password. ERR_INVALID names what is wrong with it. */
MUST_USE enum err password_hash(const char *password, char hash[PASSWORD_HASH_SIZE],
                                struct problem *problem);
MUST_USE enum err password_check_new(const char *password, struct problem *problem);
/* A hash that no password has, as dear to check as any: for accounts that do not exist. */
extern const char password_nobodys[];

#endif
