/* err.h - what an expected failure is called; the same words on the wire (Status).
 *
 * A function that can fail returns `enum err`, 0 is fine; results come by out-parameters that are
 * set only on success. Details for people (which field, what remedy) travel beside it as
 * struct problem, owned by the caller.
 */
#ifndef CALLOUT_BASE_ERR_H
#define CALLOUT_BASE_ERR_H

enum err {
    ERR_OK = 0,
    ERR_INVALID,    /* a field is wrong: see struct problem */
    ERR_UNAUTH,     /* no session, or it ended */
    ERR_NOT_FOUND,  /* it does not exist, or you may not know that it does */
    ERR_CONFLICT,   /* true, but not any more or not with what is there */
    ERR_GONE,       /* it was ended or revoked for good */
    ERR_TOO_LARGE,  /* beyond a limit of limits.h */
    ERR_VERSION,    /* a protocol or file version we do not speak */
    ERR_RATE,       /* too fast: come back after retry_after_ms */
    ERR_BUSY,       /* no room now: come back after retry_after_ms */
    ERR_RETRY,      /* nothing was stored: send it again */
    ERR_GAP,        /* a sequence number is missing before this one */
    ERR_SUPERSEDED, /* a newer poll of the same device took this one's place */
    ERR_RESET,      /* the cursor cannot be continued: take a snapshot */
    ERR_INTERNAL,   /* our mistake; the request is kept for us to look at */
    ERR_IO,         /* the machine or the peer failed */
    ERR_COUNT
};

#define MUST_USE __attribute__((warn_unused_result))

/* The word for an error, as people and logs see it: "invalid", "not found", ... Never NULL. */
const char *err_name(enum err err);

/* One thing wrong with an input, named so that its author can mend it. */
struct problem {
    char field[96]; /* path of the field or "line 12, column window_end"; may be empty */
    char text[224]; /* what is wrong and what would be right, one sentence */
};

/* Fills *problem (may be NULL) and returns `err`, so that `return problem_set(...)` reads well. */
enum err problem_set(struct problem *problem, enum err err, const char *field, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));

#endif
