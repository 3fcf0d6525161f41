/* say.h - what a technician tells the system from his phone: each a command into the outbox.
 *
 * A command that cannot be saved is logged, with who wanted to say it. Texts are borrowed.
 * Thread: the loop's.
 */
#ifndef CALLOUT_SIM_SAY_H
#define CALLOUT_SIM_SAY_H

#include "gateway/client/client.h"
#include "model/geo.h"

struct speaker {
    struct client *client;
    const char *name; /* for the log */
};

/* `place` NULL: not known. */
void say_status(const struct speaker *speaker, const char *appointment_id,
                Callout__AppointmentStatus status, const char *reason, const struct point *place);
void say_decline(const struct speaker *speaker, const char *appointment_id, const char *reason);
void say_late(const struct speaker *speaker, const char *appointment_id, int64_t delay_us);
void say_position(const struct speaker *speaker, struct point place, int64_t at_us);
void say_ill(const struct speaker *speaker);

#endif
