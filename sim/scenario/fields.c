#include "sim/scenario/fields.h"

#include <stddef.h>

enum { DAY_S = 24 * 3600, WEIGHT_MAX = 100000 };

static const char *const fault_words[] = {"sick_wave",    "travel",    "storm",      "network_loss",
                                          "network_poor", "gps_drift", "clock_skew", "kill",
                                          "disk",         "power",     NULL};

const char *fault_kind_name(enum fault_kind kind)
{
    return fault_words[kind];
}
static const char *const part_words[] = {"dispatcher", "gateway", "optimizer", NULL};

#define INT(key, type, member, low, high, about)                                                   \
    {                                                                                              \
        key, FIELD_INT, offsetof(struct type, member), low, high, 1, NULL, about                   \
    }
#define INTS(key, type, member, many, high, about)                                                 \
    {                                                                                              \
        key, FIELD_INTS, offsetof(struct type, member), 0, high, many, NULL, about                 \
    }
#define TEXT(key, type, member, low, about)                                                        \
    {                                                                                              \
        key, FIELD_TEXT, offsetof(struct type, member), low, 0, sizeof((struct type *)0)->member,  \
            NULL, about                                                                            \
    }
#define CLOCK(key, type, member, about)                                                            \
    {                                                                                              \
        key, FIELD_CLOCK, offsetof(struct type, member), 0, DAY_S, 1, NULL, about                  \
    }
#define SPAN(key, type, member, low, high, about)                                                  \
    {                                                                                              \
        key, FIELD_SPAN, offsetof(struct type, member), low, high, 1, NULL, about                  \
    }
#define SPAN_US(key, type, member, high, about)                                                    \
    {                                                                                              \
        key, FIELD_SPAN_US, offsetof(struct type, member), 0, high, 1, NULL, about                 \
    }
#define SPREAD(key, type, member, about)                                                           \
    {                                                                                              \
        key, FIELD_SPREAD, offsetof(struct type, member), 0, 0, 1, NULL, about                     \
    }
#define WORD(key, type, member, list, about)                                                       \
    {                                                                                              \
        key, FIELD_WORD, offsetof(struct type, member), 0, 0, 1, list, about                       \
    }

static const struct field scenario_fields[] = {
    TEXT("name", scenario, name, 1, "in reports"),
    TEXT("about", scenario, about, 0, "one line for people"),
    TEXT("time_zone", scenario, time_zone, 1, "of the tz database; all times are local to it"),
    TEXT("territory", scenario, territory, 1, "the territory's id"),
    {"first_day", FIELD_DATE, offsetof(struct scenario, first_day), 0, 0, 1, NULL, "a date"},
    INT("days", scenario, days, 1, SCENARIO_DAYS_MAX, "horizon, one after the other"),
    TEXT("like", scenario, like, 0, "a data folder: realised durations replace both spreads"),
};

static const struct field town_fields[] = {
    {"center", FIELD_POINT, offsetof(struct scenario_town, center), 0, 0, 1, NULL, "on the map"},
    INT("width_m", scenario_town, width_m, 500, 100000, "west to east"),
    INT("height_m", scenario_town, height_m, 500, 100000, "south to north"),
    INT("block_m", scenario_town, block_m, 50, 2000, "between crossings"),
    INT("noise_percent", scenario_town, noise_percent, 0, 80, "of a block: crossings off the grid"),
    INT("gaps_percent", scenario_town, gaps_percent, 0, 60, "side streets that are missing"),
    INT("main_every", scenario_town, main_every, 1, 20, "main streets, which also cross country"),
    INT("side_kmh", scenario_town, side_kmh, 5, 100, "speed on side streets"),
    INT("main_kmh", scenario_town, main_kmh, 5, 150, "speed on main streets"),
    INT("centre_radius_m", scenario_town, centre_radius_m, 200, 50000, "of the inner town"),
    INT("suburbs", scenario_town, suburbs, 0, SCENARIO_SUBURBS_MAX, "and villages"),
    INT("suburb_radius_m", scenario_town, suburb_radius_m, 100, 50000, "at most; at least half"),
    INT("centre_percent", scenario_town, centre_percent, 0, 100, "of the addresses"),
    INT("country_percent", scenario_town, country_percent, 0, 100, "of the addresses"),
};

static const struct field folder_fields[] = {
    TEXT("path", scenario_folder, path, 0,
         "a day's CSV files, or a data folder, instead of a town"),
    INT("orders_percent", scenario_folder, orders_percent, 1, 1000, "some come twice, or not"),
    INT("technicians_percent", scenario_folder, technicians_percent, 1, 1000, "the same"),
};

static const struct field workforce_fields[] = {
    INT("technicians", scenario_workforce, technicians, 1, LIMIT_ROUTES_PER_PLAN, "at 100 percent"),
    INT("second_skill_percent", scenario_workforce, second_skill_percent, 0, 100, "have a second"),
    INT("third_skill_percent", scenario_workforce, third_skill_percent, 0, 100, "of those a third"),
    INTS("level_percent", scenario_workforce, level_percent, 3, WEIGHT_MAX,
         "weights of levels 1-3"),
    INTS("weekday_percent", scenario_workforce, weekday_percent, WEEKDAYS, 100, "from Monday"),
};

static const struct field demand_fields[] = {
    INT("orders", scenario_demand, orders, 0, LIMIT_VISITS_PER_PLAN, "a day at 100 percent"),
    INT("known_percent", scenario_demand, known_percent, 0, 100, "received before the day begins"),
    CLOCK("open", scenario_demand, open_s, "windows begin"),
    CLOCK("close", scenario_demand, close_s, "windows end"),
    INTS("by_hour", scenario_demand, by_hour, HOURS, WEIGHT_MAX, "weights of orders of the day"),
    INTS("weekday_percent", scenario_demand, weekday_percent, WEEKDAYS, 1000, "from Monday"),
};

static const struct field people_fields[] = {
    INT("decline_permille", scenario_people, decline_permille, 0, 1000, "of dispatched visits"),
    INT("incomplete_permille", scenario_people, incomplete_permille, 0, 1000, "of the visits"),
    INT("forget_check_out_permille", scenario_people, forget_check_out_permille, 0, 1000,
        "of the visits"),
    INT("late_start_permille", scenario_people, late_start_permille, 0, 1000, "of days of work"),
    SPAN("late_least", scenario_people, late_least_s, 0, 4 * 3600, "late so much"),
    SPAN("late_most", scenario_people, late_most_s, 0, 4 * 3600, "to so much"),
    INT("ill_permille", scenario_people, ill_permille, 0, 1000, "of days: ill during the shift"),
    INT("positions_permille", scenario_people, positions_permille, 0, 1000,
        "journeys with positions"),
};

static const struct field customers_fields[] = {
    INT("cancel_permille", scenario_customers, cancel_permille, 0, 1000, "of the orders"),
    INT("no_access_permille", scenario_customers, no_access_permille, 0, 1000, "of the visits"),
};

static const struct field roads_fields[] = {
    SPREAD("travel", scenario_roads, travel, "of the time on the streets"),
    {"by_hour", FIELD_INTS, offsetof(struct scenario_roads, by_hour), 10, 1000, HOURS, NULL,
     "percent of it"},
};

static const struct field service_fields[] = {
    SPREAD("work", scenario_service, work, "of the time that was expected"),
    {"by_hour", FIELD_INTS, offsetof(struct scenario_service, by_hour), 10, 1000, HOURS, NULL,
     "percent of it"},
};

static const struct field network_fields[] = {
    INT("latency_ms", scenario_network, latency_ms, 0, 60000, "one way, at least"),
    INT("jitter_ms", scenario_network, jitter_ms, 0, 60000, "at most so much more"),
    INT("loss_permille", scenario_network, loss_permille, 0, 900, "of the messages"),
    INT("duplicate_permille", scenario_network, duplicate_permille, 0, 900, "come twice"),
    INT("reorder_permille", scenario_network, reorder_permille, 0, 900, "overtake another"),
    INT("outage_permille", scenario_network, outage_permille, 0, 1000, "of a device's days"),
    SPAN("outage_least", scenario_network, outage_least_s, 1, DAY_S, "without signal so long"),
    SPAN("outage_most", scenario_network, outage_most_s, 1, DAY_S, "to so long"),
};

static const struct field optimizer_fields[] = {
    INT("rounds", scenario_optimizer, rounds, 0, 10000000, "of search after an event"),
    INT("round_us", scenario_optimizer, round_us, 0, 1000000, "what one takes"),
    INT("repair_us", scenario_optimizer, repair_us, 0, 60000000, "until the first plan"),
    INT("commit_us", scenario_optimizer, commit_us, 0, 60000000, "of a batch of facts"),
};

static const struct field policy_fields[] = {
    SPAN_US("freeze", policy, freeze_us, DAY_S, "nearer starts do not move"),
    SPAN_US("dispatch_ahead", policy, dispatch_ahead_us, DAY_S, "the next visit is given out"),
    SPAN_US("accept_timeout", policy, accept_timeout_us, DAY_S, "to think about it"),
    INT("overtime_price_percent", policy, overtime_price_percent, 0, POLICY_PERCENT_MAX,
        "of its time"),
    INT("unserved_seconds_per_priority", policy, unserved_s_per_priority, 1, POLICY_PRICE_S_MAX,
        "of an order nobody serves"),
    INT("change_technician_seconds", policy, change_technician_s, 0, POLICY_PRICE_S_MAX,
        "price of a published visit's change"),
    INT("change_start_seconds", policy, change_start_s, 0, POLICY_PRICE_S_MAX, "the same"),
    SPAN_US("change_start_tolerance", policy, change_start_tolerance_us, DAY_S, "costs nothing"),
    SPAN_US("overtime_tier", policy, overtime_tier_us, DAY_S, "beyond it the second price; 0: one"),
    INT("overtime_tier_price_percent", policy, overtime_tier_price_percent, 0, POLICY_PERCENT_MAX,
        "the second price"),
    INT("lateness_price_percent", policy, lateness_price_percent, 1, POLICY_PERCENT_MAX,
        "of each second after a window"),
    INT("preferred_window_missed_seconds", policy, preferred_window_missed_s, 0, POLICY_PRICE_S_MAX,
        "once for an order"),
    INT("preferred_technician_missed_seconds", policy, preferred_technician_missed_s, 0,
        POLICY_PRICE_S_MAX, "once for an order"),
    INT("travel_price_percent", policy, travel_price_percent, 1, POLICY_PERCENT_MAX,
        "of each second of travel"),
    INT("changes_per_technician_day_max", policy, changes_per_technician_day_max, 0, 1000,
        "by the optimizer; 0: no limit"),
    INT("changed_visits_percent_max", policy, changed_visits_percent_max, 0, 100,
        "of a day's visits, ever by the optimizer; 0: no limit"),
};

static const struct field skill_fields[] = {
    INT("people", scenario_skill, people, 0, WEIGHT_MAX, "weight of technicians with it"),
    INT("needs", scenario_skill, needs, 0, WEIGHT_MAX, "weight of orders that need it"),
};

static const struct field shift_fields[] = {
    INT("share", scenario_shift, share, 0, WEIGHT_MAX, "weight among the shifts"),
    CLOCK("from", scenario_shift, from_s, "of the day"),
    CLOCK("to", scenario_shift, to_s, "not after from: on the next day"),
    SPAN("break", scenario_shift, break_s, 0, 4 * 3600, "how long; 0s: none"),
    SPAN("break_after", scenario_shift, break_after_s, 0, DAY_S, "from the shift's start"),
    SPAN("break_within", scenario_shift, break_within_s, 0, DAY_S, "from then it begins"),
    SPAN("overtime_max", scenario_shift, overtime_s_max, 0, 12 * 3600, "behind the shift"),
};

static const struct field work_fields[] = {
    INT("share", scenario_work, share, 0, WEIGHT_MAX, "weight among the work types"),
    SPAN("least", scenario_work, least_s, 60, LIMIT_SERVICE_SECONDS, "service"),
    SPAN("usual", scenario_work, usual_s, 60, LIMIT_SERVICE_SECONDS, "the most frequent"),
    SPAN("most", scenario_work, most_s, 60, LIMIT_SERVICE_SECONDS, ""),
    INT("priority", scenario_work, priority, 1, LIMIT_PRIORITY, "9 is the most urgent"),
    TEXT("skill", scenario_work, skill, 1, "a skill's name, any (by the skills' needs), or none"),
    INTS("level_percent", scenario_work, level_percent, 3, WEIGHT_MAX, "weights of levels 1-3"),
    INT("whole_day_percent", scenario_work, whole_day_percent, 0, 100, "without an own window"),
    SPAN("window_least", scenario_work, window_least_s, 1800, DAY_S, "an own window's length"),
    SPAN("window_most", scenario_work, window_most_s, 1800, DAY_S, ""),
    SPAN("respond", scenario_work, respond_s, 0, DAY_S,
         "urgent: to be begun so soon after it comes in; 0s: not urgent"),
    INT("window_days", scenario_work, window_days, 1, 7, "days to do it in, without an own window"),
};

static const struct field fault_fields[] = {
    WORD("kind", scenario_fault, kind, fault_words, "what goes wrong"),
    INT("day", scenario_fault, day, 0, SCENARIO_DAYS_MAX, "from 1; 0: every day"),
    CLOCK("at", scenario_fault, at_s, "when it begins"),
    SPAN("for", scenario_fault, for_s, 0, DAY_S, "how long"),
    INT("share_percent", scenario_fault, share_percent, 0, 100, "of the technicians"),
    INT("percent", scenario_fault, percent, 0, 1000, "of travel time, or of messages lost"),
    INT("orders", scenario_fault, orders, 0, LIMIT_VISITS_PER_PLAN, "of a storm"),
    INT("metres", scenario_fault, metres, 0, 100000, "of a position's error"),
    SPAN("seconds", scenario_fault, seconds, -DAY_S, DAY_S, "of a clock's error"),
    WORD("part", scenario_fault, part, part_words, "of a kill"),
};

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define ONE(name, member, list, about)                                                             \
    {                                                                                              \
        name, offsetof(struct scenario, member), list, COUNT(list), false, 0, 0, 0, about          \
    }
#define MANY(name, type, member, counter, list, about)                                             \
    {                                                                                              \
        name, offsetof(struct scenario, member), list, COUNT(list), true, sizeof(struct type),     \
            COUNT(((struct scenario *)0)->member), offsetof(struct scenario, counter), about       \
    }

const struct section sections[] = {
    {"scenario", 0, scenario_fields, COUNT(scenario_fields), false, 0, 0, 0, "the whole"},
    ONE("folder", folder, folder_fields, "a day folder instead of a town"),
    ONE("town", town, town_fields, "streets and addresses, made from the seed"),
    ONE("workforce", workforce, workforce_fields, "of the town"),
    MANY("skill", scenario_skill, skills, skill_count, skill_fields, "of technicians and orders"),
    MANY("shift", scenario_shift, shifts, shift_count, shift_fields, "of technicians"),
    ONE("demand", demand, demand_fields, "of the town"),
    MANY("work", scenario_work, works, work_count, work_fields, "a type of work"),
    ONE("people", people, people_fields, "how technicians are"),
    ONE("customers", customers, customers_fields, "how customers are"),
    ONE("roads", roads, roads_fields, "how long journeys take"),
    ONE("service", service, service_fields, "how long work takes"),
    ONE("network", network, network_fields, "between devices and the gateway"),
    ONE("optimizer", optimizer, optimizer_fields, "counted work, and what it takes"),
    ONE("policy", policy, policy_fields, "of the territory"),
    MANY("fault", scenario_fault, faults, fault_count, fault_fields, "what goes wrong, and when"),
};
const size_t section_count = COUNT(sections);
