#include "optimizer/travel_matrix.h"

#include "base/check.h"

static int32_t matrix_seconds(const struct travel *travel, struct point from, struct point to)
{
    /* `travel` is the first member of the matrix, so both have one address. */
    const struct travel_matrix *matrix = (const struct travel_matrix *)(const void *)travel;
    if (from.lon_e7 == PLACE_START && to.lon_e7 == PLACE_END) return 0;
    if (from.lat_e7 == PLACE_ANY || to.lat_e7 == PLACE_ANY) return 0;
    uint32_t row = (uint32_t)from.lat_e7, column = (uint32_t)to.lat_e7;
    CHECK(row < matrix->size && column < matrix->size);
    return matrix->seconds[(size_t)row * matrix->size + column];
}

void travel_matrix_open(struct travel_matrix *matrix, const int32_t *seconds, uint32_t size)
{
    *matrix = (struct travel_matrix){.travel = {matrix_seconds}, .seconds = seconds, .size = size};
}

struct point travel_matrix_point(uint32_t index, enum place_role role)
{
    return (struct point){(int32_t)index, (int32_t)role};
}
