/* check.c - what only the whole of a scenario can tell. A value that could not be read keeps its
 * default here, so that one mistake is complained of once. */
#include "day/zone.h"
#include "sim/scenario/reader.h"

#include <stdio.h>
#include <string.h>

enum { DAY_S = 24 * 3600 };

static int64_t sum(const int32_t *weights, size_t count)
{
    int64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += weights[i];
    return total;
}

static int32_t greatest(const int32_t *numbers, size_t count)
{
    int32_t most = 0;
    for (size_t i = 0; i < count; i++)
        if (numbers[i] > most) most = numbers[i];
    return most;
}

static void check_town(struct reader *reader)
{
    const struct scenario_town *town = &reader->scenario->town;
    int32_t columns = town->width_m / town->block_m + 1, rows = town->height_m / town->block_m + 1;
    if (columns * rows > SCENARIO_NODES_MAX)
        reader_complain_at(reader, "town", 0, "block_m",
                           "%d crossings; at most %d: make blocks longer or the town smaller",
                           columns * rows, SCENARIO_NODES_MAX);
    if (columns <= town->main_every || rows <= town->main_every)
        reader_complain_at(reader, "town", 0, "main_every",
                           "a town of %d x %d crossings needs main streets nearer together",
                           columns, rows);
    if (town->centre_percent + town->country_percent > 100)
        reader_complain_at(reader, "town", 0, "country_percent",
                           "with centre_percent more than 100; make one of them smaller");
    if (town->suburbs == 0 && town->centre_percent + town->country_percent < 100)
        reader_complain_at(reader, "town", 0, "suburbs",
                           "without suburbs centre_percent and country_percent must make 100");
}

static bool skill_known(const struct scenario *scenario, const char *name)
{
    for (size_t i = 0; i < scenario->skill_count; i++)
        if (strcmp(scenario->skills[i].name, name) == 0) return true;
    return false;
}

static void check_skills(struct reader *reader)
{
    const struct scenario *scenario = reader->scenario;
    int64_t people = 0, needs = 0;
    for (size_t i = 0; i < scenario->skill_count; i++) {
        people += scenario->skills[i].people;
        needs += scenario->skills[i].needs;
        if (strcmp(scenario->skills[i].name, "any") == 0 ||
            strcmp(scenario->skills[i].name, "none") == 0)
            reader_complain_at(reader, "skill", i, "people", "no skill can be called any or none");
    }
    if (people == 0)
        reader_complain_at(reader, "skill", 0, "people", "one skill must have a weight above 0");
    if (needs == 0)
        reader_complain_at(reader, "skill", 0, "needs", "one skill must have a weight above 0");
    if (sum(scenario->workforce.level_percent, 3) == 0)
        reader_complain_at(reader, "workforce", 0, "level_percent", "one must be above 0");
}

static void check_shift(struct reader *reader, size_t i)
{
    const struct scenario_shift *shift = &reader->scenario->shifts[i];
    int32_t length_s = shift->to_s - shift->from_s;
    if (length_s <= 0) length_s += DAY_S;
    if (length_s <= 0 || length_s > DAY_S)
        reader_complain_at(reader, "shift", i, "to", "a shift is at most 24 hours long");
    else if (shift->break_s > 0 && shift->break_after_s + shift->break_within_s > length_s)
        reader_complain_at(reader, "shift", i, "break_after",
                           "with break_within it lies beyond the shift's end");
}

static void check_workforce(struct reader *reader)
{
    const struct scenario *scenario = reader->scenario;
    int64_t shares = 0;
    for (size_t i = 0; i < scenario->shift_count; i++) {
        check_shift(reader, i);
        shares += scenario->shifts[i].share;
    }
    if (shares == 0)
        reader_complain_at(reader, "shift", 0, "share", "one shift must have a share above 0");
    if ((int64_t)scenario->workforce.technicians * scenario->days > LIMIT_SHIFTS)
        reader_complain_at(reader, "workforce", 0, "technicians",
                           "at most %d shifts over all days: fewer technicians or days",
                           LIMIT_SHIFTS);
}

static void check_work(struct reader *reader, size_t i)
{
    const struct scenario *scenario = reader->scenario;
    const struct scenario_work *work = &scenario->works[i];
    int32_t open_s = scenario->demand.close_s - scenario->demand.open_s;
    if (work->least_s > work->usual_s || work->usual_s > work->most_s)
        reader_complain_at(reader, "work", i, "usual", "must lie between least and most");
    if (work->window_least_s > work->window_most_s)
        reader_complain_at(reader, "work", i, "window_most", "must not lie below window_least");
    if (work->whole_day_percent < 100 && work->respond_s == 0 && open_s > 0 &&
        work->window_most_s > open_s)
        reader_complain_at(reader, "work", i, "window_most",
                           "is longer than from demand.open to demand.close");
    if (sum(work->level_percent, 3) == 0)
        reader_complain_at(reader, "work", i, "level_percent", "one must be above 0");
    if (strcmp(work->skill, "any") != 0 && strcmp(work->skill, "none") != 0 &&
        !skill_known(scenario, work->skill))
        reader_complain_at(reader, "work", i, "skill",
                           "there is no [skill %.47s]; write one, or any, or none", work->skill);
}

static void check_demand(struct reader *reader)
{
    const struct scenario *scenario = reader->scenario;
    const struct scenario_demand *demand = &scenario->demand;
    int64_t shares = 0;
    if (demand->open_s >= demand->close_s)
        reader_complain_at(reader, "demand", 0, "close", "must lie after open");
    for (size_t i = 0; i < scenario->work_count; i++) {
        check_work(reader, i);
        shares += scenario->works[i].share;
    }
    if (shares == 0)
        reader_complain_at(reader, "work", 0, "share", "one work type must have a share above 0");
    if (sum(demand->by_hour, HOURS) == 0)
        reader_complain_at(reader, "demand", 0, "by_hour", "one hour must have a weight above 0");
}

/* Generated orders of all days and storms, at the most. */
static void check_orders(struct reader *reader)
{
    const struct scenario *scenario = reader->scenario;
    int64_t day = (int64_t)scenario->demand.orders *
                      greatest(scenario->demand.weekday_percent, WEEKDAYS) / 100 +
                  1;
    int64_t storms = 0;
    for (size_t i = 0; i < scenario->fault_count; i++)
        if (scenario->faults[i].kind == FAULT_STORM) storms += scenario->faults[i].orders;
    if (day + storms > LIMIT_VISITS_PER_PLAN)
        reader_complain_at(reader, "demand", 0, "orders",
                           "at most %d orders on one day, storms and weekday_percent included",
                           LIMIT_VISITS_PER_PLAN);
    else if ((day + storms) * scenario->days > LIMIT_APPOINTMENTS)
        reader_complain_at(reader, "demand", 0, "orders",
                           "at most %d orders over all days: fewer orders or days",
                           LIMIT_APPOINTMENTS);
}

static void check_order_of(struct reader *reader, const char *section, const char *key,
                           int32_t least, int32_t most)
{
    if (least > most)
        reader_complain_at(reader, section, 0, key, "the most must not lie below the least");
}

/* --- faults ---------------------------------------------------------------------------------- */

static void need(struct reader *reader, size_t i, const char *key, bool given)
{
    if (given) return;
    reader_complain_at(reader, "fault", i, key, "a fault of this kind needs it; it is 0");
}

static void check_fault_needs(struct reader *reader, size_t i)
{
    const struct scenario_fault *fault = &reader->scenario->faults[i];
    const struct seen *kind = reader_seen(reader, "fault", i, "kind");
    if (kind != NULL && kind->failed) return;
    switch ((enum fault_kind)fault->kind) {
    case FAULT_STORM:
        need(reader, i, "orders", fault->orders > 0);
        need(reader, i, "for", fault->for_s > 0);
        break;
    case FAULT_TRAVEL:
        need(reader, i, "percent", fault->percent >= 10);
        need(reader, i, "for", fault->for_s > 0);
        break;
    case FAULT_SICK_WAVE: need(reader, i, "share_percent", fault->share_percent > 0); break;
    case FAULT_NETWORK_POOR:
        need(reader, i, "percent", fault->percent > 0 && fault->percent <= 90);
        need(reader, i, "share_percent", fault->share_percent > 0);
        need(reader, i, "for", fault->for_s > 0);
        break;
    case FAULT_NETWORK_LOSS:
        need(reader, i, "share_percent", fault->share_percent > 0);
        need(reader, i, "for", fault->for_s > 0);
        break;
    case FAULT_GPS_DRIFT:
        need(reader, i, "metres", fault->metres > 0);
        need(reader, i, "share_percent", fault->share_percent > 0);
        need(reader, i, "for", fault->for_s > 0);
        break;
    case FAULT_CLOCK_SKEW:
        need(reader, i, "seconds", fault->seconds != 0);
        need(reader, i, "share_percent", fault->share_percent > 0);
        need(reader, i, "for", fault->for_s > 0);
        break;
    case FAULT_DISK: need(reader, i, "for", fault->for_s > 0); break;
    case FAULT_KILL:
    case FAULT_POWER:
    case FAULT_KIND_COUNT:
    default: break;
    }
}

static void check_faults(struct reader *reader)
{
    const struct scenario *scenario = reader->scenario;
    for (size_t i = 0; i < scenario->fault_count; i++) {
        check_fault_needs(reader, i);
        if (scenario->faults[i].day > scenario->days)
            reader_complain_at(reader, "fault", i, "day", "the scenario has %d days only",
                               scenario->days);
    }
}

/* --- the whole ------------------------------------------------------------------------------- */

/* What a day folder brings itself must not stand beside it. */
static void check_folder(struct reader *reader)
{
    static const char *const unused[] = {"town", "workforce", "skill", "shift", "demand", "work"};
    if (reader->scenario->folder.path[0] == '\0') return;
    for (size_t i = 0; i < sizeof unused / sizeof *unused; i++) {
        const struct seen *seen = reader_seen(reader, unused[i], 0, NULL);
        if (seen == NULL) continue;
        reader->line = seen->line;
        reader_complain(reader, unused[i], "",
                        "the day folder brings its own; take this section or folder.path out");
    }
    reader->line = 0;
}

static void check_zone(struct reader *reader)
{
    struct problem problem;
    if (zone_open(reader->scenario->time_zone, &problem) != ERR_OK)
        reader_complain_at(reader, "scenario", 0, "time_zone", "%s", problem.text);
}

void reader_check(struct reader *reader)
{
    const struct scenario *scenario = reader->scenario;
    check_zone(reader);
    check_folder(reader);
    check_town(reader);
    check_skills(reader);
    check_workforce(reader);
    check_demand(reader);
    check_orders(reader);
    check_order_of(reader, "people", "late_most", scenario->people.late_least_s,
                   scenario->people.late_most_s);
    check_order_of(reader, "network", "outage_most", scenario->network.outage_least_s,
                   scenario->network.outage_most_s);
    check_faults(reader);
}
