/* What the HTTP door gives to browsers: files, the map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "browser.h"

#include "gateway/http_words.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { MAP_SIZE = 300000 };

/* --- what is on disk --- */

static const char *under(const struct stage *stage, const char *path)
{
    static char text[128];
    snprintf(text, sizeof text, "%s/%s", stage->folder, path);
    return text;
}

static void put_file(const struct stage *stage, const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(under(stage, path), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void put_text(const struct stage *stage, const char *path, const char *text)
{
    put_file(stage, path, text, strlen(text));
}

static uint8_t map_byte(size_t at)
{
    return (uint8_t)(at * 2654435761U >> 13);
}

static void put_tree(struct stage *stage)
{
    static uint8_t map[MAP_SIZE];
    for (size_t i = 0; i < MAP_SIZE; i++)
        map[i] = map_byte(i);
    mkdir(under(stage, "web"), 0700);
    mkdir(under(stage, "web/console"), 0700);
    put_text(stage, "web/index.html", "the front");
    put_text(stage, "web/console/index.html", "the console");
    put_text(stage, "web/console/app-3F7QX2KA.js", "0123456789 as it is");
    put_text(stage, "web/console/app-3F7QX2KA.js.gz", "packed");
    mkdir(under(stage, "web/technician"), 0700);
    put_text(stage, "web/technician/index.html", "the app");
    put_text(stage, "web/technician/sw.js", "its worker");
    put_text(stage, "web/technician/app.webmanifest", "{}");
    put_text(stage, "web/.hidden", "hidden");
    put_text(stage, "web/odd name.txt", "odd");
    put_text(stage, "secret", "secret");
    assert_int_equal(symlink("../secret", under(stage, "web/link.txt")), 0);
    put_file(stage, "map", map, MAP_SIZE);
}

static struct stage *web_open(void)
{
    struct stage *stage = stage_begin();
    char extra[256];
    put_tree(stage);
    snprintf(extra, sizeof extra, "--web %s/web --basemap %s/map", stage->folder, stage->folder);
    stage_run(stage, extra);
    return stage;
}

static const char *get(struct stage *stage, const char *path, const char *headers)
{
    char text[HEAD_MAX];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path, headers);
    return raw_ask(stage, text);
}

/* --- files --- */

static void files_of_the_tree_are_served(void **state)
{
    struct stage *stage = web_open();
    (void)state;
    expect(get(stage, "/", ""), "200", "\r\n\r\nthe front");
    expect(get(stage, "/?from=mail", ""), "200", "the front");
    expect(get(stage, "/console", ""), "308", "\r\nLocation: /console/\r\n");
    expect(get(stage, "/console/", ""), "200", "Content-Type: text/html");
    expect(get(stage, "/console/", ""), "200", "Cache-Control: no-cache\r\n");
    const char *script = get(stage, "/console/app-3F7QX2KA.js", "");
    expect(script, "200", "as it is");
    expect(script, "200", "Content-Type: text/javascript; charset=utf-8\r\n");
    expect(script, "200", "immutable\r\n");
    expect(script, "200", "X-Content-Type-Options: nosniff\r\n");
    expect(script, "200", "default-src 'none'; script-src 'self';");
    expect(script, "200", "frame-ancestors 'none'\r\n");
    expect(raw_ask(stage, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"), "404",
           "NOT_FOUND");
    stage_close(stage);
}

static void that_there_is_no_region_is_an_answer(void **state)
{
    struct stage *stage = stage_begin();
    char extra[256];
    (void)state;
    put_tree(stage);
    snprintf(extra, sizeof extra, "--web %s/web", stage->folder);
    stage_run(stage, extra);
    int fd = visit(stage);
    write_all(fd, "GET /basemap/region.pmtiles HTTP/1.1\r\nHost: localhost\r\n"
                  "Range: bytes=0-6\r\nConnection: close\r\n\r\n");
    expect(read_all(stage, fd), "204", "nosniff\r\n");
    close(fd);
    expect(get(stage, "/basemap/other.pmtiles", ""), "404", "NOT_FOUND");
    stage_close(stage);
}

/* A service worker commands the folder that it lies in, and is looked for anew each time. */
static void the_technicians_app_may_do_what_it_needs(void **state)
{
    struct stage *stage = web_open();
    (void)state;
    const char *answer = get(stage, "/technician/", "");
    expect(answer, "200", "\r\n\r\nthe app");
    expect(answer, "200", "camera=(self), microphone=(), geolocation=(self)");
    answer = get(stage, "/technician/sw.js", "");
    expect(answer, "200", "Content-Type: text/javascript; charset=utf-8\r\n");
    expect(answer, "200", "Cache-Control: no-cache\r\n");
    expect(answer, "200", "worker-src 'self'; manifest-src 'self'");
    expect(get(stage, "/technician/app.webmanifest", ""), "200",
           "Content-Type: application/manifest+json\r\n");
    expect(get(stage, "/technician", ""), "308", "\r\nLocation: /technician/\r\n");
    answer = get(stage, "/console/?of=/technician/", "");
    expect(answer, "200", "camera=(), microphone=(), geolocation=()");
    stage_close(stage);
}

static void only_what_was_there_is_served(void **state)
{
    static const char *const paths[] = {
        "/nothing",
        "/.hidden",
        "/link.txt",
        "/odd%20name.txt",
        "/../secret",
        "/..%2fsecret",
        "/%2e%2e/secret",
        "/console/../index.html",
        "//index.html",
        "/index.html%00",
        "/console/app-3F7QX2KA.js.gz",
        "/console/app-3F7QX2KA.js/",
        "/map",
        "/basemap/region.pmtiles/../../secret",
    };
    struct stage *stage = web_open();
    (void)state;
    put_text(stage, "web/late.txt", "late");
    expect(get(stage, "/late.txt", ""), "404", "NOT_FOUND");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        expect(get(stage, paths[i], ""), "404", "NOT_FOUND");
    stage_close(stage);
}

/* Nothing that a request says stands in the head of an answer. */
static void nothing_is_said_back_in_headers(void **state)
{
    static const char *const paths[] = {
        "/console?x=%0d%0aSet-Cookie:%20evil=1",
        "/console%0d%0aSet-Cookie:%20evil=1",
        "/api/Ping%0aSet-Cookie:%20evil=1",
        "/basemap/region.pmtiles?%0d%0aSet-Cookie:%20evil=1",
    };
    struct stage *stage = web_open();
    (void)state;
    expect(get(stage, paths[0], ""), "308", "\r\nLocation: /console/\r\n");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *answer =
            get(stage, paths[i], "Idempotency-Key: %0d%0aSet-Cookie: evil=1\r\nX: evil\r\n");
        const char *end = strstr(answer, "\r\n\r\n"), *evil = strstr(answer, "evil");
        assert_true(evil == NULL || evil > end);
    }
    stage_close(stage);
}

static void what_was_had_before_is_not_sent_again(void **state)
{
    struct stage *stage = web_open();
    char condition[128], plain[48], packed[48];
    (void)state;
    const char *path = "/console/app-3F7QX2KA.js";
    const char *tag = strstr(get(stage, path, ""), "ETag: ") + 6;
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(tag, "\r"), tag);
    const char *answer = get(stage, path, "Accept-Encoding: br, gzip\r\n");
    expect(answer, "200", "Content-Encoding: gzip\r\n");
    expect(answer, "200", "Vary: Accept-Encoding\r\n");
    expect(answer, "200", "\r\n\r\npacked");
    tag = strstr(answer, "ETag: ") + 6;
    snprintf(packed, sizeof packed, "%.*s", (int)strcspn(tag, "\r"), tag);
    assert_string_not_equal(plain, packed);
    snprintf(condition, sizeof condition, "If-None-Match: \"x\", %s\r\n", plain);
    int fd = visit(stage);
    write_all(fd, "GET /console/app-3F7QX2KA.js HTTP/1.1\r\nHost: localhost\r\n"
                  "Connection: close\r\n");
    write_all(fd, condition);
    write_all(fd, "\r\n");
    answer = read_all(stage, fd);
    expect(answer, "304", "ETag: ");
    assert_null(strstr(answer, "as it is"));
    close(fd);
    expect(get(stage, path, "Accept-Encoding: gzip;q=0\r\n"), "200", "as it is");
    snprintf(condition, sizeof condition, "If-None-Match: %s\r\n", packed);
    expect(get(stage, path, condition), "200", "as it is");
    stage_close(stage);
}

static void a_head_is_told_without_a_body(void **state)
{
    struct stage *stage = web_open();
    (void)state;
    int fd = visit(stage);
    write_all(fd, "HEAD /basemap/region.pmtiles HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  "HEAD /basemap/none HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const char *answer = read_all(stage, fd);
    expect(answer, "200", "Content-Length: 300000\r\n");
    expect(answer, "200", "HTTP/1.1 404 ");
    expect(answer, "200", "\r\n\r\nthe front");
    close(fd);
    stage_close(stage);
}

/* --- ranges --- */

static void a_part_of_a_file_is_served(void **state)
{
    struct stage *stage = web_open();
    (void)state;
    const char *path = "/console/app-3F7QX2KA.js";
    const char *part = get(stage, path, "Range: bytes=2-4\r\nAccept-Encoding: gzip\r\n");
    expect(part, "206", "\r\nContent-Range: bytes 2-4/19\r\n");
    expect(part, "206", "Content-Length: 3\r\n");
    expect(part, "206", "\r\n\r\n234");
    expect(get(stage, path, "Range: bytes=15-\r\n"), "206", "\r\n\r\nt is");
    expect(get(stage, path, "Range: bytes=-2\r\n"), "206", "\r\n\r\nis");
    expect(get(stage, path, "Range: bytes=19-\r\n"), "416", "Content-Range: bytes */19\r\n");
    expect(get(stage, path, "Range: bytes=1-2,4-5\r\n"), "200", "0123456789");
    expect(get(stage, path, "Range: bytes=2-4\r\nIf-Range: \"other\"\r\n"), "200", "0123456789");
    stage_close(stage);
}

static void words_of_ranges_are_read_strictly(void **state)
{
    static const struct {
        const char *text;
        enum http_range range;
        uint64_t first, last;
    } rows[] = {
        {"", RANGE_ALL, 0, 0},
        {"bytes=0-0", RANGE_PART, 0, 0},
        {"bytes=0-99", RANGE_PART, 0, 99},
        {"bytes=0-1000", RANGE_PART, 0, 99},
        {"BYTES=99-", RANGE_PART, 99, 99},
        {"bytes=-1000", RANGE_PART, 0, 99},
        {"bytes=-0", RANGE_NOT_HERE, 0, 0},
        {"bytes=100-100", RANGE_NOT_HERE, 0, 0},
        {"bytes=5-4", RANGE_ALL, 0, 0},
        {"bytes=-", RANGE_ALL, 0, 0},
        {"bytes=", RANGE_ALL, 0, 0},
        {"bytes=1", RANGE_ALL, 0, 0},
        {"bytes=+1-2", RANGE_ALL, 0, 0},
        {"bytes=1-2 ", RANGE_ALL, 0, 0},
        {"bytes=0-18446744073709551616", RANGE_ALL, 0, 0},
        {"lines=0-1", RANGE_ALL, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t first = 0, last = 0;
        assert_int_equal(http_range(rows[i].text, 100, &first, &last), rows[i].range);
        assert_int_equal(first, rows[i].first);
        assert_int_equal(last, rows[i].last);
    }
}

static const uint8_t *map_bytes(const char *answer)
{
    return (const uint8_t *)strstr(answer, "\r\n\r\n") + 4;
}

static void parts_of_the_map_are_served(void **state)
{
    struct stage *stage = web_open();
    (void)state;
    const char *path = "/basemap/region.pmtiles";
    const char *part = get(stage, path, "Range: bytes=70000-270000\r\n");
    expect(part, "206", "Content-Range: bytes 70000-270000/300000\r\n");
    for (size_t i = 0; i < 200001; i++)
        assert_int_equal(map_bytes(part)[i], map_byte(70000 + i));
    const char *whole = get(stage, path, "");
    expect(whole, "200", "application/vnd.pmtiles");
    for (size_t i = 0; i < MAP_SIZE; i++)
        assert_int_equal(map_bytes(whole)[i], map_byte(i));
    expect(get(stage, path, "Range: bytes=300000-\r\n"), "416", "bytes */300000");
    stage_close(stage);
}

/* Who asks for the map and leaves is nobody's loss; nor is a map that was cut under us. */
static void readers_of_the_map_may_leave(void **state)
{
    struct stage *stage = web_open();
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        int fd = visit(stage);
        write_all(fd, "GET /basemap/region.pmtiles HTTP/1.1\r\nHost: localhost\r\n\r\n");
        close(fd);
    }
    assert_int_equal(truncate(under(stage, "map"), 100), 0);
    int fd = visit(stage);
    write_all(fd, "GET /basemap/region.pmtiles HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const char *answer = read_all(stage, fd);
    expect(answer, "200", "Content-Length: 300000\r\n");
    close(fd);
    expect(get(stage, "/", ""), "200", "the front");
    stage_close(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_the_tree_are_served),
        cmocka_unit_test(that_there_is_no_region_is_an_answer),
        cmocka_unit_test(the_technicians_app_may_do_what_it_needs),
        cmocka_unit_test(only_what_was_there_is_served),
        cmocka_unit_test(nothing_is_said_back_in_headers),
        cmocka_unit_test(what_was_had_before_is_not_sent_again),
        cmocka_unit_test(a_head_is_told_without_a_body),
        cmocka_unit_test(a_part_of_a_file_is_served),
        cmocka_unit_test(words_of_ranges_are_read_strictly),
        cmocka_unit_test(parts_of_the_map_are_served),
        cmocka_unit_test(readers_of_the_map_may_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
