#include "sim/tally.h"

#include <stdio.h>
#include <string.h>

static void ask_page(struct tally *tally, const char *page_token);

static void count_one(struct tally_count *count, const Callout__Appointment *appointment)
{
    count->appointments++;
    count->late += appointment->late ? 1 : 0;
    switch (appointment->status) {
    case CALLOUT__APPOINTMENT_STATUS__APPOINTMENT_STATUS_UNSPECIFIED:
    case CALLOUT__APPOINTMENT_STATUS__UNSCHEDULED: count->unscheduled++; break;
    case CALLOUT__APPOINTMENT_STATUS__SCHEDULED: count->planned++; break;
    case CALLOUT__APPOINTMENT_STATUS__DISPATCHED:
    case CALLOUT__APPOINTMENT_STATUS__ACCEPTED: count->dispatched++; break;
    case CALLOUT__APPOINTMENT_STATUS__EN_ROUTE:
    case CALLOUT__APPOINTMENT_STATUS__ON_SITE:
    case CALLOUT__APPOINTMENT_STATUS__WORKING:
    case CALLOUT__APPOINTMENT_STATUS__PAUSED: count->under_way++; break;
    case CALLOUT__APPOINTMENT_STATUS__COMPLETED: count->done++; break;
    case CALLOUT__APPOINTMENT_STATUS__INCOMPLETE:
    case CALLOUT__APPOINTMENT_STATUS__NO_ACCESS: count->failed++; break;
    case CALLOUT__APPOINTMENT_STATUS__CANCELLED: count->cancelled++; break;
    case _CALLOUT__APPOINTMENT_STATUS_IS_INT_SIZE: break;
    }
}

static void on_page(void *context, const struct api_answer *answer)
{
    struct tally *tally = context;
    tally->err = answer->err;
    if (answer->err != ERR_OK) {
        tally->reading = false;
        snprintf(tally->problem, sizeof tally->problem, "%s",
                 answer->error_count > 0 ? answer->errors[0]->problem : answer->text);
        return;
    }
    const Callout__BoardReply *reply = (const Callout__BoardReply *)answer->message;
    struct tally_count *coming = &tally->coming;
    if (coming->log_seq == 0) coming->log_seq = answer->log_seq;
    for (size_t i = 0; i < reply->n_technicians; i++)
        coming->absent += reply->technicians[i]->absent ? 1 : 0;
    coming->technicians += reply->n_technicians;
    for (size_t i = 0; i < reply->n_appointments; i++)
        if (reply->appointments[i]->appointment != NULL)
            count_one(coming, reply->appointments[i]->appointment);
    if (reply->plan != NULL) {
        coming->plan_version = reply->plan->version;
        coming->cost_s = reply->plan->cost_seconds;
    }
    coming->revision = reply->revision;
    coming->settled_revision = reply->settled_revision;
    if (reply->next_page_token[0] != '\0') {
        ask_page(tally, reply->next_page_token);
        return;
    }
    tally->count = *coming;
    tally->known = true;
    tally->reading = false;
}

static void ask_page(struct tally *tally, const char *page_token)
{
    union {
        const char *borrowed;
        char *text;
    } token = {page_token}, territory = {tally->territory_id}; /* only read when packed */
    Callout__BoardRequest request;
    callout__board_request__init(&request);
    request.territory_id = territory.text;
    request.service_day = tally->service_day;
    request.page_token = token.text;
    api_ask(tally->api, "Board", &request.base, "", on_page, tally);
}

void tally_read(struct tally *tally)
{
    if (tally->reading) return;
    tally->reading = true;
    tally->coming = (struct tally_count){0};
    ask_page(tally, "");
}
