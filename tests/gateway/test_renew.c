/* A certificate that is renewed while the gateway runs: both doors show it, and nobody is dropped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "browser.h"

#include "tls_init.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

/* One who speaks TLS, and which certificate he was shown. */
struct guest {
    int fd;
    SSL *ssl;
    unsigned char shown[20];
};

static SSL_CTX *tls;

static struct guest guest_open(uint16_t port)
{
    struct guest guest = {.fd = raw_connect(port), .ssl = SSL_new(tls)};
    assert_non_null(guest.ssl);
    assert_int_equal(SSL_set_fd(guest.ssl, guest.fd), 1);
    assert_int_equal(SSL_connect(guest.ssl), 1);
    X509 *certificate = SSL_get1_peer_certificate(guest.ssl);
    unsigned int size = 0;
    assert_int_equal(X509_digest(certificate, EVP_sha1(), guest.shown, &size), 1);
    assert_int_equal(size, sizeof guest.shown);
    X509_free(certificate);
    return guest;
}

static void guest_close(struct guest *guest)
{
    SSL_free(guest->ssl);
    close(guest->fd);
}

static void expect_served(struct guest *guest)
{
    static const char ask[] = "GET /page.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char answer[2048];
    assert_int_equal(SSL_write(guest->ssl, ask, sizeof ask - 1), sizeof ask - 1);
    size_t got = 0;
    for (answer[0] = '\0'; strstr(answer, "\r\n\r\npage") == NULL; answer[got] = '\0') {
        int more = SSL_read(guest->ssl, answer + got, (int)(sizeof answer - 1 - got));
        assert_true(more > 0);
        got += (size_t)more;
    }
    expect(answer, "200", "");
}

/* Waits until that door shows another certificate than this guest was shown. */
static void wait_renewed(uint16_t port, const struct guest *before)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    for (unsigned i = 0; i < 1000; i++) {
        struct guest now = guest_open(port);
        bool renewed = memcmp(now.shown, before->shown, sizeof now.shown) != 0;
        guest_close(&now);
        if (renewed) return;
        nanosleep(&pause, NULL);
    }
    fail_msg("the certificate is the old one");
}

static void write_text(const struct stage *stage, const char *path, const char *text)
{
    char name[128];
    snprintf(name, sizeof name, "%s/%s", stage->folder, path);
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_certificate_is_renewed(void **state)
{
    struct stage *stage = stage_begin();
    char extra[512], web[64];
    const char *host = "localhost";
    (void)state;
    assert_int_equal(tls_init(stage->folder, &host, 1, NULL), ERR_OK);
    snprintf(web, sizeof web, "%s/web", stage->folder);
    assert_int_equal(mkdir(web, 0700), 0);
    write_text(stage, "web/page.txt", "page");
    snprintf(extra, sizeof extra,
             "--http https://127.0.0.1:0 --listen tls+tcp://127.0.0.1:0 --tls-dir %s/tls --web %s",
             stage->folder, web);
    stage_run(stage, extra);
    struct guest http = guest_open(stage->http_port), device = guest_open(stage->tls_port);
    expect_served(&http);

    assert_int_equal(tls_init(stage->folder, &host, 1, NULL), ERR_OK);
    kill(stage->gateway, SIGHUP); /* told */
    wait_renewed(stage->http_port, &http);
    wait_renewed(stage->tls_port, &device);
    expect_served(&http);

    struct guest second = guest_open(stage->http_port);
    assert_int_equal(tls_init(stage->folder, &host, 1, NULL), ERR_OK);
    wait_renewed(stage->http_port, &second); /* seen */
    expect_served(&second);
    expect_served(&http);

    write_text(stage, "tls/server.pem", "no certificate");
    kill(stage->gateway, SIGHUP);
    const struct timespec pause = {.tv_nsec = 10000000};
    for (unsigned i = 0; i < 1000 && strstr(log_of(stage), "what there was stays") == NULL; i++)
        nanosleep(&pause, NULL);
    assert_non_null(strstr(log_of(stage), "what there was stays"));
    struct guest third = guest_open(stage->http_port);
    expect_served(&third);
    guest_close(&third);
    guest_close(&second);
    guest_close(&http);
    guest_close(&device);
    stage_close(stage);
}

static void files_are_read_again(void **state)
{
    struct stage *stage = stage_begin();
    char extra[128], web[64];
    (void)state;
    snprintf(web, sizeof web, "%s/web", stage->folder);
    assert_int_equal(mkdir(web, 0700), 0);
    write_text(stage, "web/page.txt", "before");
    snprintf(extra, sizeof extra, "--web %s", web);
    stage_run(stage, extra);
    static const char ask[] = "GET /page.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";
    expect(raw_ask(stage, ask), "200", "\r\n\r\nbefore");
    write_text(stage, "web/page.txt", "after");
    kill(stage->gateway, SIGHUP);
    const struct timespec pause = {.tv_nsec = 10000000};
    for (unsigned i = 0; i < 1000 && strstr(raw_ask(stage, ask), "after") == NULL; i++)
        nanosleep(&pause, NULL);
    expect(raw_ask(stage, ask), "200", "\r\n\r\nafter");
    stage_close(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_is_renewed),
        cmocka_unit_test(files_are_read_again),
    };
    tls = SSL_CTX_new(TLS_client_method());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    SSL_CTX_free(tls);
    return failed;
}
