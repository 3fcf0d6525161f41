/* load.h - what a run of `callout load` is: its options, its state, its figures.
 *
 * Idea: thousands of devices in one process, each with a key, a session and a sequence of its own,
 * on one event loop. A check-in is a StatusReport (by turns WORKING and PAUSED) on an appointment
 * that the device's technician really has: it becomes a fact, is fsynced with its result before the
 * answer, and may be sent again without a second effect. The devices speak the documented wire by
 * sp_dialler.h: thousands of nng sockets in one process would measure nng.
 *
 *      setup.c    what there must be first: territories, technicians, orders, tokens
 *      device.c   one device: Enroll, Hello, Push, Pull, waiting, again
 *      asker.c    many questions of a tool over one connection, for setup.c
 *      phases.c   all devices through enrolment, load, hold and storm
 *      figures.c  what came of it, for people and as JSON
 *
 * Owner: load_tool.c. Thread: one.
 */
#ifndef CALLOUT_SIM_LOAD_LOAD_H
#define CALLOUT_SIM_LOAD_LOAD_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/rng.h"
#include "pb/wire.pb-c.h"
#include "sim/samples.h"
#include "sim/system.h"

#include <stdbool.h>
#include <stdint.h>

struct device;
struct event_base;
struct sp_trust;

enum { LOAD_CLIENTS_MAX = 19000, LOAD_STATUSES = 16, LOAD_TERRITORIES = 32 };

enum load_kind { LOAD_STATUS, LOAD_POSITION };

struct load_options {
    const char *data_dir, *gateway, *ca_file;
    uint32_t clients, batch;
    int64_t for_us;
    enum load_kind kind;
    bool hold;        /* each device holds a Pull, too */
    bool storm;       /* at the end all connections are cut, and all devices come back */
    bool one_address; /* all devices dial from one address; else each from its own of 127/8 */
    bool json;
};

/* A span of time in which something is counted. */
struct load_count {
    int64_t from_us, to_us; /* monotonic */
    uint64_t acknowledged;  /* commands */
    uint64_t pushes;
    struct samples latency; /* of a Push, first sending to answer */
};

struct load_storm {
    int64_t cut_us, connected_us, synced_us; /* of the last device; 0: not all came back */
    uint32_t synced;
    uint64_t gateway_peak_bytes;
    /* Of the one Push of each device: from the sending that was taken to its answer, and from the
     * first one, which may have been refused. */
    struct samples latency, whole;
};

struct load {
    struct load_options options;
    struct system system;
    struct event_base *base;
    uint32_t connecting;    /* devices */
    struct sp_trust *trust; /* NULL: plain */
    struct arena arena;     /* packing and reading one message */
    struct rng chance;
    char run[17]; /* part of the ids of this run's work orders */
    char **tokens;
    struct device *devices;
    uint32_t may_dial;              /* so many of the devices */
    uint32_t ready;                 /* devices with a session and, if asked for, a held poll */
    bool pushing, storming, enough; /* what devices do next */
    int64_t domain_us, domain_mono_us;
    double domain_rate;
    struct load_count count;
    struct load_storm storm;
    uint64_t statuses[LOAD_STATUSES]; /* replies by status */
    uint64_t rejected, conflicts, connections_lost;
    /* The gateway's resident memory with one device and with all of them; 0: unknown. */
    uint64_t first_bytes, held_bytes;
};

/* --- ids and times; texts live until the next call for the same buffer --- */

enum { LOAD_ID = LIMIT_ID + 1 };
void load_technician_id(char out[LOAD_ID], uint32_t number);
void load_territory_id(char out[LOAD_ID], uint32_t number);
void load_order_id(char out[LOAD_ID], const struct load *load, uint32_t number);
int64_t load_domain_us(const struct load *load); /* domain time now; 0: no reply came yet */
void load_learn(struct load *load, const Callout__Reply *reply);

/* A packed Request in load->arena, which is rewound: *message may not lie there. */
ProtobufCBinaryData load_pack(struct load *load, const void *token, size_t token_size,
                              const char *request_id, const char *method,
                              const ProtobufCMessage *message);
/* The envelope of an answer in load->arena, which is rewound; NULL: it cannot be read. */
const Callout__Reply *load_unpack(struct load *load, const uint8_t *bytes, size_t size);

#endif
