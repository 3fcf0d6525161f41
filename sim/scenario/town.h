/* town.h - a made-up town: crossings and streets on a grid that noise has bent, an inner town,
 * suburbs with side streets, and main streets through the country between them.
 *
 * Everything comes from the scenario's figures and the seed, in whole numbers (metres on a flat
 * map, milliseconds on a street), so that a seed gives the same town on every machine. Travel on
 * the streets is the world's truth; the dispatcher sees its own straight-line estimate. That
 * difference is meant. Owner: town_open makes it, town_close frees it. Thread: one at a time, the
 * search's scratch is inside.
 */
#ifndef CALLOUT_SIM_SCENARIO_TOWN_H
#define CALLOUT_SIM_SCENARIO_TOWN_H

#include "model/travel.h"
#include "sim/scenario/chance.h"
#include "sim/scenario/scenario.h"

struct town;

struct town *town_open(const struct scenario_town *options, uint64_t seed);
void town_close(struct town *town); /* may be NULL */

struct town_address {
    struct point at;
    char text[96]; /* "Mill Lane 12, Aarfeld" */
};

/* An address drawn from the stream: in the inner town, a suburb or the country. */
void town_address(const struct town *town, struct rng *rng, struct town_address *out);

/* Seconds by the shortest way on the streets, rounded up; 0 for one and the same place. A place off
 * the streets is reached straight from the nearest crossing. */
int32_t town_seconds(const struct town *town, struct point from, struct point to);

/* The same as everyone asks for travel times; lives as long as the town. Unlike other travel times
 * it may be asked by one thread at a time only. */
const struct travel *town_roads(const struct town *town);

struct town_size {
    int32_t crossings, streets; /* that can be reached; a street is from crossing to crossing */
    int64_t length_m;
};
struct town_size town_size(const struct town *town);

#endif
