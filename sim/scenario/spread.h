/* spread.h - how a duration spreads around what was expected, as 21 quantiles in whole numbers.
 *
 * A factor is drawn in permille of the expected duration: 1000 is as expected. Whole numbers only,
 * so that a seed draws the same on every machine.
 *
 *   even LOW HIGH            uniform between the two percentages
 *   lognormal MEDIAN SIGMA   median in percent, sigma of the logarithm in percent (20: two of three
 *                            lie within +-20 %); tails end where 0.66 % would lie beyond, which
 *                            keeps the mean
 *   quantiles Q0 .. Q20      ascending percentages: the least, every 5 % in between, the greatest
 */
#ifndef CALLOUT_SIM_SCENARIO_SPREAD_H
#define CALLOUT_SIM_SCENARIO_SPREAD_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    SPREAD_POINTS = 21,
    SPREAD_PERCENT_MIN = 1,
    SPREAD_PERCENT_MAX = 2000,
    SPREAD_SIGMA_MAX = 100,
    SPREAD_TEXT = 160, /* bytes that spread_print may need */
};

enum spread_kind { SPREAD_EVEN, SPREAD_LOGNORMAL, SPREAD_QUANTILES };

struct spread {
    enum spread_kind kind;
    int32_t low, high; /* of even; median and sigma of lognormal; percent */
    int32_t permille[SPREAD_POINTS];
};

/* False: it is not such a text; *why says what would be. */
bool spread_parse(const char *text, struct spread *out, const char **why);
char *spread_print(const struct spread *spread, char text[SPREAD_TEXT]);

/* The quantiles of what was seen: factors in permille, sorted by this. At least one. */
void spread_learn(struct spread *out, int32_t *factors, size_t count);

/* A factor in permille. */
int32_t spread_draw(const struct spread *spread, struct rng *rng);
/* The same for whoever does not know spreads: `spread` is a struct spread. */
int32_t spread_factor(const void *spread, struct rng *rng);

#endif
