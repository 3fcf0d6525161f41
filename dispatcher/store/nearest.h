/* nearest.h - keeps the few rows of ROW_POSITION that lie nearest to a place.
 *
 * Great-circle distance decides, then the technician's id, so that every store answers alike.
 */
#ifndef CALLOUT_STORE_NEAREST_H
#define CALLOUT_STORE_NEAREST_H

#include "dispatcher/store/store.h"
#include "model/geo.h"

struct nearest {
    struct point from;
    uint32_t limit, count;
    struct nearest_row *rows; /* nearest first */
};

void nearest_init(struct nearest *nearest, struct point from, uint32_t limit);
void nearest_fini(struct nearest *nearest);

/* Considers a row; keeps a copy while it is among the nearest. */
void nearest_offer(struct nearest *nearest, const struct row_position *row);
/* `limit` rows are kept, and none beyond `radius_m` could take the place of one. */
bool nearest_complete(const struct nearest *nearest, double radius_m);
void nearest_visit(const struct nearest *nearest, store_visit *visit, void *context);

#endif
