/* caller.h - one way to ask Callout something, whoever carries it: a function call into the engine,
 * or a connection to the gateway (line.h). The scenario does not know which.
 */
#ifndef CALLOUT_TESTS_CALLER_H
#define CALLOUT_TESTS_CALLER_H

#include "message.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/inner.pb-c.h"
#include "tests/dispatcher/words.h"

enum { DEVICES_MAX = 256 };

struct caller {
    /* Asks as device `device`, -1 as the key, -2 as nobody yet; the reply lives in the arena. */
    const Callout__Reply *(*ask)(struct caller *caller, int device, const char *method,
                                 const char *request_id, const ProtobufCMessage *body);
    /* A token with which a device of the technician enrols. */
    const char *(*token)(struct caller *caller, const char *technician_id);
    /* A device has said hello. */
    void (*hello)(struct caller *caller, int device, const Callout__HelloReply *hello);
    struct arena arena;
};

#endif
