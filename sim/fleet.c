#include "sim/fleet.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/rng.h"
#include "day/zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct fleet {
    struct person **persons;
    size_t count;
};

/* Chooses who falls ill: half of them in the morning before they start, the others while they work.
 */
static void choose_ill(const struct fleet_options *options, int64_t *absent_at_us)
{
    struct rng rng = {options->seed ^ UINT64_C(0x111)};
    const struct day *day = options->day;
    uint32_t count = (uint32_t)day->technician_count;
    for (uint32_t i = 0; i < options->ill && i < count; i++) {
        uint32_t who = rng_below(&rng, count);
        while (absent_at_us[who] != 0)
            who = (who + 1) % count;
        const struct day_technician *row = &day->technicians[who];
        int64_t shift_us = row->shift_end_us - row->shift_start_us;
        double part = i % 2 == 0 ? 0.02 : 0.15 + 0.55 * rng_unit(&rng);
        absent_at_us[who] = row->shift_start_us + (int64_t)(part * (double)shift_us);
    }
}

static enum err open_person(struct fleet *fleet, size_t index, struct client_loop *loop,
                            const struct fleet_options *options, int64_t absent_at_us,
                            struct problem *problem)
{
    char folder[1024], url[256];
    const struct day_technician *row = &options->day->technicians[index];
    if ((size_t)snprintf(folder, sizeof folder, "%s/%zu", options->folder, index) >= sizeof folder)
        return problem_set(problem, ERR_TOO_LARGE, options->folder, "the path is too long");
    if (options->url_each)
        snprintf(url, sizeof url, "%s%zu", options->url, index);
    else
        snprintf(url, sizeof url, "%s", options->url);
    int64_t midnight_us = zone_local_to_utc_us(options->day->service_day * US_PER_DAY);
    struct rng rng = {options->seed + index};
    struct person_options person = {.row = row,
                                    .url = url,
                                    .ca_file = options->ca_file,
                                    .folder = folder,
                                    .enrol_token = options->tokens[index],
                                    .boot_id = options->boot_id,
                                    .luck = {.habits = options->habits,
                                             .roads = options->roads,
                                             .travel_percent = options->travel_percent,
                                             .seed = options->seed,
                                             .midnight_us = midnight_us},
                                    .seed = rng_next(&rng),
                                    .absent_at_us = absent_at_us,
                                    .watch = options->watch};
    return person_open(&fleet->persons[index], loop, &person, problem);
}

enum err fleet_open(struct fleet **out, struct client_loop *loop,
                    const struct fleet_options *options, struct problem *problem)
{
    if (mkdir(options->folder, 0700) != 0 && errno != EEXIST)
        return problem_set(problem, ERR_IO, options->folder, "%s", strerror(errno));
    struct fleet *fleet = calloc(1, sizeof *fleet);
    size_t count = options->day->technician_count;
    int64_t *absent_at_us = calloc(count, sizeof *absent_at_us);
    CHECK(fleet != NULL && absent_at_us != NULL);
    fleet->persons = calloc(count, sizeof *fleet->persons);
    CHECK(fleet->persons != NULL);
    fleet->count = count;
    choose_ill(options, absent_at_us);
    enum err err = ERR_OK;
    for (size_t i = 0; i < count && err == ERR_OK; i++)
        err = open_person(fleet, i, loop, options, absent_at_us[i], problem);
    free(absent_at_us);
    if (err == ERR_OK)
        *out = fleet;
    else
        fleet_close(fleet);
    return err;
}

void fleet_close(struct fleet *fleet)
{
    if (fleet == NULL) return;
    for (size_t i = 0; i < fleet->count; i++)
        person_close(fleet->persons[i]);
    free(fleet->persons);
    free(fleet);
}

size_t fleet_size(const struct fleet *fleet)
{
    return fleet->count;
}

struct person *fleet_person(const struct fleet *fleet, size_t index)
{
    CHECK(index < fleet->count);
    return fleet->persons[index];
}

struct fleet_count fleet_count(const struct fleet *fleet)
{
    struct fleet_count count = {0};
    for (size_t i = 0; i < fleet->count; i++) {
        const struct client *client = person_client(fleet->persons[i]);
        const struct client_counters *counters = client_counters(client);
        count.doing[person_doing(fleet->persons[i])]++;
        count.live += client_state(client) == CLIENT_LIVE;
        count.stopped += client_state(client) == CLIENT_STOPPED;
        count.without_signal += !person_has_signal(fleet->persons[i]);
        count.saved += counters->saved;
        count.acknowledged += counters->acknowledged;
        count.unsent += client_unsent(client);
        count.rejected += counters->rejected;
        count.conflicts += counters->conflicts;
        count.failures += counters->failures;
        count.snapshots += counters->snapshots;
        count.pulls += counters->pulls;
    }
    return count;
}

void fleet_end_day(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        person_end_day(fleet->persons[i]);
}
