/* tally.h - the board's appointments counted by what people ask about; all pages of it. */
#ifndef CALLOUT_SIM_TALLY_H
#define CALLOUT_SIM_TALLY_H

#include "gateway/client/api.h"
#include "pb/dispatch.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally_count {
    size_t technicians, absent;
    size_t appointments;
    size_t unscheduled, planned, dispatched, under_way, done, failed, cancelled, late;
    uint64_t plan_version, revision, settled_revision;
    int64_t cost_s;
    uint64_t log_seq; /* of the first page */
};

/* One reading of the board after the other. */
struct tally {
    struct api *api;
    const char *territory_id;
    int64_t service_day;
    struct tally_count count; /* the last whole reading */
    bool known, reading;
    enum err err; /* why the last reading failed */
    char problem[256];
    struct tally_count coming;
};

/* Begins a reading unless one is under way; `tally` stays where it is until the answer. */
void tally_read(struct tally *tally);

#endif
