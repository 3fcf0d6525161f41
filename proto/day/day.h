/* day.h - one day of a fleet as two CSV files give it: technicians, and the orders that come.
 *
 * technicians.csv: technician_id,name,home_lon,home_lat,shift_start,shift_end,break_earliest,
 *   break_latest,break_minutes,skills,overtime_minutes_max
 * orders.csv: order_id,received_at,lon,lat,address,work_type,service_minutes,priority,skill,
 *   window_start,window_end,due_at
 * Columns are found by their names, in any order; others are passed over. Times are local,
 * YYYY-MM-DDTHH:MM[:SS]; places are degrees; skills are name:level with spaces between them. An
 * order may need none. break_minutes 0: no break, its bounds may be empty. due_at may be empty.
 *
 * Idea: a day is taken whole or not at all: every error of both files is listed with its file, line
 * and column, and with any error there is no day.
 * Owner: day_read fills the struct, day_fini frees it. Thread: one (zone.h).
 */
#ifndef CALLOUT_DAY_DAY_H
#define CALLOUT_DAY_DAY_H

#include "base/err.h"
#include "base/limits.h"
#include "model/geo.h"

#include <stddef.h>
#include <stdint.h>

enum { DAY_ERRORS_MAX = 100, DAY_FILE_BYTES_MAX = 20 << 20, DAY_SKILLS_MAX = 8 };

struct day_skill {
    char name[48];
    uint32_t level;
};

struct day_technician {
    char id[LIMIT_ID + 1];
    char name[LIMIT_NAME + 1];
    struct point home;
    int64_t shift_start_us, shift_end_us;
    int64_t break_earliest_us, break_latest_us;
    int32_t break_s; /* 0: none */
    int32_t overtime_s_max;
    struct day_skill skills[DAY_SKILLS_MAX];
    size_t skill_count;
    unsigned line; /* of its row; 0: not from a file */
};

struct day_order {
    char id[LIMIT_ID + 1];
    char address[LIMIT_TEXT + 1];
    char work_type[LIMIT_NAME + 1];
    int64_t received_us;
    struct point at;
    int32_t service_s;
    uint32_t priority;
    struct day_skill skills[DAY_SKILLS_MAX];
    size_t skill_count;
    int64_t window_start_us; /* service starts at or after */
    int64_t window_end_us;   /* service ENDS by */
    int64_t due_us;          /* 0: none */
    unsigned line;           /* of its row; 0: not from a file */
};

struct day {
    char time_zone[LIMIT_ID + 1];
    int64_t service_day;      /* of the first shift's start, days since 1970-01-01 in the zone */
    int64_t start_us, end_us; /* first shift start to last shift end */
    struct day_technician *technicians;
    size_t technician_count;
    struct day_order *orders;
    size_t order_count;
};

/* What is wrong; field is "orders.csv line 12, window_end". */
struct day_errors {
    size_t count; /* all that were found; the first DAY_ERRORS_MAX are kept */
    struct problem items[DAY_ERRORS_MAX];
    struct {
        unsigned line;      /* of the table; 0: it is not of a row */
        const char *column; /* static; "": of the row as a whole */
    } places[DAY_ERRORS_MAX];
};

/* ERR_INVALID: see *errors, and *out is not set. */
MUST_USE enum err day_read(struct day *out, const char *technicians_path, const char *orders_path,
                           const char *time_zone, struct day_errors *errors);
/* The same from memory; the names are for messages. */
MUST_USE enum err day_parse(struct day *out, const char *technicians, size_t technicians_size,
                            const char *orders, size_t orders_size, const char *time_zone,
                            struct day_errors *errors);
enum day_table { DAY_TECHNICIANS, DAY_ORDERS };
/* One table by itself: *out has the rows without an error, however many there are with one (then
 * ERR_INVALID). Its lines count from `first_line` for the row behind the head; 0: as they stand. */
MUST_USE enum err day_parse_rows(struct day *out, enum day_table which, const char *text,
                                 size_t size, unsigned first_line, const char *time_zone,
                                 struct day_errors *errors);
void day_fini(struct day *day);

/* Can anybody of the day serve the order? */
int day_order_servable(const struct day *day, const struct day_order *order);

#endif
