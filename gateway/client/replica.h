/* replica.h - what a device knows of its own appointments, and the cursor that this is true for.
 *
 * Idea: the replica moves from one complete reply to the next: the visits and the cursor change
 * together, in memory and in one transaction of the device's database. What is found damaged there
 * counts as not there: the replica is empty again and a Snapshot fills it. Nothing in it is the
 * device's own word; that lies in the outbox.
 * Owner: the caller of replica_open; the file outlives it; visits are borrowed until the next
 * apply. Thread: the loop's.
 */
#ifndef CALLOUT_GATEWAY_CLIENT_REPLICA_H
#define CALLOUT_GATEWAY_CLIENT_REPLICA_H

#include "base/limits.h"
#include "gateway/client/device_file.h"
#include "model/geo.h"
#include "pb/field.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An appointment of this device's technician. */
struct replica_visit {
    char appointment_id[LIMIT_ID + 1];
    char work_order_id[LIMIT_ID + 1];
    Callout__AppointmentStatus status;
    int64_t planned_start_us, planned_end_us, service_day;
    uint32_t position;
    bool tentative; /* not dispatched yet: it may still move */
    bool late, emergency;
    uint64_t version;
    struct point at;
    int32_t service_s;
    uint32_t priority;
    int64_t window_start_us, window_end_us; /* the first window; 0, 0: any time */
    const uint8_t *packed; /* the whole FieldAppointment, for those who need more */
    size_t packed_size;
};

enum replica_change_kind {
    REPLICA_CAME,   /* a new visit of mine */
    REPLICA_LEFT,   /* not mine any more */
    REPLICA_MOVED,  /* another planned start or place in the route */
    REPLICA_STATUS, /* its status or details only */
};

struct replica_change {
    char appointment_id[LIMIT_ID + 1];
    enum replica_change_kind kind;
    int64_t start_before_us, start_after_us;
};

struct replica;

MUST_USE enum err replica_open(struct replica **out, struct device_file *file,
                               struct problem *problem);
void replica_close(struct replica *replica); /* may be NULL */

/* Size 0: there is no cursor, take a Snapshot. Borrowed until the next apply. */
ProtobufCBinaryData replica_cursor(const struct replica *replica);
const struct replica_visit *replica_visits(const struct replica *replica, size_t *count);
const struct replica_visit *replica_find(const struct replica *replica, const char *appointment_id);

/* Takes one complete reply over. Returns the changes, borrowed until the next apply. */
const struct replica_change *replica_apply(struct replica *replica, const Callout__PullReply *reply,
                                           size_t *count);
/* Collects a page; with the last one, the collected state takes the old one's place. */
const struct replica_change *replica_apply_snapshot(struct replica *replica,
                                                    const Callout__SnapshotReply *page, bool first,
                                                    size_t *count);
/* Nothing of it stays, in memory or on the disk. */
void replica_erase(struct replica *replica);
void replica_forget(
    struct replica *replica); /* the cursor is void: the visits stay until a Snapshot */

#endif
