/* sync.h - rows 16, 21 and 43 to 67: what devices say out of turn, and who is not what he says. */
#ifndef CALLOUT_TESTS_HOSTILE_SYNC_H
#define CALLOUT_TESTS_HOSTILE_SYNC_H

#include "device.h"
#include "values.h"

enum { HELLOS = 10000, AT_ONCE = 60, FEEDS = 600 };

/* --- whom it is done to --- */

static struct device anna, beat; /* the devices of T1 and T2 */

static void people_open(void)
{
    add_technician("T1");
    add_technician("T2");
    give_order("W43", "W43.1", "T1");
    give_order("W60", "W60.1", "T2");
    give_order("W64", "W64.1", "T1");
    device_open(&anna, "T1", 3);
    device_open(&beat, "T2", 4);
}

/* --- commands --- */

/* A status that no version of ours has. */
static void send_unknown_status(const struct row *row, struct got *got)
{
    push_status(&anna, "W64.1", (int)row->total, got);
}

/* The bytes of the row as the only command of a Push. */
static void send_command_bytes(const struct row *row, struct got *got)
{
    static struct bytes command, body;
    command.size = body.size = 0;
    put_varint(&command, 1 << 3);
    put_varint(&command, anna.seq + 1);
    put(&command, row->bytes.at, row->bytes.size);
    put_sized(&body, 1, command.at, command.size);
    device_ask_bytes(&anna, "Push", body.at, body.size, got);
    if (got->status != CALLOUT__STATUS__OK) return;
    Callout__PushReply *reply = callout__push_reply__unpack(NULL, got->size, got->body);
    assert_non_null(reply);
    assert_int_equal(reply->n_results, 1);
    got->outcome = (int)reply->results[0]->outcome;
    anna.seq = reply->last_seq;
    callout__push_reply__free_unpacked(reply, NULL);
}

static void send_heartbeat(uint64_t seq, struct got *got)
{
    Callout__Command command;
    Callout__Heartbeat heartbeat;
    callout__command__init(&command);
    callout__heartbeat__init(&heartbeat);
    command.body_case = CALLOUT__COMMAND__BODY_HEARTBEAT;
    command.heartbeat = &heartbeat;
    command.seq = seq;
    push_as_is(&anna, &command, got);
}

/* So many ahead of the last one. */
static void send_number_ahead(const struct row *row, struct got *got)
{
    send_heartbeat(anna.seq + row->total, got);
}

static void send_number(const struct row *row, struct got *got)
{
    send_heartbeat(row->total, got);
}

/* A command of the device once more, with the same bytes. */
static void send_replay(const struct row *row, struct got *got)
{
    static struct got first;
    (void)row;
    push_status(&anna, "W43.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED, &first);
    assert_int_equal(first.outcome, CALLOUT__OUTCOME__APPLIED);
    uint64_t seq = settled_seq();
    anna.seq--;
    push_status(&anna, "W43.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED, got);
    assert_int_equal(settled_seq(), seq);
    Callout__PushReply *one = callout__push_reply__unpack(NULL, first.size, first.body);
    Callout__PushReply *two = callout__push_reply__unpack(NULL, got->size, got->body);
    assert_false(one->results[0]->duplicate);
    assert_true(two->results[0]->duplicate);
    one->results[0]->duplicate = true; /* all else is the same, to the byte */
    uint8_t bytes[1024];
    assert_int_equal(callout__push_reply__pack(one, bytes), got->size);
    assert_memory_equal(bytes, got->body, got->size);
    callout__push_reply__free_unpacked(one, NULL);
    callout__push_reply__free_unpacked(two, NULL);
}

/* The number of the last command for another one. */
static void send_other_payload(const struct row *row, struct got *got)
{
    (void)row;
    anna.seq--;
    push_status(&anna, "W43.1", CALLOUT__APPOINTMENT_STATUS__COMPLETED, got);
}

static void complete_of_another(const struct row *row, struct got *got)
{
    push_status(&anna, row->bytes.at, CALLOUT__APPOINTMENT_STATUS__COMPLETED, got);
}

/* --- positions --- */

static Callout__Fix *last_fix(Callout__BoardReply *board, const char *technician_id)
{
    for (size_t i = 0; i < board->n_technicians; i++)
        if (strcmp(board->technicians[i]->technician->technician_id, technician_id) == 0)
            return board->technicians[i]->last_fix;
    return NULL;
}

/* Each ten seconds after the one before. */
static void push_fix(int32_t lat_e7, int32_t lon_e7, int32_t accuracy_m, struct got *got)
{
    static int64_t fixes_before;
    Callout__Point point;
    Callout__Fix fix, *fixes[] = {&fix};
    Callout__PositionBatch batch;
    Callout__Command command;
    callout__point__init(&point);
    callout__fix__init(&fix);
    callout__position_batch__init(&batch);
    callout__command__init(&command);
    point.lat_e7 = lat_e7;
    point.lon_e7 = lon_e7;
    fix.point = &point;
    fix.accuracy_m = accuracy_m;
    fix.fix_time_us = at_us(DAY "T05:30:00Z") + fixes_before++ * 10 * US_PER_SECOND;
    batch.n_fixes = 1;
    batch.fixes = fixes;
    command.body_case = CALLOUT__COMMAND__BODY_POSITIONS;
    command.positions = &batch;
    push(&beat, &command, got);
    assert_int_equal(got->outcome, CALLOUT__OUTCOME__APPLIED);
}

/* An accuracy that says nothing is stored as the worst that there is. */
static void send_odd_accuracy(const struct row *row, struct got *got)
{
    static struct got board_got;
    push_fix(471400000, 95200000, (int32_t)strtol(row->bytes.at, NULL, 10), got);
    Callout__BoardReply *board = read_board(&board_got);
    assert_in_range(last_fix(board, "T2")->accuracy_m, 1000, 100000);
    callout__board_reply__free_unpacked(board, NULL);
}

/* A place where nobody can be is kept, and is not where he is. */
static void send_odd_place(const struct row *row, struct got *got)
{
    static struct got board_got;
    push_fix(471400000, 95200000, 10, got);
    push_fix((int32_t)row->total, (int32_t)row->total, 10, got);
    Callout__BoardReply *board = read_board(&board_got);
    assert_int_equal(last_fix(board, "T2")->point->lat_e7, 471400000);
    assert_int_equal(last_fix(board, "T2")->point->lon_e7, 95200000);
    callout__board_reply__free_unpacked(board, NULL);
}

/* --- cursors --- */

static void pull(const struct device *device, const void *cursor, size_t size, struct got *got)
{
    Callout__PullRequest request;
    union {
        const void *constant;
        uint8_t *bytes;
    } both = {cursor};
    callout__pull_request__init(&request);
    request.cursor = (ProtobufCBinaryData){size, both.bytes};
    device_ask(device, "Pull", &request.base, got);
}

/* A good cursor of the device. */
static size_t take_cursor(const struct device *device, uint8_t cursor[256])
{
    static struct got got;
    Callout__SnapshotRequest request;
    callout__snapshot_request__init(&request);
    device_ask(device, "Snapshot", &request.base, &got);
    assert_int_equal(got.status, CALLOUT__STATUS__OK);
    Callout__SnapshotReply *reply = callout__snapshot_reply__unpack(NULL, got.size, got.body);
    assert_non_null(reply);
    size_t size = reply->cursor.len;
    assert_in_range(size, 1, 256);
    memcpy(cursor, reply->cursor.data, size);
    callout__snapshot_reply__free_unpacked(reply, NULL);
    pull(device, cursor, size, &got);
    assert_int_equal(got.status, CALLOUT__STATUS__OK);
    return size;
}

/* Every bit of a good cursor, one at a time; and the cursor cut short. */
static void flip_cursor(const struct row *row, struct got *got)
{
    uint8_t cursor[256];
    size_t size = take_cursor(&beat, cursor);
    (void)row;
    for (size_t bit = 0; bit < 8 * size; bit += 9) {
        cursor[bit / 8] ^= (uint8_t)(1 << bit % 8);
        pull(&beat, cursor, size, got);
        while (got->status == CALLOUT__STATUS__RATE) /* two a second, in the long run */
            pull(&beat, cursor, size, got);
        assert_int_equal(got->status, CALLOUT__STATUS__RESET);
        cursor[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void cursor_of_another(const struct row *row, struct got *got)
{
    uint8_t cursor[256];
    size_t size = take_cursor(&anna, cursor);
    (void)row;
    pull(&beat, cursor, size, got);
}

/* One with a log's end that is still to come: nobody can make it without the server's secret. */
static void cursor_of_the_future(const struct row *row, struct got *got)
{
    uint8_t cursor[256];
    size_t size = take_cursor(&beat, cursor);
    (void)row;
    cursor[8] ^= 0x40; /* the log's position, after its epoch */
    pull(&beat, cursor, size, got);
}

/* --- polls --- */

/* Until the gateway holds so many. */
static void await_polls(uint64_t least, uint64_t most)
{
    uint64_t polls = 0;
    for (int64_t until_us = clock_mono_us() + 30 * US_PER_SECOND; clock_mono_us() < until_us;) {
        polls = counters_read().polls;
        if (polls >= least && polls <= most) return;
    }
    fail_msg("%llu polls are held", (unsigned long long)polls);
}

/* Two polls at once: the first is answered that the second took its place. */
static void poll_twice(const struct row *row, struct got *got)
{
    static struct bytes request;
    Callout__SnapshotRequest snapshot;
    callout__snapshot_request__init(&snapshot);
    (void)row;
    device_ask(&beat, "Snapshot", &snapshot.base, got);
    assert_int_equal(got->status, CALLOUT__STATUS__OK);
    Callout__SnapshotReply *state = callout__snapshot_reply__unpack(NULL, got->size, got->body);
    assert_non_null(state);
    Callout__PullRequest pull;
    callout__pull_request__init(&pull);
    pull.cursor = state->cursor;
    pull.hold_ms = LIMIT_HOLD_MS;
    uint8_t body[1024];
    size_t size = callout__pull_request__pack(&pull, body);
    callout__snapshot_reply__free_unpacked(state, NULL);
    envelope(&request, "Pull", beat.session, beat.session_size, body, size);
    int first = peer_from(beat.host), second = peer_from(beat.host);
    assert_true(raw_request(first, REQUEST_ID, request.at, request.size));
    await_polls(1, 1);
    assert_true(raw_request(second, REQUEST_ID, request.at, request.size));
    read_reply(first, got);
    close(first);
    close(second);
}

/* Feeds are held, and their askers vanish: nobody waits in the end. */
static void poll_and_vanish(const struct row *row, struct got *got)
{
    static struct bytes request;
    Callout__EventFeedRequest feed;
    callout__event_feed_request__init(&feed);
    (void)row;
    feed.after_seq = settled_seq();
    feed.hold_ms = LIMIT_HOLD_MS;
    uint8_t body[64];
    size_t size = callout__event_feed_request__pack(&feed, body);
    int fds[AT_ONCE];
    for (unsigned i = 0; i < FEEDS; i++) {
        envelope(&request, "EventFeed", rig.system.key, strlen(rig.system.key), body, size);
        fds[i % AT_ONCE] = peer_from(5);
        assert_true(raw_request(fds[i % AT_ONCE], REQUEST_ID, request.at, request.size));
        if (i % AT_ONCE < AT_ONCE - 1) continue;
        await_polls(AT_ONCE, UINT64_MAX);
        for (unsigned k = 0; k < AT_ONCE; k++)
            close(fds[k]);
        await_polls(0, 0);
    }
    *got = (struct got){.closed = false};
}

/* --- who is not what he says --- */

/* A session that was never given out: as long as a device's, and as long as a key. */
static void send_made_up_session(const struct row *row, struct got *got)
{
    static struct bytes request;
    uint8_t token[64];
    memset(token, 'a', sizeof token);
    envelope(&request, "Push", token, row->total, "", 0);
    send_bytes_from(6, request.at, request.size, got);
}

static void device_asks_nothing(const struct device *device, struct got *got)
{
    Callout__SnapshotRequest request;
    callout__snapshot_request__init(&request);
    device_ask(device, "Snapshot", &request.base, got);
}

/* Once a device is revoked its session is worth nothing, and Hello says why. */
static void use_after_revocation(const struct row *row, struct got *got)
{
    static struct device lost;
    char said[256];
    (void)row;
    add_technician("T55");
    device_open(&lost, "T55", 55);
    device_asks_nothing(&lost, got);
    assert_int_equal(got->status, CALLOUT__STATUS__OK);
    admin_command("revoke", lost.identity.device_id, said);
    device_asks_nothing(&lost, got);
    assert_true(got->status == CALLOUT__STATUS__UNAUTH || got->status == CALLOUT__STATUS__GONE);
    hello(&lost, got);
    assert_int_equal(got->status, CALLOUT__STATUS__GONE);
    device_asks_nothing(&lost, got);
    assert_int_equal(got->status, CALLOUT__STATUS__GONE);
}

static void enrol_by_guess(const struct row *row, struct got *got)
{
    static struct device guest;
    char token[256];
    (void)row;
    guest.host = 56;
    device_key(&guest, "guest");
    enrol_token("T1", token);
    token[0] = token[0] == '0' ? '1' : '0';
    enroll(&guest, token, got);
}

/* Somebody else with a token that was used. */
static void enrol_by_used_token(const struct row *row, struct got *got)
{
    static struct device first, second;
    char token[256];
    (void)row;
    add_technician("T56");
    first.host = second.host = 156;
    device_key(&first, "first");
    device_key(&second, "second");
    enrol_token("T56", token);
    enroll(&first, token, got);
    assert_int_equal(got->status, CALLOUT__STATUS__OK);
    enroll(&second, token, got);
}

static void enrol_a_bound_key(const struct row *row, struct got *got)
{
    struct device copy = anna;
    char token[256];
    (void)row;
    copy.host = 57;
    enrol_token("T2", token);
    enroll(&copy, token, got);
}

static void hello_once_more(const struct row *row, struct got *got)
{
    Callout__HelloRequest request;
    (void)row;
    struct device copy = beat; /* what the session becomes is beat's own affair */
    callout__hello_request__init(&request);
    request.device_id = copy.identity.device_id;
    request.epoch = copy.identity.epoch;
    copy.session_size = 0;
    copy.host = 58;
    device_ask(&copy, "Hello", &request.base, got);
    static struct got challenge;
    challenge = *got;
    hello_signed(&copy, &request, &challenge);
    assert_int_equal(challenge.status, CALLOUT__STATUS__OK);
    Callout__HelloReply *reply = hello_reply(&challenge);
    memcpy(beat.session, reply->session_token.data, reply->session_token.len);
    beat.session_size = reply->session_token.len;
    callout__hello_reply__free_unpacked(reply, NULL);
    hello_signed(&copy, &request, got);
}

/* Methods that a technician has no right to do not exist for him, whatever he writes beside. */
static void device_asks_for(const struct row *row, struct got *got)
{
    static struct bytes request;
    envelope(&request, row->method, anna.session, anna.session_size, row->bytes.at,
             row->bytes.size);
    put_sized(&request, 20, "admin", 5); /* a field that some other system might believe */
    send_bytes_from(anna.host, request.at, request.size, got);
}

/* The protocol's inner methods, as an admin. */
static void admin_asks_for(const struct row *row, struct got *got)
{
    ask_bytes(row->method, row->bytes.at, row->bytes.size, got);
}

/* --- crowds --- */

static void hello_bytes(struct bytes *request, const char *device_id)
{
    Callout__HelloRequest hello_request;
    callout__hello_request__init(&hello_request);
    hello_request.device_id = borrowed(device_id);
    hello_request.epoch = 1;
    uint8_t body[256];
    size_t size = callout__hello_request__pack(&hello_request, body);
    envelope(request, "Hello", NULL, 0, body, size);
}

/* One device, over and over. */
static void hello_often(const struct row *row, struct got *got)
{
    static struct bytes request;
    (void)row;
    for (unsigned i = 0; i < 13; i++) { /* each Hello is asked twice */
        hello_bytes(&request, "anybody");
        send_bytes_from(7, request.at, request.size, got);
    }
    assert_true(got->retry_after_ms > 0);
}

/* Ten thousand devices at once: each gets an answer. */
static void hello_crowd(const struct row *row, struct got *got)
{
    static struct bytes request;
    int fds[AT_ONCE];
    (void)row;
    for (unsigned i = 0; i < AT_ONCE; i++)
        fds[i] = peer_from(8);
    for (unsigned round = 0; round < HELLOS / AT_ONCE; round++) {
        for (unsigned i = 0; i < AT_ONCE; i++) {
            char name[32];
            snprintf(name, sizeof name, "device-%u-%u", round, i);
            hello_bytes(&request, name);
            assert_true(raw_request(fds[i], REQUEST_ID, request.at, request.size));
        }
        for (unsigned i = 0; i < AT_ONCE; i++) {
            read_reply(fds[i], got);
            assert_int_equal(got->status, CALLOUT__STATUS__OK); /* a nonce, for nothing */
        }
    }
    for (unsigned i = 0; i < AT_ONCE; i++)
        close(fds[i]);
}

/* Asks and never reads: what waits for it is bounded, and then it is closed. */
static void ask_and_never_read(const struct row *row, struct got *got)
{
    enum { ASKED_MAX = 400000 };
    static struct bytes request;
    char name[200];
    (void)row;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    int fd = peer_from(9), small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    envelope(&request, name, NULL, 0, NULL, 0);
    unsigned asked = 0;
    while (asked < ASKED_MAX && raw_request(fd, REQUEST_ID, request.at, request.size))
        asked++;
    close(fd);
    *got = (struct got){.closed = asked < ASKED_MAX};
}

#endif
