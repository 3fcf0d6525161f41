/* values.h - rows 23 to 42: honest messages with one thing wrong, or odd, in them. */
#ifndef CALLOUT_TESTS_HOSTILE_VALUES_H
#define CALLOUT_TESTS_HOSTILE_VALUES_H

#include "order.h"
#include "pb/roster.pb-c.h"
#include "row.h"

static void send_order(const struct row *row, struct got *got)
{
    static struct order order;
    order_init(&order);
    row->change(&order);
    ask("UpsertWorkOrder", &order.request.base, got);
}

/* --- what is changed --- */

static void latitude_91(struct order *order)
{
    order->point.lat_e7 = 910000000;
}

static void longitude_minus_181(struct order *order)
{
    order->point.lon_e7 = -1810000000;
}

static void no_point(struct order *order)
{
    order->site.point = NULL;
}

static void null_island(struct order *order)
{
    order->work_order.work_order_id = borrowed("W27");
    order->point.lat_e7 = order->point.lon_e7 = 0;
}

static void reversed_window(struct order *order)
{
    int64_t start_us = order->window.start_us;
    order->window.start_us = order->window.end_us;
    order->window.end_us = start_us;
}

static void window_of_one_instant(struct order *order)
{
    order->work_order.work_order_id = borrowed("W30");
    order->window.end_us = order->window.start_us;
}

static void window_of_1970(struct order *order)
{
    order->window.start_us = 0;
}

static void window_of_9999(struct order *order)
{
    order->window.end_us = INT64_C(253402300799000000);
}

static void window_for_ever(struct order *order)
{
    order->window.end_us = INT64_MAX;
}

static void duration_minus_1(struct order *order)
{
    order->work_order.service_seconds = -1;
}

static void duration_int_max(struct order *order)
{
    order->work_order.service_seconds = INT32_MAX;
}

static void zone_of_no_place(struct order *order)
{
    order->site.time_zone = borrowed("Mars/Olympus");
}

static void one_skill_too_many(struct order *order)
{
    order->work_order.n_skills = LIMIT_SKILLS_PER_ENTITY + 1;
}

static void unknown_skill(struct order *order)
{
    order->skill.name = borrowed("alchemy");
}

static void priority_10(struct order *order)
{
    order->work_order.priority = LIMIT_PRIORITY + 1;
}

static void priority_overflows(struct order *order)
{
    order->work_order.priority = UINT32_MAX;
}

static void id_with_a_line_end(struct order *order)
{
    order->work_order.work_order_id = borrowed("W1\nX");
}

static void unknown_territory(struct order *order)
{
    order->work_order.territory_id = borrowed("south");
}

/* --- territories --- */

/* The zone of the row. */
static void send_zone(const struct row *row, struct got *got)
{
    upsert_territory(row->bytes.at, NULL, 0, got);
}

static void send_many_skill_names(const struct row *row, struct got *got)
{
    static const char *names[MANY];
    for (size_t i = 0; i < row->total; i++)
        names[i] = skill_name;
    upsert_territory("Europe/Vaduz", names, row->total, got);
}

/* --- what must come back as it went in --- */

static Callout__BoardReply *read_board(struct got *got)
{
    Callout__BoardRequest request;
    callout__board_request__init(&request);
    request.territory_id = territory_id;
    ask("Board", &request.base, got);
    assert_int_equal(got->status, CALLOUT__STATUS__OK);
    Callout__BoardReply *board = callout__board_reply__unpack(NULL, got->size, got->body);
    assert_non_null(board);
    return board;
}

/* The address of the row, stored and read back: byte by byte what was sent. */
static void send_odd_text(const struct row *row, struct got *got)
{
    static struct order order;
    bool found = false;
    order_init(&order);
    order.work_order.work_order_id = borrowed("W41");
    order.site.address = borrowed(row->bytes.at);
    must("UpsertWorkOrder", &order.request.base);
    Callout__BoardReply *board = read_board(got);
    for (size_t i = 0; i < board->n_appointments; i++)
        found |= strcmp(board->appointments[i]->appointment->work_order_id, "W41") == 0 &&
                 strcmp(board->appointments[i]->site->address, row->bytes.at) == 0;
    callout__board_reply__free_unpacked(board, NULL);
    assert_true(found);
}

static bool text_whole(const char *text)
{
    const char *lead = text + strlen(text);
    while (lead > text && ((unsigned char)lead[-1] & 0xc0) == 0x80)
        lead--;
    if (lead == text) return true;
    unsigned char first = (unsigned char)lead[-1];
    size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    return strlen(lead - 1) == size;
}

/* What we quote of a long name is cut: never within a character. Names of any length, so that every
 * place of the cut is tried. */
static void send_long_names(const struct row *row, struct got *got)
{
    for (size_t ahead = 0; ahead < 4; ahead++) {
        char name[256] = "aaa";
        for (size_t at = ahead; at < 100; at += row->bytes.size)
            memcpy(name + at, row->bytes.at, row->bytes.size + 1);
        ask_bytes(name, NULL, 0, got);
        assert_int_equal(got->status, CALLOUT__STATUS__NOT_FOUND);
        assert_true(text_whole(got->text));
        static struct order order;
        order_init(&order);
        order.skill.name = name;
        ask("UpsertWorkOrder", &order.request.base, got);
        assert_int_equal(got->status, CALLOUT__STATUS__INVALID);
        assert_true(text_whole(got->text));
    }
}

/* --- what waits for itself --- */

/* Of what an order is left over a technician says; from outside the field is not listened to. */
static void send_order_after_itself(const struct row *row, struct got *got)
{
    static struct order order;
    (void)row;
    order_init(&order);
    order.work_order.work_order_id = order.work_order.follow_up_of = borrowed("W37");
    must("UpsertWorkOrder", &order.request.base);
    Callout__WorkOrderDetailRequest request;
    callout__work_order_detail_request__init(&request);
    request.appointment_id = borrowed("W37.1");
    ask("WorkOrderDetail", &request.base, got);
    assert_int_equal(got->status, CALLOUT__STATUS__OK);
    Callout__WorkOrderDetailReply *reply =
        callout__work_order_detail_reply__unpack(NULL, got->size, got->body);
    assert_non_null(reply);
    assert_string_equal(reply->work_order->follow_up_of, "");
    callout__work_order_detail_reply__free_unpacked(reply, NULL);
}

/* --- what is looked for --- */

enum { ADDRESSES = 60, ADDRESSES_TOLD = 50 };

static size_t addresses_found(const char *text, struct got *got)
{
    Callout__FindAddressRequest request;
    callout__find_address_request__init(&request);
    request.text = borrowed(text);
    request.count = ADDRESSES_TOLD;
    ask("FindAddress", &request.base, got);
    assert_int_equal(got->status, CALLOUT__STATUS__OK);
    Callout__FindAddressReply *reply =
        callout__find_address_reply__unpack(NULL, got->size, got->body);
    assert_non_null(reply);
    size_t found = reply->n_addresses;
    assert_true(reply->more == (found == ADDRESSES_TOLD));
    callout__find_address_reply__free_unpacked(reply, NULL);
    return found;
}

static void find_by_wildcards(const struct row *row, struct got *got)
{
    static const char *const patterns[] = {"%", "_",   "%%%%%%%%_%_%_%_%", "W%d", "W__d",
                                           "*", "W?ld"};
    static Callout__Address addresses[ADDRESSES], *list[ADDRESSES];
    static char texts[ADDRESSES][32];
    Callout__PutAddressesRequest request;
    Callout__Point point;
    (void)row;
    callout__put_addresses_request__init(&request);
    callout__point__init(&point);
    for (int i = 0; i < ADDRESSES; i++) {
        callout__address__init(&addresses[i]);
        snprintf(texts[i], sizeof texts[i], "Wild Way %d", i);
        addresses[i].text = texts[i];
        addresses[i].point = &point;
        list[i] = &addresses[i];
    }
    request.addresses = list;
    request.n_addresses = ADDRESSES;
    must("PutAddresses", &request.base);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        assert_int_equal(addresses_found(patterns[i], got), 0);
    assert_int_equal(addresses_found("wil", got), ADDRESSES_TOLD);
}

#endif
