/* A planted bug: on some days the last order does not fit into its window. Found since a day that
 * is made must be one that could be. */
#include "sim/scenario/generate.h"

enum err planted_day(struct day *out, const struct scenario *scenario, const struct town *town,
                     uint64_t seed, int32_t index,
                     struct day_errors *errors) __asm__("__wrap_scenario_day");
enum err real_day(struct day *out, const struct scenario *scenario, const struct town *town,
                  uint64_t seed, int32_t index,
                  struct day_errors *errors) __asm__("__real_scenario_day");

enum err planted_day(struct day *out, const struct scenario *scenario, const struct town *town,
                     uint64_t seed, int32_t index, struct day_errors *errors)
{
    enum err err = real_day(out, scenario, town, seed, index, errors);
    if (err == ERR_OK && out->order_count > 2 && seed % 7 == 3)
        out->orders[out->order_count - 1].window_end_us = 0;
    return err;
}
