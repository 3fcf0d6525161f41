/* The parking rule: a commit between any two steps of a poll is never lost. */
#include "gateway/core/polls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { DEADLINE = 25000000 };

static struct arena arena;
static struct polls polls;

static int open_polls(void **state)
{
    (void)state;
    arena_open(&arena, 1 << 20);
    polls_init(&polls, &arena, 4);
    return 0;
}

static int close_polls(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

static struct poll_id add(uint64_t subject, uint64_t topic, int64_t deadline_us)
{
    struct poll_id id, older;
    assert_true(polls_add(&polls, subject, topic, deadline_us, &id, &older));
    assert_int_equal(older.generation, 0);
    return id;
}

/* --- a dispatcher in miniature, and the steps of one poll --- */

struct world {
    unsigned tip;  /* committed changes of the technician */
    unsigned told; /* those that a Follow has told the gateway */
    unsigned read; /* what the question that is out saw */
    bool asking, parked, answered;
    struct poll_id id;
};

/* A change is committed; the notification comes at once, or later at the next step. */
static void commit(struct world *world)
{
    world->tip++;
}

static void follow(struct world *world)
{
    struct poll_id id;
    if (world->told == world->tip) return;
    world->told = world->tip;
    for (uint32_t from = 0; polls_wake_next(&polls, 7, &from, &id);)
        world->asking = true;
}

static void finish_question(struct world *world)
{
    world->asking = false;
    switch (polls_answered(&polls, world->id, world->read > 0, 1)) {
    case POLL_ANSWER: world->answered = true; return;
    case POLL_ASK: world->asking = true; return;
    case POLL_STAY: world->parked = true; return;
    case POLL_GONE: fail(); return;
    }
}

/* The steps: 0 register, 1 the question is read, 2 its answer arrives. A commit happens before step
 * `commit_at`, its notification before step `follow_at` (3: after all of them). */
static void run(unsigned commit_at, unsigned follow_at)
{
    struct world world = {.tip = 0};
    for (unsigned step = 0; step < 4; step++) {
        if (step == commit_at) commit(&world);
        if (step >= follow_at && step >= commit_at) follow(&world);
        if (step == 0) world.id = add(1, 7, DEADLINE);
        if (step == 1) world.read = world.tip;
        if (step == 2) finish_question(&world);
    }
    follow(&world);
    for (unsigned i = 0; i < 2 && world.asking; i++) { /* asked again after a wake */
        world.read = world.tip;
        finish_question(&world);
    }
    if (!world.answered)
        fail_msg("commit before step %u, told before step %u", commit_at, follow_at);
}

static void loses_no_commit_between_any_two_steps(void **state)
{
    (void)state;
    for (unsigned commit_at = 0; commit_at < 4; commit_at++)
        for (unsigned follow_at = 0; follow_at < 5; follow_at++)
            run(commit_at, follow_at);
}

/* --- the rest of the rules --- */

static void parks_until_the_hold_ends(void **state)
{
    struct poll_id id = add(1, 7, DEADLINE), ended;
    uint32_t from = 0;
    (void)state;
    assert_int_equal(polls_answered(&polls, id, false, 1), POLL_STAY);
    assert_int_equal(polls.parked, 1);
    assert_false(polls_expire_next(&polls, DEADLINE - 1, &from, &ended));
    from = 0;
    assert_true(polls_expire_next(&polls, DEADLINE, &from, &ended));
    assert_int_equal(ended.slot, id.slot);
    assert_int_equal(polls.count, 0);
    assert_int_equal(polls_answered(&polls, id, false, 1), POLL_GONE);
}

static void answers_at_once_what_has_news_or_no_time_left(void **state)
{
    struct poll_id first = add(1, 7, DEADLINE), second = add(2, 7, 5);
    (void)state;
    assert_int_equal(polls_answered(&polls, first, true, 1), POLL_ANSWER);
    assert_int_equal(polls_answered(&polls, second, false, 5), POLL_ANSWER);
    assert_int_equal(polls.count, 0);
}

static void wakes_only_its_topic(void **state)
{
    struct poll_id one = add(1, 7, DEADLINE), other = add(2, 9, DEADLINE), woken;
    uint32_t from = 0;
    (void)state;
    assert_int_equal(polls_answered(&polls, one, false, 1), POLL_STAY);
    assert_int_equal(polls_answered(&polls, other, false, 1), POLL_STAY);
    assert_true(polls_wake_next(&polls, 9, &from, &woken));
    assert_int_equal(woken.slot, other.slot);
    assert_false(polls_wake_next(&polls, 9, &from, &woken));
    from = 0;
    assert_true(polls_wake_next(&polls, POLL_ALL_TOPICS, &from, &woken));
    assert_int_equal(woken.slot, one.slot); /* the other is being asked about already */
    assert_false(polls_wake_next(&polls, POLL_ALL_TOPICS, &from, &woken));
    assert_int_equal(polls_answered(&polls, other, false, 1), POLL_ASK);
}

static void names_the_older_poll_of_a_subject(void **state)
{
    struct poll_id first = add(1, 7, DEADLINE), second, older;
    (void)state;
    assert_true(polls_add(&polls, 1, 7, DEADLINE, &second, &older));
    assert_int_equal(older.slot, first.slot);
    assert_int_equal(older.generation, first.generation);
    assert_true(polls_drop(&polls, older));
    assert_false(polls_drop(&polls, older));
    assert_int_equal(polls_answered(&polls, first, true, 1), POLL_GONE);
    assert_int_equal(polls_answered(&polls, second, true, 1), POLL_ANSWER);
}

static void is_bounded_and_uses_slots_again(void **state)
{
    struct poll_id ids[4], id, older;
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        ids[i] = add(i, 7, DEADLINE);
    assert_false(polls_add(&polls, 9, 7, DEADLINE, &id, &older));
    assert_true(polls_drop(&polls, ids[2]));
    id = add(9, 7, DEADLINE);
    assert_int_equal(id.slot, ids[2].slot);
    assert_int_not_equal(id.generation, ids[2].generation);
    assert_int_equal(polls_answered(&polls, ids[2], true, 1), POLL_GONE);
    unsigned drained = 0;
    for (uint32_t from = 0; polls_drain_next(&polls, &from, &id);)
        drained++;
    assert_int_equal(drained, 4);
    assert_int_equal(polls.count, 0);
}

static void walks_over_what_is_parked_and_leaves_it_so(void **state)
{
    (void)state;
    struct poll_id asking = add(1, 7, DEADLINE), parked = add(2, 7, DEADLINE), id;
    assert_int_equal(polls_answered(&polls, parked, false, 0), POLL_STAY);
    for (int round = 0; round < 2; round++) {
        uint32_t from = 0;
        assert_true(polls_parked_next(&polls, &from, &id));
        assert_int_equal(id.slot, parked.slot);
        assert_false(polls_parked_next(&polls, &from, &id));
    }
    assert_int_equal(polls_answered(&polls, asking, true, 0), POLL_ANSWER);
    assert_int_equal(polls.parked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(loses_no_commit_between_any_two_steps, open_polls,
                                        close_polls),
        cmocka_unit_test_setup_teardown(parks_until_the_hold_ends, open_polls, close_polls),
        cmocka_unit_test_setup_teardown(answers_at_once_what_has_news_or_no_time_left, open_polls,
                                        close_polls),
        cmocka_unit_test_setup_teardown(wakes_only_its_topic, open_polls, close_polls),
        cmocka_unit_test_setup_teardown(names_the_older_poll_of_a_subject, open_polls, close_polls),
        cmocka_unit_test_setup_teardown(walks_over_what_is_parked_and_leaves_it_so, open_polls,
                                        close_polls),
        cmocka_unit_test_setup_teardown(is_bounded_and_uses_slots_again, open_polls, close_polls),
    };
    return cmocka_run_group_tests_name("polls", tests, NULL, NULL);
}
