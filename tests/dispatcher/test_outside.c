/* What comes from outside and is wrong, or too much, is refused by name and ends nothing. */
#include "desk.h"
#include "dispatcher/store/store_ops.h"

/* An administrator's request that is refused: the field that is named. */
static const char *refused(struct desk *desk, const char *method, const ProtobufCMessage *body)
{
    char id[32];
    Callout__Principal admin = a_key("admin", "admin");
    snprintf(id, sizeof id, "request-%u", ++desk->asked);
    int64_t seq = desk_seq(desk);
    Callout__Reply *reply = desk_ask_as(desk, &admin, method, id, body);
    assert_int_not_equal(reply->status, CALLOUT__STATUS__OK);
    assert_int_equal(reply->n_errors, 1);
    assert_true(desk_seq(desk) == seq);
    return reply->errors[0]->field;
}

static const ProtobufCMessage *with_shift(struct desk *desk, Callout__Shift **shift)
{
    const ProtobufCMessage *message = desk_technician(desk, "T9");
    *shift = ((const Callout__UpsertTechnicianRequest *)message)->technician->shifts[0];
    return message;
}

/* With a break that ends after the end of time, the sums of a day would overflow. */
static void a_break_lies_in_our_time(void **state)
{
    (void)state;
    const int64_t wrong[] = {INT64_MAX, INT64_MIN, INT64_MAX - US_PER_SECOND};
    struct desk desk;
    Callout__Shift *shift;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const ProtobufCMessage *message = with_shift(&desk, &shift);
        shift->break_seconds = 3600;
        shift->break_earliest_us = wrong[i];
        shift->break_latest_us = INT64_MAX;
        assert_string_equal(refused(&desk, "UpsertTechnician", message),
                            "technician.shifts.break_earliest_us");
        shift->break_earliest_us = 0;
        shift->break_latest_us = wrong[i];
        assert_string_equal(refused(&desk, "UpsertTechnician", message),
                            "technician.shifts.break_latest_us");
    }
    desk_close(&desk);
}

/* Each new service day takes one of a bounded number of places for ever. */
static void a_shift_is_of_the_day_on_which_it_begins(void **state)
{
    (void)state;
    const int64_t wrong[] = {INT64_MAX, INT64_MIN, 0, DESK_DAY + 3, DESK_DAY - 3};
    struct desk desk;
    Callout__Shift *shift;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    const ProtobufCMessage *message = with_shift(&desk, &shift);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        shift->service_day = wrong[i];
        assert_string_equal(refused(&desk, "UpsertTechnician", message),
                            "technician.shifts.service_day (of start_us)");
    }
    shift->service_day = DESK_DAY - 1; /* a night shift of the day before */
    desk_do(&desk, "UpsertTechnician", message);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_break_lies_in_our_time),
        cmocka_unit_test(a_shift_is_of_the_day_on_which_it_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
