#include "optimizer/core/plain.h"

#include "base/check.h"

struct spot plain_scan(const struct instance *in, const struct route *route, uint32_t technician,
                       uint32_t visit, int32_t below)
{
    const struct node *node = &in->nodes[visit];
    const int32_t *to_visit = in->into + (size_t)node->place * in->stride;
    const int32_t *from_visit = in->from + (size_t)node->place * in->stride;
    struct spot best = {NO_INDEX, 0, below};
    for (uint32_t at = 1; at <= route->count + 1; at++) {
        const struct stop *next = &route->stops[at], *before = next - 1;
        if (before->behind > node->close) break;
        int32_t cost = plain_probe(before, next, node, to_visit[before->place],
                                   from_visit[next->place], best.cost);
        if (cost < best.cost) best = (struct spot){technician, at, cost};
    }
    return best;
}

/* Earliest departures, from stop `first` on; beyond `last` only as far as they move. */
static void forward(const struct instance *in, struct route *route, uint32_t first, uint32_t last)
{
    struct stop *stop = &route->stops[first];
    for (uint32_t i = first; i <= route->count; i++, stop++) {
        const struct node *node = &in->nodes[stop->visit];
        int32_t arrival = stop[-1].behind + stop->leg;
        int32_t behind = (arrival > node->open ? arrival : node->open) + node->service;
        CHECK(arrival <= node->close);
        if (i > last && behind == stop->behind) return;
        stop->behind = behind;
    }
    route->end = stop[-1].behind + stop->leg;
}

/* Latest arrivals, from stop `last` back; before `first` only as far as they move. */
static void backward(const struct instance *in, struct route *route, uint32_t first, uint32_t last)
{
    struct stop *stop = &route->stops[last];
    for (uint32_t i = last; i > 0; i--, stop--) {
        const struct node *node = &in->nodes[stop->visit];
        int32_t late = stop[1].late_behind - stop[1].leg - node->service;
        if (late > node->close) late = node->close;
        if (i < first && late == stop->late_behind) return;
        stop->late_behind = stop->slack_behind = late;
    }
}

void plain_mend(const struct instance *in, uint32_t technician, struct route *route, uint32_t first,
                uint32_t last, int32_t legs)
{
    struct stop *stops = route->stops;
    for (uint32_t i = first; i <= last + 1; i++) {
        struct stop *stop = &stops[i];
        stop->place =
            i > route->count ? in->technicians[technician].end : in->nodes[stop->visit].place;
        stop->leg = instance_travel(in, stops[i - 1].place, stop->place);
        legs -= stop->leg;
    }
    route->travel -= legs;
    route->cost = route->travel;
    forward(in, route, first, last);
    backward(in, route, first, last);
}
