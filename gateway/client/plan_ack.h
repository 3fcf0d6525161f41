/* plan_ack.h - what an app says of the plan that it was told: it is here, its technician has seen
 * it, he will do it so.
 *
 * Idea: a command like any other (AckPlan), about what client_appointments shows now; it is saved,
 * and sent once. An app says it when its technician has looked, not with each change that comes:
 * that a plan arrived, the server sees from the next poll. Thread: the loop's.
 */
#ifndef CALLOUT_GATEWAY_CLIENT_PLAN_ACK_H
#define CALLOUT_GATEWAY_CLIENT_PLAN_ACK_H

#include "gateway/client/client.h"

/* ERR_NOT_FOUND: nothing was told since the client was opened. Else as client_save. */
MUST_USE enum err client_ack_plan(struct client *client, Callout__AckStage stage, uint64_t *seq,
                                  struct problem *problem);

#endif
