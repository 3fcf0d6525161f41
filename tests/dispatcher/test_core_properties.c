/* The core under random facts: several people and days, plans good, stale and garbage, reports of
 * everybody about everything. After each fact its invariants hold (state.h), what was refused left
 * no trace, the rows it asked for say what it knows, and who follows a day by what changed knows
 * the same as who asks for all of it.
 *
 * CALLOUT_SEEDS=FIRST,COUNT runs other seeds than the usual ones. */
#include "random_facts.h"
#include "tests/short.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS = 200 };

/* --- what must hold --- */

/* I1, I4 */
static void check_appointment(const struct world *world, uint32_t index)
{
    const struct core *core = world->core;
    const struct appointment *it = &core->appointments[index];
    HOLDS(world, it->board < core->board_count && it->order < core->order_count);
    HOLDS(world, it->mark == 0);
    HOLDS(world, it->touch_seq <= it->changed_seq && it->changed_seq <= core->seq); /* I3 */
    HOLDS(world, (it->status == APPOINTMENT_UNSCHEDULED) <= (it->shift == NONE));
    HOLDS(world, id_index_find(&core->appointment_ids, it->id) == index);
    uint32_t stands = 0;
    for (uint32_t s = 0; s < core->shift_count; s++) {
        for (uint32_t i = 0; i < core->shifts[s].route_count; i++) {
            if (core->shifts[s].route[i] != index) continue;
            stands++;
            HOLDS(world, it->shift == s);
        }
    }
    HOLDS(world, stands == (it->shift != NONE && life_plannable(it->status)));
    if (life_in_progress(it->status)) HOLDS(world, it->shift != NONE);
    if (it->held) HOLDS(world, it->shift == NONE || !life_plannable(it->status));
    if (it->shift != NONE) HOLDS(world, it->planned_start_us != 0);
}

/* I2: positions and starts ascend along a route, so what is frozen comes first. */
static void check_shift(const struct world *world, uint32_t index)
{
    const struct core *core = world->core;
    const struct shift *shift = &core->shifts[index];
    HOLDS(world, shift->touch_seq <= core->seq);
    HOLDS(world, shift->route_count <= LIMIT_VISITS_PER_ROUTE);
    for (uint32_t i = 0; i < shift->route_count; i++) {
        const struct appointment *it = &core->appointments[shift->route[i]];
        HOLDS(world, it->board == shift->board);
        if (i == 0) continue;
        HOLDS(world, core->appointments[shift->route[i - 1]].position < it->position);
        HOLDS(world,
              core->appointments[shift->route[i - 1]].planned_start_us <= it->planned_start_us);
    }
}

static void check_technician(const struct world *world, uint32_t index)
{
    const struct core *core = world->core;
    uint32_t current = core->technicians[index].current;
    if (current == NONE) return;
    const struct appointment *it = &core->appointments[current];
    HOLDS(world, life_in_progress(it->status));
    HOLDS(world, core->shifts[it->shift].technician == index);
}

/* Each appointment stands in the list of its board, once. */
static void check_boards(const struct world *world)
{
    const struct core *core = world->core;
    uint32_t listed = 0;
    for (uint32_t b = 0; b < core->board_count; b++) {
        const struct board *board = &core->boards[b];
        HOLDS(world, board->revision <= core->seq && board->event_seq <= board->revision);
        for (uint32_t a = board->first_appointment; a != NONE;
             a = core->appointments[a].next_of_board, listed++) {
            HOLDS(world, core->appointments[a].board == b);
            HOLDS(world, core->appointments[a].changed_seq <= board->revision);
            HOLDS(world, listed <= core->appointment_count);
        }
    }
    HOLDS(world, listed == core->appointment_count);
}

static void check_invariants(const struct world *world)
{
    for (uint32_t i = 0; i < world->core->appointment_count; i++)
        check_appointment(world, i);
    for (uint32_t i = 0; i < world->core->shift_count; i++)
        check_shift(world, i);
    for (uint32_t i = 0; i < world->core->technician_count; i++)
        check_technician(world, i);
    check_boards(world);
}

/* An appointment as it was before the step. */
struct glimpse {
    enum appointment_status status;
    uint32_t shift;
    int64_t start_us;
    enum mobility mobility;
    uint32_t place; /* among those that keep their order, from 1; 0: it may go anywhere */
    bool counts;    /* among the day's visits that plans may take from who has them */
};

static void glimpse_all(const struct world *world, struct glimpse *out)
{
    const struct core *core = world->core;
    for (uint32_t i = 0; i < core->appointment_count; i++) {
        const struct appointment *it = &core->appointments[i];
        out[i] = (struct glimpse){it->status,
                                  it->shift,
                                  it->planned_start_us,
                                  appointment_mobility(core, i, world->now_us),
                                  0,
                                  false};
        out[i].counts = it->shift != NONE && !it->changed_hands &&
                        !route_changes(core, it->shift, NULL, NULL, 0).broken &&
                        appointment_serves(core, i, it->shift);
    }
    for (uint32_t s = 0; s < core->shift_count; s++) {
        struct rest rest;
        rest_of_day(core, s, world->now_us, &rest);
        for (uint32_t i = 0; i < rest.pinned_count && rest.keeps_order; i++)
            out[rest.pinned[i]].place = i + 1;
    }
}

/* Delay moved a visit that was frozen out of the freeze: it may go elsewhere now, and must. */
static bool thawed(const struct world *world, const struct shift *shift,
                   const struct glimpse *before)
{
    for (uint32_t i = 0; i < shift->route_count; i++) {
        enum mobility now = appointment_mobility(world->core, shift->route[i], world->now_us);
        if (now == MOBILITY_MOVABLE && before[shift->route[i]].mobility != now) return true;
    }
    return false;
}

/* What was published holds by route.h, as of now. */
static void check_published(const struct world *world, uint32_t shift_index,
                            const struct glimpse *before)
{
    const struct core *core = world->core;
    const struct shift *shift = &core->shifts[shift_index];
    struct rest rest;
    struct route_visit visits[LIMIT_VISITS_PER_ROUTE];
    const struct route_visit *order[LIMIT_VISITS_PER_ROUTE];
    struct route_stop stops[LIMIT_VISITS_PER_ROUTE];
    struct route_times times;
    uint32_t place = 0;
    rest_of_day(core, shift_index, core->now_us, &rest);
    for (uint32_t i = 0; i < shift->route_count; i++) {
        const struct glimpse *was = &before[shift->route[i]];
        HOLDS(world, was->place == 0 || was->place > place);
        if (was->place > 0) place = was->place;
        bool stayed = was->shift == shift_index && was->mobility != MOBILITY_MOVABLE;
        HOLDS(world, stayed || appointment_serves(core, shift->route[i], shift_index));
        visits[i] = rest_visit(core, &rest, shift->route[i], core->now_us);
        order[i] = &visits[i];
    }
    enum route_rule rule =
        route_time(core->travel, &rest.day, order, shift->route_count, stops, &times);
    HOLDS(world, rule == ROUTE_FITS || thawed(world, shift, before));
}

static bool refused_route(const struct acts *acts, const char *technician_id)
{
    for (uint32_t i = 0; i < acts->refusal_count; i++) {
        if (strcmp(acts->refusals[i].technician_id, technician_id) == 0) return true;
    }
    return false;
}

/* A visit that left him for somebody else or for nobody, and one that came from somebody else, is
 * a change: no more than was left, but for an emergency, and that is logged. */
static void check_stability(const struct world *world, const struct acts *acts, uint32_t shift,
                            const struct glimpse *before, uint32_t left)
{
    const struct core *core = world->core;
    uint32_t changes = 0, logged = 0;
    bool emergency = false;
    for (uint32_t a = 0; a < core->appointment_count; a++) {
        bool had = before[a].shift == shift, has = core->appointments[a].shift == shift;
        bool plannable = life_plannable(before[a].status);
        changes += plannable && had != has && before[a].shift != NONE;
        emergency |= has && !had && core->appointments[a].emergency;
    }
    const char *technician_id = core->technicians[core->shifts[shift].technician].id;
    for (uint32_t i = 0; i < acts->count; i++) {
        const struct act *act = &acts->items[i];
        if (act->kind == ACT_PUT && act->row_kind == ROW_STABILITY_OVERRIDE &&
            strcmp(act->row.stability_override.technician_id, technician_id) == 0)
            logged += (uint32_t)act->row.stability_override.changes_beyond;
    }
    HOLDS(world, logged == 0 || emergency);
    HOLDS(world, left == UNLIMITED_CHANGES || changes <= left + logged);
}

/* No more visits of a day change hands than were left, unless an emergency made others go. */
static void check_hands(const struct world *world, const struct glimpse *before, uint32_t left)
{
    const struct core *core = world->core;
    uint32_t changed = 0;
    for (uint32_t a = 0; a < core->appointment_count; a++) {
        const struct appointment *it = &core->appointments[a];
        if (it->emergency && it->shift != NONE && it->shift != before[a].shift) return;
        HOLDS(world, !before[a].counts || it->changed_hands == (it->shift != before[a].shift));
        changed += before[a].counts && it->changed_hands;
    }
    HOLDS(world, changed <= left);
}

static void check_plan(const struct world *world, const struct fact *fact, const struct acts *acts,
                       const struct glimpse *before, const uint32_t *left,
                       const struct hands_left *hands)
{
    const struct core *core = world->core;
    uint32_t board = find_board(core, 0, fact->plan.service_day);
    if (hands->limited) check_hands(world, before, hands->visits);
    HOLDS(world, (uint64_t)core->boards[board].plan_version == acts->plan_version);
    HOLDS(world, acts->routes_applied + acts->refusal_count == fact->plan.route_count);
    for (uint32_t r = 0; r < fact->plan.route_count; r++) {
        const struct fact_route *route = &fact->plan.routes[r];
        if (refused_route(acts, route->technician_id)) continue;
        uint32_t technician = id_index_find(&core->technician_ids, route->technician_id);
        uint32_t shift = find_shift(core, technician, board);
        HOLDS(world, core->shifts[shift].route_count == route->count);
        for (uint32_t i = 0; i < route->count; i++)
            HOLDS(world, strcmp(core->appointments[core->shifts[shift].route[i]].id,
                                route->appointment_ids[i]) == 0);
        check_published(world, shift, before);
        check_stability(world, acts, shift, before, left[shift]);
    }
}

/* --- rows --- */

static void perform(struct world *world, const struct acts *acts)
{
    assert_int_equal(store_begin(world->store), ERR_OK);
    for (uint32_t i = 0; i < acts->count; i++) {
        const struct act *act = &acts->items[i];
        if (act->kind == ACT_PUT)
            assert_int_equal(store_put(world->store, act->row_kind, &act->row), ERR_OK);
        if (act->kind == ACT_ERASE)
            assert_int_equal(store_erase(world->store, act->row_kind, &act->row, act->key_columns),
                             ERR_OK);
    }
    assert_int_equal(store_commit(world->store), ERR_OK);
}

static void check_assignment_row(const struct world *world, const struct appointment *it)
{
    const struct core *core = world->core;
    union row row;
    struct row_assignment key = {.appointment_id = it->id};
    enum err err = store_get(world->store, ROW_ASSIGNMENT, &key, &row);
    HOLDS(world, (err == ERR_OK) == (it->shift != NONE));
    if (err != ERR_OK) return;
    const struct shift *shift = &core->shifts[it->shift];
    HOLDS(world,
          strcmp(row.assignment.technician_id, core->technicians[shift->technician].id) == 0);
    HOLDS(world, row.assignment.planned_start_us == it->planned_start_us);
    HOLDS(world, row.assignment.planned_end_us == it->planned_end_us);
    HOLDS(world, row.assignment.position == it->position);
}

static void check_pin_row(const struct world *world, const struct appointment *it)
{
    union row row;
    enum err err =
        store_get(world->store, ROW_PIN, &(struct row_pin){.appointment_id = it->id}, &row);
    HOLDS(world, (err == ERR_OK) == (it->pin_technician || it->pin_start_us != 0));
    if (err != ERR_OK) return;
    const char *who = it->pin_technician ? world->core->technicians[it->pin_to].id : "";
    HOLDS(world, strcmp(row.pin.technician_id, who) == 0);
    HOLDS(world, row.pin.start_us == it->pin_start_us);
}

static void check_rows(const struct world *world)
{
    const struct core *core = world->core;
    for (uint32_t i = 0; i < core->appointment_count; i++) {
        const struct appointment *it = &core->appointments[i];
        union row row;
        struct row_appointment key = {.appointment_id = it->id};
        HOLDS(world, store_get(world->store, ROW_APPOINTMENT, &key, &row) == ERR_OK);
        HOLDS(world, row.appointment.status == (int64_t)it->status);
        HOLDS(world, row.appointment.late == it->late);
        HOLDS(world, row.appointment.version == it->version);
        HOLDS(world, row.appointment.service_day == core->boards[it->board].service_day);
        check_assignment_row(world, it);
        check_pin_row(world, it);
    }
}

/* Whoever had or has it is told: a change row for each appointment whose technician, start or
 * status is another now. */
static void check_told(const struct world *world, const struct glimpse *before, uint32_t count,
                       const struct acts *acts)
{
    const struct core *core = world->core;
    for (uint32_t i = 0; i < count; i++) {
        const struct appointment *it = &core->appointments[i];
        bool same = before[i].status == it->status && before[i].shift == it->shift &&
                    before[i].start_us == it->planned_start_us;
        if (same || (before[i].shift == NONE && it->shift == NONE)) continue;
        bool told = false;
        for (uint32_t a = 0; a < acts->count && !told; a++) {
            const struct act *act = &acts->items[a];
            told = act->kind == ACT_PUT && act->row_kind == ROW_CHANGE &&
                   strcmp(act->row.change.appointment_id, it->id) == 0;
        }
        HOLDS(world, told);
    }
}

/* --- following --- */

static void hear_technician(void *context, const struct problem_technician *told)
{
    struct follower *follower = context;
    uint32_t index = id_index_find(&follower->core->technician_ids, told->technician_id);
    follower->works[index] = !told->removed;
    memset(&follower->people[index], 0, sizeof follower->people[index]);
    if (!told->removed) follower->people[index] = told->day;
}

static void hear_visit(void *context, const struct problem_visit *told)
{
    struct follower *follower = context;
    const struct core *core = follower->core;
    uint32_t index = id_index_find(&core->appointment_ids, told->appointment_id);
    struct heard *heard = &follower->visits[index];
    memset(heard, 0, sizeof *heard);
    if (told->removed) return;
    heard->there = true;
    heard->emergency = told->emergency;
    heard->published = told->published;
    heard->technician = id_index_find(&core->technician_ids, told->technician_id);
    heard->position = told->position;
    heard->skill_count = told->skill_count;
    heard->excluded_count = told->excluded_count;
    heard->choice_count = told->choice_count;
    heard->required_count = told->required_count;
    heard->preferred_count = told->preferred_count;
    heard->mobility = told->mobility;
    heard->priority = told->priority;
    heard->planned_start_us = told->planned_start_us;
    heard->rules = told->visit;
}

static void hear(struct follower *follower, const struct core *core, const struct problem_key *key,
                 uint64_t have)
{
    const struct problem_sink sink = {follower, hear_technician, hear_visit};
    follower->core = (struct core *)(uintptr_t)core;
    core_problem(core, key->territory_id, key->service_day, have, core->now_us, &sink);
    follower->revision = key->revision;
}

static void check_follower(struct world *world, const struct problem_key *key)
{
    struct follower *known = &world->followers[key->service_day - FIRST_DAY];
    static struct follower fresh;
    if (known->revision == key->revision) return;
    if (known->revision < key->reset_seq) memset(known, 0, sizeof *known);
    hear(known, world->core, key, known->revision);
    memset(&fresh, 0, sizeof fresh);
    hear(&fresh, world->core, key, 0);
    for (uint32_t i = 0; i < world->core->technician_count; i++) {
        HOLDS(world, known->works[i] == fresh.works[i]);
        HOLDS(world, memcmp(&known->people[i], &fresh.people[i], sizeof fresh.people[i]) == 0);
    }
    for (uint32_t i = 0; i < world->core->appointment_count; i++)
        HOLDS(world, memcmp(&known->visits[i], &fresh.visits[i], sizeof fresh.visits[i]) == 0);
}

static void check_followers(struct world *world)
{
    struct problem_key key;
    for (uint32_t i = 0; core_problem_key(world->core, i, &key); i++)
        check_follower(world, &key);
}

/* --- the run --- */

static void world_open(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->rng.state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    world->now_us = FIRST_DAY * DAY_US + 5 * 60 * MINUTE_US;
    arena_open(&world->core_arena, (size_t)1 << 30);
    arena_open(&world->texts, (size_t)64 << 20);
    arena_open(&world->scratch, (size_t)64 << 20);
    world->core = core_open(&world->core_arena, &travel_straight);
    world->store = store_open_mem();
}

static void world_close(struct world *world)
{
    store_close(world->store);
    arena_close(&world->core_arena);
    arena_close(&world->texts);
    arena_close(&world->scratch);
}

static void pass_time(struct world *world)
{
    if (chance(world, 40)) return;
    world->now_us += (int64_t)pick(world, 12) * MINUTE_US;
    if (chance(world, 2)) world->now_us += (int64_t)pick(world, 500) * MINUTE_US;
    int64_t end_us = (FIRST_DAY + DAYS) * DAY_US;
    if (world->now_us > end_us) world->now_us = end_us;
}

static void step(struct world *world)
{
    struct fact fact = {.seq = core_seq(world->core) + 1, .time_us = world->now_us};
    struct acts acts;
    struct problem problem = {{0}, {0}};
    struct glimpse before[ORDERS + 4];
    uint32_t count = world->core->appointment_count;
    arena_rewind(&world->scratch);
    make_fact(world, &fact);
    glimpse_all(world, before);
    uint32_t *left = arena_need(&world->scratch, sizeof *left * (world->core->shift_count + 1));
    for (uint32_t i = 0; i < world->core->shift_count; i++)
        left[i] = changes_left(world->core, i);
    struct hands_left hands = {.limited = false};
    if (fact.kind == FACT_PLAN)
        hands = core_hands_left(world->core, "north", fact.plan.service_day);
    uint64_t digest = core_digest(world->core);
    int64_t seq = core_seq(world->core);
    acts_init(&acts, &world->scratch);
    enum err err = core_step(world->core, &fact, &acts, &problem);
    if (err != ERR_OK) {
        world->refused++;
        HOLDS(world, core_digest(world->core) == digest && core_seq(world->core) == seq);
        HOLDS(world, problem.text[0] != '\0');
        return;
    }
    HOLDS(world, core_seq(world->core) == seq + 1);
    world->told[world->told_count++] = fact;
    check_invariants(world);
    check_told(world, before, count, &acts);
    if (fact.kind == FACT_PLAN) check_plan(world, &fact, &acts, before, left, &hands);
    perform(world, &acts);
    check_rows(world);
}

/* When something is due, a tick at that moment does it: time never waits for nothing. */
static void tick_if_due(struct world *world)
{
    int64_t wake_us = core_next_wake_us(world->core);
    HOLDS(world, wake_us >= core_time_us(world->core));
    if (wake_us > world->now_us) return;
    struct fact fact = {.seq = core_seq(world->core) + 1,
                        .time_us = world->now_us,
                        .kind = FACT_TICK,
                        .role = ROLE_CLOCK,
                        .technician_id = ""};
    fact.tick.territory_id = "";
    struct acts acts;
    struct problem problem;
    uint64_t digest = core_digest(world->core);
    acts_init(&acts, &world->scratch);
    HOLDS(world, world->told_count < STEPS);
    HOLDS(world, core_step(world->core, &fact, &acts, &problem) == ERR_OK);
    HOLDS(world, core_digest(world->core) != digest);
    world->told[world->told_count++] = fact;
    check_invariants(world);
    perform(world, &acts);
    check_rows(world);
}

static void reload(struct world *world)
{
    uint64_t digest = core_digest(world->core);
    struct arena arena;
    arena_open(&arena, (size_t)1 << 30);
    struct core *loaded = core_open(&arena, world->core->travel);
    struct blob image = core_save(world->core, &world->scratch);
    HOLDS(world, core_load(loaded, image) == ERR_OK);
    HOLDS(world, core_digest(loaded) == digest);
    arena_close(&world->core_arena); /* and goes on with what was loaded */
    world->core_arena = arena;
    world->core = loaded;
}

static void replay(struct world *world)
{
    struct arena arena;
    struct store *store = store_open_mem(), *kept = world->store;
    arena_open(&arena, (size_t)1 << 30);
    struct core *core = core_open(&arena, &travel_straight);
    world->store = store;
    for (uint32_t i = 0; i < world->told_count; i++) {
        struct acts acts;
        struct problem problem;
        arena_rewind(&world->scratch);
        acts_init(&acts, &world->scratch);
        HOLDS(world, core_step(core, &world->told[i], &acts, &problem) == ERR_OK);
        perform(world, &acts);
    }
    uint64_t then = 0, now = 0;
    HOLDS(world, core_digest(core) == core_digest(world->core));
    assert_int_equal(store_digest(store, &now), ERR_OK);
    assert_int_equal(store_digest(kept, &then), ERR_OK);
    HOLDS(world, then == now);
    world->store = kept;
    store_close(store);
    arena_close(&arena);
}

static void run_seed(uint64_t seed, uint32_t *applied, uint32_t *refused)
{
    struct world *world = malloc(sizeof *world);
    assert_non_null(world);
    world_open(world, seed);
    for (; world->step < STEPS && world->told_count < STEPS - 1; world->step++) {
        pass_time(world);
        step(world);
        if (chance(world, 60)) tick_if_due(world);
        if (chance(world, 1)) reload(world);
        if (chance(world, 40)) check_followers(world);
    }
    replay(world);
    *applied += world->told_count;
    *refused += world->refused;
    world_close(world);
    free(world);
}

static void random_facts_leave_the_core_in_order(void **state)
{
    (void)state;
    uint64_t first = 1, count = short_form() ? SEEDS / 2 : SEEDS;
    const char *wanted = getenv("CALLOUT_SEEDS");
    if (wanted != NULL) {
        char *end;
        first = strtoull(wanted, &end, 10);
        count = *end == ',' ? strtoull(end + 1, NULL, 10) : 1;
    }
    uint32_t applied = 0, refused = 0;
    for (uint64_t seed = first; seed < first + count; seed++)
        run_seed(seed, &applied, &refused);
    print_message("%u facts applied, %u refused\n", applied, refused);
    assert_true(wanted != NULL || (applied > 10000 && refused > 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_facts_leave_the_core_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
