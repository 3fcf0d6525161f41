#include "sim/fleet.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/rng.h"
#include "day/zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct fleet {
    struct person **persons;
    char (*ids)[LIMIT_ID + 1]; /* of each */
    size_t count, room;
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

size_t fleet_well(const struct fleet_options *options)
{
    size_t count = options->day->technician_count, index = 0;
    int64_t *absent_at_us = calloc(count + 1, sizeof *absent_at_us);
    CHECK(absent_at_us != NULL);
    choose_ill(options, absent_at_us);
    while (index < count && absent_at_us[index] != 0)
        index++;
    free(absent_at_us);
    return index;
}

static struct person_options options_of(const struct fleet_options *options, size_t index,
                                        int64_t absent_at_us)
{
    int64_t midnight_us = zone_local_to_utc_us(options->day->service_day * US_PER_DAY);
    return (struct person_options){.row = &options->day->technicians[index],
                                   .ca_file = options->ca_file,
                                   .enrol_token = options->tokens[index],
                                   .boot_id = options->boot_id,
                                   .luck = {.habits = options->habits,
                                            .roads = options->roads,
                                            .travel_percent = options->travel_percent,
                                            .seed = options->seed,
                                            .midnight_us = midnight_us},
                                   .absent_at_us = absent_at_us,
                                   .watch = options->watch};
}

static void make_room(struct fleet *fleet, size_t more)
{
    fleet->room = fleet->count + more;
    fleet->persons = realloc(fleet->persons, (fleet->room + 1) * sizeof *fleet->persons);
    fleet->ids = realloc(fleet->ids, (fleet->room + 1) * sizeof *fleet->ids);
    CHECK(fleet->persons != NULL && fleet->ids != NULL);
}

/* A new one: his number is that of his folder and of his line, and his seed comes from it. */
static enum err open_person(struct fleet *fleet, struct client_loop *loop,
                            const struct fleet_options *options, struct person_options *person,
                            struct problem *problem)
{
    char folder[1024], url[256];
    size_t index = fleet->count;
    CHECK(index < fleet->room);
    if ((size_t)snprintf(folder, sizeof folder, "%s/%zu", options->folder, index) >= sizeof folder)
        return problem_set(problem, ERR_TOO_LARGE, options->folder, "the path is too long");
    if (options->url_each)
        snprintf(url, sizeof url, "%s%zu", options->url, index);
    else
        snprintf(url, sizeof url, "%s", options->url);
    struct rng rng = {options->seed + index};
    person->url = url;
    person->folder = folder;
    person->seed = rng_next(&rng);
    enum err err = person_open(&fleet->persons[index], loop, person, problem);
    if (err != ERR_OK) return err;
    snprintf(fleet->ids[index], sizeof fleet->ids[index], "%s", person->row->id);
    fleet->count++;
    return ERR_OK;
}

enum err fleet_wake(struct fleet *fleet, struct client_loop *loop,
                    const struct fleet_options *options, struct problem *problem)
{
    size_t count = options->day->technician_count;
    int64_t *absent_at_us = calloc(count + 1, sizeof *absent_at_us);
    CHECK(absent_at_us != NULL);
    if (options->absent_at_us != NULL)
        memcpy(absent_at_us, options->absent_at_us, count * sizeof *absent_at_us);
    else
        choose_ill(options, absent_at_us);
    make_room(fleet, count);
    enum err err = ERR_OK;
    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        struct person_options person = options_of(options, i, absent_at_us[i]);
        size_t known = fleet_find(fleet, person.row->id);
        if (known < fleet->count)
            person_wake(fleet->persons[known], &person);
        else
            err = open_person(fleet, loop, options, &person, problem);
    }
    free(absent_at_us);
    return err;
}

enum err fleet_open(struct fleet **out, struct client_loop *loop,
                    const struct fleet_options *options, struct problem *problem)
{
    if (mkdir(options->folder, 0700) != 0 && errno != EEXIST)
        return problem_set(problem, ERR_IO, options->folder, "%s", strerror(errno));
    struct fleet *fleet = calloc(1, sizeof *fleet);
    CHECK(fleet != NULL);
    enum err err = fleet_wake(fleet, loop, options, problem);
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
    free(fleet->ids);
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
        const struct client_counters counters = person_counters(fleet->persons[i]);
        bool taken = person_doing(fleet->persons[i]) == PERSON_TAKEN;
        enum client_state state = person_state(fleet->persons[i]);
        count.doing[person_doing(fleet->persons[i])]++;
        count.live += state == CLIENT_LIVE;
        count.stopped += state == CLIENT_STOPPED && !taken;
        count.without_signal += !person_has_signal(fleet->persons[i]);
        count.saved += counters.saved;
        count.acknowledged += counters.acknowledged;
        count.unsent += person_unsent(fleet->persons[i]);
        count.rejected += counters.rejected;
        count.conflicts += counters.conflicts;
        count.failures += counters.failures;
        count.snapshots += counters.snapshots;
        count.pulls += counters.pulls;
        count.aside += person_aside(fleet->persons[i]);
    }
    return count;
}

size_t fleet_find(const struct fleet *fleet, const char *technician_id)
{
    size_t index = 0;
    while (index < fleet->count && strcmp(fleet->ids[index], technician_id) != 0)
        index++;
    return index;
}

void fleet_sleep(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        person_sleep(fleet->persons[i]);
}

void fleet_end_day(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        person_end_day(fleet->persons[i]);
}
