#include "sim/study/stats.h"

#include "base/check.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

double stats_mean(const double *values, size_t count)
{
    double sum = 0;
    if (count == 0) return NAN;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return sum / (double)count;
}

double stats_deviation(const double *values, size_t count)
{
    double mean = stats_mean(values, count), squares = 0;
    if (count < 2) return 0;
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return sqrt(squares / (double)(count - 1));
}

/* --- distributions --------------------------------------------------------------------------- */

double stats_normal(double z)
{
    return erfc(-z / sqrt(2)) / 2;
}

/* A term of the continued fraction below, kept away from 0 (Lentz's method). */
static double apart_from_zero(double value)
{
    return fabs(value) < 1e-300 ? 1e-300 : value;
}

/* The continued fraction of the incomplete beta function (DLMF 8.17.22), for x below
 * (a + 1) / (a + b + 2), where it settles fast. */
static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 / apart_from_zero(1 - (a + b) * x / (a + 1)), fraction = d;
    for (int m = 1; m < 500; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / apart_from_zero(1 + even * d);
        c = apart_from_zero(1 + even / c);
        fraction *= d * c;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / apart_from_zero(1 + odd * d);
        c = apart_from_zero(1 + odd / c);
        fraction *= d * c;
        if (fabs(d * c - 1) < 1e-15) break;
    }
    return fraction;
}

/* The regularized incomplete beta function I_x(a, b). */
static double beta(double a, double b, double x)
{
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x));
    if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double stats_t(double t, double freedom)
{
    double tail = beta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2;
    return t > 0 ? 1 - tail : tail;
}

double stats_t_quantile(double probability, double freedom)
{
    CHECK(probability > 0 && probability < 1);
    double low = -1, high = 1;
    while (stats_t(low, freedom) > probability)
        low *= 2;
    while (stats_t(high, freedom) < probability)
        high *= 2;
    for (int i = 0; i < 100; i++) {
        double middle = low + (high - low) / 2;
        if (stats_t(middle, freedom) < probability)
            low = middle;
        else
            high = middle;
    }
    return low + (high - low) / 2;
}

/* --- intervals ------------------------------------------------------------------------------- */

struct interval stats_t_interval(const double *values, size_t count, double confidence)
{
    struct interval interval = {stats_mean(values, count), NAN, NAN};
    if (count < 2) return interval;
    double error = stats_deviation(values, count) / sqrt((double)count);
    double reach = error * stats_t_quantile((1 + confidence) / 2, (double)(count - 1));
    interval.low = interval.mean - reach;
    interval.high = interval.mean + reach;
    return interval;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Of sorted values, between the two nearest. */
static double quantile(const double *sorted, size_t count, double part)
{
    double place = part * (double)(count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= count) return sorted[count - 1];
    return sorted[below] + (sorted[below + 1] - sorted[below]) * (place - (double)below);
}

static double resampled_mean(const double *values, size_t count, struct rng *rng)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[rng_below(rng, (uint32_t)count)];
    return sum / (double)count;
}

struct interval stats_bootstrap(const double *values, size_t count, double confidence,
                                uint32_t resamples, uint64_t seed)
{
    struct interval interval = {stats_mean(values, count), NAN, NAN};
    CHECK(resamples > 0 && count < UINT32_MAX);
    if (count < 2) return interval;
    struct rng rng = {seed};
    double *means = malloc(resamples * sizeof *means);
    CHECK(means != NULL);
    for (uint32_t i = 0; i < resamples; i++)
        means[i] = resampled_mean(values, count, &rng);
    qsort(means, resamples, sizeof *means, by_size);
    double n = (double)count, reach = stats_t_quantile((1 + confidence) / 2, n - 1);
    double tail = stats_normal(-sqrt(n / (n - 1)) * reach);
    interval.low = quantile(means, resamples, tail);
    interval.high = quantile(means, resamples, 1 - tail);
    free(means);
    return interval;
}

double stats_p_value(const double *values, size_t count)
{
    if (count < 2) return NAN;
    double mean = stats_mean(values, count);
    double error = stats_deviation(values, count) / sqrt((double)count);
    if (error == 0) return mean == 0 ? 1 : 0;
    return 2 * stats_t(-fabs(mean / error), (double)(count - 1));
}
