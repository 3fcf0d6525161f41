#include "model/geo.h"

#include <math.h>

static const double EARTH_RADIUS_M = 6371008.8;

bool point_valid(struct point point)
{
    return point.lat_e7 >= -90 * GEO_E7 && point.lat_e7 <= 90 * GEO_E7 &&
           point.lon_e7 >= -180 * GEO_E7 && point.lon_e7 <= 180 * GEO_E7;
}

bool point_same(struct point a, struct point b)
{
    return a.lat_e7 == b.lat_e7 && a.lon_e7 == b.lon_e7;
}

static double radians(int32_t e7)
{
    return (double)e7 / GEO_E7 * (3.14159265358979323846 / 180);
}

double point_distance_m(struct point a, struct point b)
{
    double lat_a = radians(a.lat_e7), lat_b = radians(b.lat_e7);
    double sin_lat = sin((lat_b - lat_a) / 2);
    double sin_lon = sin((radians(b.lon_e7) - radians(a.lon_e7)) / 2);
    double x = sin_lat * sin_lat + cos(lat_a) * cos(lat_b) * sin_lon * sin_lon;
    return 2 * EARTH_RADIUS_M * asin(sqrt(x < 1 ? x : 1));
}
