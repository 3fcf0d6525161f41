/* People log in: passwords, sessions, and what guessing costs. */
#include "desk.h"
#include "dispatcher/password.h"
#include "pb/people.pb-c.h"

#include <stdlib.h>

static const char right[] = "correct horse battery";
static char right_hash[PASSWORD_HASH_SIZE];

struct stage {
    struct desk desk;
    int64_t mono_us, wall_us;
};

static int64_t mono_us(void *context)
{
    return ((const struct stage *)context)->mono_us;
}

static int64_t wall_us(void *context)
{
    return ((const struct stage *)context)->wall_us;
}

static void admin(struct stage *stage, char **arguments, size_t count, Callout__Status status)
{
    Callout__AdminRequest request;
    callout__admin_request__init(&request);
    request.verb = words("person");
    request.arguments = arguments;
    request.n_arguments = count;
    assert_int_equal(desk_inner(&stage->desk, "Admin", &request.base)->status, status);
}

static struct stage *stage_open(void)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    struct problem problem;
    const struct engine_options options = {
        .mono_us = mono_us, .wall_us = wall_us, .clock_context = stage};
    stage->mono_us = HOUR_US;
    stage->wall_us = DESK_DAY_US;
    stage->desk = (struct desk){.store = store_open_mem(), .now_us = DESK_DAY_US};
    arena_open(&stage->desk.arena, (size_t)256 << 20);
    assert_int_equal(engine_open(&stage->desk.engine, stage->desk.store, &options, &problem),
                     ERR_OK);
    desk_furnish(&stage->desk);
    char *dora[] = {words("add"), words("dora"), words("dispatcher"), words("north"), right_hash};
    admin(stage, dora, 5, CALLOUT__STATUS__OK);
    admin(stage, dora, 5, CALLOUT__STATUS__CONFLICT);
    return stage;
}

static void stage_close(struct stage *stage)
{
    desk_close(&stage->desk);
    free(stage);
}

/* Asks from an address; passwords are checked here and now. */
static Callout__Reply *ask_in(struct stage *stage, ProtobufCBinaryData session,
                              const Callout__Principal *who, const char *peer, const char *method,
                              const ProtobufCMessage *body)
{
    struct desk *desk = &stage->desk;
    Callout__Request request;
    Callout__ForwardRequest forward;
    callout__request__init(&request);
    callout__forward_request__init(&forward);
    forward.principal = (Callout__Principal *)(uintptr_t)who;
    forward.method = words(method);
    forward.peer = words(peer);
    forward.session_token = session;
    forward.body = message_encode(body, &desk->arena);
    request.proto_major = 1;
    request.method = words("Forward");
    request.body = message_encode(&forward.base, &desk->arena);
    ProtobufCBinaryData bytes = message_encode(&request.base, &desk->arena);
    struct engine_item item = {.bytes = bytes.data, .size = bytes.len};
    engine_batch(desk->engine, &item, 1, desk->now_us);
    if (item.held == HELD_PASSWORD) {
        static struct password_work work;
        work = *item.work;
        password_do(&work);
        item = (struct engine_item){.bytes = bytes.data,
                                    .size = bytes.len,
                                    .verdict = work.right ? PASSWORD_RIGHT : PASSWORD_WRONG,
                                    .new_hash = work.new_hash};
        engine_batch(desk->engine, &item, 1, desk->now_us);
    }
    assert_int_equal(item.held, HELD_NOT);
    return desk_reply(desk, &item, true);
}

static Callout__Reply *ask(struct stage *stage, const Callout__Principal *who, const char *peer,
                           const char *method, const ProtobufCMessage *body)
{
    return ask_in(stage, (ProtobufCBinaryData){0, NULL}, who, peer, method, body);
}

static Callout__Reply *login(struct stage *stage, const char *peer, const char *name,
                             const char *password)
{
    Callout__LoginRequest request;
    callout__login_request__init(&request);
    request.name = words(name);
    request.password = words(password);
    return ask(stage, nobody_yet(), peer, "Login", &request.base);
}

static ProtobufCBinaryData session_of(struct stage *stage, const Callout__Reply *reply)
{
    const Callout__LoginReply *answer =
        desk_body(&stage->desk, reply, &callout__login_reply__descriptor);
    return answer->session_token;
}

static void who_has_the_password_is_let_in(void **state)
{
    (void)state;
    struct stage *stage = stage_open();
    ProtobufCBinaryData token = session_of(stage, login(stage, "192.0.2.7", "dora", right));
    Callout__Principal who = *desk_resolve(&stage->desk, token);
    assert_int_equal(who.kind, CALLOUT__PRINCIPAL_KIND__PERSON);
    assert_string_equal(who.role, "dispatcher");
    const ProtobufCMessage *south = desk_territory(&stage->desk, "Europe/Vaduz");
    ((const Callout__UpsertTerritoryRequest *)south)->territory->territory_id = words("south");
    desk_do(&stage->desk, "UpsertTerritory", south);
    Callout__WhoAmIRequest request;
    callout__who_am_irequest__init(&request);
    const Callout__WhoAmIReply *said =
        desk_body(&stage->desk, ask(stage, &who, "192.0.2.7", "WhoAmI", &request.base),
                  &callout__who_am_ireply__descriptor);
    assert_string_equal(said->name, "dora");
    assert_false(said->all_territories);
    assert_int_equal(said->n_territory_ids, 1);
    assert_string_equal(said->territory_ids[0], "north");
    assert_int_equal(said->n_territories, 1); /* not the one in the south */
    assert_string_equal(said->territories[0]->territory_id, "north");
    assert_string_equal(said->territories[0]->time_zone, "UTC");
    Callout__BoardRequest board;
    callout__board_request__init(&board);
    board.territory_id = words("north");
    assert_int_equal(ask(stage, &who, "192.0.2.7", "Board", &board.base)->status,
                     CALLOUT__STATUS__OK);
    board.territory_id = words("south");
    assert_int_equal(ask(stage, &who, "192.0.2.7", "Board", &board.base)->status,
                     CALLOUT__STATUS__NOT_FOUND);
    stage_close(stage);
}

static void who_has_not_learns_nothing(void **state)
{
    (void)state;
    struct stage *stage = stage_open();
    const Callout__Reply *wrong = login(stage, "192.0.2.7", "dora", "wrong horse battery");
    const Callout__Reply *nobody = login(stage, "192.0.2.7", "nora", "wrong horse battery");
    assert_int_equal(wrong->status, CALLOUT__STATUS__UNAUTH);
    assert_int_equal(nobody->status, CALLOUT__STATUS__UNAUTH);
    assert_string_equal(wrong->text, nobody->text);
    assert_int_equal(login(stage, "192.0.2.7", "dora", "")->status, CALLOUT__STATUS__UNAUTH);
    stage_close(stage);
}

/* Each wrong guess makes the next wait longer, for that account from there; never for good. */
static void guessing_takes_longer_and_longer(void **state)
{
    (void)state;
    struct stage *stage = stage_open();
    uint32_t waited_ms = 0;
    for (int i = 0; i < 7; i++) {
        Callout__Reply *reply = login(stage, "192.0.2.7", "dora", "wrong horse battery");
        if (reply->status == CALLOUT__STATUS__RATE) {
            assert_true(reply->retry_after_ms > waited_ms);
            waited_ms = reply->retry_after_ms;
            /* Not even the right one is tried before, nor from next door. */
            assert_int_equal(login(stage, "192.0.2.8", "dora", right)->status,
                             CALLOUT__STATUS__RATE);
            stage->mono_us += waited_ms * INT64_C(1000);
            reply = login(stage, "192.0.2.7", "dora", "wrong horse battery");
        }
        assert_int_equal(reply->status, CALLOUT__STATUS__UNAUTH);
    }
    assert_true(waited_ms >= 4000);
    assert_int_equal(login(stage, "198.51.100.1", "dora", right)->status, CALLOUT__STATUS__OK);
    stage->mono_us += 15 * US_PER_MINUTE;
    assert_int_equal(login(stage, "192.0.2.7", "dora", right)->status, CALLOUT__STATUS__OK);
    stage_close(stage);
}

/* A household's IPv6 network has more addresses than one can guess from. */
static void a_network_guesses_as_one(void **state)
{
    (void)state;
    struct stage *stage = stage_open();
    char peer[64];
    for (int i = 0; i < 4; i++) {
        snprintf(peer, sizeof peer, "2001:db8::%d:1", i);
        assert_int_equal(login(stage, peer, "dora", "wrong horse battery")->status,
                         CALLOUT__STATUS__UNAUTH);
    }
    assert_int_equal(login(stage, "2001:db8::9:9", "dora", right)->status, CALLOUT__STATUS__RATE);
    assert_int_equal(login(stage, "2001:db8:0:1::9", "dora", right)->status, CALLOUT__STATUS__OK);
    stage_close(stage);
}

static bool is_alive(struct stage *stage, ProtobufCBinaryData token)
{
    return desk_resolve(&stage->desk, token)->kind == CALLOUT__PRINCIPAL_KIND__PERSON;
}

static void a_session_ends_idle_and_in_the_end(void **state)
{
    (void)state;
    struct stage *stage = stage_open();
    ProtobufCBinaryData token = session_of(stage, login(stage, "192.0.2.7", "dora", right));
    stage->wall_us += 31 * US_PER_MINUTE;
    assert_false(is_alive(stage, token));
    token = session_of(stage, login(stage, "192.0.2.7", "dora", right));
    for (int i = 0; i < 28; i++) { /* 11 hours and 40 minutes, never idle for long */
        stage->wall_us += 25 * US_PER_MINUTE;
        assert_true(is_alive(stage, token));
    }
    stage->wall_us += 25 * US_PER_MINUTE;
    assert_false(is_alive(stage, token));
    stage_close(stage);
}

static void another_password_ends_every_session(void **state)
{
    (void)state;
    struct stage *stage = stage_open();
    ProtobufCBinaryData token = session_of(stage, login(stage, "192.0.2.7", "dora", right));
    Callout__Principal who = *desk_resolve(&stage->desk, token);
    Callout__ChangePasswordRequest request;
    callout__change_password_request__init(&request);
    request.password = words(right);
    request.new_password = words("too short");
    assert_int_equal(ask(stage, &who, "", "ChangePassword", &request.base)->status,
                     CALLOUT__STATUS__INVALID);
    request.password = words("wrong horse battery");
    request.new_password = words("another horse battery");
    assert_int_equal(ask(stage, &who, "", "ChangePassword", &request.base)->status,
                     CALLOUT__STATUS__INVALID);
    assert_true(is_alive(stage, token));
    request.password = words(right);
    assert_int_equal(ask(stage, &who, "", "ChangePassword", &request.base)->status,
                     CALLOUT__STATUS__OK);
    assert_false(is_alive(stage, token));
    assert_int_equal(login(stage, "192.0.2.7", "dora", right)->status, CALLOUT__STATUS__UNAUTH);
    token = session_of(stage, login(stage, "192.0.2.7", "dora", "another horse battery"));
    Callout__LogoutRequest logout;
    callout__logout_request__init(&logout);
    assert_int_equal(ask(stage, &who, "", "Logout", &logout.base)->status, CALLOUT__STATUS__OK);
    assert_false(is_alive(stage, token));
    stage_close(stage);
}

static void one_session_ends_and_the_others_go_on(void **state)
{
    (void)state;
    struct stage *stage = stage_open();
    ProtobufCBinaryData here = session_of(stage, login(stage, "192.0.2.7", "dora", right));
    ProtobufCBinaryData there = session_of(stage, login(stage, "192.0.2.8", "dora", right));
    Callout__Principal who = *desk_resolve(&stage->desk, here);
    Callout__LogoutRequest logout;
    callout__logout_request__init(&logout);
    logout.only_this = 1;
    assert_int_equal(ask(stage, &who, "", "Logout", &logout.base)->status,
                     CALLOUT__STATUS__NOT_FOUND);
    assert_true(is_alive(stage, here));
    assert_int_equal(ask_in(stage, here, &who, "", "Logout", &logout.base)->status,
                     CALLOUT__STATUS__OK);
    assert_false(is_alive(stage, here));
    assert_true(is_alive(stage, there));
    logout.only_this = 0;
    assert_int_equal(ask_in(stage, there, &who, "", "Logout", &logout.base)->status,
                     CALLOUT__STATUS__OK);
    assert_false(is_alive(stage, there));
    stage_close(stage);
}

static bool count_row(void *context, const void *row)
{
    (void)row;
    ++*(unsigned *)context;
    return true;
}

static unsigned sessions(struct stage *stage)
{
    unsigned count = 0;
    assert_int_equal(
        store_each(stage->desk.store, ROW_PERSON_SESSION, NULL, 0, false, count_row, &count),
        ERR_OK);
    return count;
}

static void sessions_that_are_over_are_not_kept(void **state)
{
    (void)state;
    struct stage *stage = stage_open();
    for (unsigned i = 0; i < 2; i++)
        session_of(stage, login(stage, "192.0.2.7", "dora", right));
    stage->wall_us += 31 * US_PER_MINUTE; /* nobody used them */
    ProtobufCBinaryData young = session_of(stage, login(stage, "192.0.2.7", "dora", right));
    assert_int_equal(sessions(stage), 3);
    stage->desk.now_us += US_PER_DAY;
    while (engine_purge(stage->desk.engine, stage->desk.now_us)) {
    }
    assert_int_equal(sessions(stage), 1);
    assert_true(is_alive(stage, young));
    stage_close(stage);
}

static void who_is_disabled_is_out_at_once(void **state)
{
    (void)state;
    struct stage *stage = stage_open();
    ProtobufCBinaryData token = session_of(stage, login(stage, "192.0.2.7", "dora", right));
    Callout__Principal who = *desk_resolve(&stage->desk, token);
    char *disable[] = {words("disable"), words("dora")};
    admin(stage, disable, 2, CALLOUT__STATUS__OK);
    assert_false(is_alive(stage, token));
    Callout__BoardRequest board;
    callout__board_request__init(&board);
    board.territory_id = words("north");
    assert_int_equal(ask(stage, &who, "", "Board", &board.base)->status, CALLOUT__STATUS__UNAUTH);
    assert_int_equal(login(stage, "192.0.2.7", "dora", right)->status, CALLOUT__STATUS__UNAUTH);
    stage_close(stage);
}

static void what_admins_give_is_checked(void **state)
{
    (void)state;
    struct stage *stage = stage_open();
    char *root[] = {words("add"), words("rita"), words("root"), words("*"), right_hash};
    char *nowhere[] = {words("add"), words("rita"), words("planner"), words(""), right_hash};
    char *plain[] = {words("add"), words("rita"), words("planner"), words("*"), words("secret")};
    admin(stage, root, 5, CALLOUT__STATUS__INVALID);
    admin(stage, nowhere, 5, CALLOUT__STATUS__INVALID);
    admin(stage, plain, 5, CALLOUT__STATUS__INVALID);
    char hash[PASSWORD_HASH_SIZE];
    assert_int_equal(password_hash("eleven chrs", hash, NULL), ERR_INVALID);
    stage_close(stage);
}

static Callout__Principal person(const char *name, const char *role)
{
    Callout__Principal who = a_key(name, role);
    who.kind = CALLOUT__PRINCIPAL_KIND__PERSON;
    return who;
}

/* At a screen: who administers everything, and confirms it with his own password. */
static void an_administrator_keeps_the_accounts(void **state)
{
    struct stage *stage = stage_open();
    char *root[] = {words("add"), words("root"), words("admin"), words("*"), right_hash};
    char *north[] = {words("north")};
    (void)state;
    admin(stage, root, 5, CALLOUT__STATUS__OK);
    Callout__Principal who = person("root", "admin"), dora = person("dora", "dispatcher");
    Callout__PutPersonRequest put;
    callout__put_person_request__init(&put);
    put.name = words("emil");
    put.role = words("dispatcher");
    put.territory_ids = north;
    put.n_territory_ids = 1;
    put.new_password = words("a long enough one");
    put.own_password = words("a wrong password");
    assert_int_equal(ask(stage, &dora, "", "PutPerson", &put.base)->status,
                     CALLOUT__STATUS__NOT_FOUND);
    assert_int_equal(ask(stage, &who, "", "PutPerson", &put.base)->status,
                     CALLOUT__STATUS__INVALID);
    put.own_password = words(right);
    assert_int_equal(ask(stage, &who, "", "PutPerson", &put.base)->status, CALLOUT__STATUS__OK);
    assert_int_equal(login(stage, "", "emil", "a long enough one")->status, CALLOUT__STATUS__OK);
    Callout__PeopleListRequest list;
    callout__people_list_request__init(&list);
    const Callout__PeopleListReply *people =
        desk_body(&stage->desk, ask(stage, &who, "", "PeopleList", &list.base),
                  &callout__people_list_reply__descriptor);
    assert_int_equal(people->n_people, 3);
    assert_string_equal(people->people[1]->name, "emil");
    assert_string_equal(people->people[1]->territory_ids[0], "north");
    put.new_password = words("");
    put.role = words("planner"); /* his password stays */
    assert_int_equal(ask(stage, &who, "", "PutPerson", &put.base)->status, CALLOUT__STATUS__OK);
    assert_int_equal(login(stage, "", "emil", "a long enough one")->status, CALLOUT__STATUS__OK);
    Callout__DisablePersonRequest disable;
    callout__disable_person_request__init(&disable);
    disable.name = words("root");
    assert_int_equal(ask(stage, &who, "", "DisablePerson", &disable.base)->status,
                     CALLOUT__STATUS__CONFLICT);
    disable.name = words("emil");
    assert_int_equal(ask(stage, &who, "", "DisablePerson", &disable.base)->status,
                     CALLOUT__STATUS__OK);
    assert_int_equal(login(stage, "", "emil", "a long enough one")->status,
                     CALLOUT__STATUS__UNAUTH);
    stage_close(stage);
}

static void devices_are_looked_after(void **state)
{
    struct stage *stage = stage_open();
    struct desk *desk = &stage->desk;
    Callout__Principal dora = person("dora", "dispatcher");
    Callout__MakeEnrolTokenRequest make;
    Callout__DevicesRequest list;
    Callout__RevokeDeviceRequest revoke;
    (void)state;
    callout__make_enrol_token_request__init(&make);
    callout__devices_request__init(&list);
    callout__revoke_device_request__init(&revoke);
    make.technician_id = words("T1");
    list.territory_id = words("north");
    const Callout__MakeEnrolTokenReply *made =
        desk_body(desk, ask(stage, &dora, "", "MakeEnrolToken", &make.base),
                  &callout__make_enrol_token_reply__descriptor);
    assert_int_equal(desk_enroll(desk, made->enrol_token)->status, CALLOUT__STATUS__OK);
    const Callout__DevicesReply *devices = desk_body(
        desk, ask(stage, &dora, "", "Devices", &list.base), &callout__devices_reply__descriptor);
    assert_int_equal(devices->n_devices, 1);
    assert_true(devices->devices[0]->in_use);
    assert_string_equal(devices->devices[0]->technician_id, "T1");
    revoke.device_id = devices->devices[0]->device_id;
    assert_int_equal(ask(stage, &dora, "", "RevokeDevice", &revoke.base)->status,
                     CALLOUT__STATUS__OK);
    devices = desk_body(desk, ask(stage, &dora, "", "Devices", &list.base),
                        &callout__devices_reply__descriptor);
    assert_true(devices->devices[0]->revoked && !devices->devices[0]->in_use);
    stage_close(stage);
}

static int hash_once(void **state)
{
    (void)state;
    return password_hash(right, right_hash, NULL) == ERR_OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_the_password_is_let_in),
        cmocka_unit_test(who_has_not_learns_nothing),
        cmocka_unit_test(guessing_takes_longer_and_longer),
        cmocka_unit_test(a_network_guesses_as_one),
        cmocka_unit_test(a_session_ends_idle_and_in_the_end),
        cmocka_unit_test(another_password_ends_every_session),
        cmocka_unit_test(one_session_ends_and_the_others_go_on),
        cmocka_unit_test(sessions_that_are_over_are_not_kept),
        cmocka_unit_test(who_is_disabled_is_out_at_once),
        cmocka_unit_test(what_admins_give_is_checked),
        cmocka_unit_test(an_administrator_keeps_the_accounts),
        cmocka_unit_test(devices_are_looked_after),
    };
    return cmocka_run_group_tests(tests, hash_once, NULL);
}
