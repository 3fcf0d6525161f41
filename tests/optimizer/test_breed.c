/* Uniform days: the numbers of descent.h are those of a drive told stop by stop, no move is left
 * that it knows, and a population finds the best plan of small days and a good one of a big one. */
#include "optimizer/core/breed.h"
#include "optimizer/solve.h"
#include "random_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MEMORY = 64 << 20, SMALL = 6 };

/* --- uniform days --- */

/* Everybody is like the first, and nobody is asked for by name or skill. */
static void uniform_make(struct random_day *day, uint64_t seed, uint32_t technicians,
                         uint32_t visits)
{
    random_day_make(day, seed, technicians, visits);
    random_plain(day);
    for (uint32_t t = 0; t < technicians; t++) {
        struct technician_told *told = &day->technicians[t];
        told->day = day->technicians[0].day;
        told->day.available_us = US(BASE_S + 6 * 3600);
        told->day.shift_end_us = US(BASE_S + 16 * 3600);
        told->skill_count = 0;
        told->capacity = 4 + (int32_t)(4 * visits / technicians);
    }
    for (uint32_t v = 0; v < visits; v++) {
        struct visit_told *told = &day->visits[v];
        told->skill_count = told->excluded_count = 0;
        told->load = 1 + (int32_t)rng_below(&day->rng, 6);
    }
}

struct room {
    struct workday day;
    struct instance in;
    struct arena memory;
    struct descent descent;
};

static void room_open(struct room *room, const struct random_day *made, const struct travel *travel)
{
    arena_open(&room->memory, MEMORY);
    workday_open(&room->day, travel, SERVICE_DAY);
    tell_all(made, &room->day);
    instance_build(&room->in, &room->day, &room->memory);
    assert_true(descent_suits(&room->in));
    descent_open(&room->descent, &room->in, &room->memory);
}

static void room_close(struct room *room)
{
    workday_close(&room->day);
    arena_close(&room->memory);
}

/* --- a drive, stop by stop --- */

struct drive {
    int64_t travel, warp, load;
};

/* Who comes too late is served when the window closes: so much time is turned back. */
static struct drive drive(const struct instance *in, const uint16_t *visits, uint32_t count)
{
    const struct technician *who = &in->technicians[0];
    struct drive out = {0};
    int64_t time = who->available;
    uint32_t place = who->start;
    if (count == 0) return out;
    for (uint32_t i = 0; i <= count; i++) {
        const struct node *node = i < count ? &in->nodes[visits[i]] : NULL;
        uint32_t next = node != NULL ? node->place : who->end;
        int64_t close = who->latest_end; /* also of a visit that has no window */
        if (node != NULL && node->close < close) close = node->close;
        out.travel += instance_travel(in, place, next);
        time += instance_travel(in, place, next);
        if (node != NULL && time < node->open) time = node->open;
        if (time > close) {
            out.warp += time - close;
            time = close;
        }
        if (node != NULL) {
            time += node->service;
            out.load += node->load;
        }
        place = next;
    }
    return out;
}

static int64_t priced(const struct descent *descent, const struct drive *drive)
{
    int64_t excess = drive->load > descent->capacity ? drive->load - descent->capacity : 0;
    return drive->travel +
           (drive->warp * descent->late_price + excess * descent->load_price) / PRICE_UNIT;
}

static uint32_t route_read(const struct descent *descent, uint32_t route, uint16_t *visits)
{
    uint32_t count = 0, c = descent->cells[descent_start(descent, route)].after;
    for (; c < descent->visits; c = descent->cells[c].after)
        visits[count++] = (uint16_t)c;
    return count;
}

static int64_t route_priced(const struct descent *descent, uint32_t route)
{
    uint16_t visits[DAY_VISITS];
    uint32_t count = route_read(descent, route, visits);
    struct drive told = drive(descent->in, visits, count);
    return priced(descent, &told);
}

static int64_t all_priced(const struct descent *descent)
{
    int64_t sum = 0;
    for (uint32_t r = 0; r < descent->routes; r++)
        sum += route_priced(descent, r);
    return sum;
}

/* Every visit once, and what is said of each route is what its drive comes to. */
static void descent_is_sound(const struct descent *descent)
{
    uint32_t served = 0;
    uint8_t seen[DAY_VISITS] = {0};
    for (uint32_t r = 0; r < descent->routes; r++) {
        uint16_t visits[DAY_VISITS];
        uint32_t count = route_read(descent, r, visits);
        struct drive told = drive(descent->in, visits, count);
        assert_int_equal(descent->tours[r].travel, told.travel);
        assert_int_equal(descent->tours[r].load, told.load);
        if (count > 0) assert_int_equal(descent->tours[r].warp, told.warp);
        assert_int_equal(descent->tours[r].count, count);
        assert_int_equal(descent->tours[r].travel + descent->tours[r].penalty,
                         priced(descent, &told));
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(seen[visits[i]]++, 0);
            assert_int_equal(descent->cells[visits[i]].at, i + 1);
            assert_int_equal(descent->cells[visits[i]].route, r);
        }
        served += count;
    }
    assert_int_equal(served, descent->visits);
}

/* Visits by chance on the routes, in any order. */
static void load_any(struct descent *descent, struct rng *rng)
{
    uint16_t visits[DAY_VISITS], starts[DAY_TECHNICIANS + 1] = {0};
    uint32_t count = descent->visits;
    for (uint32_t v = 0; v < count; v++)
        visits[v] = (uint16_t)v;
    for (uint32_t v = count; v > 1; v--) {
        uint32_t other = rng_below(rng, v);
        uint16_t visit = visits[v - 1];
        visits[v - 1] = visits[other];
        visits[other] = visit;
    }
    for (uint32_t r = 1; r < descent->routes; r++)
        starts[r] = (uint16_t)(starts[r - 1] + rng_below(rng, count - starts[r - 1] + 1));
    starts[descent->routes] = (uint16_t)count;
    descent_load(descent, visits, starts, descent->routes);
}

/* The route's visits but `visit`, which comes behind `near` if that is there. */
static int64_t priced_with(const struct descent *descent, uint32_t route, uint32_t visit,
                           uint32_t near)
{
    uint16_t visits[DAY_VISITS], row[DAY_VISITS + 1];
    uint32_t all = route_read(descent, route, visits), count = 0;
    for (uint32_t i = 0; i < all; i++) {
        if (visits[i] != visit) row[count++] = visits[i];
        if (visits[i] == near) row[count++] = (uint16_t)visit;
    }
    struct drive told = drive(descent->in, row, count);
    return priced(descent, &told);
}

/* No visit costs less behind one that is near it. */
static void no_visit_wants_to_move(const struct descent *descent)
{
    for (uint32_t v = 0; v < descent->visits; v++) {
        uint32_t from = descent->cells[v].route;
        for (uint32_t i = 0; i < descent->near_count; i++) {
            uint32_t near = descent->near[v * descent->near_count + i];
            uint32_t to = descent->cells[near].route;
            int64_t now = route_priced(descent, from), then = priced_with(descent, to, v, near);
            if (to != from) {
                now += route_priced(descent, to);
                then += priced_with(descent, from, v, CELL_NONE);
            }
            assert_true(then >= now);
        }
    }
}

static void numbers_are_those_of_a_drive(void **state)
{
    (void)state;
    static const struct travel *const ways[] = {&travel_straight, &travel_any};
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct random_day made;
        struct room room;
        struct rng rng = {seed};
        uniform_make(&made, seed, 2 + (uint32_t)seed % 5, 2 + (uint32_t)seed % 50);
        room_open(&room, &made, ways[seed % 2]);
        struct descent *descent = &room.descent;
        for (uint32_t again = 0; again < 4; again++) {
            descent->late_price = 1 + (int32_t)rng_below(&rng, 100);
            descent->load_price = 1 + (int32_t)rng_below(&rng, 50000);
            load_any(descent, &rng);
            descent_is_sound(descent);
            int64_t before = all_priced(descent);
            descent_run(descent, &rng);
            descent_is_sound(descent);
            assert_true(all_priced(descent) <= before);
            no_visit_wants_to_move(descent);
        }
        room_close(&room);
    }
}

/* --- the best plan of a small day --- */

struct brute {
    const struct instance *in;
    uint16_t route[SMALL];
    uint8_t used[SMALL];
    int64_t best;
};

static void brute_extend(struct brute *brute, uint32_t count, uint32_t left, uint32_t routes,
                         int64_t cost);

/* A route begins with any visit, the routes in order of their first. */
static void brute_route(struct brute *brute, uint32_t left, uint32_t routes, int64_t cost,
                        uint32_t first)
{
    if (left == 0 && cost < brute->best) brute->best = cost;
    if (left == 0 || routes == 0) return;
    for (uint32_t v = first; v < brute->in->visit_count; v++) {
        if (brute->used[v]) continue;
        uint16_t route[SMALL];
        memcpy(route, brute->route, sizeof route);
        brute->used[v] = 1;
        brute->route[0] = (uint16_t)v;
        brute_extend(brute, 1, left - 1, routes - 1, cost);
        brute->used[v] = 0;
        memcpy(brute->route, route, sizeof route);
    }
}

static void brute_extend(struct brute *brute, uint32_t count, uint32_t left, uint32_t routes,
                         int64_t cost)
{
    struct drive told = drive(brute->in, brute->route, count);
    if (told.warp == 0 && told.load <= brute->in->technicians[0].capacity)
        brute_route(brute, left, routes, cost + told.travel, brute->route[0] + 1u);
    for (uint32_t v = 0; v < brute->in->visit_count; v++) {
        if (brute->used[v]) continue;
        brute->used[v] = 1;
        brute->route[count] = (uint16_t)v;
        brute_extend(brute, count + 1, left - 1, routes, cost);
        brute->used[v] = 0;
    }
}

static void small_days_are_solved(void **state)
{
    (void)state;
    uint32_t solved = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct random_day made;
        struct room room;
        uniform_make(&made, seed, 2 + (uint32_t)seed % 2, SMALL);
        room_open(&room, &made, seed % 3 == 0 ? &travel_any : &travel_straight);
        struct brute brute = {.in = &room.in, .best = INT64_MAX};
        brute_route(&brute, SMALL, room.in.technician_count, 0, 0);
        struct breed *breed = arena_need(&room.memory, sizeof *breed);
        breed_open(breed, &room.in, 1, seed, NULL, &room.memory);
        for (uint32_t round = 0; round < 300; round++)
            (void)breed_round(breed);
        assert_int_equal(breed_least(breed), brute.best);
        solved += brute.best < INT64_MAX;
        room_close(&room);
    }
    assert_true(solved > 40);
}

/* --- routes and plans --- */

static void what_it_gives_holds(void **state)
{
    (void)state;
    struct random_day made;
    struct room room;
    struct plan plan;
    static struct pool pool;
    uint32_t stamp = 0;
    uniform_make(&made, 5, 8, 60);
    room_open(&room, &made, &travel_straight);
    pool_open(&pool, 4096, 16384, &room.memory);
    plan_make(&plan, &room.in, &stamp, &room.memory);
    struct breed *breed = arena_need(&room.memory, sizeof *breed);
    breed_open(breed, &room.in, 6, 1, &pool, &room.memory);
    uint32_t better = 0;
    for (uint32_t round = 0; round < 1000; round++) {
        int64_t before = breed_least(breed);
        if (!breed_round(breed)) {
            assert_int_equal(breed_least(breed), before);
            continue;
        }
        better++;
        assert_true(breed_least(breed) < before);
        breed_give(breed, &plan);
        plan_check(&plan);
        assert_int_equal(plan.cost, breed_least(breed));
        assert_int_equal(plan.unserved_count, 0);
    }
    assert_true(better > 1);
    for (uint32_t c = 0; c < pool.used; c++) {
        int32_t cost = pool.columns[c].cost;
        assert_true(pool_holds(&pool, c));
        pool.columns[c].judged = 0;
        pool_judge(&pool, &room.in);
        assert_true(pool_holds(&pool, c) && pool.columns[c].cost == cost);
    }
    room_close(&room);
}

/* A plan that is taken in is a member: what is found later is never dearer. */
static void a_plan_is_taken_in(void **state)
{
    (void)state;
    struct random_day made;
    struct room room;
    struct plan plan;
    uint32_t stamp = 0;
    uniform_make(&made, 9, 8, 50);
    room_open(&room, &made, &travel_straight);
    plan_make(&plan, &room.in, &stamp, &room.memory);
    struct breed *one = arena_need(&room.memory, sizeof *one);
    struct breed *other = arena_need(&room.memory, sizeof *other);
    breed_open(one, &room.in, 6, 1, NULL, &room.memory);
    breed_open(other, &room.in, 6, 2, NULL, &room.memory);
    breed_take(other, &plan); /* serves nobody */
    assert_int_equal(breed_least(other), INT64_MAX);
    for (uint32_t round = 0; round < 400; round++)
        (void)breed_round(one);
    breed_give(one, &plan);
    breed_take(other, &plan);
    assert_int_equal(breed_least(other), breed_least(one));
    for (uint32_t round = 0; round < 100; round++)
        (void)breed_round(other);
    assert_true(breed_least(other) <= breed_least(one));
    room_close(&room);
}

/* The least that so many rounds come to, from a plan that serves nobody. */
static int64_t searched(struct room *room, bool breed, uint32_t *unserved)
{
    struct plan plan;
    struct search search;
    uint32_t stamp = 0;
    const struct search_options options = {
        .rounds = 4000, .hot_s = 2000, .cold_s = 10, .seed = 3, .breed = breed};
    plan_make(&plan, &room->in, &stamp, &room->memory);
    search_open(&search, &plan, &options, &room->memory);
    assert_int_equal(search.breed != NULL, breed);
    while (search.done < options.rounds)
        (void)search_run(&search, 64);
    plan_check(&search.best);
    *unserved = search.best.unserved_count;
    return search.best.cost;
}

/* Loads that are more than all vehicles carry: the population holds nothing, and ruin and recreate
 * finds nearly what it does alone, with half the work. Where all can be served, all are. */
static void somebody_may_be_left_out(void **state)
{
    (void)state;
    uint32_t left_out = 0, served = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct random_day made;
        struct room room;
        uint32_t with, without;
        uniform_make(&made, seed, 3, 16);
        for (uint32_t t = 0; t < 3; t++)
            made.technicians[t].capacity = 12 + (int32_t)seed;
        room_open(&room, &made, &travel_straight);
        int64_t cost = searched(&room, false, &without);
        int64_t bred = searched(&room, true, &with);
        assert_true(bred * 100 <= cost * 102);
        assert_int_equal(with, without);
        left_out += with > 0;
        served += with == 0;
        room_close(&room);
    }
    assert_true(left_out > 2 && served > 2);
}

/* --- which days --- */

static bool suits(const struct random_day *made)
{
    struct room room;
    arena_open(&room.memory, MEMORY);
    workday_open(&room.day, &travel_straight, SERVICE_DAY);
    tell_all(made, &room.day);
    instance_build(&room.in, &room.day, &room.memory);
    bool suits = descent_suits(&room.in);
    room_close(&room);
    return suits;
}

static void only_uniform_days(void **state)
{
    (void)state;
    struct random_day made;
    uniform_make(&made, 3, 4, 20);
    assert_true(suits(&made));
    made.technicians[2].capacity++;
    assert_false(suits(&made));
    uniform_make(&made, 3, 4, 20);
    made.technicians[3].day.shift_end_us -= US(60);
    assert_false(suits(&made));
    uniform_make(&made, 3, 4, 20);
    made.visits[7].excluded[made.visits[7].excluded_count++] = made.technician_ids[1];
    assert_false(suits(&made));
    uniform_make(&made, 3, 4, 20);
    made.visits[7].skill_count = 1;
    made.visit_skills[7][0] = (struct skill_named){"hvac", 1};
    assert_false(suits(&made));
    uniform_make(&made, 3, 4, 20);
    made.visits[7].visit.window_count = 1; /* over before anybody is there */
    made.visits[7].visit.windows[0] = (struct window){US(BASE_S), US(BASE_S + 3600)};
    assert_false(suits(&made));
    uniform_make(&made, 3, 4, 20);
    for (uint32_t t = 0; t < 4; t++) /* two years */
        made.technicians[t].day.shift_end_us += US(2 * 365 * INT64_C(86400));
    assert_false(suits(&made));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_a_drive), cmocka_unit_test(small_days_are_solved),
        cmocka_unit_test(what_it_gives_holds),          cmocka_unit_test(a_plan_is_taken_in),
        cmocka_unit_test(somebody_may_be_left_out),     cmocka_unit_test(only_uniform_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
