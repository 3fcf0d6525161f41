#include "sim/live.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "sim/board.h"
#include "sim/feed.h"
#include "sim/handover.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_MS = 100,
    DRAW_TICKS = 2,    /* the board: five times a second */
    TALLY_TICKS = 10,  /* the counts: once a second */
    LINE_TICKS = 20,   /* without a terminal: every two seconds */
    ANSWER_MS = 20000, /* the first word of the system */
    DRAIN_MS = 30000,  /* the outboxes at the end */
};

struct live {
    const struct live_options *options;
    struct client_loop *loop;
    struct api *asks, *feeds; /* one for questions and customers, one for the held feed */
    struct feed feed;
    struct fleet *fleet;
    struct handover *handover; /* NULL: nobody can be taken over */
    struct customers *customers;
    struct watch *watch;
    struct tally tally;
    struct client_timer tick;
    unsigned ticks;
    bool lives, draining, interrupted, day_over, system_died;
    int64_t drain_until_us;
};

static volatile sig_atomic_t end_asked;

static void on_end_signal(int signal)
{
    (void)signal;
    end_asked = 1;
}

/* --- the pulse ------------------------------------------------------------------------------- */

static void show(struct live *live)
{
    enum live_show how = live->options->show;
    if (how == LIVE_QUIET || !live->tally.known) return;
    struct board_view view = {.day = live->options->day,
                              .fleet = live->fleet,
                              .tally = &live->tally.count,
                              .watch = live->watch,
                              .now_us = api_domain_us(live->asks),
                              .rate = api_rate(live->asks),
                              .hint = live->options->hint};
    if (how == LIVE_BOARD && live->ticks % DRAW_TICKS == 0) board_draw(&view);
    if (how == LIVE_LINES && live->ticks % LINE_TICKS == 0) board_line(&view);
}

/* Those whom somebody else has, and whose shift is over. */
static size_t taken_and_over(const struct live *live)
{
    size_t count = 0;
    for (size_t i = 0; i < fleet_size(live->fleet); i++)
        count += person_doing(fleet_person(live->fleet, i)) == PERSON_TAKEN &&
                 api_domain_us(live->asks) >= live->options->day->technicians[i].shift_end_us;
    return count;
}

/* Everybody is home or ill, and nobody will call any more. */
static bool day_is_over(const struct live *live)
{
    struct fleet_count count = fleet_count(live->fleet);
    size_t at_home = count.doing[PERSON_GONE] + count.doing[PERSON_ABSENT] + taken_and_over(live);
    return at_home == fleet_size(live->fleet) && customers_count(live->customers).to_come == 0;
}

static void begin_drain(struct live *live)
{
    live->draining = true;
    live->drain_until_us = clock_mono_us() + DRAIN_MS * INT64_C(1000);
    if (live->handover != NULL) handover_end(live->handover);
    fleet_end_day(live->fleet);
}

static bool drained(const struct live *live)
{
    struct fleet_count count = fleet_count(live->fleet);
    return count.unsent == 0 && count.live + count.doing[PERSON_TAKEN] >= fleet_size(live->fleet) &&
           api_waiting(live->asks) == 0;
}

static void on_tick(void *context)
{
    struct live *live = context;
    live->ticks++;
    watch_join(live->watch, client_loop_now_us(live->loop));
    if (live->handover != NULL) handover_serve(live->handover);
    if (live->ticks % TALLY_TICKS == 0) tally_read(&live->tally);
    show(live);
    if (end_asked) live->interrupted = true;
    if (system_died(live->options->system)) live->system_died = true;
    if (!live->draining) {
        live->day_over = day_is_over(live);
        bool time_over = clock_mono_us() >= live->options->until_mono_us;
        if (live->interrupted || live->day_over || time_over) begin_drain(live);
    }
    bool done = live->draining && (drained(live) || clock_mono_us() >= live->drain_until_us);
    if (done || live->system_died)
        client_loop_stop(live->loop);
    else
        client_timer_set(live->loop, &live->tick, clock_mono_us() + TICK_MS * INT64_C(1000));
}

/* --- the run --------------------------------------------------------------------------------- */

static enum err open_apis(struct live *live, struct problem *problem)
{
    struct api_options options = {.url = live->options->system->gateway,
                                  .ca_file = live->options->ca_file,
                                  .key = live->options->system->key,
                                  .app_build = "callout sim"};
    enum err err = api_open(&live->asks, live->loop, &options, problem);
    options.held = true;
    if (err == ERR_OK) err = api_open(&live->feeds, live->loop, &options, problem);
    return err;
}

/* Asks the board and waits for it; then the clock and the place in the log are known. */
static enum err read_tally(struct live *live, struct problem *problem)
{
    int64_t until_us = clock_mono_us() + ANSWER_MS * INT64_C(1000);
    live->tally.known = false;
    tally_read(&live->tally);
    while (live->tally.reading && clock_mono_us() < until_us)
        client_loop_run(live->loop, clock_mono_us() + TICK_MS * INT64_C(1000));
    if (live->tally.known) return ERR_OK;
    if (live->tally.err != ERR_OK)
        return problem_set(problem, live->tally.err, "Board", "%s", live->tally.problem);
    return problem_set(problem, ERR_IO, live->options->system->gateway, "no answer");
}

static enum err open_people(struct live *live, struct problem *problem)
{
    const struct live_options *options = live->options;
    struct fleet_options fleet = {.day = options->day,
                                  .url = options->system->gateway,
                                  .ca_file = options->ca_file,
                                  .folder = options->folder,
                                  .tokens = options->tokens,
                                  .habits = options->habits,
                                  .seed = options->seed,
                                  .ill = options->ill,
                                  .watch = live->watch};
    enum err err = fleet_open(&live->fleet, live->loop, &fleet, problem);
    if (err != ERR_OK) return err;
    int64_t known_at_us = options->known_at_us;
    struct customers_options customers = {
        .day = options->day,
        .api = live->asks,
        .territory_id = options->territory_id,
        .known_at_us = known_at_us != 0 ? known_at_us : api_domain_us(live->asks),
        .emergencies = options->emergencies,
        .cancels = options->cancels,
        .seed = options->seed};
    live->customers = customers_open(live->loop, &customers);
    return ERR_OK;
}

/* A folder that cannot be written costs the handover, and nothing else. */
static enum err open_handover(struct live *live, struct problem *problem)
{
    const struct live_options *options = live->options;
    struct handover_options handover = {options->control, live->fleet, options->day,
                                        options->folder};
    if (options->control == NULL) return ERR_OK;
    enum err err = handover_open(&live->handover, &handover, problem);
    if (err != ERR_IO) return err;
    log_warn("nobody can be taken over: %s: %s", problem->field, problem->text);
    return ERR_OK;
}

static void summarize(struct live *live, int64_t began_mono_us, struct live_summary *summary)
{
    struct problem problem;
    watch_join(live->watch, INT64_MAX);
    if (!live->system_died && read_tally(live, &problem) != ERR_OK)
        log_error("%s: %s", problem.field, problem.text);
    summary->fleet = fleet_count(live->fleet);
    summary->customers = customers_count(live->customers);
    summary->tally = live->tally.count;
    summary->totals = watch_totals(live->watch);
    summary->technicians = fleet_size(live->fleet);
    summary->handovers = live->handover == NULL ? 0 : handover_count(live->handover);
    summary->seconds = (double)(clock_mono_us() - began_mono_us) / US_PER_SECOND;
    summary->end_us = api_domain_us(live->asks);
    summary->rate = api_rate(live->asks);
    summary->interrupted = live->interrupted;
    summary->day_over = live->day_over;
    summary->system_died = live->system_died;
    summary->drained = summary->fleet.unsent == 0;
}

static enum err run(struct live *live, struct live_summary *summary, struct problem *problem)
{
    int64_t began_mono_us = clock_mono_us();
    enum err err = open_apis(live, problem);
    live->tally.api = live->asks;
    if (err == ERR_OK) err = read_tally(live, problem);
    if (err != ERR_OK) return err;
    summary->begin_us = api_domain_us(live->asks);
    live->feed = (struct feed){live->feeds, live->watch, live->tally.count.log_seq};
    feed_follow(&live->feed);
    err = open_people(live, problem);
    if (err == ERR_OK) err = open_handover(live, problem);
    if (err != ERR_OK) return err;
    if (live->options->show == LIVE_BOARD) board_open();
    on_tick(live);
    client_loop_run(live->loop, INT64_MAX);
    client_timer_cancel(live->loop, &live->tick);
    if (live->options->show == LIVE_BOARD) board_close();
    summarize(live, began_mono_us, summary);
    return ERR_OK;
}

void live_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_end_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

enum err live_run(struct live **out, const struct live_options *options,
                  struct live_summary *summary, struct problem *problem)
{
    struct live *live = calloc(1, sizeof *live);
    CHECK(live != NULL);
    *summary = (struct live_summary){0};
    live->options = options;
    live->tally = (struct tally){.territory_id = options->territory_id,
                                 .service_day = options->day->service_day};
    live->tick = (struct client_timer){.fire = on_tick, .context = live};
    live->watch = watch_open();
    enum err err = client_loop_open(&live->loop);
    if (err == ERR_OK) err = run(live, summary, problem);
    if (err == ERR_OK)
        *out = live;
    else
        live_close(live);
    return err;
}

void live_close(struct live *live)
{
    if (live == NULL) return;
    customers_close(live->customers);
    handover_close(live->handover);
    fleet_close(live->fleet);
    api_close(live->asks);
    api_close(live->feeds);
    client_loop_close(live->loop);
    watch_close(live->watch);
    free(live);
}
