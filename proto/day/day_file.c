/* day_file.c - a day's two files, and what can be said of a day that is read. */
#include "day/day.h"

#include "base/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path, size_t *size, struct day_errors *errors)
{
    FILE *file = fopen(path, "rb");
    struct problem *problem = &errors->items[errors->count];
    if (file == NULL) {
        problem_set(problem, ERR_IO, path, "%s", strerror(errno));
        errors->count++;
        return NULL;
    }
    char *bytes = malloc(DAY_FILE_BYTES_MAX + 1);
    CHECK(bytes != NULL);
    *size = fread(bytes, 1, DAY_FILE_BYTES_MAX + 1, file);
    int failed = ferror(file) != 0;
    fclose(file);
    if (!failed && *size <= DAY_FILE_BYTES_MAX) return bytes;
    if (failed)
        problem_set(problem, ERR_IO, path, "cannot be read");
    else
        problem_set(problem, ERR_TOO_LARGE, path, "at most %d bytes", DAY_FILE_BYTES_MAX);
    errors->count++;
    free(bytes);
    return NULL;
}

enum err day_read(struct day *out, const char *technicians_path, const char *orders_path,
                  const char *time_zone, struct day_errors *errors)
{
    errors->count = 0;
    size_t technicians_size = 0, orders_size = 0;
    char *technicians = read_file(technicians_path, &technicians_size, errors);
    char *orders = read_file(orders_path, &orders_size, errors);
    enum err err = ERR_INVALID;
    if (technicians != NULL && orders != NULL)
        err = day_parse(out, technicians, technicians_size, orders, orders_size, time_zone, errors);
    free(technicians);
    free(orders);
    return err;
}

static int covers(const struct day_technician *technician, const struct day_skill *need)
{
    for (size_t i = 0; i < technician->skill_count; i++)
        if (strcmp(technician->skills[i].name, need->name) == 0 &&
            technician->skills[i].level >= need->level)
            return 1;
    return 0;
}

int day_order_servable(const struct day *day, const struct day_order *order)
{
    for (size_t i = 0; i < day->technician_count; i++) {
        size_t covered = 0;
        while (covered < order->skill_count &&
               covers(&day->technicians[i], &order->skills[covered]))
            covered++;
        if (covered == order->skill_count) return 1;
    }
    return 0;
}
