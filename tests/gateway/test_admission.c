/* Who is let in while the dispatcher is busy: the rule by itself, and a fleet that comes back all
 * at once, in virtual time. */
#include "gateway/core/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

static void few_always_wait(void **state)
{
    struct admission admission;
    uint32_t retry_ms = 0;
    (void)state;
    admission_init(&admission, 1);
    for (int64_t now_us = 0; now_us < 100 * SECOND; now_us += SECOND)
        assert_true(
            admission_ask(&admission, ADMISSION_ARRIVAL, ADMISSION_FEW - 1, now_us, &retry_ms));
}

/* A hundred microseconds each, as long as nothing was learned. */
static void refuses_by_the_length_of_the_queue(void **state)
{
    struct admission admission;
    uint32_t retry_ms = 0;
    (void)state;
    admission_init(&admission, 1);
    assert_true(admission_ask(&admission, ADMISSION_ARRIVAL, 0, 0, &retry_ms));
    assert_true(admission_ask(&admission, ADMISSION_ARRIVAL, 2500, 0, &retry_ms));
    assert_false(admission_ask(&admission, ADMISSION_ARRIVAL, 2510, 0, &retry_ms));
    assert_in_range(retry_ms, 250, 250 + 250 / 4);
    assert_true(admission_ask(&admission, ADMISSION_GUEST, 10000, 0, &retry_ms));
    assert_false(admission_ask(&admission, ADMISSION_GUEST, 10010, 0, &retry_ms));
    assert_in_range(retry_ms, 1000, 1000 + 1000 / 4);
}

static void refuses_while_nothing_is_answered(void **state)
{
    struct admission admission;
    uint32_t retry_ms = 0;
    (void)state;
    admission_init(&admission, 1);
    admission_heard(&admission, 300, SECOND);
    assert_true(admission_ask(&admission, ADMISSION_ARRIVAL, 300, SECOND, &retry_ms));
    assert_false(admission_ask(&admission, ADMISSION_ARRIVAL, 300, SECOND + 300000, &retry_ms));
    assert_true(admission_ask(&admission, ADMISSION_GUEST, 300, SECOND + 300000, &retry_ms));
    assert_false(admission_ask(&admission, ADMISSION_GUEST, 300, 2 * SECOND, &retry_ms));
    admission_heard(&admission, 300, 2 * SECOND);
    assert_true(admission_ask(&admission, ADMISSION_ARRIVAL, 300, 2 * SECOND, &retry_ms));
}

/* One millisecond each: then 300 are too many. */
static void learns_what_a_question_takes(void **state)
{
    struct admission admission;
    uint32_t retry_ms = 0;
    int64_t now_us = 0;
    (void)state;
    admission_init(&admission, 1);
    for (; now_us < 20 * SECOND; now_us += 1000)
        admission_heard(&admission, 300, now_us);
    assert_in_range(admission.question_ns, 900000, 1100000);
    assert_false(admission_ask(&admission, ADMISSION_ARRIVAL, 300, now_us, &retry_ms));
    assert_true(admission_ask(&admission, ADMISSION_GUEST, 900, now_us, &retry_ms));
    assert_false(admission_ask(&admission, ADMISSION_GUEST, 1200, now_us, &retry_ms));
}

/* Who is refused later comes later; nobody is sent away for longer than there is a limit. */
static void gives_each_a_time_of_his_own(void **state)
{
    struct admission admission;
    uint32_t retry_ms = 0, same = 0, before_ms = 0;
    (void)state;
    admission_init(&admission, 1);
    for (unsigned i = 0; i < 40000; i++) {
        assert_false(admission_ask(&admission, ADMISSION_ARRIVAL, 5000, 0, &retry_ms));
        assert_true(retry_ms <= ADMISSION_AWAY_MS_MAX + ADMISSION_AWAY_MS_MAX / 4);
        same += retry_ms == before_ms;
        before_ms = retry_ms;
    }
    assert_true(retry_ms >= ADMISSION_AWAY_MS_MAX / 2);
    assert_true(same < 400); /* one in a hundred */
}

/* --- a fleet comes back ---
 *
 * Each device asks one question after the other, the first of them as one who arrives. The
 * dispatcher takes what waits in its queue in batches, as ours does, and answers each when it is
 * done. A device that was refused obeys, with up to half as much added by chance. */

enum { DEVICES = 10000, QUESTIONS = 5, BATCH = 500, TICK_US = 5000 };

struct device {
    int64_t asks_us;  /* when it asks next */
    int64_t asked_us; /* when it joined the queue */
    uint32_t done, refused;
};

struct fleet {
    struct device devices[DEVICES];
    uint32_t queue[DEVICES], first, waiting; /* a ring */
    int64_t question_us, batch_ends_us;
    uint32_t batch, in;
    int64_t longest_us;
    uint32_t most_refused;
    bool everyone; /* the rule is off */
    struct admission admission;
    struct rng chance;
};

static void ask_next(struct fleet *fleet, uint32_t index, int64_t now_us)
{
    struct device *device = &fleet->devices[index];
    enum admission_kind kind = device->done == 0 ? ADMISSION_ARRIVAL : ADMISSION_GUEST;
    uint32_t retry_ms = 0;
    if (device->done == QUESTIONS || now_us < device->asks_us) return;
    if (!fleet->everyone &&
        !admission_ask(&fleet->admission, kind, fleet->waiting, now_us, &retry_ms)) {
        retry_ms += rng_below(&fleet->chance, retry_ms / 2 + 1);
        device->asks_us = now_us + retry_ms * INT64_C(1000);
        if (++device->refused > fleet->most_refused) fleet->most_refused = device->refused;
        return;
    }
    device->asked_us = now_us;
    device->asks_us = INT64_MAX;
    fleet->queue[(fleet->first + fleet->waiting++) % DEVICES] = index;
}

static void end_batch(struct fleet *fleet, int64_t now_us)
{
    for (; fleet->batch > 0; fleet->batch--) {
        struct device *device = &fleet->devices[fleet->queue[fleet->first]];
        fleet->first = (fleet->first + 1) % DEVICES;
        fleet->waiting--;
        int64_t took_us = now_us - device->asked_us;
        if (took_us > fleet->longest_us) fleet->longest_us = took_us;
        device->asks_us = now_us;
        if (++device->done == QUESTIONS) fleet->in++;
        admission_heard(&fleet->admission, fleet->waiting, now_us);
    }
}

/* Returns when the last one was in. */
static int64_t come_back(struct fleet *fleet, int64_t question_us, bool everyone)
{
    int64_t now_us = 0;
    memset(fleet, 0, sizeof *fleet);
    fleet->question_us = question_us;
    fleet->everyone = everyone;
    admission_init(&fleet->admission, 7);
    for (; fleet->in < DEVICES && now_us < 300 * SECOND; now_us += TICK_US) {
        if (fleet->batch > 0 && now_us >= fleet->batch_ends_us) end_batch(fleet, now_us);
        for (uint32_t i = 0; i < DEVICES; i++)
            ask_next(fleet, i, now_us);
        if (fleet->batch > 0 || fleet->waiting == 0) continue;
        fleet->batch = fleet->waiting < BATCH ? fleet->waiting : BATCH;
        fleet->batch_ends_us = now_us + 5000 + fleet->batch * fleet->question_us;
    }
    return now_us;
}

static void a_fleet_comes_back(void **state)
{
    static const int64_t question_us[] = {50, 150, 500};
    struct fleet *fleet = malloc(sizeof *fleet);
    (void)state;
    assert_non_null(fleet);
    for (unsigned i = 0; i < sizeof question_us / sizeof question_us[0]; i++) {
        int64_t work_us = question_us[i] * DEVICES * QUESTIONS;
        int64_t took_us = come_back(fleet, question_us[i], false);
        print_message("%lld us a question: all in after %.1f s of %.1f s work, the longest answer "
                      "%.2f s, %u refusals at most\n",
                      (long long)question_us[i], (double)took_us / 1e6, (double)work_us / 1e6,
                      (double)fleet->longest_us / 1e6, fleet->most_refused);
        assert_int_equal(fleet->in, DEVICES);
        assert_true(took_us < 2 * work_us + 10 * SECOND && took_us < 60 * SECOND);
        assert_true(fleet->longest_us < 2 * SECOND);
        assert_true(fleet->most_refused <= 8); /* nobody starves */
    }
    come_back(fleet, 500, true);
    assert_true(fleet->longest_us > 2 * SECOND); /* so the rule is what keeps it below */
    free(fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_always_wait),
        cmocka_unit_test(refuses_by_the_length_of_the_queue),
        cmocka_unit_test(refuses_while_nothing_is_answered),
        cmocka_unit_test(learns_what_a_question_takes),
        cmocka_unit_test(gives_each_a_time_of_his_own),
        cmocka_unit_test(a_fleet_comes_back),
    };
    return cmocka_run_group_tests_name("admission", tests, NULL, NULL);
}
