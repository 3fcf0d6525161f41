/* The fault simulation itself: what an ordeal finds, and that it finds it twice alike. Many seeds
 * are run by `ordeal` (tests/stages.sh, tests/bench/faults.sh).
 */
#include "ordeal/ordeal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS_MAX = 12 }; /* until a planted bug must have shown */

static struct ordeal_result run(uint64_t seed, enum ordeal_plant plant, uint32_t steps_max)
{
    struct ordeal_result result;
    struct problem problem = {{0}, {0}};
    const struct ordeal_options options = {
        .seed = seed, .devices = 6, .half_days = 1, .plant = plant, .steps_max = steps_max};
    if (ordeal_run(&result, &options, &problem) != ERR_OK) fail_msg("%s", problem.text);
    return result;
}

static void nothing_is_lost_doubled_leaked_or_stuck(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct ordeal_result result = run(seed, PLANT_NONE, 0);
        if (result.first[0] != '\0')
            fail_msg("seed %d, step %u: %s", (int)seed, result.step, result.first);
        assert_true(result.steps > 5 && result.acknowledged > 20 && result.shown > 100);
    }
}

/* The kind of finding that each planted bug must lead to. */
static uint64_t kind_of(enum ordeal_plant plant, const struct ordeal_result *result)
{
    switch (plant) {
    case PLANT_HOLLOW_REPLY:
    case PLANT_LOST_ROW:
    case PLANT_LYING_DISK: return result->lost;
    case PLANT_FORGETFUL: return result->twice;
    case PLANT_MIXED_UP:
    case PLANT_OPEN_DOOR: return result->leaked;
    case PLANT_DEAF:
    case PLANT_LOST_CHANGE: return result->stuck;
    case PLANT_NONE:
    case PLANT_COUNT: break;
    }
    return 0;
}

static void every_planted_bug_is_found(void **state)
{
    (void)state;
    for (enum ordeal_plant plant = PLANT_NONE + 1; plant < PLANT_COUNT; plant++) {
        uint64_t seed = 0, found = 0;
        while (found == 0 && ++seed <= SEEDS_MAX) {
            struct ordeal_result result = run(seed, plant, 0);
            found = kind_of(plant, &result);
        }
        if (found == 0) fail_msg("%s is not found", ordeal_plants[plant]);
        print_message("%s: seed %d\n", ordeal_plants[plant], (int)seed);
    }
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
    (void)state;
    struct ordeal_result one = run(4, PLANT_FORGETFUL, 0), two = run(4, PLANT_FORGETFUL, 0);
    assert_memory_equal(&one, &two, sizeof one);
    two = run(5, PLANT_FORGETFUL, 0);
    assert_true(one.digest != two.digest);
}

/* So a failure can be narrowed down to its step. */
static void fewer_steps_are_the_same_ones(void **state)
{
    (void)state;
    struct ordeal_result result = run(4, PLANT_NONE, 3);
    assert_int_equal(result.steps, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_doubled_leaked_or_stuck),
        cmocka_unit_test(every_planted_bug_is_found),
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(fewer_steps_are_the_same_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
