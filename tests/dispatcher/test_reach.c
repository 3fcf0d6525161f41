#include "dispatcher/reach.h"

#include "sp_socket.h"
#include "url.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { STARTS = 3 };

/* Whether somebody who does not share his place can have that port. */
static bool is_open_to_others(uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    bool bound = bind(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return bound;
}

static uint16_t listen_and_end(const char *text)
{
    struct url url;
    int fd = -1;
    assert_int_equal(url_parse(text, &url, NULL), ERR_OK);
    assert_int_equal(sp_socket_listen(&url, &fd, NULL), ERR_OK);
    uint16_t port = sp_socket_port(fd);
    close(fd);
    return port;
}

/* From the moment that it is known until a child listens, and while that is started again. */
static void a_port_that_was_given_is_nobody_elses(void **state)
{
    char url[64];
    (void)state;
    assert_int_equal(reach_fix_url("tcp://127.0.0.1:0", url, sizeof url, NULL), ERR_OK);
    uint16_t port = (uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10);
    for (int start = 0; start < STARTS; start++) {
        assert_false(is_open_to_others(port));
        assert_int_equal(listen_and_end(url), port);
    }
    assert_false(is_open_to_others(port));
}

static void what_has_a_port_is_left_as_it_is(void **state)
{
    char out[64];
    (void)state;
    assert_int_equal(reach_fix_address("127.0.0.1:7381", out, sizeof out, NULL), ERR_OK);
    assert_string_equal(out, "127.0.0.1:7381");
    assert_int_equal(reach_fix_url("ipc:///tmp/door", out, sizeof out, NULL), ERR_OK);
    assert_string_equal(out, "ipc:///tmp/door");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_that_was_given_is_nobody_elses),
        cmocka_unit_test(what_has_a_port_is_left_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
