/* json_matrix.h - VROOM's one large array, read without a tree of it.
 *
 * Idea: a tree takes some forty bytes for each number, a thousand times a thousand of them. So the
 * rows of matrices.PROFILE.durations are read from the text itself, and a tree is made of what is
 * left when they are taken out: everything else is judged there, by name.
 *
 * Owner: the text is borrowed until return. Thread: any.
 */
#ifndef CALLOUT_OPTIMIZER_JSON_MATRIX_H
#define CALLOUT_OPTIMIZER_JSON_MATRIX_H

#include "base/arena.h"
#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

struct json_matrix {
    int32_t *seconds;  /* [from * size + to], in the arena; none is above leg_max */
    uint32_t size;     /* 0: the text has no such array, or an empty one */
    size_t begin, end; /* its bytes in the text, without the brackets */
};

/* Errors are of the rows: ERR_INVALID, or ERR_TOO_LARGE for more than size_max. A text that is not
 * even JSON may seem to have no matrix; the tree will say what is wrong. */
MUST_USE enum err json_matrix_read(struct json_matrix *out, const char *text, size_t size,
                                   uint32_t size_max, int32_t leg_max, struct arena *memory,
                                   struct problem *problem);

/* The tree of the text, with an empty array for the rows; NULL names line and column. */
json_t *json_tree_without(const struct json_matrix *matrix, const char *text, size_t size,
                          struct problem *problem);

#endif
