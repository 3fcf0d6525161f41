/* desk_views.h - what people and devices are shown at a desk (desk.h), and edits by its dispatcher.
 */
#ifndef CALLOUT_TESTS_DESK_VIEWS_H
#define CALLOUT_TESTS_DESK_VIEWS_H

#include "desk.h"

/* --- what a device is told --- */

static inline Callout__SnapshotReply *desk_snapshot(struct desk *desk,
                                                    const struct desk_device *device)
{
    Callout__SnapshotRequest request;
    callout__snapshot_request__init(&request);
    return desk_body(desk, desk_ask_as(desk, &device->who, "Snapshot", "", &request.base),
                     &callout__snapshot_reply__descriptor);
}

static inline Callout__Reply *desk_pull_from(struct desk *desk, const struct desk_device *device,
                                             ProtobufCBinaryData cursor)
{
    Callout__PullRequest request;
    callout__pull_request__init(&request);
    request.cursor = cursor;
    return desk_ask_as(desk, &device->who, "Pull", "", &request.base);
}

/* What has happened since; the cursor goes on. */
static inline Callout__PullReply *desk_pull(struct desk *desk, const struct desk_device *device,
                                            ProtobufCBinaryData *cursor)
{
    Callout__PullReply *reply =
        desk_body(desk, desk_pull_from(desk, device, *cursor), &callout__pull_reply__descriptor);
    *cursor = reply->cursor;
    return reply;
}

/* --- the board of the desk's territory and day --- */

static inline Callout__BoardReply *desk_board(struct desk *desk)
{
    Callout__BoardRequest request;
    callout__board_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    return desk_body(desk, desk_do(desk, "Board", &request.base),
                     &callout__board_reply__descriptor);
}

static inline const Callout__FeedAppointment *desk_on_board(struct desk *desk, const char *id)
{
    const Callout__BoardReply *reply = desk_board(desk);
    for (size_t i = 0; i < reply->n_appointments; i++)
        if (strcmp(reply->appointments[i]->appointment->appointment_id, id) == 0)
            return reply->appointments[i];
    fail_msg("%s is not on the board", id);
    return NULL;
}

/* The technician who has it; "": nobody. */
static inline const char *desk_owner(struct desk *desk, const char *id)
{
    const Callout__Assignment *it = desk_on_board(desk, id)->appointment->assignment;
    return it == NULL ? "" : it->technician_id;
}

/* --- edits --- */

static inline Callout__MutationReply *desk_edit_as(struct desk *desk, const Callout__Principal *who,
                                                   const char *method, const ProtobufCMessage *body,
                                                   Callout__Status expected)
{
    char id[32];
    snprintf(id, sizeof id, "edit-%u", ++desk->asked);
    Callout__Reply *reply = desk_ask_as(desk, who, method, id, body);
    if (reply->status != expected) fail_msg("%s: %d %s", method, reply->status, reply->text);
    return (Callout__MutationReply *)desk_decode(desk, &callout__mutation_reply__descriptor,
                                                 reply->body);
}

#endif
