#include "dispatcher/store/nearest.h"

#include "base/check.h"
#include "dispatcher/store/row_copy.h"

#include <stdlib.h>
#include <string.h>

struct nearest_row {
    double distance_m;
    struct row_position *row;
};

void nearest_init(struct nearest *nearest, struct point from, uint32_t limit)
{
    CHECK(limit > 0);
    *nearest = (struct nearest){.from = from, .limit = limit};
    nearest->rows = calloc(limit, sizeof *nearest->rows);
    CHECK(nearest->rows != NULL);
}

void nearest_fini(struct nearest *nearest)
{
    for (uint32_t i = 0; i < nearest->count; i++) {
        free(nearest->rows[i].row);
    }
    free(nearest->rows);
    *nearest = (struct nearest){.limit = nearest->limit};
}

static bool comes_first(double distance_m, const struct row_position *row,
                        const struct nearest_row *than)
{
    if (distance_m < than->distance_m) return true;
    if (distance_m > than->distance_m) return false;
    return row_compare(row_table(ROW_POSITION), row, than->row, 1) < 0;
}

void nearest_offer(struct nearest *nearest, const struct row_position *row)
{
    struct point at = {(int32_t)row->lat_e7, (int32_t)row->lon_e7};
    double distance_m = point_distance_m(nearest->from, at);
    uint32_t place = nearest->count;
    while (place > 0 && comes_first(distance_m, row, &nearest->rows[place - 1])) {
        place--;
    }
    if (place == nearest->limit) return;
    if (nearest->count == nearest->limit) free(nearest->rows[--nearest->count].row);
    memmove(&nearest->rows[place + 1], &nearest->rows[place],
            (nearest->count - place) * sizeof *nearest->rows);
    nearest->rows[place] = (struct nearest_row){distance_m, row_copy(row_table(ROW_POSITION), row)};
    nearest->count++;
}

bool nearest_complete(const struct nearest *nearest, double radius_m)
{
    return nearest->count == nearest->limit &&
           nearest->rows[nearest->limit - 1].distance_m <= radius_m;
}

void nearest_visit(const struct nearest *nearest, store_visit *visit, void *context)
{
    for (uint32_t i = 0; i < nearest->count; i++) {
        if (!visit(context, nearest->rows[i].row)) return;
    }
}
