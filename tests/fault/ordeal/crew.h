/* crew.h - technicians with their phones: who work, say so, lose their signal, and drop the phone.
 *
 * Idea: a technician does what his phone shows: he leaves for a visit, arrives, and ends it, signal
 * or not, and sometimes declines, runs late, or falls ill. His phone is a real client
 * (gateway/client) in a folder that outlives it: a crash closes the client in the midst of
 * whatever it does, and a while later it is opened again on what the folder holds. A revoked phone
 * goes on asking, as a stolen one would, and its technician gets another.
 *
 * Owner: loop, oracle and hub outlive the crew; all is freed by crew_close. Thread: the loop's.
 * A crash may be asked for at any time: it happens from a timer of now.
 */
#ifndef CALLOUT_TESTS_CREW_H
#define CALLOUT_TESTS_CREW_H

#include "gateway/client/client.h"
#include "oracle.h"

struct crew;
struct phone;

struct crew_options {
    struct client_loop *loop;
    struct hub *hub;
    struct oracle *oracle;
    const char *folder; /* for the phones' folders */
    uint64_t seed;
    uint32_t count;
};

struct crew *crew_open(const struct crew_options *options);
void crew_close(struct crew *crew);

/* "T000" and so on. */
void crew_name(uint32_t number, char out[16]);
void crew_enrol(struct crew *crew);     /* everybody who has no phone gets one */
void crew_to_work(struct crew *crew);   /* acts, and radio on and off, from now on */
void crew_come_home(struct crew *crew); /* nobody acts any more, every phone is on */
void crew_sleep(struct crew *crew);     /* every radio is off */
/* Whether every phone agrees with the dispatcher; *why is the first that does not. */
bool crew_agrees(struct crew *crew, char why[ORDEAL_TEXT]);

/* --- for mishaps --- */

uint64_t crew_crashes(const struct crew *crew);
uint32_t crew_size(const struct crew *crew);
struct phone *crew_phone(struct crew *crew, uint32_t number);
struct phone *crew_find(struct crew *crew, const struct life *life); /* NULL: stolen */
/* The phone dies now, and is on again after so long. */
void phone_crash(struct phone *phone, int64_t after_us, int64_t away_us);
/* Revokes it; its technician gets another one. False: the dispatcher is down. */
bool phone_revoke(struct phone *phone);

#endif
