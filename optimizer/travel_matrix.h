/* travel_matrix.h - travel times from a table, through the interface of model/travel.h.
 *
 * Idea: a place of the table is a point whose latitude is its index and whose longitude is its
 * role. Roles keep apart a start and an end that share an index: a technician who serves nobody
 * does not travel, whatever the table says of the way from his start to his end.
 *
 * Owner: the numbers are borrowed for as long as the object is used. Thread: any, once made.
 */
#ifndef CALLOUT_OPTIMIZER_TRAVEL_MATRIX_H
#define CALLOUT_OPTIMIZER_TRAVEL_MATRIX_H

#include "model/travel.h"

#include <stddef.h>
#include <stdint.h>

struct travel_matrix {
    struct travel travel;   /* first: what is asked is this object */
    const int32_t *seconds; /* [from * size + to] */
    uint32_t size;
};

enum place_role { PLACE_VISIT, PLACE_START, PLACE_END };

/* An index that no table has: who starts or ends anywhere travels neither from there nor to it. */
enum { PLACE_ANY = 900000000 };

void travel_matrix_open(struct travel_matrix *matrix, const int32_t *seconds, uint32_t size);
struct point travel_matrix_point(uint32_t index, enum place_role role);

#endif
