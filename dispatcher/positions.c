#include "dispatcher/positions.h"

#include "base/clock.h"
#include "model/geo.h"

enum {
    FIXES_MAX = 100,
    ACCURACY_MAX_M = 10000,
    SPEED_MAX_M_S = 100, /* faster than any road or railway that leads to a customer */
};
#define AGREE_MIN_US US_PER_MINUTE        /* doubt ends when two fixes so far apart agree */
#define AGREE_MAX_US (30 * US_PER_MINUTE) /* and are not further apart */

/* A fix as it is stored. */
struct seen {
    struct row_fix row;
    struct point place;
};

static enum err check_batch(const Callout__PositionBatch *batch, struct problem *problem)
{
    if (batch->n_fixes > FIXES_MAX)
        return problem_set(problem, ERR_TOO_LARGE, "positions.fixes", "at most %d", FIXES_MAX);
    for (size_t i = 0; i < batch->n_fixes; i++) {
        const Callout__Point *point = batch->fixes[i]->point;
        if (point == NULL || !point_valid((struct point){point->lat_e7, point->lon_e7}))
            return problem_set(problem, ERR_INVALID, "positions.fixes.point",
                               "is missing or outside the earth");
    }
    return ERR_OK;
}

/* Could anybody go from one place to the other in that time? */
static bool believable(struct point from, int64_t from_us, int64_t from_accuracy_m,
                       const struct seen *to)
{
    int64_t apart_us = to->row.fix_time_us - from_us;
    if (apart_us < 0) apart_us = -apart_us;
    if (apart_us < US_PER_SECOND) apart_us = US_PER_SECOND;
    double least_m =
        point_distance_m(from, to->place) - (double)(from_accuracy_m + to->row.accuracy_m);
    return least_m <= (double)SPEED_MAX_M_S * (double)apart_us / (double)US_PER_SECOND;
}

static struct point place_of(const struct row_position *position)
{
    return (struct point){(int32_t)position->lat_e7, (int32_t)position->lon_e7};
}

/* The last doubtful fix and this one vouch for one another. */
static bool agrees_with_doubted(const struct row_position *position, const struct seen *seen)
{
    int64_t apart_us = seen->row.fix_time_us - position->doubted_us;
    struct point doubted = {(int32_t)position->doubted_lat_e7, (int32_t)position->doubted_lon_e7};
    return position->doubted_us != 0 && apart_us >= AGREE_MIN_US && apart_us <= AGREE_MAX_US &&
           believable(doubted, position->doubted_us, 0, seen);
}

/* Is it too fast to have come from where he was? The first of such fixes is remembered. */
static bool too_fast(struct row_position *position, const struct seen *seen)
{
    if (position->fix_time_us == 0 ||
        believable(place_of(position), position->fix_time_us, position->accuracy_m, seen))
        return false;
    if (agrees_with_doubted(position, seen)) return false;
    bool goes_on = position->doubted_us != 0 &&
                   seen->row.fix_time_us - position->doubted_us <= AGREE_MAX_US &&
                   believable((struct point){(int32_t)position->doubted_lat_e7,
                                             (int32_t)position->doubted_lon_e7},
                              position->doubted_us, 0, seen);
    if (goes_on || seen->row.fix_time_us <= position->fix_time_us) return true;
    position->doubted_us = seen->row.fix_time_us;
    position->doubted_lat_e7 = seen->place.lat_e7;
    position->doubted_lon_e7 = seen->place.lon_e7;
    return true;
}

static struct seen seen_of(const char *technician_id, const Callout__Fix *fix, int64_t time_us,
                           int64_t received_us)
{
    struct seen seen = {
        .row = {.technician_id = technician_id,
                .fix_time_us = time_us,
                .lat_e7 = fix->point->lat_e7,
                .lon_e7 = fix->point->lon_e7,
                .accuracy_m = fix->accuracy_m,
                .speed_cm_s = fix->speed_cm_s,
                .heading_degrees = fix->heading_degrees,
                .received_us = received_us},
        .place = {fix->point->lat_e7, fix->point->lon_e7},
    };
    if (fix->accuracy_m < 0 || fix->accuracy_m > ACCURACY_MAX_M) {
        seen.row.accuracy_m = ACCURACY_MAX_M; /* it says nothing: the least is believed */
        seen.row.flags |= CALLOUT__FIX_FLAG__FIX_ACCURACY_CLAMPED;
    }
    if (fix->point->lat_e7 == 0 && fix->point->lon_e7 == 0)
        seen.row.flags |= CALLOUT__FIX_FLAG__FIX_NULL_ISLAND;
    return seen;
}

static void move(struct row_position *position, const struct seen *seen, struct positions *out)
{
    position->fix_time_us = seen->row.fix_time_us;
    position->accuracy_m = seen->row.accuracy_m;
    position->lat_e7 = seen->place.lat_e7;
    position->lon_e7 = seen->place.lon_e7;
    position->doubted_us = position->doubted_lat_e7 = position->doubted_lon_e7 = 0;
    out->moved = true;
    out->place = seen->place;
    out->at_us = seen->row.fix_time_us;
}

static enum err take(struct engine *engine, struct row_position *position, struct seen *seen,
                     struct positions *out)
{
    const int64_t unused = CALLOUT__FIX_FLAG__FIX_NULL_ISLAND | CALLOUT__FIX_FLAG__FIX_TOO_FAST;
    bool nowhere = (seen->row.flags & CALLOUT__FIX_FLAG__FIX_NULL_ISLAND) != 0;
    if (!nowhere && too_fast(position, seen)) seen->row.flags |= CALLOUT__FIX_FLAG__FIX_TOO_FAST;
    out->flagged += seen->row.flags != 0;
    if ((seen->row.flags & unused) == 0 && seen->row.fix_time_us > position->fix_time_us)
        move(position, seen, out);
    return engine_put(engine, ROW_FIX, &seen->row);
}

enum err positions_put(struct engine *engine, const char *technician_id,
                       const struct device_clock *clock, const Callout__PositionBatch *batch,
                       struct positions *out, struct problem *problem)
{
    union row row;
    struct row_position position = {.technician_id = technician_id};
    *out = (struct positions){0};
    enum err err = check_batch(batch, problem);
    if (err != ERR_OK) return err;
    if (store_get(engine->store, ROW_POSITION, &position, &row) == ERR_OK) position = row.position;
    position.technician_id = technician_id;
    int64_t doubted_us = position.doubted_us;
    for (size_t i = 0; i < batch->n_fixes && err == ERR_OK; i++) {
        bool corrected;
        int64_t at_us = device_clock_fix_us(clock, batch->fixes[i]->fix_time_us, &corrected);
        if (at_us < clock->now_us - POSITIONS_KEPT_US ||
            !core_at_work(engine->core, technician_id, at_us)) {
            out->refused++;
            continue;
        }
        struct seen seen = seen_of(technician_id, batch->fixes[i], at_us, clock->now_us);
        if (corrected) seen.row.flags |= CALLOUT__FIX_FLAG__FIX_CLOCK_CORRECTED;
        err = take(engine, &position, &seen, out);
    }
    if (err == ERR_OK && (out->moved || position.doubted_us != doubted_us))
        err = engine_put(engine, ROW_POSITION, &position);
    return err;
}

void positions_blot(Callout__PushRequest *push)
{
    for (size_t i = 0; i < push->n_commands; i++) {
        Callout__Command *command = push->commands[i];
        if (command->body_case == CALLOUT__COMMAND__BODY_POSITIONS && command->positions != NULL)
            command->positions->n_fixes = 0;
        if (command->body_case == CALLOUT__COMMAND__BODY_STATUS && command->status != NULL)
            command->status->point = NULL;
    }
}
