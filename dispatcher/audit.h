/* audit.h - the audit log: what touched somebody's access, or read customers' data; append-only.
 *
 * Idea: each entry carries the hash of the one before it, H(chain before, number, time, texts), so
 * that a changed, missing or inserted entry is found by whoever reads the log from its start. What
 * was cut off at the end is found by the last number and hash, which are kept beside it, and by the
 * heads: the first entry of each UTC day has the head of the day before written to audit-heads.txt
 * in the data folder, one line a day, which is to be carried away from the machine.
 *
 * No secret and no personal value stands in it: ids, names of accounts, addresses of peers.
 * Owner: the store's rows. Entries are part of the batch: what was not committed did not happen.
 */
#ifndef CALLOUT_DISPATCHER_AUDIT_H
#define CALLOUT_DISPATCHER_AUDIT_H

#include "base/clock.h"
#include "base/err.h"
#include "dispatcher/store/store.h"

#include <stdbool.h>
#include <stdint.h>

#define AUDIT_HEADS_FILE "audit-heads.txt"

/* Their names are for ever: they are what is stored. */
#define AUDIT_EVENTS(EVENT)                                                                        \
    EVENT(AUDIT_TOKEN_MADE, "enrolment token made")                                                \
    EVENT(AUDIT_ENROLLED, "device enrolled")                                                       \
    EVENT(AUDIT_ENROL_REFUSED, "enrolment refused")                                                \
    EVENT(AUDIT_HELLO_REFUSED, "hello refused")                                                    \
    EVENT(AUDIT_REVOKED, "access revoked")                                                         \
    EVENT(AUDIT_KEY_MADE, "key made")                                                              \
    EVENT(AUDIT_PERSON_ADDED, "person added")                                                      \
    EVENT(AUDIT_PERSON_CHANGED, "person changed")                                                  \
    EVENT(AUDIT_PASSWORD_CHANGED, "password changed")                                              \
    EVENT(AUDIT_LOGIN, "login")                                                                    \
    EVENT(AUDIT_LOGIN_REFUSED, "login refused")                                                    \
    EVENT(AUDIT_LOGOUT, "logout")                                                                  \
    EVENT(AUDIT_REFUSED, "access refused")                                                         \
    EVENT(AUDIT_PAYLOAD_MISMATCH, "payload mismatch")                                              \
    EVENT(AUDIT_LETTERS_FULL, "dead letters full")                                                 \
    EVENT(AUDIT_SIGNATURE_WRONG, "signature wrong")                                                \
    EVENT(AUDIT_READ, "customer data read")

#define AUDIT_ENUM(name, text) name,
enum audit_event { AUDIT_EVENTS(AUDIT_ENUM) AUDIT_EVENT_COUNT };
#undef AUDIT_ENUM

struct call;

/* Writes an entry about `subject` (an id; "": nothing in particular), by whoever asks. */
MUST_USE enum err audit(struct call *call, enum audit_event event, const char *subject);
/* A person was shown what is `subject`'s of customers: once in AUDIT_READ_EVERY_US for each, since
 * a screen that is kept open asks again and again. Not ERR_OK: he must not be shown it. */
MUST_USE enum err audit_read(struct call *call, const char *subject);
#define AUDIT_READ_EVERY_US (10 * US_PER_MINUTE)
/* The same for what strangers can cause as often as they like: at most AUDIT_FAILURES_PER_MINUTE
 * are written, the rest are counted and told by the next one. */
void audit_failure(struct call *call, enum audit_event event, const char *subject);
enum { AUDIT_FAILURES_PER_MINUTE = 60 };

/* Checks the chain, its end, and the heads in `folder` (NULL: not those). *bad is the number of the
 * first entry that does not fit, 0: all do; `count` how many there are. */
MUST_USE enum err audit_verify(struct store *store, const char *folder, int64_t *bad,
                               int64_t *count);

#endif
