/* values.c - one value of a scenario's text: reading, printing, and what its range is. */
#include "base/check.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "sim/scenario/fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool refuse(char *why, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return false;
}

/* --- parts of values: each reads from *at and leaves it behind what it read ------------------- */

/* Digits only; at most nine of them. */
static bool take_digits(const char **at, int32_t *out)
{
    size_t size = strspn(*at, "0123456789");
    if (size == 0 || size > 9) return false;
    *out = (int32_t)strtol(*at, NULL, 10);
    *at += size;
    return true;
}

static bool take_minus(const char **at)
{
    if (**at != '-') return false;
    ++*at;
    return true;
}

/* "1h30m", "90s", "0s"; each unit at most once, from the longest down. */
static bool take_span(const char *at, int64_t *out_s)
{
    static const char units[] = "hms";
    static const int32_t unit_s[] = {3600, 60, 1};
    const char *unit = units;
    int64_t sum_s = 0;
    bool negative = take_minus(&at);
    if (*at == '\0') return false;
    while (*at != '\0') {
        int32_t number;
        if (!take_digits(&at, &number)) return false;
        const char *found = *at == '\0' ? NULL : strchr(unit, *at);
        if (found == NULL) return false;
        sum_s += (int64_t)number * unit_s[found - units];
        unit = found + 1;
        at++;
    }
    *out_s = negative ? -sum_s : sum_s;
    return true;
}

/* Degrees with at most seven digits behind the point, as whole 1e-7 degrees. */
static bool take_degrees(const char **at, int32_t limit, int32_t *out_e7)
{
    int32_t whole, fraction = 0;
    bool negative = take_minus(at);
    if (!take_digits(at, &whole) || whole > limit) return false;
    if (**at == '.') {
        ++*at;
        size_t digits = strspn(*at, "0123456789");
        if (digits > 7 || !take_digits(at, &fraction)) return false;
        for (; digits < 7; digits++)
            fraction *= 10;
    }
    int64_t e7 = (int64_t)whole * GEO_E7 + fraction;
    if (e7 > (int64_t)limit * GEO_E7) return false;
    *out_e7 = (int32_t)(negative ? -e7 : e7);
    return true;
}

/* --- kinds ----------------------------------------------------------------------------------- */

static const char *ints_wanted(const struct field *field, char text[48])
{
    if (field->count == 1) return "a whole number";
    snprintf(text, 48, "%zu whole numbers with spaces between", field->count);
    return text;
}

static bool read_ints(const struct field *field, const char *text, int32_t *out, char *why,
                      size_t size)
{
    int32_t numbers[HOURS];
    size_t count = 0;
    char wanted[48];
    CHECK(field->count <= HOURS);
    for (const char *at = text;; count++) {
        at += strspn(at, " ");
        if (*at == '\0') break;
        bool negative = take_minus(&at);
        int32_t number = 0;
        bool sound = count < field->count && take_digits(&at, &number);
        if (!sound || (*at != ' ' && *at != '\0'))
            return refuse(why, size, "\"%.40s\" is not %s", text, ints_wanted(field, wanted));
        number = negative ? -number : number;
        if (number < field->low || number > field->high)
            return refuse(why, size, "%d must lie between %d and %d", number, field->low,
                          field->high);
        numbers[count] = number;
    }
    if (count != field->count)
        return refuse(why, size, "\"%.40s\" is not %s", text, ints_wanted(field, wanted));
    memcpy(out, numbers, count * sizeof *out);
    return true;
}

static bool read_text(const struct field *field, const char *text, char *out, char *why,
                      size_t size)
{
    size_t length = strlen(text);
    if (length < (size_t)field->low) return refuse(why, size, "must not be empty");
    if (length >= field->count) return refuse(why, size, "at most %zu bytes", field->count - 1);
    if (!utf8_printable(text)) return refuse(why, size, "must be UTF-8 without control characters");
    if (text[0] == '#' || strstr(text, " #") != NULL)
        return refuse(why, size, "# behind a space begins a comment; it cannot be in a value");
    memcpy(out, text, length + 1);
    return true;
}

static bool read_clock(const struct field *field, const char *text, int32_t *out, char *why,
                       size_t size)
{
    int32_t hours = 0, minutes = 0;
    const char *at = text;
    bool sound = strlen(text) == 5 && take_digits(&at, &hours) && at == text + 2 && *at++ == ':' &&
                 take_digits(&at, &minutes) && *at == '\0';
    if (!sound || minutes > 59 || hours * 3600 + minutes * 60 > field->high)
        return refuse(why, size, "\"%.40s\" is not a time of day such as 07:30", text);
    *out = hours * 3600 + minutes * 60;
    return true;
}

static bool read_span(const struct field *field, const char *text, int64_t *out_s, char *why,
                      size_t size)
{
    char range[FIELD_PRINTED];
    if (!take_span(text, out_s))
        return refuse(why, size, "\"%.40s\" is not a length of time such as 1h30m, 10m or 90s",
                      text);
    if (*out_s < field->low || *out_s > field->high)
        return refuse(why, size, "%.40s must lie %.80s", text, field_range(field, range));
    return true;
}

static bool read_date(const char *text, int64_t *out, char *why, size_t size)
{
    char time[32];
    int64_t time_us;
    snprintf(time, sizeof time, "%.12sT00:00", text);
    if (strlen(text) != 10 || !clock_parse_utc(time, &time_us) || time_us < 0)
        return refuse(why, size, "\"%.40s\" is not a date from 1970 on such as 2026-11-23", text);
    *out = time_us / US_PER_DAY;
    return true;
}

static bool read_point(const char *text, struct point *out, char *why, size_t size)
{
    const char *at = text;
    struct point point;
    bool sound = take_degrees(&at, 75, &point.lat_e7) && *at == ' ';
    at += strspn(at, " ");
    if (!sound || !take_degrees(&at, 178, &point.lon_e7) || *at != '\0')
        return refuse(why, size,
                      "write latitude (-75 to 75) and longitude (-178 to 178) in degrees, such as "
                      "47.2 9.55");
    *out = point;
    return true;
}

static void list_words(const struct field *field, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (const char *const *word = field->words; *word != NULL && used < size; word++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ", *word);
}

static bool read_word(const struct field *field, const char *text, int32_t *out, char *why,
                      size_t size)
{
    for (int32_t i = 0; field->words[i] != NULL; i++) {
        if (strcmp(field->words[i], text) != 0) continue;
        *out = i;
        return true;
    }
    char list[FIELD_PRINTED];
    list_words(field, list, sizeof list);
    return refuse(why, size, "\"%.40s\" is none of %.150s", text, list);
}

bool field_read(const struct field *field, const char *text, void *value, char *why, size_t size)
{
    int64_t span_s = 0;
    const char *remedy;
    switch (field->kind) {
    case FIELD_INT:
    case FIELD_INTS: return read_ints(field, text, value, why, size);
    case FIELD_TEXT: return read_text(field, text, value, why, size);
    case FIELD_CLOCK: return read_clock(field, text, value, why, size);
    case FIELD_SPAN:
        if (!read_span(field, text, &span_s, why, size)) return false;
        *(int32_t *)value = (int32_t)span_s;
        return true;
    case FIELD_SPAN_US:
        if (!read_span(field, text, &span_s, why, size)) return false;
        *(int64_t *)value = span_s * US_PER_SECOND;
        return true;
    case FIELD_DATE: return read_date(text, value, why, size);
    case FIELD_POINT: return read_point(text, value, why, size);
    case FIELD_WORD: return read_word(field, text, value, why, size);
    case FIELD_SPREAD: return spread_parse(text, value, &remedy) || refuse(why, size, "%s", remedy);
    default: CHECK(false);
    }
    return false;
}

/* --- printing -------------------------------------------------------------------------------- */

static void print_span(int64_t span_s, char text[FIELD_PRINTED])
{
    int64_t left_s = span_s < 0 ? -span_s : span_s;
    int used = snprintf(text, FIELD_PRINTED, "%s", span_s < 0 ? "-" : "");
    char *at = text + used;
    size_t room = (size_t)(FIELD_PRINTED - used);
    if (left_s == 0) {
        snprintf(at, room, "0s");
        return;
    }
    static const char units[] = "hms";
    static const int32_t unit_s[] = {3600, 60, 1};
    for (int i = 0; i < 3; i++) {
        if (left_s < unit_s[i]) continue;
        used = snprintf(at, room, "%lld%c", (long long)(left_s / unit_s[i]), units[i]);
        at += used;
        room -= (size_t)used;
        left_s %= unit_s[i];
    }
}

static void print_degrees(int32_t e7, char text[16])
{
    int64_t size = e7 < 0 ? -(int64_t)e7 : e7;
    snprintf(text, 16, "%s%lld.%07lld", e7 < 0 ? "-" : "", (long long)(size / GEO_E7 % 1000),
             (long long)(size % GEO_E7));
}

static void print_ints(const struct field *field, const int32_t *numbers, char text[FIELD_PRINTED])
{
    int used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < field->count; i++)
        used += snprintf(text + used, (size_t)(FIELD_PRINTED - used), "%s%d", i == 0 ? "" : " ",
                         numbers[i]);
}

static void print_point(const struct point *point, char text[FIELD_PRINTED])
{
    char lat[16], lon[16];
    print_degrees(point->lat_e7, lat);
    print_degrees(point->lon_e7, lon);
    snprintf(text, FIELD_PRINTED, "%s %s", lat, lon);
}

char *field_print(const struct field *field, const void *value, char text[FIELD_PRINTED])
{
    const int32_t *number = value;
    const int64_t *big = value;
    char date[32];
    switch (field->kind) {
    case FIELD_INT:
    case FIELD_INTS: print_ints(field, number, text); break;
    case FIELD_TEXT:
        snprintf(text, FIELD_PRINTED, "%.*s", SCENARIO_PATH, (const char *)value);
        break;
    case FIELD_CLOCK:
        snprintf(text, FIELD_PRINTED, "%02d:%02d", *number / 3600, *number / 60 % 60);
        break;
    case FIELD_SPAN: print_span(*number, text); break;
    case FIELD_SPAN_US: print_span(*big / US_PER_SECOND, text); break;
    case FIELD_DATE:
        snprintf(text, FIELD_PRINTED, "%.10s", clock_format_utc(*big * US_PER_DAY, date));
        break;
    case FIELD_POINT: print_point(value, text); break;
    case FIELD_WORD: snprintf(text, FIELD_PRINTED, "%s", field->words[*number]); break;
    case FIELD_SPREAD: spread_print(value, text); break;
    default: CHECK(false);
    }
    return text;
}

char *field_range(const struct field *field, char text[FIELD_PRINTED])
{
    char low[FIELD_PRINTED], high[FIELD_PRINTED];
    switch (field->kind) {
    case FIELD_INT: snprintf(text, FIELD_PRINTED, "%d to %d", field->low, field->high); break;
    case FIELD_INTS:
        snprintf(text, FIELD_PRINTED, "%zu numbers, %d to %d", field->count, field->low,
                 field->high);
        break;
    case FIELD_TEXT:
        snprintf(text, FIELD_PRINTED, "text, %d to %zu bytes", field->low, field->count - 1);
        break;
    case FIELD_CLOCK: snprintf(text, FIELD_PRINTED, "00:00 to 24:00"); break;
    case FIELD_SPAN:
    case FIELD_SPAN_US:
        print_span(field->low, low);
        print_span(field->high, high);
        snprintf(text, FIELD_PRINTED, "between %.20s and %.20s", low, high);
        break;
    case FIELD_DATE: snprintf(text, FIELD_PRINTED, "YYYY-MM-DD"); break;
    case FIELD_POINT: snprintf(text, FIELD_PRINTED, "LATITUDE LONGITUDE"); break;
    case FIELD_WORD: list_words(field, text, FIELD_PRINTED); break;
    case FIELD_SPREAD:
        snprintf(text, FIELD_PRINTED, "even LOW HIGH, lognormal MEDIAN SIGMA, quantiles Q0 .. Q20");
        break;
    default: CHECK(false);
    }
    return text;
}
