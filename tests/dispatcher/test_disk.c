/* What is answered waits for the disk: a store in a folder that syncs apart, and a disk that is as
 * slow as the test wants, or fails. */
#include "../store/folder.h"
#include "desk.h"
#include "dispatcher/batches.h"

#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { LONG = 150 };

/* --- the disk: SQLite's, but for the syncs of its log --- */

static struct {
    sqlite3_vfs *system;
    sqlite3_io_methods methods;
    int (*sync)(sqlite3_file *file, int flags);
    pthread_mutex_t held; /* by whoever wants no sync to be done */
    sem_t permits;        /* one for each sync, where `counted` */
    atomic_bool counted;
    bool fails;
} disk = {.held = PTHREAD_MUTEX_INITIALIZER};

static int slow_sync(sqlite3_file *file, int flags)
{
    pthread_mutex_lock(&disk.held);
    bool fails = disk.fails;
    pthread_mutex_unlock(&disk.held);
    if (disk.counted) sem_wait(&disk.permits);
    return fails ? SQLITE_IOERR_FSYNC : disk.sync(file, flags);
}

static int open_slow(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    int result = disk.system->xOpen(disk.system, path, file, flags, out);
    if (result != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return result;
    disk.methods = *file->pMethods;
    disk.sync = disk.methods.xSync;
    disk.methods.xSync = slow_sync;
    file->pMethods = &disk.methods;
    return SQLITE_OK;
}

static void disk_install(void)
{
    static sqlite3_vfs vfs;
    disk.system = sqlite3_vfs_find(NULL);
    vfs = *disk.system;
    vfs.pNext = NULL;
    vfs.zName = "slow";
    vfs.xOpen = open_slow;
    assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

/* --- the dispatcher, and who listens to it --- */

struct shop {
    struct desk desk;
    struct batches *batches;
    char *folder;
    sem_t progress;
    uint32_t replies;
    uint32_t to[LONG + 16]; /* whom they went to */
};

static int64_t shop_mono_us(void *context)
{
    (void)context;
    return 1;
}

static int64_t shop_domain_us(void *context)
{
    const struct shop *shop = context;
    return shop->desk.now_us;
}

static void shop_reply(void *context, struct sp_ticket to, const void *bytes, size_t size)
{
    struct shop *shop = context;
    assert_non_null(bytes);
    assert_int_not_equal(size, 0);
    assert_true(shop->replies < LONG + 16);
    shop->to[shop->replies++] = to.request;
}

static bool shop_alive(void *context, struct sp_ticket ticket)
{
    (void)context, (void)ticket;
    return true;
}

static void shop_progress(void *context)
{
    struct shop *shop = context;
    sem_post(&shop->progress);
}

static void shop_open(struct shop *shop)
{
    struct store *store;
    const struct batches_ports ports = {.context = shop,
                                        .mono_us = shop_mono_us,
                                        .domain_us = shop_domain_us,
                                        .reply = shop_reply,
                                        .alive = shop_alive};
    *shop = (struct shop){.folder = folder_make()};
    assert_int_equal(sem_init(&shop->progress, 0, 0), 0);
    assert_int_equal(store_open_spatialite(&store, shop->folder, NULL), ERR_OK);
    desk_open(&shop->desk, store, NULL);
    desk_furnish(&shop->desk);
    shop->batches = batches_open(shop->desk.engine, &ports);
    store_sync_apart(store, shop_progress, shop);
}

static void shop_close(struct shop *shop)
{
    batches_close(shop->batches);
    desk_close(&shop->desk);
    sem_destroy(&shop->progress);
    folder_remove(shop->folder);
}

/* An administrator's request, by that number. */
static void ask(struct shop *shop, uint32_t number, const char *method,
                const ProtobufCMessage *body)
{
    char id[32];
    Callout__Principal admin = a_key("admin", "admin");
    snprintf(id, sizeof id, "order-%u", number);
    struct engine_item item = desk_item(&shop->desk, &admin, method, id, body);
    const struct sp_ticket ticket = {.request = number};
    batches_put(shop->batches, ticket, item.bytes, item.size);
    batches_run(shop->batches);
}

static void order(struct shop *shop, uint32_t number)
{
    char id[16];
    snprintf(id, sizeof id, "N%u", number);
    ask(shop, number, "UpsertWorkOrder", &desk_order(&shop->desk, id)->base);
}

static void look(struct shop *shop, uint32_t number)
{
    Callout__WorkOrderDetailRequest request;
    callout__work_order_detail_request__init(&request);
    request.appointment_id = words("N1.1");
    ask(shop, number, "WorkOrderDetail", &request.base);
}

/* --- tests --- */

static void an_answer_waits_for_the_disk(void **state)
{
    struct shop shop;
    (void)state;
    shop_open(&shop);
    look(&shop, 7); /* nothing is on its way: at once */
    assert_int_equal(shop.replies, 1);
    pthread_mutex_lock(&disk.held);
    order(&shop, 1);
    look(&shop, 2); /* it sees an order that is not on the disk yet */
    assert_true(batches_release(shop.batches));
    assert_false(batches_release_due(shop.batches));
    assert_int_equal(shop.replies, 1);
    pthread_mutex_unlock(&disk.held);
    sem_wait(&shop.progress);
    assert_int_equal(shop.replies, 1); /* a thread tells nobody anything */
    assert_true(batches_release_due(shop.batches));
    assert_true(batches_release(shop.batches));
    assert_int_equal(shop.replies, 3);
    assert_int_equal(shop.to[1], 1);
    assert_int_equal(shop.to[2], 2);
    shop_close(&shop);
}

/* The next batch waits for the one before it when it commits, which is told by then. */
static void answers_leave_in_their_order(void **state)
{
    struct shop shop;
    (void)state;
    shop_open(&shop);
    for (uint32_t i = 1; i <= 8; i++)
        order(&shop, i);
    while (shop.replies < 8) {
        sem_wait(&shop.progress);
        assert_true(batches_release(shop.batches));
    }
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(shop.to[i], i + 1);
    shop_close(&shop);
}

/* There is always one that waits: none is told before its commit is on the disk, or out of turn. */
static void a_disk_that_is_never_done_is_kept_up_with(void **state)
{
    struct shop shop;
    (void)state;
    shop_open(&shop);
    disk.counted = true;
    for (uint32_t i = 1; i <= LONG; i++) {
        order(&shop, i); /* its commit waits for the one before */
        assert_true(batches_release(shop.batches));
        assert_int_equal(shop.replies, i - 1);
        sem_post(&disk.permits);
    }
    disk.counted = false;
    while (shop.replies < LONG) {
        sem_wait(&shop.progress);
        assert_true(batches_release(shop.batches));
    }
    for (uint32_t i = 0; i < LONG; i++)
        assert_int_equal(shop.to[i], i + 1);
    shop_close(&shop);
}

static void a_disk_that_failed_tells_nothing(void **state)
{
    struct shop shop;
    uint64_t facts = 0;
    (void)state;
    shop_open(&shop);
    int64_t before = desk_seq(&shop.desk);
    pthread_mutex_lock(&disk.held);
    order(&shop, 1);
    disk.fails = true;
    pthread_mutex_unlock(&disk.held);
    sem_wait(&shop.progress);
    assert_false(batches_release(shop.batches));
    disk.fails = false; /* asking again would be answered with a lie */
    order(&shop, 2);
    assert_false(batches_release(shop.batches));
    assert_int_equal(shop.replies, 0);
    assert_int_equal(store_begin(shop.desk.store), ERR_IO);
    batches_close(shop.batches);
    desk_close(&shop.desk);
    disk.fails = true; /* what it finds there must be on the disk before anything is told of it */
    assert_int_equal(store_open_spatialite(&shop.desk.store, shop.folder, NULL), ERR_IO);
    disk.fails = false;
    assert_int_equal(store_open_spatialite(&shop.desk.store, shop.folder, NULL), ERR_OK);
    assert_int_equal(store_row_count(shop.desk.store, ROW_FACT, &facts), ERR_OK);
    assert_true((int64_t)facts >= before);
    store_close(shop.desk.store);
    sem_destroy(&shop.progress);
    folder_remove(shop.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_waits_for_the_disk),
        cmocka_unit_test(answers_leave_in_their_order),
        cmocka_unit_test(a_disk_that_is_never_done_is_kept_up_with),
        cmocka_unit_test(a_disk_that_failed_tells_nothing),
    };
    disk_install();
    assert_int_equal(sem_init(&disk.permits, 0, 0), 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
