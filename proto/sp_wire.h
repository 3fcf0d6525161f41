/* sp_wire.h - SP's framing as both ends write it: the greetings, and numbers in big endian. */
#ifndef CALLOUT_SP_WIRE_H
#define CALLOUT_SP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SP_GREETING_SIZE = 8,
    SP_LENGTH_SIZE = 8,
    SP_ID_SIZE = 4,
    SP_UNIX_MARK = 0x01, /* stands before each length over a Unix socket */
    /* What stands before a message's body, at most. */
    SP_HEAD_MAX = 1 + SP_LENGTH_SIZE + SP_ID_SIZE,
};

static const uint8_t sp_greeting_of_rep[SP_GREETING_SIZE] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};
static const uint8_t sp_greeting_of_req[SP_GREETING_SIZE] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};

static inline uint64_t sp_read_number(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static inline void sp_write_number(uint8_t *out, size_t size, uint64_t value)
{
    for (size_t i = size; i-- > 0; value >>= 8)
        out[i] = (uint8_t)value;
}

/* The last word before the body has its top bit set, words of relays before it have not. */
static inline bool sp_is_request_id(uint32_t word)
{
    return word >> 31 == 1;
}

/* Writes a message's head and returns where it begins: over tcp the mark is left out. */
static inline const uint8_t *sp_write_head(uint8_t head[SP_HEAD_MAX], bool unix_framing,
                                           uint32_t request, size_t body_size, size_t *size)
{
    size_t skip = unix_framing ? 0 : 1;
    head[0] = SP_UNIX_MARK;
    sp_write_number(head + 1, SP_LENGTH_SIZE, SP_ID_SIZE + body_size);
    sp_write_number(head + 1 + SP_LENGTH_SIZE, SP_ID_SIZE, request);
    *size = SP_HEAD_MAX - skip;
    return head + skip;
}

#endif
