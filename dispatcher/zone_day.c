/* zone_day.c - service days: whole days of a zone's wall clock. Sets the process's TZ. */
#include "base/clock.h"
#include "dispatcher/engine_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void enter_zone(const char *zone)
{
    static char current[LIMIT_ID + 1] = "\x01";
    if (strcmp(current, zone) == 0) return;
    snprintf(current, sizeof current, "%s", zone);
    setenv("TZ", zone[0] == '\0' ? "UTC" : zone, 1);
    tzset();
}

bool zone_known(const char *zone)
{
    char path[LIMIT_ID + 32];
    if (strlen(zone) > LIMIT_ID || strstr(zone, "..") != NULL || zone[0] == '/') return false;
    if (zone[0] == '\0' || strcmp(zone, "UTC") == 0) return true;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone);
    return access(path, R_OK) == 0;
}

static struct tm local(const char *zone, int64_t time_us)
{
    time_t seconds = (time_t)(time_us / US_PER_SECOND);
    struct tm tm;
    enter_zone(zone);
    localtime_r(&seconds, &tm);
    return tm;
}

int64_t zone_service_day(const char *zone, int64_t time_us)
{
    struct tm tm = local(zone, time_us);
    struct tm utc = {
        .tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday, .tm_hour = 12};
    enter_zone("UTC");
    return (int64_t)mktime(&utc) / 86400;
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
