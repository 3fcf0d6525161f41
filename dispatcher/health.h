/* health.h - how the installation itself is, and what of it somebody should see to.
 *
 * Idea: `health_judge` is a pure function of what was seen, so that every limit is in one place and
 * a test can walk up to it; what is seen is looked up whenever somebody asks, since it costs a few
 * system calls. All times are the machine's, UTC: a disk fills by that clock, whatever `--clock`
 * says.
 *
 * Owner: the caller's. Thread: the engine's.
 */
#ifndef CALLOUT_DISPATCHER_HEALTH_H
#define CALLOUT_DISPATCHER_HEALTH_H

#include "dispatcher/role_ends.h"

#include <stdbool.h>
#include <stdint.h>

#define HEALTH_HOUR_US        INT64_C(3600000000)
#define HEALTH_DISK_BYTES_LOW (UINT64_C(1) << 30)
#define HEALTH_BACKUP_OLD_US  (36 * HEALTH_HOUR_US)
#define HEALTH_CERTIFICATE_US (21 * 24 * HEALTH_HOUR_US)
#define HEALTH_SILENT_US      (HEALTH_HOUR_US / 30)
enum {
    HEALTH_DISK_LOW_PERCENT = 10,
    HEALTH_ENDS_MANY = 3, /* within an hour */
    HEALTH_ROLES_MAX = 8,
    HEALTH_WARNINGS_MAX = 8,
};

struct health {
    int64_t now_us;
    bool writing_fails;
    uint64_t disk_free_bytes, disk_bytes; /* disk_bytes 0: not known */
    uint64_t store_bytes;
    int64_t installed_us, started_us;
    int64_t backup_us;          /* 0: none */
    int64_t certificate_end_us; /* 0: no certificate */
    int64_t optimizer_asked_us; /* 0: not since started_us */
    struct role_ends roles[HEALTH_ROLES_MAX];
    uint32_t role_count;
};

/* Numbers of HealthWarning (people.proto), the worst first; returns how many. */
uint32_t health_judge(const struct health *it, int warnings[HEALTH_WARNINGS_MAX]);
/* Of a role's ends, those within an hour. */
uint32_t health_ends_lately(const struct role_ends *role, int64_t now_us);

#endif
