/* A peer that vanished without a word is noticed within 45 seconds, whether bytes of ours are on
 * their way to him or not. */
#include "sp_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
    return value;
}

static void who_vanished_is_given_up(void **state)
{
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    sp_socket_tune(fd);
    assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    int silent_s = option(fd, IPPROTO_TCP, TCP_KEEPIDLE) +
                   option(fd, IPPROTO_TCP, TCP_KEEPINTVL) * option(fd, IPPROTO_TCP, TCP_KEEPCNT);
    assert_in_range(silent_s, 1, 45);
    assert_in_range(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 1, 45000);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(who_vanished_is_given_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
