/* place.h - a point on the earth as SpatiaLite keeps it: its BLOB-Geometry of a POINT in WGS 84.
 *
 * Made here and not by MakePoint(), so that writing a row calls no spatial function.
 */
#ifndef CALLOUT_STORE_PLACE_H
#define CALLOUT_STORE_PLACE_H

#include <stdint.h>

enum { PLACE_SRID = 4326, PLACE_SIZE = 60 };

void place_encode(int64_t lat_e7, int64_t lon_e7, uint8_t blob[PLACE_SIZE]);

#endif
