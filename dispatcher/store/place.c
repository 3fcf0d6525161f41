#include "dispatcher/store/place.h"

#include <string.h>

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        *at++ = (uint8_t)(value >> (8 * i));
    }
    return at;
}

static uint8_t *put_degrees(uint8_t *at, int64_t e7)
{
    double degrees = (double)e7 / 1e7;
    uint64_t bits;
    memcpy(&bits, &degrees, sizeof bits);
    at = put_u32(at, (uint32_t)bits);
    return put_u32(at, (uint32_t)(bits >> 32));
}

static uint8_t *put_point(uint8_t *at, int64_t lat_e7, int64_t lon_e7)
{
    at = put_degrees(at, lon_e7);
    return put_degrees(at, lat_e7);
}

/* start, little-endian, SRID, bounding box (min, max), its end, class, the point itself, end. */
void place_encode(int64_t lat_e7, int64_t lon_e7, uint8_t blob[PLACE_SIZE])
{
    enum { START = 0x00, LITTLE_ENDIAN_MARK = 0x01, BOX_END = 0x7c, POINT = 1, END = 0xfe };
    uint8_t *at = blob;
    *at++ = START;
    *at++ = LITTLE_ENDIAN_MARK;
    at = put_u32(at, PLACE_SRID);
    at = put_point(at, lat_e7, lon_e7);
    at = put_point(at, lat_e7, lon_e7);
    *at++ = BOX_END;
    at = put_u32(at, POINT);
    at = put_point(at, lat_e7, lon_e7);
    *at++ = END;
}
