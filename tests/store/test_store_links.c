/* Orders are found by the site, customer, contact and asset that they name, the last id first. */
#include "dispatcher/store/store.h"
#include "folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void put_order(struct store *store, const char *id, const char *site, const char *customer,
                      const char *contact, const char *asset)
{
    const struct row_work_order row = {.work_order_id = id,
                                       .site_id = site,
                                       .customer_id = customer,
                                       .contact_id = contact,
                                       .asset_id = asset};
    assert_int_equal(store_put(store, ROW_WORK_ORDER, &row), ERR_OK);
}

static bool note(void *context, const void *visited)
{
    const struct row_work_order *row = visited;
    strcat(context, row->work_order_id);
    return strcmp(row->work_order_id, "stop") != 0;
}

static void names(struct store *store, enum order_link link, const char *id, const char *expected)
{
    char found[64] = "";
    assert_int_equal(store_orders_of(store, link, id, note, found), ERR_OK);
    assert_string_equal(found, expected);
}

static void ask(struct store *store)
{
    assert_int_equal(store_begin(store), ERR_OK);
    put_order(store, "A", "s", "c", "", "m");
    put_order(store, "B", "s", "c", "k", "");
    put_order(store, "C", "c", "s", "k", "c");
    put_order(store, "stop", "t", "t", "t", "t");
    put_order(store, "zebra", "t", "t", "t", "t");
    assert_int_equal(store_commit(store), ERR_OK);
    names(store, ORDER_SITE, "s", "BA");
    names(store, ORDER_CUSTOMER, "c", "BA");
    names(store, ORDER_CUSTOMER, "s", "C");
    names(store, ORDER_CONTACT, "k", "CB");
    names(store, ORDER_ASSET, "m", "A");
    names(store, ORDER_ASSET, "c", "C");
    names(store, ORDER_ASSET, "nothing", "");
    for (int link = 0; link < ORDER_LINKS; link++)
        names(store, (enum order_link)link, "t", "zebrastop");
    store_close(store);
}

static void in_memory(void **state)
{
    (void)state;
    ask(store_open_mem());
}

static void in_a_file(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = NULL;
    struct problem problem = {.text = ""};
    assert_int_equal(store_open_spatialite(&store, folder, &problem), ERR_OK);
    ask(store);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_memory),
        cmocka_unit_test(in_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
