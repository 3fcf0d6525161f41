#include "base/wal_scan.h"

#include "base/check.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 32, FRAME_HEAD_BYTES = 24, PAGE_BYTES_MIN = 512, PAGE_BYTES_MAX = 65536 };
enum { SECTOR_BYTES = 512 }; /* what a disk writes whole or not at all */

static const uint32_t magic_little = 0x377f0682, magic_big = 0x377f0683;

struct wal {
    FILE *file;
    bool big_endian; /* the words under the checksums */
    uint32_t sum[2]; /* over all up to here */
    uint8_t salts[8];
    size_t page_bytes;
};

static uint32_t word_at(const uint8_t *at, bool big_endian)
{
    if (big_endian)
        return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static void sum_up(struct wal *wal, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i += 8) {
        wal->sum[0] += word_at(bytes + i, wal->big_endian) + wal->sum[1];
        wal->sum[1] += word_at(bytes + i + 4, wal->big_endian) + wal->sum[0];
    }
}

static bool sum_is(const struct wal *wal, const uint8_t *stored)
{
    return word_at(stored, true) == wal->sum[0] && word_at(stored + 4, true) == wal->sum[1];
}

static bool head_sound(struct wal *wal, const uint8_t head[HEAD_BYTES])
{
    uint32_t magic = word_at(head, true);
    wal->big_endian = magic == magic_big;
    wal->page_bytes = word_at(head + 8, true);
    memcpy(wal->salts, head + 16, sizeof wal->salts);
    sum_up(wal, head, 24);
    return (magic == magic_big || magic == magic_little) && sum_is(wal, head + 24) &&
           wal->page_bytes >= PAGE_BYTES_MIN && wal->page_bytes <= PAGE_BYTES_MAX;
}

/* A frame of an earlier log differs in both salts, a damaged one in one of them at most. */
static bool of_this_log(const struct wal *wal, const uint8_t *frame)
{
    return memcmp(frame + 8, wal->salts, 4) == 0 || memcmp(frame + 12, wal->salts + 4, 4) == 0;
}

static bool frame_sound(struct wal *wal, const uint8_t *frame)
{
    sum_up(wal, frame, 8);
    sum_up(wal, frame + FRAME_HEAD_BYTES, wal->page_bytes);
    return memcmp(frame + 8, wal->salts, sizeof wal->salts) == 0 && sum_is(wal, frame + 16);
}

/* A head across two sectors may be half of an earlier log's frame: its word is not taken. */
static bool ends_transaction(const uint8_t *frame, size_t at)
{
    return word_at(frame + 4, true) != 0 && at % SECTOR_BYTES + FRAME_HEAD_BYTES <= SECTOR_BYTES;
}

static bool frames_damaged(struct wal *wal)
{
    size_t size = FRAME_HEAD_BYTES + wal->page_bytes;
    uint8_t *frame = malloc(size);
    CHECK(frame != NULL);
    bool sound = true, ended = false, damaged = false;
    for (size_t at = HEAD_BYTES; !damaged && fread(frame, 1, size, wal->file) == size; at += size) {
        if (sound) sound = frame_sound(wal, frame);
        if (sound || !of_this_log(wal, frame)) continue;
        damaged = ended;
        ended = ended || ends_transaction(frame, at);
    }
    free(frame);
    return damaged;
}

bool wal_damaged(const char *path)
{
    static const uint8_t nothing[HEAD_BYTES];
    uint8_t head[HEAD_BYTES];
    struct wal wal = {.file = fopen(path, "re")};
    if (wal.file == NULL) return false;
    bool damaged = false;
    if (fread(head, 1, sizeof head, wal.file) == sizeof head &&
        memcmp(head, nothing, sizeof head) != 0)
        damaged = !head_sound(&wal, head) || frames_damaged(&wal);
    fclose(wal.file);
    return damaged;
}
