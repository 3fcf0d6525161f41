/* row.h - one line of the list of hostile inputs: what is done to the system, and what it answers.
 */
#ifndef CALLOUT_TESTS_HOSTILE_ROW_H
#define CALLOUT_TESTS_HOSTILE_ROW_H

#include "rig.h"

struct order;

/* Status words of wire.proto first; then what is no status. */
enum answer {
    OK = CALLOUT__STATUS__OK,
    INVALID = CALLOUT__STATUS__INVALID,
    UNAUTH = CALLOUT__STATUS__UNAUTH,
    NOT_FOUND = CALLOUT__STATUS__NOT_FOUND,
    CONFLICT = CALLOUT__STATUS__CONFLICT,
    GONE = CALLOUT__STATUS__GONE,
    TOO_LARGE = CALLOUT__STATUS__TOO_LARGE,
    VERSION = CALLOUT__STATUS__VERSION,
    RATE = CALLOUT__STATUS__RATE,
    SUPERSEDED = CALLOUT__STATUS__SUPERSEDED,
    RESET = CALLOUT__STATUS__RESET,
    CLOSED = 32,                              /* the connection ends without a word */
    APPLIED = 64 + CALLOUT__OUTCOME__APPLIED, /* outcomes of a command */
    CONFLICT_RECORDED = 64 + CALLOUT__OUTCOME__CONFLICT_RECORDED,
    REJECTED = 64 + CALLOUT__OUTCOME__REJECTED,
    COMMAND_GAP = 64 + CALLOUT__OUTCOME__OUTCOME_GAP,
    MISMATCH = 64 + CALLOUT__OUTCOME__PAYLOAD_MISMATCH,
    SEEN = 128, /* the row looks at everything itself */
};

struct row {
    int number;
    const char *attack;
    void (*act)(const struct row *row, struct got *got);
    struct {
        const char *at;
        size_t size;
    } bytes;
    const char *method;
    size_t total; /* of a flood: so many bytes of the pieces in `bytes` */
    void (*change)(struct order *order);
    enum answer answer;
    const char *field;   /* that the answer names; NULL: none */
    bool changes;        /* facts may follow */
    bool slow;           /* waits for a deadline: done last, so that the deadline has passed */
    const char *missing; /* what this row needs and the product does not have yet */
    const char *proof;   /* FILE FUNCTION: proved there instead */
};

#endif
