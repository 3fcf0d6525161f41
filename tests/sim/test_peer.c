/* An external solver in the optimizer's place: whatever it answers, the plan holds every rule. */
#include "sim/peer/peer.h"
#include "sim/peer/peer_words.h"

#include "tests/optimizer/audited.h"
#include "tests/optimizer/random_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEEDS = 150, ROUNDS = 200, TEXT_MAX = 1 << 16 };

/* --- a day that is under way: some of it is frozen, some pinned ------------------------------- */

struct day_under_way {
    struct random_day made;
    struct solver solver;
};

static uint32_t made_visit(const struct solver *solver, uint32_t rank)
{
    return number_of(solver->day.visits[solver->in.nodes[rank].slot].id);
}

/* The solver's plan is what the dispatcher has; what starts soon is frozen. */
static void publish(struct random_day *made, const struct solver *solver, int64_t frozen_until_s)
{
    for (uint32_t t = 0; t < solver->in.technician_count; t++) {
        const struct route *route = &solver->plan.routes[t];
        uint32_t who = number_of(solver->day.technicians[solver->in.technicians[t].slot].id);
        int32_t starts[ROUTE_MAX];
        if (route->count > 0) route_starts(&solver->in, t, route, starts);
        for (uint32_t i = 0; i < route->count; i++) {
            struct visit_told *told = &made->visits[made_visit(solver, route->stops[i + 1].visit)];
            told->technician_id = made->technician_ids[who];
            told->planned_start_us = US(BASE_S + starts[i]);
            told->position = i;
            told->published = true;
            if (told->planned_start_us < US(frozen_until_s)) {
                told->mobility = VISIT_FROZEN;
                told->visit.not_before_us = told->planned_start_us;
            } else if (rng_below(&made->rng, 5) == 0) {
                told->mobility = VISIT_PINNED;
            }
        }
    }
}

static void day_open(struct day_under_way *day, uint64_t seed)
{
    struct solver before;
    random_day_make(&day->made, seed * 7919, 6, 40);
    if (seed % 3 == 0) random_rules(&day->made);
    solver_open(&before, &travel_straight, SERVICE_DAY);
    tell_all(&day->made, &before.day);
    solver_fresh(&before, ROUNDS, seed);
    int64_t frozen_until_s = BASE_S + 8 * 3600 + rng_below(&day->made.rng, 3 * 3600);
    publish(&day->made, &before, frozen_until_s);
    solver_close(&before);
    solver_open(&day->solver, &travel_straight, SERVICE_DAY);
    tell_all(&day->made, &day->solver.day);
    workday_set_time(&day->solver.day, US(frozen_until_s - 1800), US(frozen_until_s),
                     &day->made.policy);
    solver_begin(&day->solver);
}

/* --- answers ---------------------------------------------------------------------------------- */

struct text {
    char bytes[TEXT_MAX];
    size_t size;
};

static void say(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct text *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(text->bytes + text->size, TEXT_MAX - text->size, format, list);
    va_end(list);
    assert_true(length >= 0 && (size_t)length < TEXT_MAX - text->size);
    text->size += (size_t)length;
}

static void say_routes(struct text *text, const struct instance *in, const uint16_t *owner_order,
                       const uint32_t *starts)
{
    say(text, "{\"code\":0,\"routes\":[");
    for (uint32_t t = 0; t < in->technician_count; t++) {
        say(text, "%s{\"vehicle\":%u,\"steps\":[{\"type\":\"start\"}", t == 0 ? "" : ",", t);
        for (uint32_t i = starts[t]; i < starts[t + 1]; i++)
            say(text, ",{\"type\":\"job\",\"id\":%u,\"arrival\":0}", owner_order[i]);
        say(text, "]}");
    }
    say(text, "],\"unassigned\":[]}");
}

/* The plan itself, without what is frozen. */
static void say_plan(struct text *text, const struct plan *plan)
{
    uint16_t order[DAY_VISITS];
    uint32_t starts[DAY_TECHNICIANS + 1] = {0}, count = 0;
    for (uint32_t t = 0; t < plan->in->technician_count; t++) {
        for (uint32_t i = plan->in->technicians[t].frozen; i < plan->routes[t].count; i++)
            order[count++] = plan->routes[t].stops[i + 1].visit;
        starts[t + 1] = count;
    }
    say_routes(text, plan->in, order, starts);
}

/* Anybody serves anybody, in any order. */
static void say_anything(struct text *text, const struct instance *in, struct rng *rng)
{
    uint16_t order[DAY_VISITS];
    uint32_t starts[DAY_TECHNICIANS + 1] = {0}, count = 0;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        if (in->nodes[v].frozen || rng_below(rng, 6) == 0) continue;
        uint32_t at = rng_below(rng, count + 1);
        order[count] = order[at];
        order[at] = (uint16_t)v;
        count++;
    }
    for (uint32_t t = 0; t < in->technician_count; t++)
        starts[t + 1] = count * (t + 1) / in->technician_count;
    say_routes(text, in, order, starts);
}

static enum err hear(struct day_under_way *day, const struct text *text, uint32_t *left_out,
                     struct problem *problem)
{
    struct arena memory;
    struct plan plan;
    arena_open(&memory, (size_t)64 << 20);
    plan_make(&plan, &day->solver.in, &day->solver.stamp, &memory);
    plan_copy(&plan, &day->solver.plan);
    enum err err = peer_words_read(text->bytes, text->size, &plan, &memory, left_out, problem);
    if (err == ERR_OK) {
        assert_true(plan_keeps_pins(&plan, &day->solver.plan));
        plan_copy(&day->solver.plan, &plan);
    }
    arena_close(&memory);
    return err;
}

static void expect_all_rules(const struct day_under_way *day)
{
    static struct audited audited;
    const struct workday *told = &day->solver.day;
    const struct audit_problem problem = {.travel = &travel_straight,
                                          .now_us = told->now_us,
                                          .frozen_until_us = told->frozen_until_us,
                                          .policy = &told->policy,
                                          .technicians = day->made.technicians,
                                          .technician_count = day->made.technician_count,
                                          .visits = day->made.visits,
                                          .visit_count = day->made.visit_count,
                                          .zero_us = US(BASE_S)};
    plan_check(&day->solver.plan);
    audited_open(&audited, &problem);
    audited_plan(&audited, &day->solver);
    assert_true(audited_clean(&audited, &day->solver));
    audited_close(&audited);
}

/* --- the tests -------------------------------------------------------------------------------- */

static void an_answer_that_is_our_own_plan_changes_nothing(void **state)
{
    static struct text text;
    uint32_t served = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct day_under_way day;
        struct problem problem;
        uint32_t left_out = 0;
        day_open(&day, seed);
        int64_t cost = day.solver.plan.cost;
        text.size = 0;
        say_plan(&text, &day.solver.plan);
        assert_int_equal(hear(&day, &text, &left_out, &problem), ERR_OK);
        assert_int_equal(left_out, 0);
        assert_int_equal(day.solver.plan.cost, cost);
        served += day.solver.in.visit_count - day.solver.plan.unserved_count;
        solver_close(&day.solver);
    }
    assert_true(served > SEEDS * 10);
}

static void any_answer_becomes_a_plan_that_holds(void **state)
{
    static struct text text;
    uint32_t left_out_all = 0, served = 0, frozen = 0, pinned = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct day_under_way day;
        struct problem problem = {"", ""};
        uint32_t left_out = 0;
        day_open(&day, seed);
        text.size = 0;
        say_anything(&text, &day.solver.in, &day.made.rng);
        if (hear(&day, &text, &left_out, &problem) != ERR_OK) fail_msg("%s", problem.text);
        expect_all_rules(&day);
        for (uint32_t v = 0; v < day.solver.in.visit_count; v++) {
            frozen += day.solver.in.nodes[v].frozen;
            pinned += day.solver.in.nodes[v].pinned != NO_INDEX;
        }
        left_out_all += left_out;
        served += day.solver.in.visit_count - day.solver.plan.unserved_count;
        solver_close(&day.solver);
    }
    assert_true(left_out_all > SEEDS && served > SEEDS * 5 && frozen > SEEDS && pinned > SEEDS);
}

static void what_is_no_answer_is_refused_by_place(void **state)
{
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"", "line"},
        {"{\"routes\":3}", "routes"},
        {"{\"routes\":[{\"vehicle\":99,\"steps\":[]}]}", "routes[0].vehicle 99"},
        {"{\"routes\":[{\"vehicle\":0,\"steps\":[]},{\"vehicle\":0,\"steps\":[]}]}",
         "routes[1].vehicle 0"},
        {"{\"routes\":[{\"vehicle\":0,\"steps\":[{\"type\":\"job\",\"id\":4000,\"arrival\":1}]}]}",
         "routes[0].job 4000"},
        {"{\"routes\":[{\"vehicle\":0,\"steps\":[{\"type\":\"job\",\"id\":-1,\"arrival\":1}]}]}",
         "routes[0].job -1"},
        {"{\"routes\":[{\"vehicle\":0,\"steps\":[{\"type\":\"pickup\",\"id\":1,\"arrival\":1}]}]}",
         "routes[0].stops[0].type"},
    };
    static struct day_under_way day;
    (void)state;
    day_open(&day, 4);
    int64_t cost = day.solver.plan.cost;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct text text;
        struct problem problem = {"", ""};
        uint32_t left_out;
        text.size = 0;
        say(&text, "%s", cases[i].text);
        assert_int_equal(hear(&day, &text, &left_out, &problem), ERR_INVALID);
        assert_non_null(strstr(problem.field, cases[i].field));
        assert_int_equal(day.solver.plan.cost, cost);
    }
    solver_close(&day.solver);
}

static enum peer_end ask(const char *command, double seconds_max, struct day_under_way *day)
{
    struct problem problem = {"", ""};
    const struct peer_options options = {command, seconds_max};
    struct peer *peer = peer_open(&options);
    int64_t cost = day->solver.plan.cost;
    enum peer_end end = peer_solve(peer, &day->solver, &problem);
    assert_int_equal(peer_report(peer)->ends[end], 1);
    assert_int_equal(end == PEER_ANSWERED, peer_report(peer)->last_failure[0] == '\0');
    if (end != PEER_ANSWERED) assert_int_equal(day->solver.plan.cost, cost);
    expect_all_rules(day);
    peer_close(peer);
    return end;
}

static void programs_answer_hang_die_and_babble(void **state)
{
    static struct day_under_way day;
    (void)state;
    day_open(&day, 8);
    assert_int_equal(ask(CALLOUT_GREEDY_SOLVER, 60, &day), PEER_ANSWERED);
    assert_true(day.solver.plan.unserved_count < day.solver.in.visit_count / 2);
    assert_int_equal(
        ask(CALLOUT_BINARY " solve /dev/stdin --format vroom --json --work 100", 60, &day),
        PEER_ANSWERED);
    assert_int_equal(ask("cat >/dev/null & sleep 1000", 0.2, &day), PEER_HUNG);
    assert_int_equal(ask("exec >&-; sleep 1000", 0.2, &day), PEER_HUNG);
    assert_int_equal(ask("exit 3", 60, &day), PEER_DIED);
    assert_int_equal(ask("kill -SEGV $$", 60, &day), PEER_DIED);
    assert_int_equal(ask("/nowhere/at/all 2>/dev/null", 60, &day), PEER_DIED);
    assert_int_equal(ask("yes", 60, &day), PEER_NONSENSE);
    assert_int_equal(ask("echo '{\"routes\":[1]}'", 60, &day), PEER_NONSENSE);
    solver_close(&day.solver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_is_our_own_plan_changes_nothing),
        cmocka_unit_test(any_answer_becomes_a_plan_that_holds),
        cmocka_unit_test(what_is_no_answer_is_refused_by_place),
        cmocka_unit_test(programs_answer_hang_die_and_babble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
