#include "day/zone.h"

#include "base/check.h"
#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static char opened[80]; /* "": none yet, the machine's own holds */

/* Whoever else lives in this process may have another zone in hand (dispatcher/zone_day.c). */
static void enter(void)
{
    const char *now = getenv("TZ");
    if (opened[0] == '\0' || (now != NULL && strcmp(now, opened) == 0)) return;
    CHECK(setenv("TZ", opened, 1) == 0);
    tzset();
}

static int name_sound(const char *name)
{
    if (!isalpha((unsigned char)name[0]) || strlen(name) > 64 || strstr(name, "..") != NULL)
        return 0;
    for (const char *at = name; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr("/_+-", *at) == NULL) return 0;
    return 1;
}

enum err zone_open(const char *name, struct problem *problem)
{
    char path[128];
    struct stat stat_of_zone;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.64s", name);
    if (!name_sound(name) || stat(path, &stat_of_zone) != 0 || !S_ISREG(stat_of_zone.st_mode))
        return problem_set(problem, ERR_INVALID, "time zone",
                           "\"%.60s\" is not a zone of the tz database, such as Europe/Vaduz",
                           name);
    snprintf(opened, sizeof opened, "%s", name);
    enter();
    return ERR_OK;
}

int64_t zone_utc_to_local_us(int64_t utc_us)
{
    int64_t fraction = utc_us % US_PER_SECOND;
    if (fraction < 0) fraction += US_PER_SECOND;
    time_t seconds = (time_t)((utc_us - fraction) / US_PER_SECOND);
    struct tm tm;
    enter();
    CHECK(localtime_r(&seconds, &tm) != NULL);
    char text[32];
    int64_t local_us;
    CHECK(strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) > 0);
    CHECK(clock_parse_utc(text, &local_us));
    return local_us + fraction;
}

int64_t zone_local_to_utc_us(int64_t local_us)
{
    /* No zone is more than 26 hours from UTC: one of these offsets held before, one after. */
    int64_t before_us = local_us - 26 * 60 * US_PER_MINUTE;
    int64_t after_us = local_us + 26 * 60 * US_PER_MINUTE;
    int64_t first_us = local_us - (zone_utc_to_local_us(before_us) - before_us);
    int64_t second_us = local_us - (zone_utc_to_local_us(after_us) - after_us);
    if (zone_utc_to_local_us(first_us) == local_us) return first_us;
    if (zone_utc_to_local_us(second_us) == local_us) return second_us;
    return first_us; /* in a gap: the offset that held before it */
}

int zone_parse_us(const char *text, int64_t *utc_us)
{
    int64_t local_us;
    size_t size = strlen(text);
    if (size < 16 || !isdigit((unsigned char)text[size - 1])) return 0; /* a "Z" would mean UTC */
    if (!clock_parse_utc(text, &local_us)) return 0;
    *utc_us = zone_local_to_utc_us(local_us);
    return 1;
}
