/* asker.h - many questions of one kind over one connection, some at a time, until all are answered.
 *
 * BUSY, RATE and RETRY are asked again. Thread: the loop's, which runs inside asker_each.
 */
#ifndef CALLOUT_SIM_LOAD_ASKER_H
#define CALLOUT_SIM_LOAD_ASKER_H

#include "sim/load/load.h"

struct asker_work {
    const char *method, *what; /* what: the word for people */
    uint32_t count;
    /* Makes question number `index` and its request_id (at most 63 bytes, or leaves it empty). The
     * message is the callee's until the next call. */
    const ProtobufCMessage *(*make)(struct load *load, uint32_t index, char request_id[LOAD_ID]);
    /* Takes an answer; the body is borrowed. NULL: nobody looks. */
    enum err (*take)(struct load *load, uint32_t index, ProtobufCBinaryData body);
};

/* `token` is an API key, or "" for the dispatcher's own socket. ERR_IO: nobody answers there. */
MUST_USE enum err asker_each(struct load *load, const char *url, const char *token,
                             const struct asker_work *work, struct problem *problem);

#endif
