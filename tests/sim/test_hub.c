/* The whole system in one thread: a small day by hand, kills and power cuts at many points of it,
 * failing commits, and the same again from the same seed. */
#include "base/log.h"
#include "sim/world/seeded.h"
#include "site.h"

enum { CUT_STEP = 2 }; /* of writes */

/* --- a day --- */

static void a_held_poll_is_woken_by_the_plan_for_a_new_order(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    site_furnish(&site);
    site_enrol(&site, 0);
    site_snapshot(&site, 0);
    site_poll(&site, 0);
    site_pass(&site, 3 * US_PER_SECOND);
    assert_null(site_poll_line(&site, 0)->reply); /* there is no news: it is held */
    int64_t ordered_us = site_now_us(&site);
    site_order(&site, 1);
    site_order(&site, 2);
    for (int i = 0; i < 5 && site.people[0].told < 1; i++) {
        size_t news = site_polled(&site, 0);
        if (news > 0) break;
        site_poll(&site, 0);
    }
    assert_true(site.people[0].told > 0);
    assert_true(site_now_us(&site) - ordered_us < US_PER_SECOND); /* woken, not expired */
    site_close(&site);
}

static void a_held_poll_without_news_ends_with_its_hold(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    site_furnish(&site);
    site_enrol(&site, 0);
    site_snapshot(&site, 0);
    int64_t asked_us = site_now_us(&site);
    site_poll(&site, 0);
    assert_int_equal(site_polled(&site, 0), 0);
    int64_t held_us = site_now_us(&site) - asked_us;
    assert_true(held_us >= SITE_HELD_MS * INT64_C(1000));
    assert_true(held_us < (SITE_HELD_MS + 1500) * INT64_C(1000));
    site_close(&site);
}

/* Nobody waits for a session that a gateway remembers: neither the poll that is held, nor the next.
 */
static void a_revoked_devices_poll_ends_at_once(void **state)
{
    (void)state;
    struct site site;
    char out[64];
    site_open(&site);
    site_furnish(&site);
    for (uint32_t p = 0; p < 2; p++) {
        site_enrol(&site, p);
        site_snapshot(&site, p);
        site_poll(&site, p);
    }
    site_pass(&site, 3 * US_PER_SECOND);
    const char *const whose[] = {site.people[0].device_id};
    site_admin(&site, "revoke", whose, 1, out, sizeof out);
    int64_t revoked_us = site_now_us(&site);
    assert_int_equal(site_polled(&site, 0), 0);
    assert_true(site_now_us(&site) - revoked_us < 2 * US_PER_SECOND);
    assert_null(site_poll_line(&site, 1)->reply); /* another's is held on */
    Callout__SnapshotRequest request;
    callout__snapshot_request__init(&request);
    assert_int_equal(site_ask_once(site_push_line(&site, 0), site.people[0].session, "Snapshot",
                                   "again", &request.base)
                         ->status,
                     CALLOUT__STATUS__UNAUTH);
    site_close(&site);
}

static void a_day_comes_to_its_end(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    site_live(&site);
    site_check_log(&site);
    assert_int_equal(site.retries, 0);
    for (uint32_t order = 1; order <= SITE_ORDERS; order++) {
        char id[16];
        const char *owner;
        snprintf(id, sizeof id, "W%u.1", order);
        assert_int_equal(core_appointment(hub_core(site.hub), id, &owner), APPOINTMENT_COMPLETED);
    }
    site_close(&site);
}

/* --- searches take their time, events do not wait for them --- */

static struct {
    uint32_t events;
    uint64_t rounds;
} works;

static void note_work(void *context, const struct hub_work *work)
{
    (void)context;
    works.events += (uint32_t)work->done.events;
    works.rounds += work->done.rounds;
}

static void an_event_overtakes_the_search_for_the_one_before(void **state)
{
    (void)state;
    struct site site = {.asked = 0};
    struct hub_options options = site_options(&site);
    options.worked = note_work;
    options.planner.rounds = 2000;
    options.costs.rounds_1000_us = 5 * US_PER_SECOND; /* a search of 10 s */
    site_open_with(&site, &options);
    site_furnish(&site);
    site_order(&site, 1);
    site_wait_for_plan(&site, 1);
    site_pass(&site, 5 * 60 * US_PER_SECOND); /* all searches are done */
    site_order(&site, 2);
    site_pass(&site, US_PER_SECOND); /* in the midst of its search */
    works.events = 0;
    works.rounds = 0;
    int64_t ordered_us = site_now_us(&site);
    site_order(&site, 3);
    site_wait_for_plan(&site, 3);
    assert_int_equal(works.events, 1);
    assert_true(works.rounds > 0 && works.rounds <= 200); /* of the first: at most two chunks */
    assert_true(site_now_us(&site) - ordered_us < 2 * US_PER_SECOND);
    site_close(&site);
}

/* --- faults --- */

static void strike_kill(struct site *site)
{
    hub_kill(site->hub, site->victim);
}

/* A day without faults, for when its requests go out: until one strikes, every day is this one. */
static struct site undisturbed;

static int live_undisturbed(void **state)
{
    (void)state;
    log_open("test_hub", LOG_SILENT);
    site_open(&undisturbed);
    site_live(&undisturbed);
    site_close(&undisturbed);
    return 0;
}

/* After a request went out: it is under way to the dispatcher, in a batch that is committed but not
 * answered, just answered, its event is being repaired, or searched. */
static const int64_t phases_us[] = {1, 1500, 2900, 4000, 9000};
enum { PHASES = sizeof phases_us / sizeof phases_us[0] };

static void kill_everywhere(enum hub_part victim)
{
    uint32_t kills = 0, noticed = 0;
    for (uint32_t i = 0; i < 3 * undisturbed.sent_count; i++) {
        struct site site;
        site_open(&site);
        site.victim = victim;
        site_strike_at(&site, undisturbed.sent_us[i / 3] + phases_us[i % PHASES], strike_kill);
        site_live(&site);
        site_check_log(&site);
        struct hub_counters counters = hub_counters(site.hub);
        kills += counters.kills[victim] == 1;
        noticed += counters.resent > 0;
        site_close(&site);
    }
    print_message("%u kills, %u with questions sent again\n", kills, noticed);
    assert_true(kills > 40);
    assert_true(victim != HUB_DISPATCHER || noticed == kills);
}

static void killing_the_gateway_loses_nothing_and_doubles_nothing(void **state)
{
    (void)state;
    kill_everywhere(HUB_GATEWAY);
}

static void killing_the_dispatcher_loses_nothing_and_doubles_nothing(void **state)
{
    (void)state;
    kill_everywhere(HUB_DISPATCHER);
}

static void killing_the_optimizer_only_delays_a_plan(void **state)
{
    (void)state;
    kill_everywhere(HUB_OPTIMIZER);
}

/* Right after the commit, before its answer has left: the client asks again and must get the stored
 * result. */
static void a_commit_whose_answer_was_lost_is_not_done_again(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    site.victim = HUB_DISPATCHER;
    site_furnish(&site);
    int64_t seq = core_seq(hub_core(site.hub));
    char id[] = "the-order";
    site_post(&site.lines[SITE_KEY_LINE], site_key(&site), "UpsertWorkOrder", id,
              &desk_order(&site.desk, "W1")->base, SITE_RESEND_US);
    while (core_seq(hub_core(site.hub)) == seq)
        site_pass(&site, 100);
    assert_null(site.lines[SITE_KEY_LINE].reply);
    hub_kill(site.hub, HUB_DISPATCHER);
    Callout__Reply *reply = site_await(&site.lines[SITE_KEY_LINE]);
    assert_int_equal(reply->status, CALLOUT__STATUS__OK);
    Callout__MutationReply *done =
        desk_body(&site.desk, reply, &callout__mutation_reply__descriptor);
    assert_true(done->duplicate);
    assert_int_equal(done->log_seq, seq + 1);
    site_close(&site);
}

static void strike_power(struct site *site)
{
    hub_lose_power(site->hub);
}

static void losing_power_between_two_writes_loses_nothing(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < undisturbed.sent_count; i++) {
        struct site site;
        site_open(&site);
        site_strike_at(&site, undisturbed.sent_us[i] + phases_us[i % PHASES], strike_power);
        site_live(&site);
        site_check_log(&site);
        assert_int_equal(hub_counters(site.hub).kills[HUB_DISPATCHER], 1);
        site_close(&site);
    }
}

static void losing_power_in_the_midst_of_a_write_loses_nothing(void **state)
{
    (void)state;
    struct site whole;
    site_open(&whole);
    site_live(&whole);
    uint64_t writes = disk_counters(hub_disk(whole.hub))->writes;
    site_close(&whole);
    uint32_t cuts = 0;
    for (uint64_t n = 2; n < writes; n += CUT_STEP) {
        struct site site;
        site_open(&site);
        disk_cut_power_at(hub_disk(site.hub), n, n % 2 == 0);
        site_live(&site);
        site_check_log(&site);
        cuts += (uint32_t)disk_counters(hub_disk(site.hub))->cuts;
        site_close(&site);
    }
    print_message("%u cuts in %llu writes\n", cuts, (unsigned long long)writes);
    assert_true(cuts > 50);
}

static void a_failed_commit_is_answered_retry(void **state)
{
    (void)state;
    struct site site;
    site_open(&site);
    site_furnish(&site);
    int64_t seq = core_seq(hub_core(site.hub));
    disk_fail_commits(hub_disk(site.hub), 1);
    Callout__Reply *reply =
        site_ask_once(&site.lines[SITE_KEY_LINE], site_key(&site), "UpsertWorkOrder", "w1",
                      &desk_order(&site.desk, "W1")->base);
    assert_int_equal(reply->status, CALLOUT__STATUS__RETRY);
    assert_int_equal(core_seq(hub_core(site.hub)), seq);
    reply = site_ask_once(&site.lines[SITE_KEY_LINE], site_key(&site), "UpsertWorkOrder", "w1",
                          &desk_order(&site.desk, "W1")->base);
    assert_int_equal(reply->status, CALLOUT__STATUS__OK);
    assert_true(core_seq(hub_core(site.hub)) > seq);
    site_close(&site);
}

static void while_the_disk_takes_no_writes_people_can_still_read(void **state)
{
    (void)state;
    struct site site;
    Callout__BoardRequest board;
    callout__board_request__init(&board);
    board.territory_id = words("north");
    board.service_day = DESK_DAY;
    site_open(&site);
    site_furnish(&site);
    disk_refuse_writes(hub_disk(site.hub), true);
    Callout__Reply *reply =
        site_ask_once(&site.lines[SITE_KEY_LINE], site_key(&site), "UpsertWorkOrder", "w1",
                      &desk_order(&site.desk, "W1")->base);
    assert_int_equal(reply->status, CALLOUT__STATUS__RETRY);
    reply = site_ask_once(&site.lines[SITE_KEY_LINE], site_key(&site), "Board", "b", &board.base);
    assert_int_equal(reply->status, CALLOUT__STATUS__OK);
    disk_refuse_writes(hub_disk(site.hub), false);
    site_order(&site, 1);
    site_wait_for_plan(&site, 1);
    site_close(&site);
}

/* --- the disk by itself --- */

static void put(struct store *store, const char *name, enum err expected)
{
    const struct row_meta row = {name, {name, strlen(name)}};
    assert_int_equal(store_put(store, ROW_META, &row), expected);
}

static void check_rows(struct disk *disk, uint64_t expected)
{
    uint64_t count;
    struct store *store = disk_mount(disk);
    assert_int_equal(store_row_count(store, ROW_META, &count), ERR_OK);
    assert_int_equal(count, expected);
    store_close(store);
}

/* A power cut in a commit of two rows that comes after one of one row. */
static void cut_second_commit(struct disk *disk, uint64_t at, bool lands)
{
    struct store *store = disk_mount(disk);
    assert_int_equal(store_begin(store), ERR_OK);
    put(store, "kept", ERR_OK);
    assert_int_equal(store_commit(store), ERR_OK);
    disk_cut_power_at(disk, at, lands);
    assert_int_equal(store_begin(store), ERR_OK);
    put(store, "one", at > 1 ? ERR_OK : ERR_IO);
    put(store, "two", at > 2 ? ERR_OK : ERR_IO);
    assert_int_equal(store_commit(store), ERR_IO);
    assert_false(disk_has_power(disk));
    store_close(store);
    disk_power_back(disk);
}

static void a_disk_keeps_what_was_committed_and_nothing_else(void **state)
{
    (void)state;
    for (uint64_t at = 1; at <= 3; at++) {
        for (int lands = 0; lands <= 1; lands++) {
            struct disk *disk = disk_open();
            cut_second_commit(disk, at, lands);
            check_rows(disk, at == 3 && lands ? 3 : 1);
            disk_close(disk);
        }
    }
}

static void a_batch_that_was_under_way_when_its_store_was_closed_never_was(void **state)
{
    (void)state;
    struct disk *disk = disk_open();
    struct store *store = disk_mount(disk);
    assert_int_equal(store_begin(store), ERR_OK);
    put(store, "gone", ERR_OK);
    store_close(store);
    check_rows(disk, 0);
    disk_close(disk);
}

/* --- the same again --- */

static void live_once(uint64_t seed, struct hub_counters *counters, uint64_t *core)
{
    struct site site = {.asked = 0};
    struct hub_options options = site_options(&site);
    options.planner.seed = seed;
    seeded_begin(seed);
    site_open_with(&site, &options);
    site.victim = HUB_DISPATCHER;
    site_strike_at(&site, SITE_START_US + 2 * US_PER_SECOND, strike_kill);
    site_live(&site);
    *counters = hub_counters(site.hub);
    *core = core_digest(hub_core(site.hub));
    site_close(&site);
    seeded_end();
}

static void the_same_seed_lives_the_same_day(void **state)
{
    (void)state;
    struct hub_counters one, two;
    uint64_t core_one, core_two;
    live_once(1, &one, &core_one);
    live_once(1, &two, &core_two);
    one.dispatcher_cpu_us = two.dispatcher_cpu_us = 0;
    one.optimizer_cpu_us = two.optimizer_cpu_us = 0;
    assert_true(core_one == core_two);
    assert_memory_equal(&one, &two, sizeof one);
    live_once(2, &two, &core_two);
    assert_true(one.digest != two.digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_keeps_what_was_committed_and_nothing_else),
        cmocka_unit_test(a_batch_that_was_under_way_when_its_store_was_closed_never_was),
        cmocka_unit_test(a_held_poll_is_woken_by_the_plan_for_a_new_order),
        cmocka_unit_test(a_held_poll_without_news_ends_with_its_hold),
        cmocka_unit_test(a_revoked_devices_poll_ends_at_once),
        cmocka_unit_test(a_day_comes_to_its_end),
        cmocka_unit_test(an_event_overtakes_the_search_for_the_one_before),
        cmocka_unit_test(killing_the_gateway_loses_nothing_and_doubles_nothing),
        cmocka_unit_test(killing_the_dispatcher_loses_nothing_and_doubles_nothing),
        cmocka_unit_test(killing_the_optimizer_only_delays_a_plan),
        cmocka_unit_test(a_commit_whose_answer_was_lost_is_not_done_again),
        cmocka_unit_test(losing_power_between_two_writes_loses_nothing),
        cmocka_unit_test(losing_power_in_the_midst_of_a_write_loses_nothing),
        cmocka_unit_test(a_failed_commit_is_answered_retry),
        cmocka_unit_test(while_the_disk_takes_no_writes_people_can_still_read),
        cmocka_unit_test(the_same_seed_lives_the_same_day),
    };
    return cmocka_run_group_tests(tests, live_undisturbed, NULL);
}
