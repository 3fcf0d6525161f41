#include "optimizer/verify/names.h"

#include <stdlib.h>
#include <string.h>

static int by_id(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    return strcmp(left->id, right->id);
}

const struct name *names_sort(struct name *names, uint32_t count)
{
    qsort(names, count, sizeof *names, by_id);
    for (uint32_t i = 1; i < count; i++) {
        if (strcmp(names[i - 1].id, names[i].id) == 0) return &names[i];
    }
    return NULL;
}

uint32_t names_find(const struct name *names, uint32_t count, const char *id)
{
    const struct name wanted = {.id = id};
    const struct name *found =
        count == 0 ? NULL : bsearch(&wanted, names, count, sizeof *names, by_id);
    return found == NULL ? UINT32_MAX : found->index;
}
