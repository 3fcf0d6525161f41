/* A certificate that is renewed while the gateway runs: both doors show it, and nobody is dropped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "browser.h"

#include "tls_init.h"

#include <openssl/pem.h>
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

/* Of the authority that tls-init wrote: DER, and its fingerprint as people compare it. */
static size_t read_authority(const struct stage *stage, uint8_t *der, char fingerprint[96])
{
    char name[128];
    uint8_t digest[32];
    snprintf(name, sizeof name, "%s/tls/ca.pem", stage->folder);
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    int size = i2d_X509(certificate, &der);
    assert_int_equal(X509_digest(certificate, EVP_sha256(), digest, NULL), 1);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(fingerprint + 3 * i, 4, i + 1 < sizeof digest ? "%02X:" : "%02X", digest[i]);
    X509_free(certificate);
    return (size_t)size;
}

/* The bytes of an answer to a guest, until the other side closes. */
static size_t get_by_tls(const struct stage *stage, const char *path, char answer[8192])
{
    char ask[256];
    struct guest guest = guest_open(stage->http_port);
    int size = snprintf(ask, sizeof ask,
                        "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    assert_int_equal(SSL_write(guest.ssl, ask, size), size);
    size_t got = 0;
    for (int more; (more = SSL_read(guest.ssl, answer + got, (int)(8191 - got))) > 0;)
        got += (size_t)more;
    answer[got] = '\0';
    guest_close(&guest);
    return got;
}

/* A chain as a public authority gives it: it ends below the one who signed himself. */
static void cut_chain(const struct stage *stage)
{
    char name[128];
    snprintf(name, sizeof name, "%s/tls/server.pem", stage->folder);
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    file = fopen(name, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    assert_int_equal(fclose(file), 0);
    X509_free(certificate);
}

static struct stage *vouched_open(const char *more, bool whole)
{
    struct stage *stage = stage_begin();
    const char *host = "localhost";
    char extra[512], web[64];
    assert_int_equal(tls_init(stage->folder, &host, 1, NULL), ERR_OK);
    if (!whole) cut_chain(stage);
    snprintf(web, sizeof web, "%s/web", stage->folder);
    assert_int_equal(mkdir(web, 0700), 0);
    snprintf(web, sizeof web, "%s/web/authority", stage->folder);
    assert_int_equal(mkdir(web, 0700), 0);
    write_text(stage, "web/authority/index.html", "what to do");
    snprintf(extra, sizeof extra, "--http https://127.0.0.1:0 --tls-dir %s/tls --web %s/web %s",
             stage->folder, stage->folder, more);
    stage_run(stage, extra);
    return stage;
}

static void phones_may_get_the_authority(void **state)
{
    struct stage *stage = vouched_open("", true);
    uint8_t der[4096];
    char fingerprint[96], answer[8192];
    (void)state;
    size_t size = read_authority(stage, der, fingerprint);
    size_t got = get_by_tls(stage, "/authority/ca.crt", answer);
    expect(answer, "200", "Content-Type: application/x-x509-ca-cert\r\n");
    assert_memory_equal(answer + got - size, der, size);
    get_by_tls(stage, "/authority/fingerprint", answer);
    expect(answer, "200", fingerprint);
    get_by_tls(stage, "/authority/", answer);
    expect(answer, "200", "what to do");
    stage_close(stage);
}

static void expect_no_authority(const char *more, bool whole)
{
    struct stage *stage = vouched_open(more, whole);
    char answer[8192];
    get_by_tls(stage, "/authority/ca.crt", answer);
    expect(answer, "404", "NOT_FOUND");
    get_by_tls(stage, "/authority/", answer);
    expect(answer, "404", "NOT_FOUND");
    get_by_tls(stage, "/authority/fingerprint", answer);
    expect(answer, "200", "Content-Length: 0\r\n");
    stage_close(stage);
}

/* Whose certificate phones see is the proxy's. */
static void behind_a_proxy_there_is_no_authority(void **state)
{
    (void)state;
    expect_no_authority("--behind-proxy", true);
}

static void a_public_authority_is_not_ours_to_give(void **state)
{
    (void)state;
    expect_no_authority("", false);
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
        cmocka_unit_test(phones_may_get_the_authority),
        cmocka_unit_test(behind_a_proxy_there_is_no_authority),
        cmocka_unit_test(a_public_authority_is_not_ours_to_give),
        cmocka_unit_test(files_are_read_again),
    };
    tls = SSL_CTX_new(TLS_client_method());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    SSL_CTX_free(tls);
    return failed;
}
