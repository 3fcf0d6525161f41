/* Whose an address is: one IPv4 address, or one IPv6 network of 64 bits. */
#include "sp_peers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t key(const char *text)
{
    return sp_address_read(text).key;
}

static void one_household_is_one_address(void **state)
{
    (void)state;
    assert_int_equal(key("2001:db8::1"), key("2001:db8::ffff:ffff:ffff:ffff"));
    assert_int_not_equal(key("2001:db8::1"), key("2001:db8:0:1::1"));
    assert_int_not_equal(key("192.0.2.7"), key("192.0.2.8"));
    assert_int_equal(key("::ffff:192.0.2.7"), key("192.0.2.7"));
    assert_int_not_equal(key("::1"), 0);
    static const char *const none[] = {"", "unix", "T01", "192.0.2", "2001:db8:::1", "192.0.2.7 "};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(key(none[i]), 0);
}

static uint64_t around(const char *text)
{
    return sp_address_neighbourhood(sp_address_read(text));
}

static void next_door_is_the_neighbourhood(void **state)
{
    (void)state;
    assert_int_equal(around("192.0.2.7"), around("192.0.2.250"));
    assert_int_not_equal(around("192.0.2.7"), around("192.0.3.7"));
    assert_int_equal(around("2001:db8::1"), around("2001:db8::2:1"));
    assert_int_not_equal(around("2001:db8::1"), around("2001:db8:0:1::1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_household_is_one_address),
        cmocka_unit_test(next_door_is_the_neighbourhood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
