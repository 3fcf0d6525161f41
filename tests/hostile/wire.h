/* wire.h - rows 1 to 22: bytes that are no honest request. */
#ifndef CALLOUT_TESTS_HOSTILE_WIRE_H
#define CALLOUT_TESTS_HOSTILE_WIRE_H

#include "row.h"

/* The bytes of the row are the whole request. */
static void send_raw(const struct row *row, struct got *got)
{
    send_bytes_from(HOME, row->bytes.at, row->bytes.size, got);
}

/* The bytes of the row are the body, in an honest envelope. */
static void send_body(const struct row *row, struct got *got)
{
    ask_bytes(row->method, row->bytes.at, row->bytes.size, got);
}

static uint8_t *pieces(const struct row *row, size_t *size)
{
    *size = row->total / row->bytes.size * row->bytes.size;
    uint8_t *all = malloc(*size);
    assert_non_null(all);
    for (size_t at = 0; at < *size; at += row->bytes.size)
        memcpy(all + at, row->bytes.at, row->bytes.size);
    return all;
}

/* The piece of the row over and over: as a whole request, or as the body of one. */
static void send_flood(const struct row *row, struct got *got)
{
    size_t size;
    uint8_t *all = pieces(row, &size);
    if (row->method == NULL)
        send_bytes_from(HOME, all, size, got);
    else
        ask_bytes(row->method, all, size, got);
    free(all);
}

/* A text of so many bytes as the address of an order's site. */
static void send_long_text(const struct row *row, struct got *got)
{
    static struct bytes site, order, body;
    size_t size;
    uint8_t *text = pieces(row, &size);
    site.size = order.size = body.size = 0;
    put_sized(&site, 3, text, size);
    put_sized(&site, 4, "\x08\x02", 2);
    put(&order, "\x48\x3c\x50\x03", 4); /* a minute of service, priority 3 */
    put_sized(&order, 1, "W1", 2);
    put_sized(&order, 2, territory_id, strlen(territory_id));
    put_sized(&order, 5, site.at, site.size);
    put_sized(&body, 1, order.at, order.size);
    ask_bytes("UpsertWorkOrder", body.at, body.size, got);
    free(text);
}

/* An order with the row's bytes in it again and again: `tag` is their field. */
static void send_flood_in_order(const struct row *row, uint8_t tag, const char *piece, size_t size,
                                struct got *got)
{
    static struct bytes order, body;
    order.size = body.size = 0;
    put_sized(&order, 1, "W1", 2);
    for (size_t at = 0; at + size + 1 < row->total; at += size + 1) {
        put_varint(&order, (uint64_t)tag << 3 | 2);
        put(&order, piece, size);
    }
    put_sized(&body, 1, order.at, order.size);
    ask_bytes("UpsertWorkOrder", body.at, body.size, got);
}

static void send_flood_of_skills(const struct row *row, struct got *got)
{
    send_flood_in_order(row, 11, "\0", 1, got);
}

static void send_flood_of_ids(const struct row *row, struct got *got)
{
    send_flood_in_order(row, 19, "\1x", 2, got);
}

/* Messages one in another: each is field 1 of the one around it. */
static void send_nest(const struct row *row, struct got *got)
{
    enum { SIZE = 40000 };
    static uint8_t bytes[SIZE];
    size_t start = SIZE, depth = 0;
    while (depth < row->total && start > 16) {
        size_t size = SIZE - start, count = 0;
        uint8_t length[10];
        do {
            length[count++] = (uint8_t)((size & 0x7f) | (size >= 0x80 ? 0x80 : 0));
            size >>= 7;
        } while (size > 0);
        memcpy(bytes + (start -= count), length, count);
        bytes[--start] = 0x0a;
        depth++;
    }
    assert_int_equal(depth, row->total);
    ask_bytes(row->method, bytes + start, SIZE - start, got);
}

/* --- the line itself --- */

/* Closed without waiting for a deadline: others were served in between, behind these bytes. */
static bool is_closed_at_once(int fd)
{
    uint8_t bytes[64];
    ssize_t got;
    (void)settled_seq();
    while ((got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        ;
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

/* The bytes of the row instead of a greeting. */
static void send_instead_of_greeting(const struct row *row, struct got *got)
{
    int fd = connect_from(2);
    assert_true(fd >= 0);
    assert_true(raw_write(fd, row->bytes.at, row->bytes.size));
    *got = (struct got){.closed = is_closed_at_once(fd)};
    close(fd);
}

/* A head that claims so many bytes, behind a good greeting. */
static void send_claim(const struct row *row, struct got *got)
{
    uint8_t head[12];
    int fd = peer_from(2);
    raw_put_u64(head, row->total);
    memcpy(head + 8, "\x80\0\0\7", 4);
    assert_true(raw_write(fd, head, sizeof head));
    *got = (struct got){.closed = is_closed_at_once(fd)};
    close(fd);
}

/* Pseudo-random bytes behind a good greeting, and instead of one. Whether a frame's length makes
 * the listener wait or close, nothing may come of it. */
static void send_noise(const struct row *row, struct got *got)
{
    uint32_t word = 2463534242u;
    (void)row;
    for (int round = 0; round < 100; round++) {
        uint8_t bytes[512];
        for (size_t i = 0; i < sizeof bytes; i++) {
            word ^= word << 13;
            word ^= word >> 17;
            word ^= word << 5;
            bytes[i] = (uint8_t)(word >> 24);
        }
        int fd = round % 2 == 0 ? peer_from(2) : connect_from(2);
        assert_true(fd >= 0);
        (void)!raw_write(fd, bytes, sizeof bytes); /* it may be closed already */
        close(fd);
    }
    *got = (struct got){.closed = true};
}

/* --- those who keep a connection and say nothing, from the start of the test to its end --- */

enum { STALLED = 504, SILENT = 8, STRANGERS = 20, PER_ADDRESS = 63, STALLED_BYTES = 1000 };

static struct {
    int stalled[STALLED], silent[SILENT];
    size_t grown;             /* memory that they took, once all of them were there */
    struct counters counters; /* before they came */
} idle;

/* Half of them claim a message that may come, half one that is read past. */
static void stall(int fd, bool allowed)
{
    static const uint8_t nothing[STALLED_BYTES];
    uint8_t head[12];
    raw_put_u64(head, allowed ? 200 * 1000 : 1000 * 1000);
    memcpy(head + 8, "\x80\0\0\7", 4);
    assert_true(raw_write(fd, head, sizeof head) && raw_write(fd, nothing, sizeof nothing));
}

static void idle_open(void)
{
    size_t before = resident_bytes(rig.gateway);
    idle.counters = counters_read();
    for (unsigned i = 0; i < STALLED; i++) {
        idle.stalled[i] = peer_from((uint8_t)(STRANGERS + i / PER_ADDRESS));
        stall(idle.stalled[i], i % 2 == 0);
    }
    for (unsigned i = 0; i < SILENT; i++) {
        idle.silent[i] = connect_from(STRANGERS - 1);
        assert_true(idle.silent[i] >= 0);
    }
    (void)settled_seq(); /* the gateway has read what came before */
    size_t after = resident_bytes(rig.gateway);
    idle.grown = after > before ? after - before : 0;
}

static bool all_closed(const int *fds, unsigned count)
{
    bool closed = true;
    for (unsigned i = 0; i < count; i++) {
        closed = closed && raw_is_closed(fds[i]);
        close(fds[i]);
    }
    return closed;
}

static void stalled_are_reaped(const struct row *row, struct got *got)
{
    (void)row;
    *got = (struct got){.closed = all_closed(idle.stalled, STALLED)};
    if (MEMORY_COUNTS) assert_in_range(idle.grown, 0, LIMIT_REQUEST_ARENA);
}

static void silent_are_reaped(const struct row *row, struct got *got)
{
    (void)row;
    *got = (struct got){.closed = all_closed(idle.silent, SILENT)};
}

#endif
