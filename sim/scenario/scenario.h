/* scenario.h - what a simulated world is, as a text gives it: a town or a day folder, who works,
 * what is ordered, how people, roads and the network are, the policy, and what goes wrong when.
 *
 * The text is described in README.md of this folder; `callout sim scenario --keys` lists every key
 * with its range and default from the same table that reads them (fields.c).
 * Idea: a scenario is taken whole or not at all: every error of the text is listed with its line,
 * key and remedy. A scenario is a plain value: no pointers, so it is copied by assignment.
 * Order: scenario_parse opens the scenario's time zone for the process (day/zone.h); generate.h and
 * faults.h need it to be open still.
 * Thread: one (day/zone.h).
 */
#ifndef CALLOUT_SIM_SCENARIO_SCENARIO_H
#define CALLOUT_SIM_SCENARIO_SCENARIO_H

#include "day/day.h"
#include "model/policy.h"
#include "sim/scenario/spread.h"

enum {
    SCENARIO_BYTES_MAX = 256 * 1024,
    SCENARIO_LINES_MAX = 4096,
    SCENARIO_PATH = 512,
    SCENARIO_NAME = 48,
    SCENARIO_DAYS_MAX = 28,
    SCENARIO_WORKS_MAX = 16,
    SCENARIO_SKILLS_MAX = 16,
    SCENARIO_SHIFTS_MAX = 8,
    SCENARIO_FAULTS_MAX = 64,
    SCENARIO_SUBURBS_MAX = 15,
    SCENARIO_NODES_MAX = 40000, /* crossings of the town */
    SCENARIO_SETS_MAX = 64,
    HOURS = 24,
    WEEKDAYS = 7,
};

/* A town on a flat map around its centre; lengths in metres, shares in percent. */
struct scenario_town {
    struct point center;
    int32_t width_m, height_m;
    int32_t block_m;       /* from crossing to crossing */
    int32_t noise_percent; /* of a block: how far crossings lie off the grid */
    int32_t gaps_percent;  /* side streets that are missing */
    int32_t main_every;    /* each so-manieth street is a main street, and goes on outside */
    int32_t side_kmh, main_kmh;
    int32_t centre_radius_m;
    int32_t suburbs, suburb_radius_m;
    int32_t centre_percent; /* of the addresses; the rest is shared by suburbs and country */
    int32_t country_percent;
};

struct scenario_skill {
    char name[SCENARIO_NAME];
    int32_t people; /* weight of technicians who have it as their first skill */
    int32_t needs;  /* weight of orders of work types with skill = any that need it */
};

struct scenario_shift {
    char name[SCENARIO_NAME];
    int32_t share;        /* weight among the shifts */
    int32_t from_s, to_s; /* of the local day; to <= from: ends on the next day */
    int32_t break_s;      /* 0: none */
    int32_t break_after_s,
        break_within_s; /* earliest start after the shift's, and how much later */
    int32_t overtime_s_max;
};

struct scenario_workforce {
    int32_t technicians;
    int32_t second_skill_percent, third_skill_percent;
    int32_t level_percent[3];          /* of the first skill: levels 1, 2, 3 as weights */
    int32_t weekday_percent[WEEKDAYS]; /* from Monday: who works on such a day */
};

struct scenario_work {
    char name[SCENARIO_NAME];
    int32_t share;                    /* weight among the work types */
    int32_t least_s, usual_s, most_s; /* of service */
    int32_t priority;
    char skill[SCENARIO_NAME]; /* a skill's name, "any" or "none" */
    int32_t level_percent[3];
    int32_t whole_day_percent; /* without a window of their own: any time while open */
    int32_t window_least_s, window_most_s;
    int32_t respond_s;   /* > 0: never known before; to be begun so soon after it was received */
    int32_t window_days; /* of orders without a window of their own: so many days to do it in */
};

struct scenario_demand {
    int32_t orders;          /* a day, at 100 percent */
    int32_t known_percent;   /* received before the day begins */
    int32_t open_s, close_s; /* of the local day */
    int32_t by_hour[HOURS];  /* weights of when the others are received */
    int32_t weekday_percent[WEEKDAYS];
};

/* A folder with technicians.csv and orders.csv instead of a town. */
struct scenario_folder {
    char path[SCENARIO_PATH];  /* empty: the town is used */
    char files[SCENARIO_PATH]; /* where they lie, if not in `path`: not of the text, nor its digest
                                */
    int32_t orders_percent;    /* 120: a fifth of the orders, chosen by the seed, come twice */
    int32_t technicians_percent;
};

struct scenario_people {
    int32_t decline_permille, incomplete_permille; /* of the visits */
    int32_t forget_check_out_permille;
    int32_t late_start_permille; /* of a technician's days */
    int32_t late_least_s, late_most_s;
    int32_t ill_permille;       /* of a technician's days: falls ill during it */
    int32_t positions_permille; /* journeys that report positions */
};

struct scenario_customers {
    int32_t cancel_permille, no_access_permille; /* of the orders, of the visits */
};

struct scenario_roads {
    struct spread travel;   /* of what streets say */
    int32_t by_hour[HOURS]; /* percent */
};

struct scenario_service {
    struct spread work;
    int32_t by_hour[HOURS];
};

struct scenario_network {
    int32_t latency_ms, jitter_ms; /* one way; at least, and at most so much more */
    int32_t loss_permille, duplicate_permille, reorder_permille;
    int32_t outage_permille; /* of a device's days */
    int32_t outage_least_s, outage_most_s;
};

struct scenario_optimizer {
    int32_t rounds;    /* of search per event */
    int32_t round_us;  /* of virtual time */
    int32_t repair_us; /* until the first plan after an event */
    int32_t commit_us; /* of the dispatcher, per batch of facts */
};

enum fault_kind {
    FAULT_SICK_WAVE,    /* share of the technicians fall ill within the time */
    FAULT_TRAVEL,       /* roads take `percent` of what they would */
    FAULT_STORM,        /* `orders` emergencies more, and roads as in FAULT_TRAVEL */
    FAULT_NETWORK_LOSS, /* share of the devices without signal */
    FAULT_NETWORK_POOR, /* links of the share lose `percent` of what is sent */
    FAULT_GPS_DRIFT,    /* positions of the share are `metres` off */
    FAULT_CLOCK_SKEW,   /* clocks of the share are `seconds` ahead, or behind if negative */
    FAULT_KILL,         /* `part` dies at the time and is started again */
    FAULT_DISK,         /* nothing can be written */
    FAULT_POWER,        /* power is lost: what was not committed is gone */
    FAULT_KIND_COUNT
};
const char *fault_kind_name(enum fault_kind kind); /* as in the text: "sick_wave" */

enum fault_part { FAULT_DISPATCHER, FAULT_GATEWAY, FAULT_OPTIMIZER, FAULT_PART_COUNT };

struct scenario_fault {
    char name[SCENARIO_NAME];
    int32_t kind; /* enum fault_kind */
    int32_t day;  /* from 1; 0: every day */
    int32_t at_s, for_s;
    int32_t share_percent, percent, orders, metres, seconds;
    int32_t part; /* enum fault_part */
};

struct scenario {
    char name[SCENARIO_NAME];
    char about[LIMIT_NAME + 1];
    char time_zone[LIMIT_ID + 1];
    char territory[LIMIT_ID + 1];
    int64_t first_day; /* since 1970-01-01, local */
    int32_t days;
    char like[SCENARIO_PATH]; /* a data folder whose realised durations replace both spreads */
    struct scenario_town town;
    struct scenario_folder folder;
    struct scenario_workforce workforce;
    struct scenario_demand demand;
    struct scenario_people people;
    struct scenario_customers customers;
    struct scenario_roads roads;
    struct scenario_service service;
    struct scenario_network network;
    struct scenario_optimizer optimizer;
    struct policy policy;
    struct scenario_skill skills[SCENARIO_SKILLS_MAX];
    size_t skill_count;
    struct scenario_shift shifts[SCENARIO_SHIFTS_MAX];
    size_t shift_count;
    struct scenario_work works[SCENARIO_WORKS_MAX];
    size_t work_count;
    struct scenario_fault faults[SCENARIO_FAULTS_MAX];
    size_t fault_count;
};

/* A text and what overrides it. */
struct scenario_source {
    const char *name; /* for messages: the file's, or the built-in's */
    const char *text;
    size_t size;
    const char *const *sets; /* "demand.orders=400", "work repair.share=60"; applied last */
    size_t set_count;
};

/* ERR_INVALID: see *errors ("FILE line 12, demand.orders: ..."), and *out is not set. */
MUST_USE enum err scenario_parse(struct scenario *out, const struct scenario_source *source,
                                 struct day_errors *errors);

/* A built-in scenario by its name, a file by its path (its own paths are relative to it), or a day
 * folder by its path. */
MUST_USE enum err scenario_read(struct scenario *out, const char *name_or_path,
                                const char *const *sets, size_t set_count,
                                struct day_errors *errors);

/* The whole scenario as a text that scenario_parse reads back to an equal one: every key with its
 * value, whether it was set or is a default. Its digest is the configuration's hash. The text is
 * the caller's, to be freed. */
char *scenario_print(const struct scenario *scenario);
uint64_t scenario_digest(const struct scenario *scenario);

/* Every key with its range, default and meaning, for people. The text is the caller's. */
char *scenario_keys(void);

/* The scenarios that come with the program. */
struct scenario_builtin {
    const char *name, *text;
};
extern const struct scenario_builtin scenario_builtins[];
extern const size_t scenario_builtin_count;

#endif
