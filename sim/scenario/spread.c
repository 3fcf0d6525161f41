#include "sim/scenario/spread.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAST = SPREAD_POINTS - 1 };

/* --- shapes ---------------------------------------------------------------------------------- */

static void make_even(struct spread *spread)
{
    for (int i = 0; i <= LAST; i++)
        spread->permille[i] = (spread->low * (LAST - i) + spread->high * i) * 10 / LAST;
}

/* e^x with nine digits behind the point, x in millionths and at least 0: the power series. */
static int64_t exp_e9(int64_t x_e6)
{
    int64_t sum = 0, term = 1000000000;
    for (int64_t n = 1; term > 0; n++) {
        sum += term;
        term = term * x_e6 / 1000000 / n;
    }
    return sum;
}

static void make_lognormal(struct spread *spread)
{
    /* Quantiles of the normal distribution at 50 % + 5 % x i, in thousandths. The last one is where
     * a straight line from 95 % has the mean of the tail that it stands for. */
    static const int32_t normal_e3[] = {0, 126, 253, 385, 524, 674, 842, 1036, 1282, 1645, 2480};
    for (int i = 0; i <= LAST / 2; i++) {
        int64_t factor_e9 = exp_e9((int64_t)spread->high * normal_e3[i] * 10);
        int64_t above = spread->low * 10 * factor_e9 / 1000000000;
        int64_t below = spread->low * 10 * INT64_C(1000000000) / factor_e9;
        spread->permille[LAST / 2 + i] = (int32_t)above;
        spread->permille[LAST / 2 - i] = (int32_t)below;
    }
}

/* --- text ------------------------------------------------------------------------------------ */

/* The whole numbers behind the first word; -1: there is something else, or more than `max`. */
static int read_numbers(const char *at, int32_t *out, int max)
{
    int count = 0;
    for (;;) {
        at += strspn(at, " ");
        if (*at == '\0') return count;
        char *end;
        long value = strtol(at, &end, 10);
        if (end == at || (*end != ' ' && *end != '\0')) return -1;
        if (count == max || value < 0 || value > SPREAD_PERCENT_MAX) return -1;
        out[count++] = (int32_t)value;
        at = end;
    }
}

static bool parse_quantiles(const int32_t *numbers, int count, struct spread *out)
{
    if (count != SPREAD_POINTS || numbers[0] < SPREAD_PERCENT_MIN) return false;
    for (int i = 0; i < count; i++) {
        if (i > 0 && numbers[i] < numbers[i - 1]) return false;
        out->permille[i] = numbers[i] * 10;
    }
    return true;
}

bool spread_parse(const char *text, struct spread *out, const char **why)
{
    static const char *const words[] = {"even", "lognormal", "quantiles"};
    int32_t numbers[SPREAD_POINTS];
    size_t size = strcspn(text, " ");
    int kind = 0;
    while (kind < 3 && (strlen(words[kind]) != size || memcmp(words[kind], text, size) != 0))
        kind++;
    *why = "write: even LOW HIGH, lognormal MEDIAN SIGMA or quantiles with 21 ascending numbers, "
           "in whole percent";
    int count = kind < 3 ? read_numbers(text + size, numbers, SPREAD_POINTS) : -1;
    if (count < 2) return false;
    struct spread spread = {.kind = (enum spread_kind)kind, .low = numbers[0], .high = numbers[1]};
    if (spread.kind == SPREAD_QUANTILES) {
        if (!parse_quantiles(numbers, count, &spread)) return false;
        spread.low = spread.high = 0;
    } else {
        if (count != 2) return false;
        *why = "from 1 to 2000 percent, the second of even not below the first, sigma at most 100";
        if (spread.low < SPREAD_PERCENT_MIN) return false;
        if (spread.kind == SPREAD_EVEN && spread.high < spread.low) return false;
        if (spread.kind == SPREAD_LOGNORMAL && spread.high > SPREAD_SIGMA_MAX) return false;
        if (spread.kind == SPREAD_EVEN)
            make_even(&spread);
        else
            make_lognormal(&spread);
    }
    *out = spread;
    return true;
}

char *spread_print(const struct spread *spread, char text[SPREAD_TEXT])
{
    if (spread->kind == SPREAD_EVEN)
        snprintf(text, SPREAD_TEXT, "even %d %d", spread->low, spread->high);
    else if (spread->kind == SPREAD_LOGNORMAL)
        snprintf(text, SPREAD_TEXT, "lognormal %d %d", spread->low, spread->high);
    else {
        int used = snprintf(text, SPREAD_TEXT, "quantiles");
        for (int i = 0; i <= LAST; i++)
            used += snprintf(text + used, (size_t)(SPREAD_TEXT - used), " %d",
                             spread->permille[i] / 10);
    }
    return text;
}

/* --- learning and drawing -------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

void spread_learn(struct spread *out, int32_t *factors, size_t count)
{
    CHECK(count > 0);
    qsort(factors, count, sizeof *factors, by_size);
    *out = (struct spread){.kind = SPREAD_QUANTILES};
    for (size_t i = 0; i <= LAST; i++) {
        int32_t percent = (factors[i * (count - 1) / LAST] + 5) / 10;
        if (percent < SPREAD_PERCENT_MIN) percent = SPREAD_PERCENT_MIN;
        if (percent > SPREAD_PERCENT_MAX) percent = SPREAD_PERCENT_MAX;
        out->permille[i] = percent * 10;
    }
}

int32_t spread_draw(const struct spread *spread, struct rng *rng)
{
    uint64_t place = (rng_next(rng) >> 32) * LAST; /* in 2^-32 of a step between quantiles */
    const int32_t *at = &spread->permille[place >> 32];
    int64_t part = (int64_t)(place & 0xffffffff);
    return at[0] + (int32_t)(((int64_t)(at[1] - at[0]) * part) >> 32);
}

int32_t spread_factor(const void *spread, struct rng *rng)
{
    return spread_draw(spread, rng);
}
