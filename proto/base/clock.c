#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void)
{
    return read_us(CLOCK_REALTIME);
}

/* Days since 1970-01-01 of a civil date (Hinnant, "chrono-compatible low-level date algorithms").
 */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

int clock_parse_utc(const char *text, int64_t *out_us)
{
    int year, month, day, hour, minute, second = 0, used = 0;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d%n", &year, &month, &day, &hour, &minute, &used) != 5)
        return 0;
    const char *rest = text + used;
    if (*rest == ':') {
        if (sscanf(rest, ":%2d%n", &second, &used) != 1) return 0;
        rest += used;
    }
    if (*rest == 'Z') rest++;
    if (*rest != '\0') return 0;
    static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1]) return 0;
    if (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
        return 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return 0;
    int64_t seconds =
        days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *out_us = seconds * US_PER_SECOND;
    return 1;
}

/* START: RFC 3339 in UTC, or whole seconds. */
static int parse_start(const char *text, size_t length, int64_t *out_us)
{
    char start[40];
    if (length >= sizeof start) return 0;
    memcpy(start, text, length);
    start[length] = '\0';
    if (clock_parse_utc(start, out_us)) return 1;
    char *end = NULL;
    long long seconds = strtoll(start, &end, 10);
    if (end == start || *end != '\0' || seconds <= 0 || seconds >= 1LL << 36) return 0;
    *out_us = seconds * US_PER_SECOND;
    return 1;
}

/* RATE, or RATE,MONO_US: the anchor is now unless it is given. */
static int parse_rate(const char *text, double *rate, int64_t *mono_us)
{
    char *end = NULL;
    *rate = strtod(text, &end);
    if (end == text || !(*rate >= 0 && *rate <= 100000)) return 0;
    *mono_us = clock_mono_us();
    if (*end == '\0') return 1;
    if (*end != ',') return 0;
    const char *anchor = end + 1;
    *mono_us = strtoll(anchor, &end, 10);
    return end != anchor && *end == '\0' && *mono_us > 0;
}

enum err clock_parse(const char *text, struct clock *out, struct problem *problem)
{
    if (strcmp(text, "wall") == 0) {
        *out = (struct clock){.rate = 1, .wall = 1};
        return ERR_OK;
    }
    const char *comma = strchr(text, ',');
    struct clock clock = {0};
    if (comma != NULL && parse_start(text, (size_t)(comma - text), &clock.start_us) &&
        parse_rate(comma + 1, &clock.rate, &clock.mono_start_us)) {
        *out = clock;
        return ERR_OK;
    }
    return problem_set(problem, ERR_INVALID, "--clock",
                       "\"%.60s\" is neither \"wall\" nor START,RATE such as "
                       "2026-11-23T06:00:00Z,120 (rate 0 to 100000; 0 stands still)",
                       text);
}

void clock_print(const struct clock *clock, char buffer[CLOCK_TEXT_SIZE])
{
    if (clock->wall)
        snprintf(buffer, CLOCK_TEXT_SIZE, "wall");
    else
        snprintf(buffer, CLOCK_TEXT_SIZE, "%lld,%.17g,%lld",
                 (long long)(clock->start_us / US_PER_SECOND), clock->rate,
                 (long long)clock->mono_start_us);
}

int64_t clock_now_us(const struct clock *clock)
{
    if (clock->wall) return clock_wall_us();
    return clock->start_us +
           (int64_t)((double)(clock_mono_us() - clock->mono_start_us) * clock->rate);
}

char *clock_format_utc(int64_t time_us, char buffer[32])
{
    time_t seconds = (time_t)(time_us / US_PER_SECOND);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(buffer, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return buffer;
}
