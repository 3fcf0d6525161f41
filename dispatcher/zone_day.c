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

int64_t zone_service_day(const char *zone, int64_t time_us)
{
    struct tm tm = local(zone, time_us);
    return days_since_1970(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

int64_t zone_next_day_us(const char *zone, int64_t time_us)
{
    struct tm tm = local(zone, time_us); /* leaves the zone entered, for mktime */
    tm.tm_mday++;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm) * US_PER_SECOND;
}

/* No zone is more than 14 hours from UTC, so two days before it is before it everywhere. */
int64_t zone_day_begin_us(const char *zone, int64_t service_day)
{
    int64_t at_us = (service_day - 2) * US_PER_DAY;
    while (zone_service_day(zone, at_us) < service_day)
        at_us = zone_next_day_us(zone, at_us);
    return at_us;
}
