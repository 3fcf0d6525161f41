/* box.h - an outbox in a folder of a test's own, with commands that can be told from one another.
 */
#ifndef CALLOUT_TESTS_BOX_H
#define CALLOUT_TESTS_BOX_H

#include "base/check.h"
#include "base/rng.h"
#include "gateway/client/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { COMMAND_MAX = 200 };

static const char *const file_names[] = {"device.db", "device.db-wal", "device.db-journal"};

enum { DB, WAL, FILES = sizeof file_names / sizeof file_names[0] };

struct folder {
    char path[64];
    char files[FILES][96];
};

static inline int folder_make(void **state)
{
    static struct folder folder;
    snprintf(folder.path, sizeof folder.path, "/tmp/callout-outbox-XXXXXX");
    CHECK(mkdtemp(folder.path) != NULL);
    for (int i = 0; i < FILES; i++)
        snprintf(folder.files[i], sizeof folder.files[i], "%s/%s", folder.path, file_names[i]);
    *state = &folder;
    return 0;
}

static inline int folder_remove(void **state)
{
    struct folder *folder = *state;
    for (int i = 0; i < FILES; i++)
        unlink(folder->files[i]);
    return rmdir(folder->path);
}

/* An outbox with the file that it lies in. */
struct box {
    struct device_file *file;
    struct outbox *outbox;
};

static inline enum err box_open_as(struct box *box, const struct folder *folder, bool durable,
                                   struct problem *problem)
{
    *box = (struct box){0};
    enum err err = device_file_open(&box->file, folder->path, durable, problem);
    if (err == ERR_OK) err = outbox_open(&box->outbox, box->file, problem);
    if (err == ERR_OK) return ERR_OK;
    device_file_close(box->file);
    return err;
}

/* No sync: the machine keeps what a killed process wrote. */
static inline enum err box_open(struct box *box, const struct folder *folder,
                                struct problem *problem)
{
    return box_open_as(box, folder, false, problem);
}

static inline void box_close(struct box *box)
{
    outbox_close(box->outbox);
    device_file_close(box->file);
}

/* The command of a seq: its length and bytes follow from it, so that a reader can check it. */
static inline size_t command_of(uint64_t seq, uint8_t bytes[COMMAND_MAX])
{
    struct rng rng = {seq};
    size_t size = rng_below(&rng, COMMAND_MAX);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)rng_next(&rng);
    return size;
}

static inline enum err append(struct outbox *outbox)
{
    uint8_t bytes[COMMAND_MAX];
    uint64_t seq = outbox_last_seq(outbox) + 1;
    return outbox_append(outbox, seq, (int64_t)seq, bytes, command_of(seq, bytes), NULL);
}

static inline void assert_whole(struct outbox *outbox)
{
    for (uint64_t seq = outbox_first_seq(outbox); seq <= outbox_last_seq(outbox); seq++) {
        uint8_t expected[COMMAND_MAX];
        size_t expected_size = command_of(seq, expected), size;
        const uint8_t *bytes;
        assert_int_equal(outbox_read(outbox, seq, &bytes, &size), ERR_OK);
        assert_int_equal(size, expected_size);
        assert_memory_equal(bytes, expected, size);
    }
}

static inline struct box open_sound(const struct folder *folder)
{
    struct box box;
    struct problem problem = {0};
    if (box_open(&box, folder, &problem) != ERR_OK) fail_msg("%s", problem.text);
    assert_whole(box.outbox);
    return box;
}

#endif
