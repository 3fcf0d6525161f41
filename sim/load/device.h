/* device.h - one device of many: it enrols, says hello, pushes check-ins, holds a poll, comes back.
 *
 *      dialled -> Enroll (once) -> Hello, twice -> [Snapshot once] -> ready: [Pull, held] and Push,
 *                    again and again while load->pushing
 *
 * One connection carries both its commands and its held Pull, as the wire allows. A refusal that
 * says when to come back is obeyed, with some chance added; else it waits 1 to 16 s, growing. What
 * is not answered is asked again under the same sequence numbers.
 *
 * Owner: load->devices. Thread: the loop's.
 */
#ifndef CALLOUT_SIM_LOAD_DEVICE_H
#define CALLOUT_SIM_LOAD_DEVICE_H

#include "gateway/client/identity.h"
#include "sim/load/load.h"

struct sp_dialler;

enum device_asked { ASKED_NOTHING, ASKED_ENROLL, ASKED_HELLO, ASKED_SNAPSHOT, ASKED_PUSH };

struct device {
    struct load *load;
    struct sp_dialler *dialler; /* NULL: not connected */
    struct identity identity;
    uint8_t session[LIMIT_ID];
    size_t session_size;
    uint8_t nonce[LIMIT_ID]; /* to be signed in the next Hello */
    size_t nonce_size;
    ProtobufCBinaryData cursor; /* malloc'ed; empty: no snapshot yet */
    uint32_t number;
    bool dialling;   /* it wants to be connected */
    bool connecting; /* it dialled and is not up yet */
    bool ready;
    enum device_asked asked;              /* on the line of commands */
    uint32_t turn;                        /* counts questions; the request ids are made from it */
    uint32_t asked_request, pull_request; /* 0: none is out */
    uint32_t asked_commands;              /* in the Push that is out */
    int64_t asked_us, first_asked_us;     /* this sending of it, the first one */
    int64_t again_us;                     /* waits until then; 0: does not wait */
    uint32_t failures;
    uint64_t acked_seq;
    bool pushed, pulled; /* since the storm began */
};

void device_open(struct device *device, struct load *load, uint32_t number);
void device_close(struct device *device);
/* Cuts its connection and forgets the session; it dials at once. */
void device_cut(struct device *device);
/* Dials, asks what is next or asks again, if it is time; several times a second. */
void device_tick(struct device *device, int64_t now_us);

#endif
