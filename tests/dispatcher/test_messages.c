/* What is written gets to whom it is meant for, and to nobody else; and whether he has seen it. */
#include "desk_views.h"

static Callout__SendMessageRequest message(const char *text)
{
    Callout__SendMessageRequest request;
    callout__send_message_request__init(&request);
    request.territory_id = words("north");
    request.text = words(text);
    return request;
}

static Callout__Reply *send(struct desk *desk, const Callout__SendMessageRequest *request)
{
    char id[32];
    Callout__Principal who = a_key("ann", "dispatcher");
    snprintf(id, sizeof id, "message-%u", ++desk->asked);
    return desk_ask_as(desk, &who, "SendMessage", id, &request->base);
}

static const Callout__MessagesReply *messages(struct desk *desk, uint64_t after_seq)
{
    Callout__MessagesRequest request;
    Callout__Principal who = a_key("ann", "dispatcher");
    callout__messages_request__init(&request);
    request.territory_id = words("north");
    request.after_seq = after_seq;
    return desk_body(desk, desk_ask_as(desk, &who, "Messages", "", &request.base),
                     &callout__messages_reply__descriptor);
}

/* Is the gateway told to ask again for T1, and for him alone? */
static bool wakes_t1(struct desk *desk, uint64_t after_seq)
{
    Callout__FollowRequest request;
    callout__follow_request__init(&request);
    request.after_seq = after_seq;
    request.log_epoch = desk_inner(desk, "Follow", &request.base)->log_epoch;
    const Callout__FollowReply *reply = desk_body(desk, desk_inner(desk, "Follow", &request.base),
                                                  &callout__follow_reply__descriptor);
    return reply->n_technician_ids == 1 && strcmp(reply->technician_ids[0], "T1") == 0;
}

static void it_comes_and_is_seen(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    struct desk_device phone = desk_device(&desk, "T1"), other = desk_device(&desk, "T2");
    ProtobufCBinaryData mine = desk_snapshot(&desk, &phone)->cursor,
                        his = desk_snapshot(&desk, &other)->cursor;
    Callout__SendMessageRequest request = message("the key is with the neighbour");
    char *to[] = {words("T1")};
    request.technician_ids = to;
    request.n_technician_ids = 1;
    request.appointment_id = words("W1.1");
    uint64_t before = (uint64_t)desk_seq(&desk);
    assert_int_equal(send(&desk, &request)->status, CALLOUT__STATUS__OK);
    assert_true(wakes_t1(&desk, before));
    assert_int_equal(desk_pull(&desk, &other, &his)->n_messages, 0);
    const Callout__PullReply *reply = desk_pull(&desk, &phone, &mine);
    assert_int_equal(reply->n_messages, 1);
    assert_string_equal(reply->messages[0]->text, "the key is with the neighbour");
    assert_string_equal(reply->messages[0]->from, "ann");
    assert_string_equal(reply->messages[0]->appointment_id, "W1.1");
    uint64_t seq = reply->messages[0]->seq;
    assert_false(messages(&desk, 0)->messages[0]->delivered);
    assert_int_equal(desk_pull(&desk, &phone, &mine)->n_messages,
                     0); /* once; and the cursor is back */
    assert_true(messages(&desk, 0)->messages[0]->delivered);
    assert_false(messages(&desk, 0)->messages[0]->seen);
    Callout__Command seen, answer;
    Callout__AckPlan ack;
    Callout__TextMessage text;
    callout__command__init(&seen);
    callout__ack_plan__init(&ack);
    ack.log_seq = seq;
    ack.stage = CALLOUT__ACK_STAGE__ACK_SEEN;
    seen.seq = 1;
    seen.body_case = CALLOUT__COMMAND__BODY_ACK_PLAN;
    seen.ack_plan = &ack;
    desk_push_one(&desk, &phone, &seen);
    assert_true(messages(&desk, 0)->messages[0]->seen);
    callout__command__init(&answer);
    callout__text_message__init(&text);
    text.text = words("thank you");
    text.in_reply_to = seq;
    answer.seq = 2;
    answer.body_case = CALLOUT__COMMAND__BODY_MESSAGE;
    answer.message = &text;
    assert_int_equal(desk_push_one(&desk, &phone, &answer)->outcome, CALLOUT__OUTCOME__APPLIED);
    const Callout__MessagesReply *all = messages(&desk, seq);
    assert_int_equal(all->n_messages, 1);
    assert_true(all->messages[0]->from_technician);
    assert_string_equal(all->messages[0]->technician_id, "T1");
    assert_int_equal(all->messages[0]->in_reply_to, seq);
    assert_int_equal(desk_pull(&desk, &phone, &mine)->n_messages,
                     0); /* his own is no news to him */
    desk_close(&desk);
}

static void to_all_and_in_pages(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    struct desk_device phone = desk_device(&desk, "T1");
    ProtobufCBinaryData cursor = desk_snapshot(&desk, &phone)->cursor;
    Callout__SendMessageRequest request = message("storm from four o'clock");
    for (int i = 0; i < 120; i++)
        assert_int_equal(send(&desk, &request)->status, CALLOUT__STATUS__OK);
    const Callout__MessagesReply *page = messages(&desk, 0);
    assert_true(page->more);
    assert_int_equal(page->n_messages, 200);
    page = messages(&desk, page->messages[199]->seq);
    assert_false(page->more);
    assert_int_equal(page->n_messages, 40);
    size_t count = 0;
    for (bool more = true; more;) {
        const Callout__PullReply *reply = desk_pull(&desk, &phone, &cursor);
        count += reply->n_messages;
        more = reply->more;
    }
    assert_int_equal(count, 120);
    uint64_t digest = desk_digest(&desk);
    desk_reopen(&desk, NULL);
    assert_true(digest == desk_digest(&desk));
    desk_close(&desk);
}

/* Of one technician, too, there is a next page. */
static void one_of_many_words_has_pages(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    Callout__SendMessageRequest request = message("again");
    char *to[] = {words("T1")};
    request.technician_ids = to;
    request.n_technician_ids = 1;
    for (int i = 0; i < 203; i++)
        assert_int_equal(send(&desk, &request)->status, CALLOUT__STATUS__OK);
    const Callout__MessagesReply *page = messages(&desk, 0);
    assert_int_equal(page->n_messages, 200);
    assert_true(page->more);
    page = messages(&desk, page->messages[199]->seq);
    assert_int_equal(page->n_messages, 3);
    assert_false(page->more);
    desk_close(&desk);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct desk desk;
    char *to[] = {words("T1"), words("T9")};
    (void)state;
    desk_open_furnished(&desk);
    desk_furnish_south(&desk);
    Callout__SendMessageRequest request = message("");
    assert_int_equal(send(&desk, &request)->status, CALLOUT__STATUS__INVALID);
    char *text = arena_need(&desk.arena, 1026);
    memset(text, 'x', 1025);
    request.text = text;
    assert_int_equal(send(&desk, &request)->status, CALLOUT__STATUS__TOO_LARGE);
    request = message("hello");
    request.technician_ids = to;
    request.n_technician_ids = 2;
    assert_int_equal(send(&desk, &request)->status, CALLOUT__STATUS__NOT_FOUND); /* of the south */
    assert_int_equal(messages(&desk, 0)->n_messages, 0);
    request.n_technician_ids = 1;
    request.appointment_id = words("W99.1");
    assert_int_equal(send(&desk, &request)->status, CALLOUT__STATUS__NOT_FOUND);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_and_is_seen),
        cmocka_unit_test(to_all_and_in_pages),
        cmocka_unit_test(one_of_many_words_has_pages),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
