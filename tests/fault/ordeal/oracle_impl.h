/* oracle_impl.h - what the oracle remembers; for its own files (oracle.c, judge.c). */
#ifndef CALLOUT_TESTS_ORACLE_IMPL_H
#define CALLOUT_TESTS_ORACLE_IMPL_H

#include "base/arena.h"
#include "base/limits.h"
#include "model/geo.h"
#include "oracle.h"

/* What a device said under one number. */
struct word {
    uint64_t digest; /* of the packed command */
    Callout__Command__BodyCase body;
    struct point place;       /* of a position */
    bool refused;             /* off shift: told so, and to be kept nowhere */
    Callout__Outcome outcome; /* 0: not acknowledged */
    bool pledged;         /* acknowledged before a restore took it: to be there again in the end */
    uint32_t facts;       /* in the log, while it is judged */
    uint64_t fact_digest; /* of the last of them */
};

struct life {
    struct life *next;
    char technician_id[LIMIT_ID + 1], device_id[LIMIT_ID + 1], token[128], peer[48];
    uint32_t epoch;
    int64_t revoked_us; /* 0: it was not */
    bool unknown;       /* a restore took its enrolment */
    bool ended;         /* its phone is off for good: it brings nothing back any more */
    struct word *words; /* by number, from 1 */
    uint64_t word_count, word_room;
};

/* Texts, each once; `number` is the owner's to use. */
struct text {
    char text[2 * LIMIT_ID + 4];
    uint32_t number;
};
struct texts {
    struct text *items;
    size_t count, room; /* a hash table with room for twice as many */
};
/* Finds it, or adds it with number 0. Borrowed until the next call. */
struct text *texts_take(struct texts *texts, const char *text);
struct text *texts_find(const struct texts *texts, const char *text); /* NULL: not there */

/* A request that is out at the door. */
struct asked {
    struct sp_ticket ticket;
    struct passer passer;
};

struct oracle {
    struct ordeal_result *result;
    const struct ordeal_options *options;
    struct arena arena;
    struct life *lives;
    struct asked *asked; /* by the ticket's slot */
    uint32_t asked_room;
    bool at_rest; /* while it judges: devices had the time to bring back what a restore took */
    struct texts shown;    /* "TECHNICIAN APPOINTMENT": carried to him by some reply */
    struct texts owned;    /* the same: his by a fact, at some time */
    struct texts accepted; /* request ids whose asker was told that it is done */
    struct texts requests; /* request ids of facts; number: how many */
};

#endif
