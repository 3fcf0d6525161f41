/* The bytes of photos and signatures: they come in pieces, once, from who has them. */
#include "desk.h"

#include "../store/folder.h"

#include "dispatcher/blob_files.h"
#include "dispatcher/engine_impl.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>

static const Callout__WorkOrderDetailReply *detail(struct desk *desk, const char *appointment_id)
{
    Callout__WorkOrderDetailRequest request;
    callout__work_order_detail_request__init(&request);
    request.appointment_id = words(appointment_id);
    return desk_body(desk, desk_do(desk, "WorkOrderDetail", &request.base),
                     &callout__work_order_detail_reply__descriptor);
}

enum { PHOTO_SIZE = 300000 };

static uint8_t photo[PHOTO_SIZE], photo_hash[32];

static void announce_sized(struct desk *desk, struct desk_device *device,
                           const char *appointment_id, uint32_t size)
{
    Callout__Attachment body;
    Callout__Command command, *it = &command;
    callout__command__init(it);
    callout__attachment__init(&body);
    it->seq = ++device->seq;
    it->body_case = CALLOUT__COMMAND__BODY_ATTACHMENT;
    body.appointment_id = words(appointment_id);
    body.sha256 = (ProtobufCBinaryData){sizeof photo_hash, photo_hash};
    body.media_type = words("image/jpeg");
    body.size = size;
    body.kind = CALLOUT__ATTACHMENT_KIND__PHOTO;
    body.name = words("../../x"); /* whatever it is called, it lies where its hash says */
    it->attachment = &body;
    assert_int_equal(desk_push_one(desk, device, it)->outcome, CALLOUT__OUTCOME__APPLIED);
}

static void announce(struct desk *desk, struct desk_device *device, const char *appointment_id)
{
    announce_sized(desk, device, appointment_id, PHOTO_SIZE);
}

static void announce_photo(struct desk *desk, struct desk_device *device)
{
    announce(desk, device, "W1.1");
}

static void make_photo(void)
{
    for (size_t i = 0; i < PHOTO_SIZE; i++)
        photo[i] = (uint8_t)(i * 2654435761U >> 11);
    memcpy(photo, "\xff\xd8\xff\xe0", 4);
    crypto_hash_sha256(photo_hash, photo, PHOTO_SIZE);
}

static Callout__Reply *put(struct desk *desk, const struct desk_device *device, size_t offset,
                           const uint8_t *bytes, size_t size)
{
    Callout__PutBlobRequest request;
    callout__put_blob_request__init(&request);
    request.sha256 = (ProtobufCBinaryData){sizeof photo_hash, photo_hash};
    request.offset = offset;
    request.bytes = (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)bytes};
    return desk_ask_as(desk, &device->who, "PutBlob", "", &request.base);
}

static void received(struct desk *desk, const Callout__Reply *reply, size_t size, bool kept)
{
    const Callout__PutBlobReply *answer =
        desk_body(desk, reply, &callout__put_blob_reply__descriptor);
    assert_int_equal(answer->received, size);
    assert_int_equal(answer->kept, kept);
}

static Callout__Reply *get(struct desk *desk, const Callout__Principal *who, size_t offset)
{
    Callout__GetBlobRequest request;
    callout__get_blob_request__init(&request);
    request.sha256 = (ProtobufCBinaryData){sizeof photo_hash, photo_hash};
    request.offset = offset;
    return desk_ask_as(desk, who, "GetBlob", "", &request.base);
}

static void remove_all(char *folder)
{
    char line[300];
    snprintf(line, sizeof line, "rm -rf %s", folder);
    assert_int_equal(system(line), 0);
    free(folder);
}

static struct desk_device with_folder(struct desk *desk, char **folder)
{
    struct store *store;
    make_photo();
    *folder = folder_make();
    assert_int_equal(store_open_spatialite(&store, *folder, NULL), ERR_OK);
    desk_open(desk, store, *folder);
    desk_furnish(desk);
    desk->now_us = DESK_DAY_US + 9 * HOUR_US;
    desk_do(desk, "Assign", &desk_assign(desk, "W1.1", "T1")->base);
    return desk_device(desk, "T1");
}

/* It goes on where it ended, whatever is asked; what is whole stays and is the same for all. */
static void a_photo_comes_in_pieces(void **state)
{
    struct desk desk;
    char *folder, other[400], hash[65];
    uint64_t count, bad;
    (void)state;
    struct desk_device device = with_folder(&desk, &folder);
    assert_int_equal(put(&desk, &device, 0, photo, 10)->status, CALLOUT__STATUS__NOT_FOUND);
    announce_photo(&desk, &device);
    received(&desk, put(&desk, &device, 0, NULL, 0), 0, false);
    received(&desk, put(&desk, &device, 0, photo, 131072), 131072, false);
    received(&desk, put(&desk, &device, 0, photo, 131072), 131072, false); /* its reply was lost */
    received(&desk, put(&desk, &device, 200000, photo, 10), 131072, false);
    const struct engine_options options = {.folder = folder, .clock_by_hand = true};
    engine_abandon(desk.engine); /* as if it had been killed */
    assert_int_equal(engine_open(&desk.engine, desk.store, &options, NULL), ERR_OK);
    received(&desk, put(&desk, &device, 131072, photo + 131072, 131072), 262144, false);
    assert_int_equal(get(&desk, &device.who, 0)->status, CALLOUT__STATUS__NOT_FOUND);
    assert_false(detail(&desk, "W1.1")->attachments[0]->kept);
    received(&desk, put(&desk, &device, 262144, photo + 262144, PHOTO_SIZE - 262144), PHOTO_SIZE,
             true);
    received(&desk, put(&desk, &device, 0, photo, 131072), PHOTO_SIZE, true);
    assert_true(detail(&desk, "W1.1")->attachments[0]->kept);
    const Callout__GetBlobReply *piece =
        desk_body(&desk, get(&desk, &device.who, 131072), &callout__get_blob_reply__descriptor);
    assert_int_equal(piece->size, PHOTO_SIZE);
    assert_string_equal(piece->media_type, "image/jpeg");
    assert_int_equal(piece->bytes.len, 131072);
    assert_memory_equal(piece->bytes.data, photo + 131072, 131072);
    /* A backup has it; damage is seen. */
    snprintf(other, sizeof other, "%s/copy", folder);
    mkdir(other, 0700);
    assert_int_equal(blobs_copy(folder, other, NULL), ERR_OK);
    assert_int_equal(blobs_verify(desk.store, other, &count, &bad, hash), ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(bad, 0);
    snprintf(other, sizeof other,
             "printf x | dd of=$(find %s/blobs -type f) bs=1 seek=99 "
             "conv=notrunc 2>/dev/null",
             folder);
    assert_int_equal(system(other), 0);
    assert_int_equal(blobs_verify(desk.store, folder, &count, &bad, hash), ERR_OK);
    assert_int_equal(bad, 1);
    desk_close(&desk);
    remove_all(folder);
}

/* What its part would have if we were killed between the last piece and the rename. */
static void write_part(const char *folder, const uint8_t *bytes, size_t size)
{
    char path[BLOB_PATH], hex[65];
    sodium_bin2hex(hex, sizeof hex, photo_hash, sizeof photo_hash);
    blob_part_path(folder, hex, "T1", path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void a_part_that_is_whole_is_not_yet_kept(void **state)
{
    struct desk desk;
    char *folder;
    (void)state;
    static uint8_t wrong[PHOTO_SIZE + 1];
    struct desk_device device = with_folder(&desk, &folder);
    announce_photo(&desk, &device);
    received(&desk, put(&desk, &device, 0, photo, 131072), 131072, false);
    memcpy(wrong, photo, PHOTO_SIZE);
    wrong[200000] ^= 1;
    write_part(folder, wrong, PHOTO_SIZE);
    assert_int_equal(put(&desk, &device, 0, NULL, 0)->status, CALLOUT__STATUS__INVALID);
    received(&desk, put(&desk, &device, 0, NULL, 0), 0, false); /* he begins again */
    write_part(folder, wrong, PHOTO_SIZE + 1);
    received(&desk, put(&desk, &device, 0, NULL, 0), 0, false);
    write_part(folder, photo, PHOTO_SIZE);
    received(&desk, put(&desk, &device, 0, NULL, 0), PHOTO_SIZE, true);
    assert_int_equal(get(&desk, &device.who, 0)->status, CALLOUT__STATUS__OK);
    desk_close(&desk);
    remove_all(folder);
}

static void a_name_of_a_photo_is_no_path(void **state)
{
    struct desk desk;
    char *folder, line[300];
    (void)state;
    struct desk_device device = with_folder(&desk, &folder);
    announce_photo(&desk, &device);
    for (size_t at = 0; at < PHOTO_SIZE; at += 100000)
        received(&desk, put(&desk, &device, at, photo + at, 100000), at + 100000, at == 200000);
    assert_string_equal(detail(&desk, "W1.1")->attachments[0]->name, "../../x");
    snprintf(line, sizeof line, "test -z \"$(find %s -name x)\"", folder);
    assert_int_equal(system(line), 0);
    Callout__GetBlobRequest request;
    callout__get_blob_request__init(&request);
    request.sha256 = (ProtobufCBinaryData){7, (uint8_t *)words("../../x")};
    assert_int_equal(desk_ask_as(&desk, &device.who, "GetBlob", "", &request.base)->status,
                     CALLOUT__STATUS__INVALID);
    desk_close(&desk);
    remove_all(folder);
}

static void what_is_no_photo_of_his_is_refused(void **state)
{
    struct desk desk;
    char *folder;
    (void)state;
    struct desk_device device = with_folder(&desk, &folder);
    struct desk_device other = desk_device(&desk, "T2");
    Callout__Principal dora = a_key("dora", "dispatcher");
    announce_photo(&desk, &device);
    assert_int_equal(put(&desk, &other, 0, photo, 131072)->status, CALLOUT__STATUS__NOT_FOUND);
    assert_int_equal(put(&desk, &device, 0, photo, 131073)->status, CALLOUT__STATUS__TOO_LARGE);
    assert_int_equal(put(&desk, &device, PHOTO_SIZE, photo, 1)->status, CALLOUT__STATUS__INVALID);
    assert_int_equal(put(&desk, &device, 0, (const uint8_t *)"<svg onload=alert(1)>", 21)->status,
                     CALLOUT__STATUS__INVALID);
    received(&desk, put(&desk, &device, 0, NULL, 0), 0, false); /* nothing of it was taken */
    /* Bytes that are not what their hash says are thrown away, and he may begin again. */
    for (size_t at = 0; at < PHOTO_SIZE; at += 100000) {
        if (at == 200000) photo[250000] ^= 1;
        const Callout__Reply *reply = put(&desk, &device, at, photo + at, 100000);
        assert_int_equal(reply->status,
                         at == 200000 ? CALLOUT__STATUS__INVALID : CALLOUT__STATUS__OK);
    }
    photo[250000] ^= 1;
    for (size_t at = 0; at < PHOTO_SIZE; at += 100000)
        received(&desk, put(&desk, &device, at, photo + at, 100000), at + 100000, at == 200000);
    assert_int_equal(get(&desk, &other.who, 0)->status, CALLOUT__STATUS__NOT_FOUND);
    assert_int_equal(get(&desk, &dora, 0)->status, CALLOUT__STATUS__OK);
    assert_int_equal(get(&desk, &dora, PHOTO_SIZE)->status, CALLOUT__STATUS__OK);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T2")->base);
    assert_int_equal(get(&desk, &other.who, 0)->status, CALLOUT__STATUS__OK);  /* his visit now */
    assert_int_equal(get(&desk, &device.who, 0)->status, CALLOUT__STATUS__OK); /* it was */
    desk_close(&desk);
    remove_all(folder);
}

/* Who brings all of it, in one go. */
static void bring(struct desk *desk, const struct desk_device *device)
{
    received(desk, put(desk, device, 0, NULL, 0), 0, false);
    for (size_t at = 0; at < PHOTO_SIZE; at += 100000)
        received(desk, put(desk, device, at, photo + at, 100000), at + 100000, at == 200000);
}

/* Somebody has heard of a hash: he learns neither what is behind it nor that it is here, and nobody
 * reads it for his sake. */
static void who_names_a_photo_need_not_have_it(void **state)
{
    struct desk desk;
    char *folder;
    (void)state;
    struct desk_device device = with_folder(&desk, &folder);
    struct desk_device other = desk_device(&desk, "T2");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W2.1", "T2")->base);
    announce_photo(&desk, &device);
    received(&desk, put(&desk, &device, 0, photo, 131072), 131072, false);
    announce(&desk, &other, "W2.1");
    received(&desk, put(&desk, &other, 0, NULL, 0), 0, false); /* not how far another one is */
    for (size_t at = 131072; at < PHOTO_SIZE; at += 131072)
        put(&desk, &device, at, photo + at, PHOTO_SIZE - at < 131072 ? PHOTO_SIZE - at : 131072);
    assert_int_equal(get(&desk, &device.who, 0)->status, CALLOUT__STATUS__OK);
    received(&desk, put(&desk, &other, 0, NULL, 0), 0, false);
    assert_int_equal(get(&desk, &other.who, 0)->status, CALLOUT__STATUS__NOT_FOUND);
    assert_false(detail(&desk, "W2.1")->attachments[0]->kept);
    assert_true(detail(&desk, "W1.1")->attachments[0]->kept);
    bring(&desk, &other); /* he does have it */
    assert_int_equal(get(&desk, &other.who, 0)->status, CALLOUT__STATUS__OK);
    assert_true(detail(&desk, "W2.1")->attachments[0]->kept);
    desk_close(&desk);
    remove_all(folder);
}

/* What he may look at anyway he has: the one before him took it at the same visit. */
static void what_is_his_to_see_is_not_brought_twice(void **state)
{
    struct desk desk;
    char *folder;
    (void)state;
    struct desk_device device = with_folder(&desk, &folder);
    struct desk_device other = desk_device(&desk, "T2");
    announce_photo(&desk, &device);
    bring(&desk, &device);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T2")->base);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W2.1", "T2")->base);
    announce(&desk, &other, "W2.1");
    received(&desk, put(&desk, &other, 0, NULL, 0), PHOTO_SIZE, true);
    assert_true(detail(&desk, "W2.1")->attachments[0]->kept);
    desk_close(&desk);
    remove_all(folder);
}

/* As many of the largest as make up a day: the next one has to wait, what has begun goes on, and
 * tomorrow there is room again. */
static void a_device_has_so_many_bytes_a_day(void **state)
{
    struct desk desk;
    char *folder;
    (void)state;
    struct desk_device device = with_folder(&desk, &folder);
    for (uint8_t i = 0; i < BLOB_DAY_BYTES / BLOB_SIZE_MAX; i++) {
        photo_hash[0] = i;
        announce_sized(&desk, &device, "W1.1", BLOB_SIZE_MAX);
        received(&desk, put(&desk, &device, 0, photo, 16), 16, false);
    }
    photo_hash[0] = 255;
    announce(&desk, &device, "W1.1");
    const Callout__Reply *refused = put(&desk, &device, 0, photo, 16);
    assert_int_equal(refused->status, CALLOUT__STATUS__RATE);
    assert_int_not_equal(refused->retry_after_ms, 0);
    photo_hash[0] = 0;
    received(&desk, put(&desk, &device, 16, photo, 16), 32, false);
    photo_hash[0] = 255;
    desk.now_us += 24 * HOUR_US;
    received(&desk, put(&desk, &device, 0, photo, 16), 16, false);
    desk_close(&desk);
    remove_all(folder);
}

/* Nobody goes on with it after a week; what is younger stays, and what is whole for ever. */
static void parts_that_nobody_goes_on_with_are_swept(void **state)
{
    struct desk desk;
    char *folder, part[BLOB_PATH], hash[BLOB_HEX];
    (void)state;
    struct desk_device device = with_folder(&desk, &folder);
    sodium_bin2hex(hash, sizeof hash, photo_hash, sizeof photo_hash);
    blob_part_path(folder, hash, "T1", part);
    announce_photo(&desk, &device);
    received(&desk, put(&desk, &device, 0, photo, 1000), 1000, false);
    struct timespec times[2] = {0};
    for (int days = 6; days <= 8; days += 2) {
        times[0].tv_sec = times[1].tv_sec =
            (time_t)(engine_wall_us(desk.engine) / US_PER_SECOND - days * 86400);
        assert_int_equal(utimensat(AT_FDCWD, part, times, 0), 0);
        blobs_sweep(desk.engine);
        received(&desk, put(&desk, &device, 0, NULL, 0), days < 7 ? 1000 : 0, false);
    }
    bring(&desk, &device);
    blobs_sweep(desk.engine);
    assert_int_equal(get(&desk, &device.who, 0)->status, CALLOUT__STATUS__OK);
    desk_close(&desk);
    remove_all(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_that_is_whole_is_not_yet_kept),
        cmocka_unit_test(a_name_of_a_photo_is_no_path),
        cmocka_unit_test(a_photo_comes_in_pieces),
        cmocka_unit_test(what_is_no_photo_of_his_is_refused),
        cmocka_unit_test(who_names_a_photo_need_not_have_it),
        cmocka_unit_test(what_is_his_to_see_is_not_brought_twice),
        cmocka_unit_test(a_device_has_so_many_bytes_a_day),
        cmocka_unit_test(parts_that_nobody_goes_on_with_are_swept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
