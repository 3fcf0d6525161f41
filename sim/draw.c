#include "sim/draw.h"

#include "base/check.h"

enum { ONE = 65536, LOG2_E = 94548 /* of 65536 */, NORMAL_MAX = 3 * ONE };

bool draw_happens(struct rng *rng, uint32_t permille)
{
    return rng_below(rng, PERMILLE) < permille;
}

int64_t draw_between(struct rng *rng, int64_t low, int64_t high)
{
    CHECK(low <= high);
    uint64_t width = (uint64_t)(high - low);
    CHECK(width < UINT64_C(1) << 40);
    uint64_t unit = rng_next(rng) >> 40; /* 24 bits; the width has at most 40 */
    return low + (int64_t)((unit * width) >> 24);
}

/* The sum of twelve uniform numbers has variance 1, and is near enough to normal. */
int32_t draw_normal(struct rng *rng)
{
    int32_t sum = -6 * ONE;
    for (int word = 0; word < 3; word++) {
        uint64_t bits = rng_next(rng);
        for (int part = 0; part < 4; part++, bits >>= 16)
            sum += (int32_t)(bits & 0xffff);
    }
    sum += 6; /* each of the twelve lies half a step below its middle */
    if (sum > NORMAL_MAX) return NORMAL_MAX;
    return sum < -NORMAL_MAX ? -NORMAL_MAX : sum;
}

/* 2^(exponent / 65536), times 65536; a cubic between whole powers, right to 0.01 %. */
static int64_t power_of_two(int64_t exponent)
{
    int64_t whole = exponent >= 0 ? exponent / ONE : -((ONE - 1 - exponent) / ONE);
    int64_t f = exponent - whole * ONE;
    int64_t curve = f * 5206 / ONE;
    curve = f * (14712 + curve) / ONE;
    curve = f * (45618 + curve) / ONE;
    int64_t value = ONE + curve;
    return whole >= 0 ? value << whole : value >> -whole;
}

int64_t draw_about(struct rng *rng, int64_t median, uint32_t spread)
{
    CHECK(median >= 0 && median < INT64_C(1) << 37);
    CHECK(spread <= DRAW_SPREAD_MAX);
    int64_t normal = draw_normal(rng);
    int64_t exponent = normal * (int64_t)spread / PERMILLE * LOG2_E / ONE;
    int64_t factor = power_of_two(exponent);
    return median / ONE * factor + median % ONE * factor / ONE;
}
