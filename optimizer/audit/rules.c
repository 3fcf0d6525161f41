/* rules.c - each rule of a route, in the words of the one who reads it. */
#include "optimizer/audit/audit_impl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- words --- */

const char *audit_rule_name(enum audit_rule rule)
{
    switch (rule) {
    case AUDIT_UNKNOWN: return "unknown";
    case AUDIT_TWICE: return "twice";
    case AUDIT_TECHNICIAN: return "technician";
    case AUDIT_PINNED: return "pinned";
    case AUDIT_FROZEN: return "frozen";
    case AUDIT_ORDER: return "order";
    case AUDIT_FREEZE: return "freeze";
    case AUDIT_WINDOW: return "window";
    case AUDIT_BREAK: return "break";
    case AUDIT_SHIFT: return "shift";
    case AUDIT_LEG: return "leg";
    case AUDIT_TRAVEL: return "travel";
    case AUDIT_CAPACITY: return "capacity";
    case AUDIT_TIMES: return "times";
    case AUDIT_CLAIM: return "claim";
    case AUDIT_RULE_COUNT: break;
    }
    return "unknown rule";
}

void audit_complain(struct audit_report *report, enum audit_rule rule, const char *format, ...)
{
    report->broken |= 1u << rule;
    if (report->violation_count++ >= report->violation_max) return;
    struct audit_violation *violation = &report->violations[report->violation_count - 1];
    va_list arguments;
    va_start(arguments, format);
    violation->rule = rule;
    vsnprintf(violation->text, sizeof violation->text, format, arguments);
    va_end(arguments);
}

/* "10:41", "10:41:30" where the seconds say something, "1:10:41" on the day after the one of zero;
 * or plain seconds. */
struct audit_word audit_time(const struct audit *audit, int64_t time_us)
{
    struct audit_word word;
    int64_t s = (time_us - audit->problem->zero_us) / 1000000;
    if (audit->problem->clock_of_seconds || s < 0 || s >= 100 * 86400) {
        snprintf(word.text, sizeof word.text, "%" PRId64, s);
        return word;
    }
    int length = 0;
    if (s >= 86400) length = snprintf(word.text, sizeof word.text, "%d:", (int)(s / 86400));
    int hour = (int)(s / 3600 % 24), minute = (int)(s / 60 % 60), second = (int)(s % 60);
    length +=
        snprintf(word.text + length, sizeof word.text - (size_t)length, "%02d:%02d", hour, minute);
    if (second != 0)
        snprintf(word.text + length, sizeof word.text - (size_t)length, ":%02d", second);
    return word;
}

static const char *name_of(const struct audit *audit, uint32_t technician)
{
    return audit->problem->technicians[technician].id;
}

static const char *order_of(const struct audit *audit, uint32_t visit)
{
    return audit->problem->visits[visit].id;
}

/* --- who --- */

static bool has_skill(const struct technician_told *technician, struct skill_named need)
{
    for (uint32_t i = 0; i < technician->skill_count; i++) {
        if (strcmp(technician->skills[i].name, need.name) == 0 &&
            technician->skills[i].level >= need.level)
            return true;
    }
    return false;
}

static void check_skills(const struct audit *audit, uint32_t technician, uint32_t v,
                         struct audit_report *report)
{
    const struct technician_told *who = &audit->problem->technicians[technician];
    const struct visit_told *told = &audit->problem->visits[v];
    for (uint32_t i = 0; i < told->skill_count; i++) {
        if (!has_skill(who, told->skills[i]))
            audit_complain(report, AUDIT_TECHNICIAN, "order %s: %s lacks skill %s at level %u",
                           told->id, who->id, told->skills[i].name, told->skills[i].level);
    }
}

static void check_choices(const struct audit *audit, uint32_t technician, uint32_t v,
                          struct audit_report *report)
{
    const struct technician_told *who = &audit->problem->technicians[technician];
    const struct visit_told *told = &audit->problem->visits[v];
    for (uint32_t i = 0; i < told->choice_count; i++) {
        const struct choice_told *choice = &told->choices[i];
        bool any = choice->count == 0;
        for (uint32_t j = 0; j < choice->count && !any; j++)
            any = has_skill(who, choice->any_of[j]);
        if (!any)
            audit_complain(report, AUDIT_TECHNICIAN,
                           "order %s: %s has none of the %u skills of which it needs one, such as "
                           "%s at level %u",
                           told->id, who->id, choice->count, choice->any_of[0].name,
                           choice->any_of[0].level);
    }
}

static bool among(const char *id, const char *const *ids, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(ids[i], id) == 0) return true;
    }
    return false;
}

static void check_person(const struct audit *audit, uint32_t technician, uint32_t v,
                         struct audit_report *report)
{
    const char *who = name_of(audit, technician);
    const struct visit_told *told = &audit->problem->visits[v];
    bool pinned = told->mobility != VISIT_MOVABLE && told->technician_id[0] != 0;
    if (pinned && strcmp(told->technician_id, who) != 0)
        audit_complain(report, AUDIT_TECHNICIAN, "order %s: is with %s, and only %s may serve it",
                       told->id, who, told->technician_id);
    if (audit->owner[v] == technician && audit->home[v] == technician) return; /* as it is */
    check_skills(audit, technician, v, report);
    check_choices(audit, technician, v, report);
    if (told->required_count > 0 && !among(who, told->required, told->required_count))
        audit_complain(report, AUDIT_TECHNICIAN, "order %s: is with %s, and needs one such as %s",
                       told->id, who, told->required[0]);
    if (among(who, told->excluded, told->excluded_count))
        audit_complain(report, AUDIT_TECHNICIAN, "order %s: is with %s, who may not serve it",
                       told->id, who);
}

/* What is frozen stands first and in its order. */
static void check_frozen(struct audit *audit, uint32_t technician, const uint32_t *visits,
                         uint32_t count, struct audit_report *report)
{
    uint32_t frozen = audit->frozen[technician];
    if (frozen == 0) return;
    (void)audit_stay_with(audit, technician, audit->list);
    for (uint32_t i = 0; i < frozen; i++) {
        if (i < count && visits[i] == audit->list[i]) continue;
        audit_complain(report, AUDIT_FROZEN, "technician %s: stop %u must be order %s, not %s",
                       name_of(audit, technician), i + 1, order_of(audit, audit->list[i]),
                       i < count ? order_of(audit, visits[i]) : "the end");
        return;
    }
}

/* Is the one that must stay behind another one of them that comes after it by the plan in force? */
static bool out_of_order(struct audit *audit, uint32_t technician, const uint32_t *visits,
                         uint32_t count, uint32_t *behind, uint32_t *visit)
{
    uint32_t stay = audit_stay_with(audit, technician, audit->list), last = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = 0;
        while (place < stay && audit->list[place] != visits[i])
            place++;
        if (place == stay) continue;
        if (place < last) {
            *behind = audit->list[last];
            *visit = visits[i];
            return true;
        }
        last = place;
    }
    return false;
}

/* Where delay has stretched limits and windows, it did so for one order of those who must stay. */
static void check_order(struct audit *audit, uint32_t technician, const uint32_t *visits,
                        uint32_t count, struct audit_report *report)
{
    uint32_t behind, visit;
    audit->reordered = out_of_order(audit, technician, visits, count, &behind, &visit);
    if (audit->reordered && audit->problem->technicians[technician].keeps_order)
        audit_complain(report, AUDIT_ORDER, "technician %s: order %s must come before order %s",
                       name_of(audit, technician), order_of(audit, visit), order_of(audit, behind));
}

void audit_check_people(struct audit *audit, uint32_t technician, const uint32_t *visits,
                        uint32_t count, struct audit_report *report)
{
    for (uint32_t i = 0; i < count; i++)
        check_person(audit, technician, visits[i], report);
    check_frozen(audit, technician, visits, count, report);
    check_order(audit, technician, visits, count, report);
}

/* --- when --- */

static void check_window(const struct audit *audit, uint32_t v, int64_t start_us,
                         struct audit_report *report)
{
    const struct route_visit *visit = &audit->visits[v];
    const struct window *last = visit->windows + visit->window_count - 1;
    bool missed;
    int64_t allowed_us = audit_start_us(visit, start_us, &missed);
    if (missed)
        audit_complain(report, AUDIT_WINDOW,
                       "order %s: starts %s, after the end of its last window %s",
                       order_of(audit, v), audit_time(audit, start_us).text,
                       audit_time(audit, last->end_us + visit->late_us_max).text);
    else if (audit->reordered && visit->stretched_us > 0 &&
             start_us > last->end_us + visit->late_us_max - visit->stretched_us)
        audit_complain(report, AUDIT_ORDER,
                       "order %s: starts %s, which its window allows in another order only",
                       order_of(audit, v), audit_time(audit, start_us).text);
    else if (allowed_us > start_us)
        audit_complain(report, AUDIT_WINDOW, "order %s: starts %s, before it may, which is from %s",
                       order_of(audit, v), audit_time(audit, start_us).text,
                       audit_time(audit, allowed_us).text);
}

/* Behind what is frozen nothing new starts within the freeze, but for an emergency. */
static void check_freeze(const struct audit *audit, uint32_t technician, uint32_t v,
                         int64_t start_us, struct audit_report *report)
{
    if (audit->frozen[technician] == 0 || audit->home[v] == technician) return;
    if (audit->problem->visits[v].emergency || start_us >= audit->problem->frozen_until_us) return;
    audit_complain(report, AUDIT_FREEZE,
                   "order %s: is new with %s and starts %s, within the freeze until %s",
                   order_of(audit, v), name_of(audit, technician), audit_time(audit, start_us).text,
                   audit_time(audit, audit->problem->frozen_until_us).text);
}

static void check_break(const struct audit *audit, uint32_t technician, struct audit_report *report)
{
    const struct route_day *day = &audit->days[technician];
    const struct audit_walk *walk = &audit->walk;
    const char *who = name_of(audit, technician);
    if (walk->no_break) {
        if (day->break_us > 0)
            audit_complain(report, AUDIT_BREAK, "technician %s: has no break", who);
    } else if (walk->break_start_us > day->break_latest_us) {
        audit_complain(report, AUDIT_BREAK,
                       "technician %s: the break starts %s, after the latest start %s", who,
                       audit_time(audit, walk->break_start_us).text,
                       audit_time(audit, day->break_latest_us).text);
    } else if (walk->break_start_us < day->break_earliest_us) {
        audit_complain(report, AUDIT_BREAK,
                       "technician %s: the break starts %s, before the earliest start %s", who,
                       audit_time(audit, walk->break_start_us).text,
                       audit_time(audit, day->break_earliest_us).text);
    }
}

void audit_check_times(struct audit *audit, uint32_t technician, const uint32_t *visits,
                       uint32_t count, struct audit_report *report)
{
    const struct route_day *day = &audit->days[technician];
    for (uint32_t i = 0; i < count; i++) {
        check_window(audit, visits[i], audit->walk.stops[i].start_us, report);
        check_freeze(audit, technician, visits[i], audit->walk.stops[i].start_us, report);
    }
    check_break(audit, technician, report);
    int64_t latest_us = day->shift_end_us + day->overtime_us_max;
    if (audit->walk.end_us > latest_us)
        audit_complain(report, AUDIT_SHIFT,
                       "technician %s: is at the end place %s, after the latest end %s",
                       name_of(audit, technician), audit_time(audit, audit->walk.end_us).text,
                       audit_time(audit, latest_us).text);
}

/* --- how far, and how much --- */

void audit_check_travel(struct audit *audit, uint32_t technician, const uint32_t *visits,
                        uint32_t count, struct audit_report *report)
{
    const struct route_day *day = &audit->days[technician];
    const char *who = name_of(audit, technician);
    struct point at = day->start;
    int64_t travel_s = 0;
    for (uint32_t i = 0; i <= count; i++) {
        struct point to = i < count ? audit->visits[visits[i]].at : day->end;
        int64_t leg_s = audit_leg_us(audit, at, to) / 1000000;
        travel_s += leg_s;
        at = to;
        if (day->leg_s_max > 0 && leg_s > day->leg_s_max)
            audit_complain(report, AUDIT_LEG,
                           "technician %s: leg %u takes %" PRId64 " s, longer than %d s", who,
                           i + 1, leg_s, (int)day->leg_s_max);
    }
    if (day->travel_s_max > 0 && travel_s > day->travel_s_max)
        audit_complain(report, AUDIT_TRAVEL, "technician %s: travels %" PRId64 " s, more than %d s",
                       who, travel_s, (int)day->travel_s_max);
}

void audit_check_load(const struct audit *audit, uint32_t technician, const uint32_t *visits,
                      uint32_t count, struct audit_report *report)
{
    int64_t load = 0, capacity = audit->capacities[technician];
    for (uint32_t i = 0; i < count; i++)
        load += audit->problem->visits[visits[i]].load;
    if (capacity > 0 && load > capacity)
        audit_complain(report, AUDIT_CAPACITY,
                       "technician %s: carries %" PRId64 ", more than %" PRId64,
                       name_of(audit, technician), load, capacity);
}
