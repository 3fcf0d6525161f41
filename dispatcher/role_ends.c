#include "dispatcher/role_ends.h"

#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4200, LINE_SIZE = 512 };

static void write_line(FILE *file, const struct child *child)
{
    uint32_t kept = child->ends < CHILD_ENDS_KEPT ? child->ends : CHILD_ENDS_KEPT;
    fprintf(file, "%s %" PRIu32 " %d", child->args[1], child->ends, child->exit_code);
    for (uint32_t i = 1; i <= kept; i++)
        fprintf(file, " %" PRId64, child->ended_us[(child->ends - i) % CHILD_ENDS_KEPT]);
    fputc('\n', file);
}

void role_ends_write(const char *folder, const struct child *children, int count)
{
    char path[PATH_SIZE], fresh[PATH_SIZE + 8];
    snprintf(path, sizeof path, "%s/roles", folder);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *file = fopen(fresh, "w");
    if (file == NULL) {
        log_warn("%s: %s", fresh, strerror(errno));
        return;
    }
    for (int i = 0; i < count; i++)
        write_line(file, &children[i]);
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed || rename(fresh, path) != 0)
        log_warn("%s: %s", path, strerror(errno));
}

void role_ends_remove(const char *folder)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/roles", folder);
    unlink(path);
}

static bool read_line(char *line, struct role_ends *out)
{
    int used = 0;
    *out = (struct role_ends){.kept = 0};
    if (sscanf(line, "%15s %" SCNu32 " %d%n", out->role, &out->ends, &out->exit_code, &used) != 3)
        return false;
    for (char *at = line + used, *end; out->kept < CHILD_ENDS_KEPT; at = end) {
        int64_t ended_us = strtoll(at, &end, 10);
        if (end == at) break;
        out->ended_us[out->kept++] = ended_us;
    }
    return true;
}

uint32_t role_ends_read(const char *folder, struct role_ends *out, uint32_t max)
{
    char path[PATH_SIZE], line[LINE_SIZE];
    uint32_t count = 0;
    snprintf(path, sizeof path, "%s/roles", folder);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    while (count < max && fgets(line, sizeof line, file) != NULL)
        count += read_line(line, &out[count]);
    fclose(file);
    return count;
}
