/* A fleet's day in virtual time, from the first shift to the last command: it is lived to its end,
 * the same seed gives the same digest, and no trouble loses or doubles a word. */
#include "base/clock.h"
#include "day/day.h"
#include "sim/peer/peer.h"
#include "sim/scratch.h"
#include "sim/world/world.h"
#include "tests/short.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DRAIN_MINUTES = 60, ROUNDS = 200 };

static struct day day;

static int read_day(void **state)
{
    static struct day_errors errors;
    (void)state;
    return (int)day_read(&day, "sim/day/technicians.csv", "sim/day/orders.csv", "Europe/Vaduz",
                         &errors);
}

static int forget_day(void **state)
{
    (void)state;
    day_fini(&day);
    return 0;
}

static struct world_options options_of(uint64_t seed)
{
    struct world_options options = world_options_default(&day, seed);
    options.planner.rounds = ROUNDS;
    options.ill = 1;
    options.emergencies = 2;
    options.cancels = 2;
    return options;
}

static int64_t latest_us(void)
{
    return day.end_us + 6 * 60 * US_PER_MINUTE;
}

static struct world *begin(const struct world_options *options)
{
    struct world *world = NULL;
    struct problem problem = {0};
    if (world_open(&world, options, &problem) != ERR_OK)
        fail_msg("%s: %s", problem.field, problem.text);
    return world;
}

/* Every command that was saved has arrived, and was taken once: the log has as many. */
static struct world_sum end(struct world *world)
{
    struct world_sum sum;
    struct problem problem = {0};
    assert_true(world_live(world, latest_us()));
    assert_true(world_drain(world, DRAIN_MINUTES * US_PER_MINUTE));
    if (world_sum(world, &sum, &problem) != ERR_OK) fail_msg("%s: %s", problem.field, problem.text);
    assert_int_equal(sum.fleet.unsent, 0);
    assert_int_equal(sum.fleet.acknowledged, sum.fleet.saved);
    assert_int_equal(sum.fleet.rejected, 0);
    assert_int_equal(sum.fleet.stopped, 0);
    return sum;
}

static void print(const char *what, const struct world_sum *sum)
{
    print_message(
        "%s: %zu of %zu appointments done, %zu unscheduled, %zu failed, %llu events, "
        "%llu plans, %llu commands, %llu connections broken, %.1f s CPU of the system, "
        "digest %016llx\n",
        what, sum->tally.done, sum->tally.appointments, sum->tally.unscheduled, sum->tally.failed,
        (unsigned long long)sum->totals->events, (unsigned long long)sum->totals->plans,
        (unsigned long long)sum->fleet.saved, (unsigned long long)sum->network.breaks,
        (double)(sum->system.dispatcher_cpu_us + sum->system.optimizer_cpu_us) / US_PER_SECOND,
        (unsigned long long)sum->digest);
}

static void a_day_is_lived_to_its_end(void **state)
{
    (void)state;
    struct world_options options = options_of(1);
    struct world *world = begin(&options);
    struct world_sum sum = end(world);
    print("a usual day", &sum);
    assert_true(sum.tally.appointments >= day.order_count);
    assert_true(sum.tally.done * 2 > sum.tally.appointments);
    assert_true(sum.totals->plans > 20);
    assert_true(sum.totals->latency.count > 20);
    assert_int_equal(sum.fleet.doing[PERSON_GONE] + sum.fleet.doing[PERSON_ABSENT],
                     day.technician_count);
    assert_true(sum.fleet.doing[PERSON_ABSENT] >= 1);
    world_close(world);
}

static uint64_t digest_of_seed(uint64_t seed)
{
    struct world_options options = options_of(seed);
    struct world *world = begin(&options);
    uint64_t digest = end(world).digest;
    world_close(world);
    return digest;
}

static void the_same_seed_gives_the_same_day(void **state)
{
    (void)state;
    NOT_IN_SHORT_FORM();
    uint64_t first = digest_of_seed(7);
    assert_true(digest_of_seed(7) == first);
    assert_true(digest_of_seed(8) != first);
}

/* --- trouble ---------------------------------------------------------------------------------*/

struct trouble {
    struct world *world;
    struct client_timer timer;
    unsigned count;
};

/* Every 25 minutes something else goes wrong, and then the first again. */
static void on_trouble(void *context)
{
    struct trouble *trouble = context;
    struct world *world = trouble->world;
    int64_t now_us = client_loop_now_us(world_loop(world));
    struct person *someone =
        fleet_person(world_fleet(world), trouble->count % fleet_size(world_fleet(world)));
    switch (trouble->count++ % 8) {
    case 0: hub_kill(world_hub(world), HUB_DISPATCHER); break;
    case 1: link_cut(world_net(world), "phone/", 500, now_us + 10 * US_PER_MINUTE); break;
    case 2: hub_kill(world_hub(world), HUB_GATEWAY); break;
    case 3: person_drift(someone, 3000, -2000); break;
    case 4: hub_kill(world_hub(world), HUB_OPTIMIZER); break;
    case 5: person_set_clock(someone, -2 * 60 * US_PER_MINUTE); break;
    case 6: hub_lose_power(world_hub(world)); break;
    default: person_falls_ill(someone, now_us); break;
    }
    world_set_travel(world, 130);
    client_timer_set(world_loop(world), &trouble->timer, now_us + 50 * US_PER_MINUTE);
}

static void trouble_neither_loses_nor_doubles_a_word(void **state)
{
    (void)state;
    uint64_t digests[2];
    for (int i = 0; i < 2; i++) {
        struct world_options options = options_of(3);
        options.network = link_rough;
        options.network.late_us = 5 * US_PER_SECOND;
        struct trouble trouble = {.world = begin(&options)};
        trouble.timer = (struct client_timer){.fire = on_trouble, .context = &trouble};
        client_timer_set(world_loop(trouble.world), &trouble.timer, day.start_us);
        world_live(trouble.world, latest_us());
        client_timer_cancel(world_loop(trouble.world), &trouble.timer);
        struct world_sum sum = end(trouble.world);
        if (i == 0) print("a bad day", &sum);
        assert_true(sum.network.resent > 100);
        assert_true(sum.system.kills[HUB_DISPATCHER] > 2);
        digests[i] = sum.digest;
        world_close(trouble.world);
    }
    assert_true(digests[0] == digests[1]);
}

/* --- somebody else in a technician's place ---------------------------------------------------- */

static void pass(struct world *world, int64_t us)
{
    world_live(world, client_loop_now_us(world_loop(world)) + us);
}

/* Lives on, a second at a time, until somebody is as wanted. */
static struct person *await(struct world *world, bool (*wanted)(const struct person *person))
{
    const struct fleet *fleet = world_fleet(world);
    for (int64_t end_us = latest_us(); client_loop_now_us(world_loop(world)) < end_us;) {
        for (size_t i = 0; i < fleet_size(fleet); i++)
            if (wanted(fleet_person(fleet, i))) return fleet_person(fleet, i);
        pass(world, US_PER_SECOND);
    }
    fail_msg("nobody came to be as wanted");
    return NULL;
}

static bool works(const struct person *person)
{
    return person_doing(person) == PERSON_WORKS;
}

static bool cannot_say_it(const struct person *person)
{
    return person_doing(person) == PERSON_WORKS && person_unsent(person) > 0;
}

static void who_is_taken_over_is_silent_until_he_is_back(void **state)
{
    (void)state;
    struct world_options options = options_of(11);
    struct world *world = begin(&options);
    char folder[SCRATCH_PATH], token[128];
    struct problem problem = {0};
    assert_int_equal(scratch_make(folder, &problem), ERR_OK);
    struct person *person = await(world, works);
    size_t index = 0;
    while (fleet_person(world_fleet(world), index) != person)
        index++;
    person_let_go(person);
    while (!person_is_silent(person))
        pass(world, US_PER_SECOND);
    assert_int_equal(person_doing(person), PERSON_WORKS);
    person_give_up(person);
    uint64_t saved = person_counters(person).saved, all = fleet_count(world_fleet(world)).saved;
    pass(world, 90 * US_PER_MINUTE);
    assert_int_equal(person_doing(person), PERSON_TAKEN);
    assert_int_equal(person_counters(person).saved, saved);
    assert_true(fleet_count(world_fleet(world)).saved > all);

    const char *const who[] = {day.technicians[index].id};
    assert_int_equal(person_take_back(person, folder, "not a token", &problem), ERR_OK);
    while (person_state(person) != CLIENT_STOPPED)
        pass(world, US_PER_SECOND);
    assert_int_equal(person_doing(person), PERSON_TAKEN);
    assert_int_equal(hub_admin(world_hub(world), "enrol", who, 1, token, sizeof token), ERR_OK);
    assert_int_equal(person_take_back(person, folder, token, &problem), ERR_OK);
    struct world_sum sum = end(world);
    print("a day in two hands", &sum);
    assert_true(person_counters(person).saved > saved);
    assert_int_equal(sum.tally.under_way, 0); /* what was in hand then, too */
    assert_int_equal(sum.fleet.live, day.technician_count);
    scratch_remove(folder);
    world_close(world);
}

static void who_cannot_be_heard_stays(void **state)
{
    (void)state;
    struct world_options options = options_of(12);
    struct world *world = begin(&options);
    await(world, works);
    int64_t now_us = client_loop_now_us(world_loop(world));
    link_cut(world_net(world), "phone/", 1000, now_us + 120 * US_PER_MINUTE);
    struct person *person = await(world, cannot_say_it);
    assert_true(client_loop_now_us(world_loop(world)) < now_us + 50 * US_PER_MINUTE);
    uint64_t saved = person_counters(person).saved;
    person_let_go(person);
    pass(world, 60 * US_PER_MINUTE); /* more than what he works at takes */
    assert_false(person_is_silent(person));
    assert_int_equal(person_counters(person).saved, saved);
    person_stay(person);
    struct world_sum sum = end(world);
    assert_true(person_counters(person).saved > saved);
    assert_int_equal(sum.fleet.doing[PERSON_TAKEN], 0);
    world_close(world);
}

/* --- somebody else in the optimizer's place -------------------------------------------------- */

static struct world_sum day_with(const char *command, double seconds_max, struct peer_report *out)
{
    const struct peer_options peer_options = {command, seconds_max};
    struct world_options options = options_of(5);
    struct peer *peer = peer_open(&peer_options);
    options.peer = peer;
    struct world *world = begin(&options);
    struct world_sum sum = end(world);
    sum.totals = NULL; /* it was the world's */
    *out = *peer_report(peer);
    print_message("%s: %zu done, %llu answered, %llu hung, %llu died, %llu nonsense, %s\n", command,
                  sum.tally.done, (unsigned long long)out->ends[PEER_ANSWERED],
                  (unsigned long long)out->ends[PEER_HUNG],
                  (unsigned long long)out->ends[PEER_DIED],
                  (unsigned long long)out->ends[PEER_NONSENSE], out->last_failure);
    world_close(world);
    peer_close(peer);
    return sum;
}

static void an_external_solver_plans_the_day(void **state)
{
    (void)state;
    NOT_IN_SHORT_FORM();
    struct peer_report report, again;
    struct world_sum sum = day_with(CALLOUT_GREEDY_SOLVER, 60, &report);
    assert_true(sum.tally.done * 2 > sum.tally.appointments);
    assert_true(report.ends[PEER_ANSWERED] > 20);
    assert_int_equal(report.ends[PEER_HUNG] + report.ends[PEER_DIED] + report.ends[PEER_NONSENSE],
                     0);
    assert_true(day_with(CALLOUT_GREEDY_SOLVER, 60, &again).digest == sum.digest);
    assert_true(again.ends[PEER_ANSWERED] == report.ends[PEER_ANSWERED]);
}

/* What goes on is the repaired plan: every order is still there, and most are done. Each call ends
 * in the way that a file's count gives it, for process ids may well come in steps of sixteen. */
static void an_external_solver_that_fails_is_survived(void **state)
{
    static const char ways[] =
        "n=$(cat %s/n || echo 0); echo $((n + 1)) >%s/n; "
        "case $((n %% 16)) in 0) sleep 1000;; 4|8|12) exit 3;; 1|5|9) echo 7;; *) exec %s;; esac";
    (void)state;
    char folder[SCRATCH_PATH], command[1024];
    struct problem problem;
    struct peer_report report;
    assert_int_equal(scratch_make(folder, &problem), ERR_OK);
    snprintf(command, sizeof command, ways, folder, folder, CALLOUT_GREEDY_SOLVER);
    struct world_sum sum = day_with(command, 0.5, &report);
    assert_true(sum.tally.done * 2 > sum.tally.appointments);
    for (enum peer_end end = PEER_HUNG; end < PEER_END_COUNT; end++)
        assert_true(report.ends[end] > 0);
    assert_true(report.last_failure[0] != '\0');
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_is_lived_to_its_end),
        cmocka_unit_test(the_same_seed_gives_the_same_day),
        cmocka_unit_test(trouble_neither_loses_nor_doubles_a_word),
        cmocka_unit_test(who_is_taken_over_is_silent_until_he_is_back),
        cmocka_unit_test(who_cannot_be_heard_stays),
        cmocka_unit_test(an_external_solver_plans_the_day),
        cmocka_unit_test(an_external_solver_that_fails_is_survived),
    };
    return cmocka_run_group_tests(tests, read_day, forget_day);
}
