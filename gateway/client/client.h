/* client.h - a technician's device: enrols, reports, and follows its own part of the plan.
 *
 * Idea: two things are durable in the device's folder, and each has one direction.
 *   up    the outbox: a command is saved first (client_save), shown as saved, and sent until the
 *         server has it: in order, each with an effect exactly once, whatever the network does
 *   down  the replica: the technician's appointments as the server last said, and the cursor for
 *         "what is new since then?", asked with a held poll on a connection of its own
 * Everything between (session, resending, back-off, snapshot when the cursor is void) is the
 * library's business. An app shows client_appointments with its own unsent commands on top.
 *
 *      no identity --Enroll--> no session --Hello--> live: Snapshot, then Push and Pull together
 *                                   ^---- UNAUTH ------'           GONE anywhere: ended for good
 *
 * A session costs two Hellos: the server gives a nonce, the device signs it (signed_bytes.h). GONE
 * means that the device was revoked, or another one took its place: what it knows of appointments
 * and customers is erased at once; the commands that the server does not have yet are handed over,
 * for people to look at; then outbox and key are erased too, and it stops.
 *
 * A request without an answer is sent again: after a reconnect at once, on a silent connection
 * after 12 s, a held poll 15 s after its hold. Every request of a device may safely come twice.
 *
 * What a Status does: RETRY, RATE, BUSY, IO, INTERNAL wait retry_after_ms or 1 to 60 s with chance
 * and send the same again; UNAUTH says Hello; GAP sends again from the server's last_seq; RESET
 * takes a Snapshot; SUPERSEDED polls again; VERSION and a refused Enroll stop.
 *
 * A reply of another log (Reply.log_epoch) comes from a server that was restored from a backup: the
 * device says Hello at once, and sends again what the server lacks: what was answered is kept until
 * it is in a backup (HelloReply.safe_seq), for 72 hours at least and 35 days at most.
 *
 * Owner: texts in options are copied. Whatever a callback gets is borrowed until it returns.
 * Thread: all functions and callbacks on the loop's thread (loop.h); one loop serves any number of
 * clients. A callback may call any function except client_close.
 * Time: domain time is estimated from replies (server_time_us, clock_rate) on the monotonic clock.
 */
#ifndef CALLOUT_GATEWAY_CLIENT_CLIENT_H
#define CALLOUT_GATEWAY_CLIENT_CLIENT_H

#include "base/err.h"
#include "gateway/client/loop.h"
#include "gateway/client/replica.h"
#include "pb/field.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

struct client;

enum client_state {
    CLIENT_NEW,      /* not enrolled yet */
    CLIENT_GREETING, /* has an identity, no session */
    CLIENT_LIVE,     /* has a session */
    CLIENT_STOPPED,  /* ended by the server; see on_stopped */
};

/* What one complete reply changed on this device. */
struct client_news {
    const struct replica_change *changes;
    size_t change_count;
    bool snapshot; /* after a RESET or at first; the facts behind it are not known */
    size_t cause_count;
    const uint64_t *cause_seqs;             /* the facts behind the changes */
    const int64_t *cause_committed_mono_us; /* the server's monotonic clock; 0: not known */
    int64_t received_mono_us;               /* this machine's, when the reply was in hand */
};

/* All may be NULL. */
struct client_events {
    void (*on_state)(void *context, struct client *client, enum client_state state);
    void (*on_news)(void *context, struct client *client, const struct client_news *news);
    /* Once for each command that the server decided on, in order; again after a restart, or when
     * the reply got lost (result->duplicate). */
    void (*on_result)(void *context, struct client *client, const Callout__CommandResult *result);
    void (*on_stopped)(void *context, struct client *client, enum err err, const char *text);
};

struct client_options {
    const char *url;         /* of the gateway */
    const char *ca_file;     /* for tls+tcp */
    const char *tls_name;    /* NULL: the URL's host */
    const char *folder;      /* the device's own, made if missing; one process at a time */
    const char *enrol_token; /* used while the folder holds no enrolment; NULL: it must hold one */
    const char *device_name; /* for people */
    const char *app_build;
    bool volatile_outbox; /* commands survive kill -9 but not a power cut: for simulated devices */
    uint32_t hold_ms;     /* 0: LIMIT_HOLD_MS */
    const char *boot_id;  /* NULL: this machine's; a device in virtual time has one of its own */
    struct client_events events;
    void *context; /* of the events */
};

struct client_counters {
    uint64_t saved, acknowledged; /* commands */
    uint64_t rejected, conflicts; /* of those acknowledged */
    uint64_t pulls, snapshots, hellos, failures;
};

/* Opens the device's folder and goes online. */
MUST_USE enum err client_open(struct client **out, struct client_loop *loop,
                              const struct client_options *options, struct problem *problem);
void client_close(struct client *client); /* may be NULL; what is saved stays in the folder */

/* Radio off, radio on. Commands can be saved all the time. */
MUST_USE enum err client_set_online(struct client *client, bool online, struct problem *problem);

/* The device's wall clock is so much ahead of the machine's: for simulated devices. */
void client_set_clock(struct client *client, int64_t ahead_us);

/* Saves a command whose body the caller filled; seq, times and boot_id are filled in here. Saved
 * (and `*seq` set) once it returned ERR_OK; it is sent as soon as possible. ERR_GONE: the device
 * was ended. */
MUST_USE enum err client_save(struct client *client, Callout__Command *command, uint64_t *seq,
                              struct problem *problem);

const struct replica_visit *client_appointments(const struct client *client, size_t *count);
const struct replica_visit *client_appointment(const struct client *client, const char *id);
/* The log's seq up to which they are told; 0: nothing was told since the client was opened. */
uint64_t client_plan_seq(const struct client *client);
/* A command that the server cannot even read makes way, so that what was saved after it goes on: an
 * empty one goes in its place, which is REJECTED. What was saved stays on the device, with the
 * server's reason; borrowed until the next call. ERR_NOT_FOUND: `seq` did not make way. */
MUST_USE enum err client_refused(struct client *client, uint64_t seq, const char **why,
                                 const uint8_t **packed, size_t *size);
/* Commands that are saved and not yet acknowledged. */
uint64_t client_unsent(const struct client *client);
enum client_state client_state(const struct client *client);
bool client_connected(const struct client *client);
const char *client_technician_id(const struct client *client); /* "": not enrolled yet */
const struct client_counters *client_counters(const struct client *client);

/* Domain time now; 0: no reply came yet. */
int64_t client_domain_us(const struct client *client);
/* The monotonic time at which domain time will be `domain_us`; only once a reply came. */
int64_t client_mono_at(const struct client *client, int64_t domain_us);

#endif
