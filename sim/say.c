#include "sim/say.h"

#include "base/clock.h"
#include "base/log.h"

enum { ACCURACY_M = 15 };

static void save(const struct speaker *speaker, Callout__Command *command)
{
    uint64_t seq;
    struct problem problem;
    if (client_save(speaker->client, command, &seq, &problem) != ERR_OK)
        log_error("%s: %s: %s", speaker->name, problem.field, problem.text);
}

/* A text for a message: protobuf-c wants it writable but does not write. */
static char *text_of(const char *literal)
{
    union {
        const char *literal;
        char *text;
    } both = {literal};
    return both.text;
}

static Callout__Point point_of(struct point place)
{
    Callout__Point point;
    callout__point__init(&point);
    point.lat_e7 = place.lat_e7;
    point.lon_e7 = place.lon_e7;
    return point;
}

void say_status(const struct speaker *speaker, const char *appointment_id,
                Callout__AppointmentStatus status, const char *reason, const struct point *place)
{
    Callout__Point point = point_of(place == NULL ? (struct point){0, 0} : *place);
    Callout__StatusReport body;
    callout__status_report__init(&body);
    body.appointment_id = text_of(appointment_id);
    body.status = status;
    body.reason = text_of(reason);
    body.point = place == NULL ? NULL : &point;
    Callout__Command command;
    callout__command__init(&command);
    command.body_case = CALLOUT__COMMAND__BODY_STATUS;
    command.status = &body;
    save(speaker, &command);
}

void say_decline(const struct speaker *speaker, const char *appointment_id, const char *reason)
{
    Callout__Decline body;
    callout__decline__init(&body);
    body.appointment_id = text_of(appointment_id);
    body.reason = text_of(reason);
    Callout__Command command;
    callout__command__init(&command);
    command.body_case = CALLOUT__COMMAND__BODY_DECLINE;
    command.decline = &body;
    save(speaker, &command);
}

void say_late(const struct speaker *speaker, const char *appointment_id, int64_t delay_us)
{
    Callout__RunningLate body;
    callout__running_late__init(&body);
    body.appointment_id = text_of(appointment_id);
    body.delay_seconds = (int32_t)(delay_us / US_PER_SECOND);
    Callout__Command command;
    callout__command__init(&command);
    command.body_case = CALLOUT__COMMAND__BODY_RUNNING_LATE;
    command.running_late = &body;
    save(speaker, &command);
}

void say_position(const struct speaker *speaker, struct point place, int64_t at_us)
{
    Callout__Point point = point_of(place);
    Callout__Fix fix;
    callout__fix__init(&fix);
    Callout__Fix *fixes[] = {&fix};
    fix.fix_time_us = at_us;
    fix.point = &point;
    fix.accuracy_m = ACCURACY_M;
    Callout__PositionBatch body;
    callout__position_batch__init(&body);
    body.fixes = fixes;
    body.n_fixes = 1;
    Callout__Command command;
    callout__command__init(&command);
    command.body_case = CALLOUT__COMMAND__BODY_POSITIONS;
    command.positions = &body;
    save(speaker, &command);
}

void say_ill(const struct speaker *speaker)
{
    Callout__AbsenceReport body;
    callout__absence_report__init(&body);
    body.reason = text_of("ill");
    Callout__Command command;
    callout__command__init(&command);
    command.body_case = CALLOUT__COMMAND__BODY_ABSENCE;
    command.absence = &body;
    save(speaker, &command);
}
