/* walk.c - when everything in a route happens.
 *
 * Whoever goes on at once is never later anywhere. Only where the break lies is a choice: for each
 * stop the soonest departure with the break still to come and the soonest with it behind are kept,
 * and the way back from home says on which leg it was.
 */
#include "optimizer/verify/verify_impl.h"

#define NEVER CERTIFICATE_UNLIMITED

/* By place in the route, 0 is the start. */
struct soonest {
    int64_t fresh[CERTIFICATE_ROUTE_MAX + 2], rested[CERTIFICATE_ROUTE_MAX + 2]; /* departures */
    bool rests[CERTIFICATE_ROUTE_MAX + 2]; /* rested there came of a break on the leg to it */
};

static int64_t leg_of(const struct certificate *in, uint32_t technician,
                      const struct cert_stop *stops, uint32_t count, uint32_t leg)
{
    const struct cert_technician *who = &in->technicians[technician];
    uint32_t from = leg == 0 ? who->from : in->visits[stops[leg - 1].visit].at;
    uint32_t to = leg == count ? who->to : in->visits[stops[leg].visit].at;
    return certificate_travel(in, from, to);
}

static int64_t later(int64_t left, int64_t leg)
{
    return left == NEVER ? NEVER : left + leg;
}

static int64_t served(const struct cert_visit *visit, int64_t arrival)
{
    int64_t start = arrival == NEVER ? NEVER : rule_start(visit, arrival);
    return start == NEVER ? NEVER : start + visit->service;
}

static bool fails(struct walk *walk, uint32_t at, const char *wrong)
{
    walk->wrong = wrong;
    walk->wrong_at = at;
    return false;
}

/* Fills `soonest`; the entry behind the last stop holds arrivals at home. */
static bool go_forth(const struct certificate *in, uint32_t technician,
                     const struct cert_stop *stops, uint32_t count, struct soonest *soonest,
                     struct walk *walk)
{
    const struct cert_technician *who = &in->technicians[technician];
    bool has_break = who->break_length > 0;
    soonest->fresh[0] = has_break ? who->available : NEVER;
    soonest->rested[0] = has_break ? NEVER : who->available;
    for (uint32_t i = 0; i <= count; i++) {
        int64_t leg = leg_of(in, technician, stops, count, i);
        int64_t fresh = later(soonest->fresh[i], leg), rested = later(soonest->rested[i], leg);
        int64_t rests =
            soonest->fresh[i] == NEVER ? NEVER : rule_rested(who, soonest->fresh[i], leg);
        walk->travel += leg;
        if (leg > who->leg_max) return fails(walk, i, "the way there is longer than one may be");
        soonest->rests[i + 1] = rests < rested;
        if (rests < rested) rested = rests;
        if (i == count) {
            soonest->rested[i + 1] = rested;
            return rested == NEVER ? fails(walk, i, "there is no room for the break") : true;
        }
        const struct cert_visit *visit = &in->visits[stops[i].visit];
        walk->load += visit->load;
        soonest->fresh[i + 1] = served(visit, fresh);
        soonest->rested[i + 1] = served(visit, rested);
        if (soonest->fresh[i + 1] == NEVER && soonest->rested[i + 1] == NEVER)
            return fails(walk, i, "it is too late for its windows, or for the break");
    }
    return true;
}

/* From home back to the start: with the break behind, until the leg on which it was. */
static void go_back(const struct certificate *in, uint32_t technician,
                    const struct cert_stop *stops, uint32_t count, const struct soonest *soonest,
                    struct walk *walk)
{
    const struct cert_technician *who = &in->technicians[technician];
    bool behind = true;
    for (uint32_t i = count + 1; i-- > 0;) {
        struct walk_stop *stop = &walk->stops[i];
        int64_t leg = leg_of(in, technician, stops, count, i);
        *stop = (struct walk_stop){.rests = behind && soonest->rests[i + 1]};
        if (stop->rests) behind = false;
        int64_t left = behind ? soonest->rested[i] : soonest->fresh[i];
        stop->arrival = left + leg;
        if (stop->rests) {
            stop->break_start = left > who->break_earliest ? left : who->break_earliest;
            stop->arrival = rule_rested(who, left, leg);
        }
        if (i == count) continue;
        const struct cert_visit *visit = &in->visits[stops[i].visit];
        stop->start = rule_start(visit, stop->arrival);
        stop->departure = stop->start + visit->service;
    }
}

void walk_route(const struct certificate *in, uint32_t technician, const struct cert_stop *stops,
                uint32_t count, struct walk *walk)
{
    static _Thread_local struct soonest soonest;
    const struct cert_technician *who = &in->technicians[technician];
    walk->wrong = NULL;
    walk->travel = walk->overtime = walk->load = 0;
    if (count == 0) { /* going home is always allowed, and needs no break */
        walk->travel = certificate_travel(in, who->from, who->to);
        walk->stops[0] = (struct walk_stop){.arrival = who->available + walk->travel};
        return;
    }
    if (!go_forth(in, technician, stops, count, &soonest, walk)) return;
    go_back(in, technician, stops, count, &soonest, walk);
    int64_t home = walk->stops[count].arrival;
    walk->overtime = home > who->shift_end ? home - who->shift_end : 0;
    if (home > who->latest_end) fails(walk, count, "he comes home after the latest end of the day");
    if (walk->travel > who->travel_max) fails(walk, count, "he travels more than he may");
    if (walk->load > who->capacity) fails(walk, count, "he carries more than he can");
}
