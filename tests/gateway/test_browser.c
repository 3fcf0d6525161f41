/* Sessions of browsers at the HTTP door: cookies, what proves a page of ours, and proxies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "browser.h"

#include "gateway/http_sessions.h"
#include "gateway/http_words.h"

#include <sodium.h>

#define OURS "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n"

/* What a page knows, and what its browser adds. */
struct page {
    char cookie[160]; /* "Cookie: NAME=VALUE\r\n" */
    char csrf[80];    /* "X-Callout-Csrf: TEXT\r\n" */
};

static const char *ask_at(struct stage *stage, const char *path, const char *headers,
                          const char *body)
{
    char text[HEAD_MAX];
    snprintf(text, sizeof text,
             "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n%s\r\n%s",
             path, strlen(body), headers, body);
    return raw_ask(stage, text);
}

static const char *get(struct stage *stage, const char *path, const char *headers)
{
    char text[HEAD_MAX];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path, headers);
    return raw_ask(stage, text);
}

static struct page page_of(const char *answer)
{
    struct page page;
    const char *cookie = strstr(answer, "Set-Cookie: "), *csrf = strstr(answer, "\"csrf\":\"");
    assert_non_null(cookie);
    assert_non_null(csrf);
    snprintf(page.cookie, sizeof page.cookie, "Cookie: a=b; %.*s\r\n",
             (int)strcspn(cookie + 12, ";"), cookie + 12);
    snprintf(page.csrf, sizeof page.csrf, "X-Callout-Csrf: %.*s\r\n", (int)strcspn(csrf + 8, "\""),
             csrf + 8);
    return page;
}

static const char *log_in(struct stage *stage, const char *headers, const char *password)
{
    char body[80];
    snprintf(body, sizeof body, "{\"name\":\"dora\",\"password\":\"%s\"}", password);
    return ask_at(stage, "/session/login", headers, body);
}

static const char *with(const struct page *page, const char *more)
{
    static char text[512];
    snprintf(text, sizeof text, "%s%s%s", page->cookie, page->csrf, more);
    return text;
}

/* --- a session --- */

static void a_page_logs_in_and_out(void **state)
{
    struct stage *stage = stage_open(NULL);
    char name[32];
    (void)state;
    snprintf(name, sizeof name, "Set-Cookie: callout_%u=", stage->http_port);
    const char *answer = log_in(stage, OURS, "right");
    expect(answer, "200", name);
    expect(answer, "200", "; Path=/; HttpOnly; SameSite=Strict\r\n");
    expect(answer, "200", "\"body\":{\"expiresUs\":\"7\",\"who\":{\"name\":\"dora\"}}");
    expect(answer, "200", "Cache-Control: no-store\r\n");
    assert_null(strstr(answer, "sessionToken"));
    struct page page = page_of(answer);
    expect(ask_at(stage, "/api/Board", with(&page, OURS), "{}"), "200", "\"status\":\"OK\"");
    answer = get(stage, "/session", page.cookie); /* a reload: the page has forgotten */
    char csrf[64];
    snprintf(csrf, sizeof csrf, "\"csrf\":\"%.*s\"", (int)strcspn(page.csrf + 16, "\r"),
             page.csrf + 16);
    expect(answer, "200", csrf);
    expect(ask_at(stage, "/session/logout", with(&page, OURS), "{}"), "200", "; Max-Age=0\r\n");
    assert_false(stage->fake.logged_out_all);
    expect(ask_at(stage, "/api/Board", with(&page, OURS), "{}"), "401", "UNAUTH");
    stage_close(stage);
    stage = stage_open(NULL);
    page = page_of(log_in(stage, OURS, "right"));
    expect(ask_at(stage, "/session/logout-everywhere", with(&page, OURS), "{}"), "200", "OK");
    assert_true(stage->fake.logged_out_all);
    expect(get(stage, "/session", ""), "401", "UNAUTH");
    stage_close(stage);
}

static void a_wrong_password_sets_nothing(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    assert_null(strstr(log_in(stage, OURS, "wrong"), "Set-Cookie"));
    stage_close(stage);
}

/* --- pages of others --- */

static void a_cookie_alone_may_do_nothing(void **state)
{
    static const struct {
        const char *headers, *status, *field;
    } rows[] = {
        {OURS, "403", "X-Callout-Csrf"},
        {OURS "X-Callout-Csrf: \r\n", "403", "X-Callout-Csrf"},
        {OURS "X-Callout-Csrf: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n", "403",
         "X-Callout-Csrf"},
        {OURS "Authorization: Bearer\r\n", "401", "session_token"},
    };
    struct stage *stage = stage_open(NULL);
    (void)state;
    struct page page = page_of(log_in(stage, OURS, "right"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char headers[512];
        snprintf(headers, sizeof headers, "%s%s", page.cookie, rows[i].headers);
        expect(ask_at(stage, "/api/Board", headers, "{}"), rows[i].status, rows[i].field);
        expect(ask_at(stage, "/session/logout", headers, "{}"), rows[i].status, rows[i].field);
    }
    expect(get(stage, "/session", page.cookie), "200", "csrf");
    stage_close(stage);
}

static void a_page_of_somebody_else_may_do_nothing(void **state)
{
    static const char *const origins[] = {
        "",
        "Origin: null\r\n",
        "Origin: https://localhost\r\n",
        "Origin: http://localhost:81\r\n",
        "Origin: http://evil.example\r\n",
        "Origin: http://localhost.evil.example\r\nSec-Fetch-Site: same-origin\r\n",
        "Origin: http://localhost\r\nSec-Fetch-Site: cross-site\r\n",
        "Origin: http://localhost\r\nSec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: none\r\n",
    };
    struct stage *stage = stage_open(NULL);
    (void)state;
    struct page page = page_of(log_in(stage, OURS, "right"));
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        expect(ask_at(stage, "/api/Board", with(&page, origins[i]), "{}"), "403", "UNAUTH");
        if (i > 0 && i < 8) expect(log_in(stage, origins[i], "right"), "403", "UNAUTH");
    }
    expect(ask_at(stage, "/api/Board", with(&page, "Sec-Fetch-Site: same-origin\r\n"), "{}"), "200",
           "OK");
    expect(get(stage, "/session", with(&page, "Sec-Fetch-Site: cross-site\r\n")), "403", "Sec-");
    expect(ask_at(stage, "/session/login", OURS, "{\"name\":\"dora\",\"password\":\"\xff\"}"),
           "400", "INVALID");
    expect(raw_ask(stage, "POST /session/login HTTP/1.1\r\nHost: localhost\r\n" OURS
                          "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"),
           "400", "Content-Type");
    expect(ask_at(stage, "/session/login?x=1", OURS, "{}"), "404", "NOT_FOUND");
    expect(get(stage, "/session/login", ""), "404", "NOT_FOUND");
    stage_close(stage);
}

/* What was there before a login is worth nothing after it, and two cookies are none. */
static void a_session_is_not_brought_along(void **state)
{
    struct stage *stage = stage_open(NULL);
    char cookie[512], name[32];
    (void)state;
    snprintf(name, sizeof name, "callout_%u", stage->http_port);
    snprintf(cookie, sizeof cookie,
             "Cookie: %s=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n" OURS, name);
    struct page page = page_of(log_in(stage, cookie, "right"));
    assert_null(strstr(page.cookie, "AAAAAAAA"));
    expect(get(stage, "/session", cookie), "401", "UNAUTH");
    snprintf(cookie, sizeof cookie, "Cookie: %s=x; %.*s\r\n", name,
             (int)strcspn(page.cookie + 13, "\r"), page.cookie + 13);
    expect(get(stage, "/session", cookie), "400", "Cookie");
    snprintf(cookie, sizeof cookie, "%s%s", page.cookie, page.cookie);
    expect(get(stage, "/session", cookie), "400", "Cookie");
    snprintf(cookie, sizeof cookie, "Cookie: %s=x\r\n", name);
    expect(get(stage, "/session", cookie), "401", "UNAUTH");
    stage_close(stage);
}

/* --- devices in a browser --- */

/* What comes in says itself who it is: the cookie of a console in the next tab is none of its. */
static void a_device_comes_in_from_a_page_of_ours(void **state)
{
    static const char hello[] = "{\"deviceId\":\"d1\",\"epoch\":1}";
    struct stage *stage = stage_open(NULL);
    char headers[512];
    (void)state;
    struct page page = page_of(log_in(stage, OURS, "right"));
    snprintf(headers, sizeof headers, "%s" OURS, page.cookie);
    expect(ask_at(stage, "/api/Hello", headers, hello), "200", "\"lastSeq\":\"7\"");
    expect(ask_at(stage, "/api/Ping", headers, "{}"), "200", "OK");
    expect(ask_at(stage, "/api/Hello", "", hello), "200", "\"lastSeq\":\"7\""); /* no browser */
    expect(ask_at(stage, "/api/Hello", "Origin: http://evil.example\r\n", hello), "403", "Origin");
    expect(ask_at(stage, "/api/Enroll", "Sec-Fetch-Site: cross-site\r\n", "{}"), "403", "Sec-");
    expect(ask_at(stage, "/api/Pull", headers, "{}"), "403", "X-Callout-Csrf");
    stage_close(stage);
}

/* What the body says with a refusal is told, in JSON too. */
static void a_device_that_was_ended_is_told_to_wipe(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    const char *answer = ask_at(stage, "/api/Hello", OURS, "{\"deviceId\":\"ended\"}");
    expect(answer, "410", "\"status\":\"GONE\"");
    expect(answer, "410", "\"wipe\":true");
    stage_close(stage);
}

/* --- proxies --- */

static void a_proxy_says_who_asks(void **state)
{
    struct stage *stage = stage_open("--behind-proxy");
    (void)state;
    const char *proxied = "X-Forwarded-Proto: https\r\nX-Forwarded-For: 198.51.100.9, 192.0.2.7\r\n"
                          "Origin: https://localhost\r\n";
    const char *answer = log_in(stage, proxied, "right");
    expect(answer, "200", "Set-Cookie: __Host-callout=");
    expect(answer, "200", "; Path=/; HttpOnly; SameSite=Strict; Secure\r\n");
    assert_string_equal(stage->fake.peer, "192.0.2.7");
    for (unsigned i = 0; i < 9; i++)
        expect(log_in(stage, proxied, "right"), "200", "csrf");
    expect(log_in(stage, proxied, "right"), "429", "\"status\":\"RATE\"");
    expect(log_in(stage, "X-Forwarded-For: 192.0.2.8\r\n", "right"), "200", "csrf");
    expect(log_in(stage, "Origin: https://localhost\r\n", "right"), "403", "Origin");
    expect(log_in(stage, "X-Forwarded-For: <b>\r\n", "right"), "200", "csrf");
    assert_string_equal(stage->fake.peer, "proxy");
    stage_close(stage);
}

/* Without --behind-proxy anybody could say it. */
static void nobody_else_says_who_asks(void **state)
{
    struct stage *stage = stage_open(NULL);
    char headers[128];
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        snprintf(headers, sizeof headers, OURS "X-Forwarded-For: 192.0.2.%u\r\n", i);
        expect(log_in(stage, headers, "right"), "200", "csrf");
    }
    assert_string_equal(stage->fake.peer, "127.0.0.1");
    expect(log_in(stage, headers, "right"), "429", "RATE");
    stage_close(stage);
}

/* --- words --- */

static void addresses_of_proxies_are_read_strictly(void **state)
{
    char out[48];
    (void)state;
    assert_true(http_forwarded_for("192.0.2.1", out, sizeof out));
    assert_true(http_forwarded_for("junk, 2001:db8::7 ", out, sizeof out));
    assert_string_equal(out, "2001:db8::7");
    assert_false(http_forwarded_for("", out, sizeof out));
    assert_false(http_forwarded_for("192.0.2.1,", out, sizeof out));
    assert_false(http_forwarded_for("192.0.2.1:80", out, sizeof out));
    assert_false(http_forwarded_for("192.0.2.1 x", out, sizeof out) && strchr(out, 'x') != NULL);
    assert_false(
        http_forwarded_for("11111111111111111111111111111111111111111111111111", out, sizeof out));
}

static void each_session_has_its_own_proof(void **state)
{
    uint8_t a[HTTP_SESSION_BYTES] = {1}, b[HTTP_SESSION_BYTES] = {2};
    char csrf[HTTP_CSRF_SIZE], token[64];
    (void)state;
    http_csrf_write(a, csrf);
    assert_true(http_csrf_is(a, csrf));
    assert_false(http_csrf_is(b, csrf));
    assert_false(http_csrf_is(a, ""));
    sodium_bin2base64(token, sizeof token, a, sizeof a, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    assert_string_not_equal(csrf, token);
    csrf[3] ^= 1;
    assert_false(http_csrf_is(a, csrf));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_logs_in_and_out),
        cmocka_unit_test(a_wrong_password_sets_nothing),
        cmocka_unit_test(a_cookie_alone_may_do_nothing),
        cmocka_unit_test(a_page_of_somebody_else_may_do_nothing),
        cmocka_unit_test(a_session_is_not_brought_along),
        cmocka_unit_test(a_device_comes_in_from_a_page_of_ours),
        cmocka_unit_test(a_device_that_was_ended_is_told_to_wipe),
        cmocka_unit_test(a_proxy_says_who_asks),
        cmocka_unit_test(nobody_else_says_who_asks),
        cmocka_unit_test(addresses_of_proxies_are_read_strictly),
        cmocka_unit_test(each_session_has_its_own_proof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
