/* builtin.c - the scenarios that come with the program, and how a name or a path becomes one. */
#include "base/check.h"
#include "base/nearest.h"
#include "sim/scenario/scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const struct scenario_builtin scenario_builtins[] = {
    {"town-small", "# A morning's look at a plan: small enough to run in a second or two.\n"
                   "[scenario]\n"
                   "name = town-small\n"
                   "about = 8 technicians and 45 orders in a small town\n"
                   "[skill electrical]\n"
                   "people = 40\n"
                   "needs = 40\n"
                   "[skill plumbing]\n"
                   "people = 35\n"
                   "needs = 35\n"
                   "[skill hvac]\n"
                   "people = 25\n"
                   "needs = 25\n"},
    {"town-300x50", "[scenario]\n"
                    "name = town-300x50\n"
                    "about = 50 technicians and 300 orders in a town with villages around it\n"
                    "[town]\n"
                    "width_m = 24000\n"
                    "height_m = 16000\n"
                    "block_m = 300\n"
                    "suburbs = 9\n"
                    "centre_radius_m = 3000\n"
                    "suburb_radius_m = 1600\n"
                    "[workforce]\n"
                    "technicians = 50\n"
                    "[demand]\n"
                    "orders = 300\n"
                    "weekday_percent = 100 100 100 100 100 30 15\n"},
    {"week", "[scenario]\n"
             "name = week\n"
             "about = seven days of 20 technicians, Monday to Sunday\n"
             "days = 7\n"
             "[town]\n"
             "width_m = 16000\n"
             "height_m = 12000\n"
             "suburbs = 7\n"
             "[workforce]\n"
             "technicians = 20\n"
             "[demand]\n"
             "orders = 115\n"},
    {"storm", "# What a bad day costs: compare it with town-small.\n"
              "[scenario]\n"
              "name = storm\n"
              "about = a storm at noon, ill technicians, no signal for some\n"
              "[fault noon]\n"
              "kind = storm\n"
              "at = 11:30\n"
              "for = 2h\n"
              "orders = 12\n"
              "percent = 130\n"
              "[fault illness]\n"
              "kind = sick_wave\n"
              "at = 08:30\n"
              "for = 3h\n"
              "share_percent = 20\n"
              "[fault mast]\n"
              "kind = network_loss\n"
              "at = 12:00\n"
              "for = 90m\n"
              "share_percent = 50\n"},
    {"faults",
     "# Everything that can go wrong, once: for tests of the system more than of a plan.\n"
     "[scenario]\n"
     "name = faults\n"
     "about = kills, a full disk, lost power, wrong clocks and places, poor radio\n"
     "[network]\n"
     "loss_permille = 30\n"
     "duplicate_permille = 20\n"
     "reorder_permille = 20\n"
     "[fault dispatcher]\n"
     "kind = kill\n"
     "part = dispatcher\n"
     "at = 09:10\n"
     "[fault gateway]\n"
     "kind = kill\n"
     "part = gateway\n"
     "at = 10:20\n"
     "[fault optimizer]\n"
     "kind = kill\n"
     "part = optimizer\n"
     "at = 11:30\n"
     "[fault disk]\n"
     "kind = disk\n"
     "at = 12:15\n"
     "for = 5m\n"
     "[fault power]\n"
     "kind = power\n"
     "at = 13:40\n"
     "[fault clocks]\n"
     "kind = clock_skew\n"
     "at = 08:00\n"
     "for = 8h\n"
     "share_percent = 25\n"
     "seconds = -20m\n"
     "[fault places]\n"
     "kind = gps_drift\n"
     "at = 08:00\n"
     "for = 8h\n"
     "share_percent = 25\n"
     "metres = 3000\n"
     "[fault radio]\n"
     "kind = network_poor\n"
     "at = 14:00\n"
     "for = 1h\n"
     "share_percent = 60\n"
     "percent = 40\n"},
};
const size_t scenario_builtin_count = sizeof scenario_builtins / sizeof *scenario_builtins;

/* --- files ----------------------------------------------------------------------------------- */

static enum err refuse(struct day_errors *errors, enum err err, const char *path, const char *text)
{
    errors->count = 1;
    return problem_set(&errors->items[0], err, path, "%s", text);
}

static enum err refuse_name(const char *name, struct day_errors *errors)
{
    const char *words[16];
    char text[200];
    CHECK(scenario_builtin_count <= 16);
    for (size_t i = 0; i < scenario_builtin_count; i++)
        words[i] = scenario_builtins[i].name;
    const char *nearest = nearest_word(name, words, scenario_builtin_count);
    snprintf(text, sizeof text, "neither a file nor a scenario that comes with the program%s%s%s",
             nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest,
             nearest == NULL ? "; `callout sim scenario` lists them" : "?");
    return refuse(errors, ERR_NOT_FOUND, name, text);
}

/* A path of a scenario's file is relative to the file. */
static enum err anchor(char path[SCENARIO_PATH], const char *file, struct day_errors *errors)
{
    char whole[2 * SCENARIO_PATH];
    const char *slash = strrchr(file, '/');
    if (path[0] == '\0' || path[0] == '/' || slash == NULL) return ERR_OK;
    int length = snprintf(whole, sizeof whole, "%.*s%s", (int)(slash + 1 - file), file, path);
    if (length >= SCENARIO_PATH) return refuse(errors, ERR_TOO_LARGE, path, "the path is too long");
    memcpy(path, whole, (size_t)length + 1);
    return ERR_OK;
}

/* The bytes of a file, to be freed; NULL: it is not there or is too large, see *err. */
static char *read_bytes(FILE *file, size_t *size)
{
    char *bytes = malloc(SCENARIO_BYTES_MAX + 1);
    CHECK(bytes != NULL);
    *size = fread(bytes, 1, SCENARIO_BYTES_MAX + 1, file);
    if (!ferror(file)) return bytes;
    free(bytes);
    return NULL;
}

static enum err read_file(struct scenario *out, FILE *file, struct scenario_source *source,
                          struct day_errors *errors)
{
    static struct scenario scenario;
    char *bytes = read_bytes(file, &source->size);
    if (bytes == NULL) return refuse(errors, ERR_IO, source->name, strerror(errno));
    source->text = bytes;
    enum err err = scenario_parse(&scenario, source, errors);
    free(bytes);
    if (err == ERR_OK) err = anchor(scenario.folder.path, source->name, errors);
    if (err == ERR_OK) err = anchor(scenario.like, source->name, errors);
    if (err == ERR_OK) *out = scenario;
    return err;
}

/* A day folder alone: all else is as usual. */
static enum err read_folder(struct scenario *out, const char *folder,
                            struct scenario_source *source, struct day_errors *errors)
{
    char text[SCENARIO_PATH + 64], path[SCENARIO_PATH];
    size_t size = strlen(folder);
    while (size > 1 && folder[size - 1] == '/')
        size--;
    if (size >= sizeof path) return refuse(errors, ERR_TOO_LARGE, folder, "the path is too long");
    memcpy(path, folder, size);
    path[size] = '\0';
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    bool named = name[0] != '\0' && name[0] != '.' && strlen(name) < SCENARIO_NAME;
    snprintf(text, sizeof text, "[scenario]\nname = %s\n[folder]\npath = %s\n",
             named ? name : "folder", path);
    source->text = text;
    source->size = strlen(text);
    return scenario_parse(out, source, errors);
}

enum err scenario_read(struct scenario *out, const char *name_or_path, const char *const *sets,
                       size_t set_count, struct day_errors *errors)
{
    struct scenario_source source = {.name = name_or_path, .sets = sets, .set_count = set_count};
    for (size_t i = 0; i < scenario_builtin_count; i++) {
        if (strcmp(scenario_builtins[i].name, name_or_path) != 0) continue;
        source.text = scenario_builtins[i].text;
        source.size = strlen(source.text);
        return scenario_parse(out, &source, errors);
    }
    struct stat is;
    if (stat(name_or_path, &is) == 0 && S_ISDIR(is.st_mode))
        return read_folder(out, name_or_path, &source, errors);
    FILE *file = fopen(name_or_path, "rb");
    if (file == NULL && errno == ENOENT) return refuse_name(name_or_path, errors);
    if (file == NULL) return refuse(errors, ERR_IO, name_or_path, strerror(errno));
    enum err err = read_file(out, file, &source, errors);
    fclose(file);
    return err;
}
