/* oracle.h - what was said and heard, and whether the system kept its word.
 *
 * Idea: the oracle stands outside. It is told what each device saved and what it took for
 * acknowledged, it reads every request and reply at the gateway's door, and it reads the fact log
 * from the disk. From these alone it says
 *   lost    acknowledged, but the log has no such fact, another one, or no result is kept
 *   twice   one command or request with two facts; a fact of something nobody said
 *   leaked  a reply carries an appointment that is not, or never was, its technician's; or
 *           anything at all half a minute after its device was revoked
 *   stuck   a device that is on has not sent all, or does not show what the dispatcher has for it
 *
 * Owner: lives and texts are the oracle's. Thread: one.
 */
#ifndef CALLOUT_TESTS_ORACLE_H
#define CALLOUT_TESTS_ORACLE_H

#include "ordeal.h"
#include "pb/field.pb-c.h"
#include "sp_listener.h"

struct client;
struct hub;
struct oracle;
struct store;

enum finding { LOST, TWICE, LEAKED, STUCK, FINDINGS };

/* A device from its enrolment to its end. */
struct life;

struct oracle *oracle_open(struct ordeal_result *result, const struct ordeal_options *options);
void oracle_close(struct oracle *oracle);

/* Counts a finding, and keeps the first one's words. */
void oracle_blame(struct oracle *oracle, enum finding what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- what devices and the office say and hear --- */

struct life *oracle_life(struct oracle *oracle, const char *technician_id, const char *token);
void oracle_saved(struct oracle *oracle, struct life *life, const Callout__Command *command);
void oracle_heard(struct oracle *oracle, struct life *life, const Callout__CommandResult *result);
void oracle_revoked(struct life *life, int64_t now_us);
void oracle_ended(struct life *life);                /* its phone is off for good */
const char *life_device_id(const struct life *life); /* "": the gateway never said it */
const char *life_technician_id(const struct life *life);
bool life_was_revoked(const struct life *life);
void oracle_accepted(struct oracle *oracle, const char *request_id); /* the office was told: done */

/* --- at the gateway's door --- */

/* What a request at the door is, and whose; NULL life: not a device's. */
struct passer {
    struct life *life;
    char method[16];
};
struct passer oracle_request(struct oracle *oracle, struct sp_ticket from, const char *peer,
                             const uint8_t *bytes, size_t size);
struct passer oracle_reply(struct oracle *oracle, struct sp_ticket to, const uint8_t *bytes,
                           size_t size, int64_t now_us);

/* --- judging --- */

/* Reads the whole log, and holds against it all that was said; `at_rest`: also what a restore took,
 * since every device had the time to bring it back. */
void oracle_judge(struct oracle *oracle, struct store *store, bool at_rest);
/* The disk was brought back from a copy. What devices were told must come back by themselves, since
 * they keep it and say it again; what the office was told, and enrolments since the copy, are
 * gone. */
void oracle_restored(struct oracle *oracle, struct store *store);
bool life_is_unknown(const struct life *life);
/* Whether the device shows what the dispatcher has for it, and has sent all; *why says what not. */
bool oracle_agrees(const struct client *client, struct hub *hub, const char *technician_id,
                   char why[ORDEAL_TEXT]);

#endif
