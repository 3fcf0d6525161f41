/* story_read.h - one line of a story (tests/trace/README.md) becomes one fact.
 *
 * Times are minutes of one Monday in UTC. Everything lives in the arena.
 */
#ifndef CALLOUT_TESTS_STORY_READ_H
#define CALLOUT_TESTS_STORY_READ_H

#include "blank_order.h"

#include "base/arena.h"
#include "base/clock.h"
#include "dispatcher/core/fact.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 64, MONDAY = 20780 }; /* 2026-11-23 as days since 1970 */
#define MIDNIGHT_US (MONDAY * US_PER_DAY)
#define TERRITORY   "north"

struct words {
    char *at[WORDS_MAX];
    uint32_t count, next;
    struct arena *arena;
};

static void words_read(struct words *words, struct arena *arena, const char *line)
{
    *words = (struct words){.arena = arena};
    char *copy = arena_text(arena, line), *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL && words->count < WORDS_MAX;
         word = strtok_r(NULL, " ", &rest))
        words->at[words->count++] = word;
}

static const char *word(struct words *words)
{
    return words->next < words->count ? words->at[words->next++] : "";
}

static bool word_is(struct words *words, const char *text)
{
    bool is = words->next < words->count && strcmp(words->at[words->next], text) == 0;
    words->next += is;
    return is;
}

/* "09:30" or "09:30:15"; past 24:00 is the next day. */
static bool time_read(const char *text, int64_t *time_us)
{
    char *end;
    int64_t hours = strtoll(text, &end, 10);
    if (end == text || *end != ':') return false;
    int64_t minutes = strtoll(end + 1, &end, 10), seconds = 0;
    if (*end == ':') seconds = strtoll(end + 1, &end, 10);
    *time_us = MIDNIGHT_US + ((hours * 60 + minutes) * 60 + seconds) * US_PER_SECOND;
    return true;
}

/* "09:00-11:00" */
static void span_read(const char *text, int64_t *start_us, int64_t *end_us)
{
    const char *dash = strchr(text, '-');
    (void)time_read(text, start_us);
    if (dash != NULL) (void)time_read(dash + 1, end_us);
}

/* "47.1,9.5" */
static struct point point_read(const char *text)
{
    char *end;
    double lat = strtod(text, &end), lon = *end == ',' ? strtod(end + 1, NULL) : 0;
    return (struct point){(int32_t)(lat * 1e7 + 0.5), (int32_t)(lon * 1e7 + 0.5)};
}

static int64_t minutes_read(struct words *words)
{
    return strtoll(word(words), NULL, 10) * US_PER_MINUTE;
}

/* "electrical:2,gas:1" */
static struct fact_skill *skills_read(struct words *words, uint32_t *count)
{
    struct fact_skill *skills = arena_need(words->arena, 8 * sizeof *skills);
    char *rest = NULL, *list = arena_text(words->arena, word(words));
    *count = 0;
    for (char *name = strtok_r(list, ",", &rest); name != NULL && *count < 8;
         name = strtok_r(NULL, ",", &rest)) {
        char *colon = strchr(name, ':');
        skills[*count].name = name;
        skills[*count].level = colon == NULL ? 1 : strtoll(colon + 1, NULL, 10);
        if (colon != NULL) *colon = '\0';
        (*count)++;
    }
    return skills;
}

/* territory [freeze 30] [ahead 60] [timeout 10] [changes 2] [skills electrical,gas] */
static void read_territory(struct words *words, struct fact *fact)
{
    struct fact_territory *it = &fact->territory;
    fact->kind = FACT_TERRITORY;
    *it = (struct fact_territory){.territory_id = TERRITORY, .name = "", .time_zone = "UTC"};
    it->policy = policy_default;
    it->policy_given = true;
    while (words->next < words->count) {
        if (word_is(words, "freeze")) {
            it->policy.freeze_us = minutes_read(words);
        } else if (word_is(words, "ahead")) {
            it->policy.dispatch_ahead_us = minutes_read(words);
        } else if (word_is(words, "timeout")) {
            it->policy.accept_timeout_us = minutes_read(words);
        } else if (word_is(words, "changes")) {
            it->policy.changes_per_technician_day_max = (int32_t)strtol(word(words), NULL, 10);
        } else if (word_is(words, "hands")) {
            it->policy.changed_visits_percent_max = (int32_t)strtol(word(words), NULL, 10);
        } else if (word_is(words, "skills")) {
            struct fact_skill *skills = skills_read(words, &it->skill_count);
            const char **names = arena_need(words->arena, 8 * sizeof *names);
            for (uint32_t i = 0; i < it->skill_count; i++)
                names[i] = skills[i].name;
            it->skill_names = names;
        } else {
            return;
        }
    }
}

/* technician T1 home 47.1,9.5 shift 08:00-16:30 [overtime 30] [break 11:30-13:00 30]
 *   [skills electrical:2] [leg 20] [travel 90]; further shifts are of the days after. */
static void read_technician(struct words *words, struct fact *fact)
{
    struct fact_technician *it = &fact->technician;
    struct fact_shift *shifts = arena_need(words->arena, 4 * sizeof *shifts), *shift = shifts;
    fact->kind = FACT_TECHNICIAN;
    *it = (struct fact_technician){
        .technician_id = word(words), .territory_id = TERRITORY, .name = "", .shifts = shifts};
    while (words->next < words->count) {
        if (word_is(words, "home")) {
            it->home = point_read(word(words));
        } else if (word_is(words, "shift") && it->shift_count < 4) {
            shift = &shifts[it->shift_count++];
            span_read(word(words), &shift->start_us, &shift->end_us);
            shift->service_day = shift->start_us / US_PER_DAY;
        } else if (word_is(words, "overtime")) {
            shift->overtime_us_max = minutes_read(words);
        } else if (word_is(words, "break")) {
            span_read(word(words), &shift->break_earliest_us, &shift->break_latest_us);
            shift->break_us = minutes_read(words);
        } else if (word_is(words, "skills")) {
            it->skills = skills_read(words, &it->skill_count);
        } else if (word_is(words, "leg")) {
            it->leg_s_max = minutes_read(words) / US_PER_SECOND;
        } else if (word_is(words, "travel")) {
            it->travel_s_max = minutes_read(words) / US_PER_SECOND;
        } else {
            return;
        }
    }
}

static struct fact_named named_read(struct words *words)
{
    const char **id = arena_need(words->arena, sizeof *id);
    *id = word(words);
    return (struct fact_named){id, 1};
}

static struct fact_work_order order_blank(const char *id)
{
    struct fact_work_order order = blank_order(id, TERRITORY);
    order.service_us = 30 * US_PER_MINUTE;
    order.priority = 5;
    return order;
}

/* order W1 at 47.11,9.52 [service 30] [priority 5] [window 09:00-11:00]... [earliest 09:00]
 *   [due 12:00] [skill electrical:1] [either gas:1,lift:2] [emergency]
 *   [promised 09:00-10:00]... [late 15] [only T1] [never T2] */
static void read_order(struct words *words, struct fact *fact)
{
    struct fact_work_order *it = &fact->work_order;
    struct window *windows =
        arena_need(words->arena, (LIMIT_WINDOWS_PER_ORDER + 1) * sizeof *windows);
    fact->kind = FACT_WORK_ORDER;
    *it = order_blank(word(words));
    it->windows = windows;
    bool *promised = arena_need(words->arena, LIMIT_WINDOWS_PER_ORDER + 1);
    struct fact_choice *either = arena_need(words->arena, sizeof *either);
    it->promised = promised;
    while (words->next < words->count) {
        if (word_is(words, "at")) {
            it->point = point_read(word(words));
        } else if (word_is(words, "service")) {
            it->service_us = minutes_read(words);
        } else if (word_is(words, "priority")) {
            it->priority = strtoll(word(words), NULL, 10);
        } else if (word_is(words, "window") && it->window_count <= LIMIT_WINDOWS_PER_ORDER) {
            struct window *window = &windows[it->window_count++];
            span_read(word(words), &window->start_us, &window->end_us);
        } else if (word_is(words, "promised") && it->window_count <= LIMIT_WINDOWS_PER_ORDER) {
            struct window *window = &windows[it->window_count];
            promised[it->window_count++] = true;
            span_read(word(words), &window->start_us, &window->end_us);
        } else if (word_is(words, "late")) {
            it->late_us_max = minutes_read(words);
        } else if (word_is(words, "only")) {
            it->required = named_read(words);
        } else if (word_is(words, "never")) {
            it->excluded = named_read(words);
        } else if (word_is(words, "either")) {
            either->any_of = skills_read(words, &either->count);
            it->choices = either;
            it->choice_count = 1;
        } else if (word_is(words, "earliest")) {
            (void)time_read(word(words), &it->earliest_start_us);
        } else if (word_is(words, "due")) {
            (void)time_read(word(words), &it->due_us);
        } else if (word_is(words, "skill")) {
            it->skills = skills_read(words, &it->skill_count);
        } else if (word_is(words, "emergency")) {
            it->emergency = true;
        } else {
            return;
        }
    }
    int64_t day_us = it->window_count > 0 ? windows[0].start_us : fact->time_us;
    it->service_day = day_us / US_PER_DAY;
}

/* assign W1.1 T2 [start 10:00] [place 1] [version 7] [override REASON]; unassign, pin, unpin alike:
 * pin W1.1 [technician [T1]] [time [10:00]] */
static void read_subject(struct words *words, struct fact *fact, enum fact_kind kind)
{
    struct fact_subject *it = &fact->subject;
    fact->kind = kind;
    *it = (struct fact_subject){.id = word(words), .technician_id = "", .reason = ""};
    if (kind == FACT_ASSIGN) it->technician_id = word(words);
    while (words->next < words->count) {
        if (word_is(words, "start")) {
            (void)time_read(word(words), &it->start_us);
        } else if (word_is(words, "place")) {
            it->place = (uint32_t)strtoul(word(words), NULL, 10);
        } else if (word_is(words, "version")) {
            it->expected_version = strtoull(word(words), NULL, 10);
        } else if (word_is(words, "override")) {
            it->reason = word(words);
        } else if (word_is(words, "technician")) {
            it->pin_technician = true;
            bool named = words->next < words->count && words->at[words->next][0] == 'T';
            if (named) it->technician_id = word(words);
        } else if (word_is(words, "time")) {
            it->pin_time = true;
            bool named =
                words->next < words->count && time_read(words->at[words->next], &it->start_us);
            words->next += named;
        } else {
            return;
        }
    }
}

/* plan T1: W1.1 W2.1 T2: W3.1 - the base revision is the caller's */
static void read_plan(struct words *words, struct fact *fact)
{
    struct fact_route *routes = arena_need(words->arena, WORDS_MAX * sizeof *routes);
    const char **ids = arena_need(words->arena, WORDS_MAX * sizeof *ids);
    fact->kind = FACT_PLAN;
    fact->role = ROLE_OPTIMIZER;
    fact->plan = (struct fact_plan){
        .territory_id = TERRITORY, .service_day = fact->time_us / US_PER_DAY, .routes = routes};
    for (uint32_t i = 0; words->next < words->count; i++) {
        char *text = arena_text(words->arena, word(words));
        size_t size = strlen(text);
        if (text[size - 1] == ':') {
            text[size - 1] = '\0';
            routes[fact->plan.route_count++] = (struct fact_route){text, &ids[i], 0};
        } else if (fact->plan.route_count > 0) {
            ids[i] = text;
            routes[fact->plan.route_count - 1].count++;
        }
    }
    /* A route's ids lie side by side, after the place of its own name. */
    for (uint32_t r = 0; r < fact->plan.route_count; r++)
        routes[r].appointment_ids++;
}

static enum appointment_status status_read(const char *text)
{
    for (int s = APPOINTMENT_UNSCHEDULED; s < APPOINTMENT_STATUSES; s++) {
        const char *name = appointment_status_name((enum appointment_status)s);
        bool same = strlen(name) == strlen(text);
        for (size_t i = 0; same && text[i] != '\0'; i++)
            same = text[i] == name[i] || (text[i] == '-' && name[i] == ' ');
        if (same) return (enum appointment_status)s;
    }
    return APPOINTMENT_NONE;
}

/* T1 en-route W1.1 [device 08:20] [happened 08:10, a clock put right] [from 47.1,9.5] [reason
 * TEXT] [open 2]; T1 declines W1.1; T1 late W1.1 20; T1 early W1.1 20; T1 absent [09:00-12:00];
 * T1 drifts 47.1,9.5; T1 needs help|part|safety W1.1; T1 notes W1.1 TEXT; T1 rests; T1 rested */
static bool read_technician_said(struct words *words, struct fact *fact, const char *technician)
{
    struct fact_status *it = &fact->status;
    const char *verb = word(words);
    fact->technician_id = technician;
    fact->role = ROLE_TECHNICIAN;
    if (strcmp(verb, "absent") == 0) {
        fact->kind = FACT_ABSENCE;
        fact->absence = (struct fact_absence){.technician_id = technician, .reason = ""};
        if (words->next < words->count)
            span_read(word(words), &fact->absence.start_us, &fact->absence.end_us);
        return true;
    }
    if (strcmp(verb, "drifts") == 0) {
        fact->kind = FACT_DRIFT;
        fact->drift.technician_id = technician;
        fact->drift.point = point_read(word(words));
        fact->drift.fix_time_us = fact->time_us;
        return true;
    }
    if (strcmp(verb, "rests") == 0 || strcmp(verb, "rested") == 0) {
        fact->kind = FACT_BREAK;
        fact->rest.ended = strcmp(verb, "rested") == 0;
        return true;
    }
    if (strcmp(verb, "notes") == 0) {
        fact->kind = FACT_ENTRY;
        fact->entry = (struct fact_entry){.appointment_id = word(words),
                                          .kind = ENTRY_NOTE,
                                          .text = word(words),
                                          .item_id = "",
                                          .sha256 = "",
                                          .media_type = ""};
        return true;
    }
    if (strcmp(verb, "needs") == 0) {
        fact->kind = FACT_NEED;
        *it = (struct fact_status){.reason = ""};
        it->need = word_is(words, "help")     ? NEED_HELP
                   : word_is(words, "part")   ? NEED_PART
                   : word_is(words, "safety") ? NEED_UNSAFE
                                              : NEED_NONE;
        it->appointment_id = word(words);
        return it->need != NEED_NONE;
    }
    *it = (struct fact_status){.appointment_id = word(words), .reason = ""};
    if (strcmp(verb, "late") == 0 || strcmp(verb, "early") == 0) {
        fact->kind = FACT_LATE;
        it->delay_us = minutes_read(words) * (verb[0] == 'e' ? -1 : 1);
        return true;
    }
    fact->kind = strcmp(verb, "declines") == 0 ? FACT_DECLINE : FACT_STATUS;
    it->status = status_read(verb);
    while (words->next < words->count) {
        if (word_is(words, "device")) {
            (void)time_read(word(words), &fact->device_time_us);
        } else if (word_is(words, "happened")) {
            (void)time_read(word(words), &fact->happened_us);
            fact->time_uncertain = true;
        } else if (word_is(words, "open")) {
            it->items_open = (uint32_t)strtoul(word(words), NULL, 10);
        } else if (word_is(words, "from")) {
            it->point_given = true;
            it->point = point_read(word(words));
        } else if (word_is(words, "reason")) {
            it->reason = word(words);
        } else {
            return false;
        }
    }
    return fact->kind == FACT_DECLINE || it->status != APPOINTMENT_NONE;
}

static void read_cancel(struct words *words, struct fact *fact, enum actor_role role)
{
    fact->kind = FACT_CANCEL;
    fact->role = role;
    fact->subject = (struct fact_subject){.id = word(words), .technician_id = "", .reason = ""};
}

static void read_tick(struct fact *fact, bool day_begins)
{
    fact->kind = FACT_TICK;
    fact->role = ROLE_CLOCK;
    fact->tick.territory_id = day_begins ? TERRITORY : "";
    fact->tick.service_day = day_begins ? fact->time_us / US_PER_DAY : 0;
}

/* What comes after the time. False: not understood, or words are left over. */
static bool fact_read(struct words *words, struct fact *fact)
{
    const char *verb = word(words);
    bool known = true;
    fact->role = ROLE_DISPATCHER;
    fact->technician_id = "";
    if (strcmp(verb, "territory") == 0) {
        read_territory(words, fact);
    } else if (strcmp(verb, "technician") == 0) {
        read_technician(words, fact);
    } else if (strcmp(verb, "order") == 0) {
        read_order(words, fact);
    } else if (strcmp(verb, "cancel") == 0) {
        read_cancel(words, fact, ROLE_DISPATCHER);
    } else if (strcmp(verb, "customer") == 0 && word_is(words, "cancels")) {
        read_cancel(words, fact, ROLE_CUSTOMER);
    } else if (strcmp(verb, "assign") == 0) {
        read_subject(words, fact, FACT_ASSIGN);
    } else if (strcmp(verb, "unassign") == 0) {
        read_subject(words, fact, FACT_UNASSIGN);
    } else if (strcmp(verb, "pin") == 0 || strcmp(verb, "unpin") == 0) {
        read_subject(words, fact, FACT_PIN);
    } else if (strcmp(verb, "release") == 0) {
        read_subject(words, fact, FACT_RELEASE);
    } else if (strcmp(verb, "freeze") == 0) {
        fact->kind = FACT_FREEZE;
        fact->freeze.territory_id = TERRITORY;
        fact->freeze.freeze_us = minutes_read(words);
    } else if (strcmp(verb, "resolve") == 0) {
        fact->kind = FACT_RESOLVE;
        fact->resolve.conflict_seq = strtoll(word(words), NULL, 10);
        fact->resolve.actor = "desk";
        fact->resolve.note = "";
    } else if (strcmp(verb, "plan") == 0) {
        read_plan(words, fact);
    } else if (strcmp(verb, "tick") == 0 || strcmp(verb, "day") == 0) {
        read_tick(fact, verb[0] == 'd');
    } else {
        known = verb[0] == 'T' && read_technician_said(words, fact, verb);
    }
    return known && words->next == words->count;
}

#endif
