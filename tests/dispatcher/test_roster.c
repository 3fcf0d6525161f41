/* Who there is to send: what is changed of a technician counts at once, his shifts and absences
 * come and go, two people cannot write over each other, and a replay finds the same. */
#include "desk.h"
#include "pb/roster.pb-c.h"

static Callout__TechniciansReply *technicians(struct desk *desk, const char *page_token)
{
    Callout__TechniciansRequest request;
    callout__technicians_request__init(&request);
    request.territory_id = words("north");
    request.first_day = DESK_DAY;
    request.page_token = words(page_token);
    return desk_body(desk, desk_do(desk, "Technicians", &request.base),
                     &callout__technicians_reply__descriptor);
}

static const Callout__TechnicianEntry *entry(struct desk *desk, const char *id)
{
    const Callout__TechniciansReply *reply = technicians(desk, "");
    for (size_t i = 0; i < reply->n_technicians; i++)
        if (strcmp(reply->technicians[i]->technician->technician_id, id) == 0)
            return reply->technicians[i];
    fail_msg("%s is not told", id);
    return NULL;
}

static Callout__BoardReply *board(struct desk *desk, uint64_t after_seq)
{
    Callout__BoardRequest request;
    callout__board_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    request.after_seq = after_seq;
    return desk_body(desk, desk_do(desk, "Board", &request.base),
                     &callout__board_reply__descriptor);
}

static const Callout__BoardTechnician *on_board(const Callout__BoardReply *reply, const char *id)
{
    for (size_t i = 0; i < reply->n_technicians; i++)
        if (strcmp(reply->technicians[i]->technician->technician_id, id) == 0)
            return reply->technicians[i];
    return NULL;
}

static struct problem_key monday(struct desk *desk)
{
    struct problem_key key;
    for (uint32_t i = 0; core_problem_key(engine_core(desk->engine), i, &key); i++)
        if (key.service_day == DESK_DAY) return key;
    fail_msg("there is no such day");
    return key;
}

/* Of a technician, without shifts: as the sheet of somebody sends it who changes nothing of them.
 */
static Callout__UpsertTechnicianRequest *sheet(struct desk *desk, const char *id)
{
    DESK_NEW(desk, Callout__UpsertTechnicianRequest, request);
    *request = *(const Callout__UpsertTechnicianRequest *)desk_technician(desk, id);
    request->technician->n_shifts = 0;
    return request;
}

static Callout__Reply *try_as(struct desk *desk, const char *method, const ProtobufCMessage *body)
{
    char id[32];
    Callout__Principal who = a_key("ann", "dispatcher");
    snprintf(id, sizeof id, "try-%u", ++desk->asked);
    return desk_ask_as(desk, &who, method, arena_text(&desk->arena, id), body);
}

static void absent(struct desk *desk, const char *id, int64_t start_us, int64_t end_us)
{
    Callout__ReportAbsenceRequest request;
    Callout__Absence absence;
    callout__report_absence_request__init(&request);
    callout__absence__init(&absence);
    absence.technician_id = words(id);
    absence.start_us = start_us;
    absence.end_us = end_us;
    request.absence = &absence;
    desk_do(desk, "ReportAbsence", &request.base);
}

static Callout__Reply *back(struct desk *desk, const char *id, int64_t start_us)
{
    Callout__CancelAbsenceRequest request;
    callout__cancel_absence_request__init(&request);
    request.technician_id = words(id);
    request.start_us = start_us;
    request.reason = words("well again");
    return try_as(desk, "CancelAbsence", &request.base);
}

/* The log alone leads to the same state. */
static void replays(struct desk *desk)
{
    uint64_t digest = desk_digest(desk);
    desk_reopen(desk, NULL);
    assert_true(desk_digest(desk) == digest);
}

static void a_change_without_shifts_is_an_event_of_his_days(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct problem_key before = monday(&desk);
    uint64_t told = board(&desk, 0)->log_seq;
    Callout__UpsertTechnicianRequest *change = sheet(&desk, "T1");
    change->technician->name = words("Ann Vogt");
    change->technician->home = desk_point(&desk, 472000000, 96000000);
    desk_do(&desk, "UpsertTechnician", &change->base);
    struct problem_key after = monday(&desk);
    assert_true(after.revision > before.revision && after.event_seq > before.event_seq);
    const Callout__BoardReply *delta = board(&desk, told);
    assert_false(delta->complete);
    const Callout__BoardTechnician *it = on_board(delta, "T1");
    assert_non_null(it);
    assert_string_equal(it->technician->name, "Ann Vogt");
    assert_int_equal(it->shift->start->lat_e7, 472000000); /* he starts from home, the new one */
    assert_int_equal(it->shift->end->lon_e7, 96000000);
    assert_null(on_board(delta, "T2"));
    replays(&desk);
    desk_close(&desk);
}

static void who_saw_an_older_sheet_changes_nothing(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    Callout__UpsertTechnicianRequest *change = sheet(&desk, "T1");
    uint64_t version = entry(&desk, "T1")->version;
    assert_true(version > 0);
    change->expected_version = version;
    change->technician->name = words("Ann");
    desk_do(&desk, "UpsertTechnician", &change->base);
    change->technician->name = words("Ben");
    const Callout__Reply *reply = try_as(&desk, "UpsertTechnician", &change->base);
    assert_int_equal(reply->status, CALLOUT__STATUS__CONFLICT);
    assert_string_equal(reply->errors[0]->field, "expected_version");
    assert_string_equal(entry(&desk, "T1")->technician->name, "Ann");
    assert_true(entry(&desk, "T1")->version > version);
    desk_close(&desk);
}

static void a_day_off_frees_what_he_had_and_he_leaves_the_board(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    uint64_t told = board(&desk, 0)->log_seq;
    int64_t monday_off[] = {DESK_DAY};
    Callout__UpsertTechnicianRequest *change = sheet(&desk, "T1");
    change->days_off = monday_off;
    change->n_days_off = 1;
    desk_do(&desk, "UpsertTechnician", &change->base);
    const Callout__BoardReply *now = board(&desk, told);
    assert_true(now->complete); /* who left cannot be told by a delta */
    assert_null(on_board(now, "T1"));
    for (size_t i = 0; i < now->n_appointments; i++)
        assert_null(now->appointments[i]->appointment->assignment);
    assert_int_equal(entry(&desk, "T1")->technician->n_shifts, 1);
    Callout__AssignRequest *assign = desk_assign(&desk, "W1.1", "T1");
    assign->override_reason = words("he comes all the same"); /* no reason helps */
    assert_int_equal(try_as(&desk, "Assign", &assign->base)->status, CALLOUT__STATUS__CONFLICT);
    replays(&desk);
    desk_do(&desk, "UpsertTechnician", desk_technician(&desk, "T1"));
    assert_non_null(on_board(board(&desk, 0), "T1"));
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    replays(&desk);
    desk_close(&desk);
}

static void a_day_is_not_both_off_and_a_shift(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    int64_t days[] = {DESK_DAY + 1};
    Callout__UpsertTechnicianRequest change =
        *(const Callout__UpsertTechnicianRequest *)desk_technician(&desk, "T1");
    change.days_off = days;
    change.n_days_off = 1;
    const Callout__Reply *reply = try_as(&desk, "UpsertTechnician", &change.base);
    assert_int_equal(reply->status, CALLOUT__STATUS__INVALID);
    assert_string_equal(reply->errors[0]->field, "days_off");
    desk_close(&desk);
}

static void an_absence_that_is_taken_back_leaves_the_others(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    int64_t nine = DESK_DAY_US + 9 * HOUR_US;
    absent(&desk, "T1", nine, nine + 2 * HOUR_US);
    absent(&desk, "T1", nine + HOUR_US, nine + 5 * HOUR_US);
    const Callout__BoardTechnician *it = on_board(board(&desk, 0), "T1");
    assert_int_equal(it->absent_start_us, nine);
    assert_int_equal(it->absent_end_us, nine + 5 * HOUR_US);
    assert_int_equal(entry(&desk, "T1")->n_absences, 2);
    assert_int_equal(back(&desk, "T1", nine)->status, CALLOUT__STATUS__OK);
    it = on_board(board(&desk, 0), "T1");
    assert_int_equal(it->absent_start_us, nine + HOUR_US);
    assert_int_equal(it->absent_end_us, nine + 5 * HOUR_US);
    assert_int_equal(back(&desk, "T1", nine)->status, CALLOUT__STATUS__NOT_FOUND);
    assert_int_equal(back(&desk, "T1", nine + HOUR_US)->status, CALLOUT__STATUS__OK);
    assert_int_equal(on_board(board(&desk, 0), "T1")->absent_end_us, 0);
    assert_int_equal(entry(&desk, "T1")->n_absences, 0);
    replays(&desk);
    desk_close(&desk);
}

static void who_is_away_is_so_for_shifts_that_come_later(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    int64_t friday_us = DESK_DAY_US + 4 * US_PER_DAY;
    absent(&desk, "T1", friday_us, friday_us + US_PER_DAY);
    Callout__UpsertTechnicianRequest *change = sheet(&desk, "T1");
    Callout__Shift shift;
    callout__shift__init(&shift);
    shift.service_day = DESK_DAY + 4;
    shift.start_us = friday_us + 8 * HOUR_US;
    shift.end_us = friday_us + 16 * HOUR_US;
    change->technician->n_shifts = 1;
    change->technician->shifts[0] = &shift;
    desk_do(&desk, "UpsertTechnician", &change->base);
    struct core_shift now;
    assert_true(core_shift(engine_core(desk.engine), "T1", DESK_DAY + 4, &now));
    assert_int_equal(now.absent_end_us, friday_us + US_PER_DAY);
    /* One on a day without a shift goes, too. */
    absent(&desk, "T2", friday_us, friday_us + US_PER_DAY);
    assert_int_equal(back(&desk, "T2", friday_us)->status, CALLOUT__STATUS__OK);
    assert_int_equal(entry(&desk, "T2")->n_absences, 0);
    replays(&desk);
    desk_close(&desk);
}

static void technicians_come_page_by_page(void **state)
{
    (void)state;
    struct desk desk;
    char id[16];
    desk_open_furnished(&desk);
    for (int i = 0; i < 103; i++) {
        snprintf(id, sizeof id, "X%03d", i);
        desk_do(&desk, "UpsertTechnician", &sheet(&desk, id)->base);
    }
    const Callout__TechniciansReply *first = technicians(&desk, "");
    assert_int_equal(first->n_technicians, 100);
    const Callout__TechniciansReply *second = technicians(&desk, first->next_page_token);
    assert_int_equal(second->n_technicians, 5);
    assert_string_equal(second->next_page_token, "");
    assert_string_equal(second->technicians[4]->technician->technician_id, "X102");
    desk_close(&desk);
}

static void territories_tell_their_policy_and_all_skills(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    Callout__TerritoriesRequest request;
    callout__territories_request__init(&request);
    const Callout__TerritoriesReply *reply =
        desk_body(&desk, desk_do(&desk, "Territories", &request.base),
                  &callout__territories_reply__descriptor);
    assert_int_equal(reply->n_territories, 1);
    assert_string_equal(reply->territories[0]->territory->time_zone, "UTC");
    assert_int_equal(reply->territories[0]->technicians, 2);
    assert_true(reply->territories[0]->territory->policy->unserved_seconds_per_priority > 0);
    assert_int_equal(reply->n_skill_names, 1);
    assert_string_equal(reply->skill_names[0], "gas");
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_without_shifts_is_an_event_of_his_days),
        cmocka_unit_test(who_saw_an_older_sheet_changes_nothing),
        cmocka_unit_test(a_day_off_frees_what_he_had_and_he_leaves_the_board),
        cmocka_unit_test(a_day_is_not_both_off_and_a_shift),
        cmocka_unit_test(an_absence_that_is_taken_back_leaves_the_others),
        cmocka_unit_test(who_is_away_is_so_for_shifts_that_come_later),
        cmocka_unit_test(technicians_come_page_by_page),
        cmocka_unit_test(territories_tell_their_policy_and_all_skills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
