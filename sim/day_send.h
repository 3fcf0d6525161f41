/* day_send.h - a day's rows as messages on the wire, each with a request id made from its content,
 * so that sending a row again has no further effect.
 *
 * Windows: a row says when service must END, the wire when it may start: [start, end - service].
 */
#ifndef CALLOUT_SIM_DAY_SEND_H
#define CALLOUT_SIM_DAY_SEND_H

#include "day/day.h"
#include "gateway/client/api.h"
#include "model/policy.h"

#include <stdbool.h>

/* `policy` NULL: as the territory has it. */
void day_send_territory(struct api *api, const struct day *day, const char *territory_id,
                        const struct policy *policy, api_done *done, void *context);
void day_send_technician(struct api *api, const struct day *day, const char *territory_id,
                         const struct day_technician *technician, api_done *done, void *context);
void day_send_order(struct api *api, const char *territory_id, const struct day_order *order,
                    bool emergency, api_done *done, void *context);

#endif
