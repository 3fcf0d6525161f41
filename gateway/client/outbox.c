/* outbox.c - see outbox.h.
 *
 * File: head "CALLOUT1", base_seq (seq of the first record), checksum; then records of a 24-byte
 * head (size, zero, seq, wall time), the packed command, an 8-byte checksum over both. Numbers are
 * in the machine's own byte order: the file never leaves its device.
 */
#include "gateway/client/outbox.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FORGET_BYTES_MIN = 256 * 1024, PATH_BYTES = 1024 };

static const char magic[8] = {'C', 'A', 'L', 'L', 'O', 'U', 'T', '1'};

struct file_head {
    char magic[8];
    uint64_t base_seq;
    uint64_t checksum;
};

struct record_head {
    uint32_t size, zero;
    uint64_t seq;
    int64_t wall_us;
};

enum { RECORD_BYTES_MAX = sizeof(struct record_head) + LIMIT_COMMAND + sizeof(uint64_t) };

struct place {
    int64_t offset;
    int64_t wall_us;
    uint32_t size; /* of the command */
};

struct outbox {
    int file;
    bool durable, broken;
    char path[PATH_BYTES];
    int64_t end;       /* of the last good record */
    uint64_t base_seq; /* of places[0] */
    struct place *places;
    size_t place_count, place_room;
    uint8_t buffer[RECORD_BYTES_MAX];
};

static enum err file_failed(const struct outbox *outbox, const char *what, struct problem *problem)
{
    return problem_set(problem, ERR_IO, outbox->path, "%s: %s", what, strerror(errno));
}

static uint64_t checksum_of(const void *bytes, size_t size)
{
    struct digest digest = digest_start();
    digest_bytes(&digest, bytes, size);
    return digest.state;
}

static struct file_head file_head_make(uint64_t base_seq)
{
    struct file_head head = {.base_seq = base_seq};
    memcpy(head.magic, magic, sizeof magic);
    head.checksum = checksum_of(&head, offsetof(struct file_head, checksum));
    return head;
}

static bool write_all(int file, const void *bytes, size_t size, int64_t offset)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t written = pwrite(file, at, size, (off_t)offset);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        at += written;
        offset += written;
        size -= (size_t)written;
    }
    return true;
}

/* A rename or a new file is durable only when its folder is. */
static bool sync_folder(const char *path)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        snprintf(folder, sizeof folder, ".");
    else
        slash[slash == folder ? 1 : 0] = '\0';
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return false;
    bool fine = fsync(file) == 0;
    close(file);
    return fine;
}

static void places_add(struct outbox *outbox, struct place place)
{
    if (outbox->place_count == outbox->place_room) {
        outbox->place_room = outbox->place_room == 0 ? 64 : outbox->place_room * 2;
        outbox->places = realloc(outbox->places, outbox->place_room * sizeof *outbox->places);
        CHECK(outbox->places != NULL);
    }
    outbox->places[outbox->place_count++] = place;
}

/* --- opening --------------------------------------------------------------------------------- */

/* Is there a whole record at `at`? Its head is copied out. */
static bool record_sound(const uint8_t *at, size_t size, struct record_head *head)
{
    if (size < sizeof *head) return false;
    memcpy(head, at, sizeof *head);
    if (head->size > LIMIT_COMMAND || head->zero != 0) return false;
    size_t body = sizeof *head + head->size;
    uint64_t checksum;
    if (size < body + sizeof checksum) return false;
    memcpy(&checksum, at + body, sizeof checksum);
    return checksum == checksum_of(at, body);
}

/* Does a whole record with a later seq lie anywhere in what follows a bad one? (O2) */
static bool record_behind(const uint8_t *at, size_t size, uint64_t seq)
{
    struct record_head head;
    for (size_t i = 1; i < size; i++)
        if (record_sound(at + i, size - i, &head) && head.seq > seq) return true;
    return false;
}

static enum err scan(struct outbox *outbox, const uint8_t *bytes, size_t size,
                     struct problem *problem)
{
    struct file_head head;
    memcpy(&head, bytes, sizeof head);
    struct file_head expected = file_head_make(head.base_seq);
    if (memcmp(&head, &expected, sizeof head) != 0 || head.base_seq == 0)
        return problem_set(problem, ERR_IO, outbox->path, "the file's head is damaged");
    outbox->base_seq = head.base_seq;
    size_t at = sizeof head;
    struct record_head record;
    while (at < size && record_sound(bytes + at, size - at, &record) &&
           record.seq == outbox_last_seq(outbox) + 1) {
        places_add(outbox, (struct place){(int64_t)at, record.wall_us, record.size});
        at += sizeof record + record.size + sizeof(uint64_t);
    }
    if (at < size && record_behind(bytes + at, size - at, outbox_last_seq(outbox)))
        return problem_set(problem, ERR_IO, outbox->path, "the record after seq %llu is damaged",
                           (unsigned long long)outbox_last_seq(outbox));
    outbox->end = (int64_t)at;
    return ERR_OK;
}

static enum err load(struct outbox *outbox, size_t size, struct problem *problem)
{
    uint8_t *bytes = malloc(size);
    CHECK(bytes != NULL);
    size_t have = 0;
    while (have < size) {
        ssize_t got = pread(outbox->file, bytes + have, size - have, (off_t)have);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        have += (size_t)got;
    }
    enum err err =
        have == size ? scan(outbox, bytes, size, problem) : file_failed(outbox, "read", problem);
    free(bytes);
    if (err != ERR_OK || (size_t)outbox->end == size) return err;
    if (ftruncate(outbox->file, (off_t)outbox->end) != 0 || fsync(outbox->file) != 0)
        return file_failed(outbox, "cut the torn end off", problem);
    return ERR_OK;
}

static enum err start_empty(struct outbox *outbox, struct problem *problem)
{
    struct file_head head = file_head_make(1);
    outbox->base_seq = 1;
    outbox->end = sizeof head;
    if (ftruncate(outbox->file, 0) != 0 || !write_all(outbox->file, &head, sizeof head, 0))
        return file_failed(outbox, "write", problem);
    if (outbox->durable && (fsync(outbox->file) != 0 || !sync_folder(outbox->path)))
        return file_failed(outbox, "sync", problem);
    return ERR_OK;
}

static enum err lock_and_load(struct outbox *outbox, struct problem *problem)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(outbox->file, F_SETLK, &lock) != 0)
        return problem_set(problem, ERR_BUSY, outbox->path, "another process uses this device");
    struct stat stat;
    if (fstat(outbox->file, &stat) != 0) return file_failed(outbox, "stat", problem);
    /* A file without a whole head was torn while it was made: nothing was ever saved in it. */
    if ((size_t)stat.st_size < sizeof(struct file_head)) return start_empty(outbox, problem);
    return load(outbox, (size_t)stat.st_size, problem);
}

enum err outbox_open(struct outbox **out, const char *path, bool durable, struct problem *problem)
{
    struct outbox *outbox = calloc(1, sizeof *outbox);
    CHECK(outbox != NULL);
    CHECK(strlen(path) < sizeof outbox->path - 8);
    memcpy(outbox->path, path, strlen(path) + 1);
    outbox->durable = durable;
    outbox->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    enum err err =
        outbox->file < 0 ? file_failed(outbox, "open", problem) : lock_and_load(outbox, problem);
    if (err != ERR_OK) {
        outbox_close(outbox);
        return err;
    }
    *out = outbox;
    return ERR_OK;
}

void outbox_close(struct outbox *outbox)
{
    if (outbox == NULL) return;
    if (outbox->file >= 0) close(outbox->file);
    free(outbox->places);
    free(outbox);
}

uint64_t outbox_last_seq(const struct outbox *outbox)
{
    return outbox->base_seq + outbox->place_count - 1;
}

uint64_t outbox_first_seq(const struct outbox *outbox)
{
    return outbox->base_seq;
}

/* --- saving and reading ---------------------------------------------------------------------- */

enum err outbox_append(struct outbox *outbox, uint64_t seq, int64_t wall_us, const void *bytes,
                       size_t size, struct problem *problem)
{
    CHECK(seq == outbox_last_seq(outbox) + 1);
    if (size > LIMIT_COMMAND)
        return problem_set(problem, ERR_TOO_LARGE, "command", "at most %d bytes", LIMIT_COMMAND);
    if (outbox->broken)
        return problem_set(problem, ERR_IO, outbox->path, "an earlier write failed; open it again");
    struct record_head head = {.size = (uint32_t)size, .seq = seq, .wall_us = wall_us};
    size_t body = sizeof head + size;
    memcpy(outbox->buffer, &head, sizeof head);
    memcpy(outbox->buffer + sizeof head, bytes, size);
    uint64_t checksum = checksum_of(outbox->buffer, body);
    memcpy(outbox->buffer + body, &checksum, sizeof checksum);
    bool fine = write_all(outbox->file, outbox->buffer, body + sizeof checksum, outbox->end) &&
                (!outbox->durable || fsync(outbox->file) == 0);
    if (!fine) {
        outbox->broken = true; /* O3 */
        return file_failed(outbox, "save", problem);
    }
    places_add(outbox, (struct place){outbox->end, wall_us, (uint32_t)size});
    outbox->end += (int64_t)(body + sizeof checksum);
    return ERR_OK;
}

enum err outbox_read(struct outbox *outbox, uint64_t seq, const uint8_t **bytes, size_t *size)
{
    if (seq < outbox->base_seq || seq > outbox_last_seq(outbox)) return ERR_GAP;
    const struct place *place = &outbox->places[seq - outbox->base_seq];
    size_t whole = sizeof(struct record_head) + place->size + sizeof(uint64_t);
    struct record_head head;
    if (pread(outbox->file, outbox->buffer, whole, (off_t)place->offset) != (ssize_t)whole ||
        !record_sound(outbox->buffer, whole, &head) || head.seq != seq)
        return ERR_IO;
    *bytes = outbox->buffer + sizeof head;
    *size = place->size;
    return ERR_OK;
}

/* --- a shorter file -------------------------------------------------------------------------- */

/* Copies the bytes from `from` on behind a new head. */
static bool copy_tail(struct outbox *outbox, int target, int64_t from, uint64_t base_seq)
{
    struct file_head head = file_head_make(base_seq);
    int64_t to = sizeof head;
    bool fine = write_all(target, &head, sizeof head, 0);
    while (fine && from < outbox->end) {
        int64_t left = outbox->end - from;
        size_t chunk = left < (int64_t)sizeof outbox->buffer ? (size_t)left : sizeof outbox->buffer;
        ssize_t got = pread(outbox->file, outbox->buffer, chunk, (off_t)from);
        fine = got > 0 && write_all(target, outbox->buffer, (size_t)got, to);
        from += got;
        to += got;
    }
    return fine && fsync(target) == 0;
}

/* Puts a new file in the old one's place, without the first `dropped` records. */
static enum err rewrite(struct outbox *outbox, size_t dropped, uint64_t base_seq,
                        struct problem *problem)
{
    char path[PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s.new", outbox->path);
    int64_t from = dropped == outbox->place_count ? outbox->end : outbox->places[dropped].offset;
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return file_failed(outbox, "make a shorter file", problem);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(file, F_SETLK, &lock) != 0 || !copy_tail(outbox, file, from, base_seq) ||
        rename(path, outbox->path) != 0) {
        enum err err = file_failed(outbox, "make a shorter file", problem);
        close(file);
        unlink(path);
        return err;
    }
    close(outbox->file);
    outbox->file = file;
    int64_t moved = from - (int64_t)sizeof(struct file_head);
    outbox->place_count -= dropped;
    if (outbox->place_count > 0)
        memmove(outbox->places, outbox->places + dropped,
                outbox->place_count * sizeof *outbox->places);
    for (size_t i = 0; i < outbox->place_count; i++)
        outbox->places[i].offset -= moved;
    outbox->end -= moved;
    outbox->base_seq = base_seq;
    if (!sync_folder(outbox->path)) {
        outbox->broken = true;
        return file_failed(outbox, "sync", problem);
    }
    return ERR_OK;
}

enum err outbox_forget(struct outbox *outbox, uint64_t acked_seq, int64_t before_wall_us,
                       struct problem *problem)
{
    size_t dropped = 0;
    while (dropped < outbox->place_count && outbox->base_seq + dropped <= acked_seq &&
           outbox->places[dropped].wall_us < before_wall_us)
        dropped++;
    if (dropped == 0) return ERR_OK;
    int64_t until = dropped == outbox->place_count ? outbox->end : outbox->places[dropped].offset;
    if (until < FORGET_BYTES_MIN) return ERR_OK;
    return rewrite(outbox, dropped, outbox->base_seq + dropped, problem);
}

enum err outbox_skip_to(struct outbox *outbox, uint64_t last_seq, struct problem *problem)
{
    CHECK(last_seq >= outbox_last_seq(outbox));
    return rewrite(outbox, outbox->place_count, last_seq + 1, problem);
}
