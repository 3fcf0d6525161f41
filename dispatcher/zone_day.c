/* zone_day.c - service days: whole days of a zone's wall clock. Sets the process's TZ. */
#include "base/clock.h"
#include "dispatcher/engine_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void enter_zone(const char *zone)
{
    const char *name = zone[0] == '\0' ? "UTC" : zone, *now = getenv("TZ");
    if (now != NULL && strcmp(now, name) == 0) return;
    setenv("TZ", name, 1);
    tzset();
}

/* The folder has lists and folders too: with one of those as TZ the C library takes UTC and says
 * nothing. RFC 8536: a zone's file begins with these four bytes. */
static bool is_zone_file(const char *path)
{
    char magic[4];
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false;
    bool read = fread(magic, 1, sizeof magic, file) == sizeof magic;
    fclose(file);
    return read && memcmp(magic, "TZif", sizeof magic) == 0;
}

bool zone_known(const char *zone)
{
    char path[LIMIT_ID + 32];
    if (strlen(zone) > LIMIT_ID || strstr(zone, "..") != NULL || zone[0] == '/') return false;
    if (zone[0] == '\0' || strcmp(zone, "UTC") == 0) return true;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone);
    return is_zone_file(path);
}

static struct tm local(const char *zone, int64_t time_us)
{
    time_t seconds = (time_t)(time_us / US_PER_SECOND);
    struct tm tm;
    enter_zone(zone);
    localtime_r(&seconds, &tm);
    return tm;
}

/* Of a date of the Gregorian calendar. Years begin in March here, so that a leap day is the last of
 * its year; 146097 days are 400 years. No zone need be entered for it, which would read a file. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t day_of(const struct tm *tm)
{
    return days_since_1970(tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday);
}

/* What is left of a day, as it was worked out last: every turn of a loop asks again. */
static struct rest {
    char zone[LIMIT_ID + 1];
    int64_t from_us, end_us, service_day; /* of [from_us, end_us) */
} rests[4];                               /* the next one in the place of the oldest */
static unsigned rests_made;

static const struct rest *find_rest(const char *zone, int64_t time_us)
{
    for (unsigned i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        const struct rest *rest = &rests[i];
        if (time_us >= rest->from_us && time_us < rest->end_us && strcmp(rest->zone, zone) == 0)
            return rest;
    }
    return NULL;
}

/* A midnight that comes twice, as where clocks go back at one o'clock, is not kept: what lies
 * before the second one is not all of one day. */
static struct rest make_rest(const char *zone, int64_t time_us)
{
    struct rest rest = {.from_us = time_us};
    struct tm tm = local(zone, time_us); /* leaves the zone entered, for mktime */
    rest.service_day = day_of(&tm);
    tm.tm_mday++;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_isdst = -1;
    rest.end_us = (int64_t)mktime(&tm) * US_PER_SECOND;
    tm = local(zone, rest.end_us - US_PER_SECOND);
    if (day_of(&tm) != rest.service_day || strlen(zone) > LIMIT_ID) return rest;
    snprintf(rest.zone, sizeof rest.zone, "%s", zone);
    return rests[rests_made++ % (sizeof rests / sizeof rests[0])] = rest;
}

int64_t zone_service_day(const char *zone, int64_t time_us)
{
    const struct rest *known = find_rest(zone, time_us);
    return known != NULL ? known->service_day : make_rest(zone, time_us).service_day;
}

int64_t zone_next_day_us(const char *zone, int64_t time_us)
{
    const struct rest *known = find_rest(zone, time_us);
    return known != NULL ? known->end_us : make_rest(zone, time_us).end_us;
}

/* No zone is more than 14 hours from UTC, so two days before it is before it everywhere. */
int64_t zone_day_begin_us(const char *zone, int64_t service_day)
{
    int64_t at_us = (service_day - 2) * US_PER_DAY;
    while (zone_service_day(zone, at_us) < service_day)
        at_us = zone_next_day_us(zone, at_us);
    return at_us;
}
