/* The life of an appointment against a matrix written from the life-cycle table of the field, not
 * from the code: every state to every state, for every role. */
#include "dispatcher/core/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { FIRST = APPOINTMENT_UNSCHEDULED, LAST = APPOINTMENT_CANCELLED, STATES = LAST - FIRST + 1 };

/* Who may take an appointment from the row's state to the column's: T technician, D dispatcher,
 * O optimizer, K clock (time-outs, the next visit's turn, a new day), C customer and integrator. */
static const char *const expected[STATES][STATES] = {
    /* to:            UNSCHED SCHED DISP  ACC   ROUTE SITE  WORK  PAUSE DONE  INCPL NOACC CANCEL */
    /* unscheduled */ {"", "DO", "", "", "", "", "", "", "", "", "", "DC"},
    /* scheduled   */ {"DOK", "", "DK", "", "", "", "", "", "", "", "", "DC"},
    /* dispatched  */ {"TDK", "D", "", "TD", "", "", "", "", "", "", "", "DC"},
    /* accepted    */ {"TDK", "D", "", "", "T", "", "", "", "", "", "", "DC"},
    /* en route    */ {"TD", "", "", "", "", "T", "", "", "", "T", "T", "DC"},
    /* on site     */ {"", "", "", "", "", "", "T", "", "", "T", "T", "DC"},
    /* working     */ {"", "", "", "", "", "", "", "T", "T", "T", "T", ""},
    /* paused      */ {"", "", "", "", "", "", "T", "", "T", "T", "T", "DC"},
    /* completed   */ {"", "", "", "", "", "", "", "", "", "", "", ""},
    /* incomplete  */ {"", "", "", "", "", "", "", "", "", "", "", ""},
    /* no access   */ {"", "", "", "", "", "", "", "", "", "", "", ""},
    /* cancelled   */ {"", "", "", "", "", "", "", "", "", "", "", ""},
};

static const struct role {
    enum actor_role role;
    char letter;
} roles[] = {
    {ROLE_TECHNICIAN, 'T'}, {ROLE_DISPATCHER, 'D'}, {ROLE_OPTIMIZER, 'O'},
    {ROLE_CLOCK, 'K'},      {ROLE_CUSTOMER, 'C'},   {ROLE_INTEGRATOR, 'C'},
};
enum { ROLES = sizeof roles / sizeof roles[0] };

static enum appointment_status status_of(int index)
{
    return (enum appointment_status)(FIRST + index);
}

static void every_state_to_every_state_for_every_role(void **state)
{
    (void)state;
    for (int from = 0; from < STATES; from++) {
        for (int to = 0; to < STATES; to++) {
            for (int r = 0; r < ROLES; r++) {
                bool want = strchr(expected[from][to], roles[r].letter) != NULL;
                bool is = life_allows(status_of(from), status_of(to), roles[r].role);
                if (want == is) continue;
                fail_msg("%s to %s by %c: %s", appointment_status_name(status_of(from)),
                         appointment_status_name(status_of(to)), roles[r].letter,
                         is ? "allowed" : "refused");
            }
        }
    }
}

static void nobody_and_nothing_are_refused(void **state)
{
    (void)state;
    for (int from = 0; from < STATES; from++) {
        for (int to = 0; to < STATES; to++)
            assert_false(life_allows(status_of(from), status_of(to), ROLE_NONE));
        for (int r = 0; r < ROLES; r++) {
            assert_false(life_allows(APPOINTMENT_NONE, status_of(from), roles[r].role));
            assert_false(life_allows(status_of(from), APPOINTMENT_NONE, roles[r].role));
        }
    }
}

/* What people are shown names exactly what is allowed, in the words of the states. */
static void the_targets_that_people_are_shown_are_the_allowed_ones(void **state)
{
    (void)state;
    char text[128];
    for (int from = 0; from < STATES; from++) {
        for (int r = 0; r < ROLES; r++) {
            uint32_t count = 0;
            (void)life_targets(status_of(from), roles[r].role, text, sizeof text);
            for (int to = 0; to < STATES; to++) {
                bool allowed = strchr(expected[from][to], roles[r].letter) != NULL;
                count += allowed;
                if (allowed) assert_non_null(strstr(text, appointment_status_name(status_of(to))));
            }
            assert_int_equal(life_targets(status_of(from), roles[r].role, text, sizeof text),
                             count);
        }
    }
    assert_int_equal(life_targets(APPOINTMENT_DISPATCHED, ROLE_DISPATCHER, text, sizeof text), 4);
    assert_string_equal(text, "accepted, unscheduled, scheduled, cancelled");
}

static void targets_that_do_not_fit_are_left_out_whole(void **state)
{
    (void)state;
    char text[16];
    uint32_t count = life_targets(APPOINTMENT_DISPATCHED, ROLE_DISPATCHER, text, sizeof text);
    assert_int_equal(count, 1);
    assert_string_equal(text, "accepted");
}

static void states_are_plannable_then_in_progress_then_final(void **state)
{
    (void)state;
    for (int s = 0; s < STATES; s++) {
        enum appointment_status status = status_of(s);
        int kinds = life_plannable(status) + life_in_progress(status) + life_final(status);
        assert_int_equal(kinds, 1);
        assert_int_equal(life_plannable(status), status <= APPOINTMENT_ACCEPTED);
        assert_int_equal(life_final(status), status >= APPOINTMENT_COMPLETED);
    }
    assert_false(life_plannable(APPOINTMENT_NONE));
}

struct story {
    enum appointment_status from, to;
    uint32_t count;
    enum appointment_status path[6];
};

static void what_a_report_skips_is_inferred(void **state)
{
    (void)state;
    static const struct story stories[] = {
        {APPOINTMENT_SCHEDULED, APPOINTMENT_ACCEPTED, 1, {APPOINTMENT_DISPATCHED}},
        {APPOINTMENT_DISPATCHED, APPOINTMENT_ACCEPTED, 0, {0}},
        {APPOINTMENT_DISPATCHED, APPOINTMENT_EN_ROUTE, 1, {APPOINTMENT_ACCEPTED}},
        {APPOINTMENT_ACCEPTED, APPOINTMENT_WORKING, 2, {APPOINTMENT_EN_ROUTE, APPOINTMENT_ON_SITE}},
        {APPOINTMENT_SCHEDULED,
         APPOINTMENT_COMPLETED,
         5,
         {APPOINTMENT_DISPATCHED, APPOINTMENT_ACCEPTED, APPOINTMENT_EN_ROUTE, APPOINTMENT_ON_SITE,
          APPOINTMENT_WORKING}},
        {APPOINTMENT_EN_ROUTE, APPOINTMENT_PAUSED, 2, {APPOINTMENT_ON_SITE, APPOINTMENT_WORKING}},
        {APPOINTMENT_ACCEPTED, APPOINTMENT_NO_ACCESS, 1, {APPOINTMENT_EN_ROUTE}},
        {APPOINTMENT_ON_SITE, APPOINTMENT_NO_ACCESS, 0, {0}},
        {APPOINTMENT_PAUSED, APPOINTMENT_WORKING, 0, {0}},
        {APPOINTMENT_PAUSED, APPOINTMENT_COMPLETED, 0, {0}},
        {APPOINTMENT_WORKING, APPOINTMENT_INCOMPLETE, 0, {0}},
        {APPOINTMENT_WORKING, APPOINTMENT_ON_SITE, 0, {0}},
        {APPOINTMENT_COMPLETED, APPOINTMENT_INCOMPLETE, 0, {0}},
    };
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        const struct story *it = &stories[i];
        enum appointment_status path[APPOINTMENT_STATUSES];
        assert_int_equal(life_inferred(it->from, it->to, path), it->count);
        for (uint32_t k = 0; k < it->count; k++)
            assert_int_equal(path[k], it->path[k]);
    }
}

/* Whatever a technician reports, what is inferred plus the report is a walk through the table. */
static void every_inferred_path_is_a_walk_that_the_table_knows(void **state)
{
    (void)state;
    for (int from = APPOINTMENT_SCHEDULED; from <= APPOINTMENT_PAUSED; from++) {
        for (int to = APPOINTMENT_ACCEPTED; to <= APPOINTMENT_NO_ACCESS; to++) {
            enum appointment_status path[APPOINTMENT_STATUSES];
            if (!life_ahead((enum appointment_status)from, (enum appointment_status)to)) continue;
            uint32_t count =
                life_inferred((enum appointment_status)from, (enum appointment_status)to, path);
            enum appointment_status at = (enum appointment_status)from;
            path[count++] = (enum appointment_status)to;
            for (uint32_t i = 0; i < count; at = path[i++]) {
                bool known = life_allows(at, path[i], ROLE_TECHNICIAN) ||
                             life_allows(at, path[i], ROLE_CLOCK);
                if (!known)
                    fail_msg("from %s to %s: the step from %s to %s",
                             appointment_status_name((enum appointment_status)from),
                             appointment_status_name((enum appointment_status)to),
                             appointment_status_name(at), appointment_status_name(path[i]));
            }
        }
    }
}

static void a_late_report_does_not_turn_an_appointment_back(void **state)
{
    (void)state;
    assert_false(life_ahead(APPOINTMENT_WORKING, APPOINTMENT_EN_ROUTE));
    assert_false(life_ahead(APPOINTMENT_WORKING, APPOINTMENT_WORKING));
    assert_false(life_ahead(APPOINTMENT_COMPLETED, APPOINTMENT_INCOMPLETE));
    assert_false(life_ahead(APPOINTMENT_CANCELLED, APPOINTMENT_COMPLETED));
    assert_true(life_ahead(APPOINTMENT_PAUSED, APPOINTMENT_WORKING));
    assert_true(life_ahead(APPOINTMENT_SCHEDULED, APPOINTMENT_NO_ACCESS));
}

static enum work_order_status order_of(uint32_t count, enum appointment_status a,
                                       enum appointment_status b, enum appointment_status c)
{
    const enum appointment_status statuses[] = {a, b, c};
    return life_work_order(statuses, count);
}

static void a_work_order_is_what_its_appointments_are(void **state)
{
    (void)state;
    const enum appointment_status none = APPOINTMENT_NONE, open = APPOINTMENT_UNSCHEDULED,
                                  planned = APPOINTMENT_ACCEPTED, busy = APPOINTMENT_EN_ROUTE,
                                  done = APPOINTMENT_COMPLETED, half = APPOINTMENT_INCOMPLETE,
                                  away = APPOINTMENT_NO_ACCESS, off = APPOINTMENT_CANCELLED;
    assert_int_equal(order_of(0, none, none, none), WORK_ORDER_OPEN);
    assert_int_equal(order_of(1, open, none, none), WORK_ORDER_OPEN);
    assert_int_equal(order_of(1, planned, none, none), WORK_ORDER_OPEN);
    assert_int_equal(order_of(1, busy, none, none), WORK_ORDER_IN_PROGRESS);
    assert_int_equal(order_of(1, done, none, none), WORK_ORDER_DONE);
    assert_int_equal(order_of(1, off, none, none), WORK_ORDER_CANCELLED);
    /* Partially completed: one visit of several is done, or one came to nothing. */
    assert_int_equal(order_of(2, done, open, none), WORK_ORDER_IN_PROGRESS);
    assert_int_equal(order_of(3, done, open, off), WORK_ORDER_IN_PROGRESS);
    assert_int_equal(order_of(1, half, none, none), WORK_ORDER_IN_PROGRESS);
    assert_int_equal(order_of(1, away, none, none), WORK_ORDER_IN_PROGRESS);
    assert_int_equal(order_of(2, done, half, none), WORK_ORDER_IN_PROGRESS);
    /* A visit that was called off does not count. */
    assert_int_equal(order_of(2, open, off, none), WORK_ORDER_OPEN);
    assert_int_equal(order_of(2, done, off, none), WORK_ORDER_DONE);
    assert_int_equal(order_of(3, off, off, off), WORK_ORDER_CANCELLED);
    assert_int_equal(order_of(3, off, done, busy), WORK_ORDER_IN_PROGRESS);
}

static void names_are_known_for_every_state_and_for_none(void **state)
{
    (void)state;
    for (int s = APPOINTMENT_NONE; s < APPOINTMENT_STATUSES; s++)
        assert_true(strlen(appointment_status_name((enum appointment_status)s)) > 0);
    assert_string_equal(appointment_status_name(APPOINTMENT_EN_ROUTE), "en route");
    assert_string_equal(appointment_status_name(APPOINTMENT_STATUSES), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_to_every_state_for_every_role),
        cmocka_unit_test(nobody_and_nothing_are_refused),
        cmocka_unit_test(the_targets_that_people_are_shown_are_the_allowed_ones),
        cmocka_unit_test(targets_that_do_not_fit_are_left_out_whole),
        cmocka_unit_test(states_are_plannable_then_in_progress_then_final),
        cmocka_unit_test(what_a_report_skips_is_inferred),
        cmocka_unit_test(every_inferred_path_is_a_walk_that_the_table_knows),
        cmocka_unit_test(a_late_report_does_not_turn_an_appointment_back),
        cmocka_unit_test(a_work_order_is_what_its_appointments_are),
        cmocka_unit_test(names_are_known_for_every_state_and_for_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
