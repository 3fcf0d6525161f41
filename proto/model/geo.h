/* geo.h - places on the earth, in whole 1e-7 degrees (about 1 cm), as on the wire. */
#ifndef CALLOUT_MODEL_GEO_H
#define CALLOUT_MODEL_GEO_H

#include <stdbool.h>
#include <stdint.h>

#define GEO_E7 10000000

struct point {
    int32_t lat_e7, lon_e7;
};

/* Latitude within +-90 and longitude within +-180 degrees. */
bool point_valid(struct point point);
bool point_same(struct point a, struct point b);

/* Great-circle (haversine) distance in metres on the sphere of radius 6371008.8 m. */
double point_distance_m(struct point a, struct point b);

#endif
