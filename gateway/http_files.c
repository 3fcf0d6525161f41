/* I1: a part in basemap.parts has a request exactly while evhttp has not let go of it; on_left
 * takes it away. I2: bytes of the tree that are on their way hold the tree. */
#include "gateway/http_impl.h"

#include "base/check.h"
#include "base/log.h"
#include "gateway/shell.h"
#include "gateway/web_tree.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

#define MAP_PATH "/basemap/region.pmtiles"

/* Bytes of the map on their way to one reader. */
struct map_part {
    struct map_part *next;
    struct http *http;
    struct evhttp_request *request;
    int fd; /* its own: the map may be another one by now */
    uint64_t offset, left;
};

/* What a file is to HTTP, wherever its bytes are. */
struct subject {
    const char *type, *etag, *cache;
    uint64_t size, first, last;
    bool packed, has_twin;
};

/* --- heads --- */

/* A technician's phone tells its place while he is at work, and its camera reads codes and takes
 * photos; no other page needs either. */
static const char *permissions_of(struct evhttp_request *request)
{
    static const char technician[] = "/technician/";
    if (strncmp(evhttp_request_get_uri(request), technician, sizeof technician - 1) == 0)
        return "camera=(self), microphone=(), geolocation=(self), payment=(), usb=()";
    return "camera=(), microphone=(), geolocation=(), payment=(), usb=()";
}

static void put_page_headers(struct evhttp_request *request)
{
    http_put_header(request, "X-Content-Type-Options", "nosniff");
    http_put_header(request, "Content-Security-Policy",
                    "default-src 'none'; script-src 'self'; style-src 'self'; "
                    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
                    "worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
                    "form-action 'self'; frame-ancestors 'none'");
    http_put_header(request, "X-Frame-Options", "DENY");
    http_put_header(request, "Referrer-Policy", "no-referrer");
    http_put_header(request, "Cross-Origin-Opener-Policy", "same-origin");
    http_put_header(request, "Cross-Origin-Resource-Policy", "same-origin");
    http_put_header(request, "Permissions-Policy", permissions_of(request));
}

static void put_file_headers(struct evhttp_request *request, const struct subject *subject)
{
    put_page_headers(request);
    http_put_header(request, "Content-Type", subject->type);
    http_put_header(request, "ETag", subject->etag);
    http_put_header(request, "Cache-Control", subject->cache);
    if (!subject->has_twin) http_put_header(request, "Accept-Ranges", "bytes");
    if (subject->has_twin) http_put_header(request, "Vary", "Accept-Encoding");
    if (subject->packed) http_put_header(request, "Content-Encoding", "gzip");
}

/* --- what is asked for --- */

static bool is_head(struct evhttp_request *request)
{
    return evhttp_request_get_command(request) == EVHTTP_REQ_HEAD;
}

/* Which part; a range of an older version is a range of nothing (RFC 9110, 13.1.5). */
static enum http_range find_range(struct evhttp_request *request, struct subject *subject)
{
    const char *condition = http_header(request, "If-Range");
    subject->first = 0;
    subject->last = subject->size - 1;
    if (is_head(request) || (condition[0] != '\0' && strcmp(condition, subject->etag) != 0))
        return RANGE_ALL;
    return http_range(http_header(request, "Range"), subject->size, &subject->first,
                      &subject->last);
}

/* The heads of 200, 206, 304 and 416; true: the bytes from first to last are to follow. */
static bool begin(struct http *http, struct evhttp_request *request, struct subject *subject,
                  struct http_status *status)
{
    char text[80];
    *status = (struct http_status){200, "OK"};
    put_file_headers(request, subject);
    enum http_range range = find_range(request, subject);
    if (http_names_tag(http_header(request, "If-None-Match"), subject->etag)) {
        http_send(http, request, (struct http_status){304, "Not Modified"}, NULL);
        return false;
    }
    if (range == RANGE_NOT_HERE) {
        snprintf(text, sizeof text, "bytes */%" PRIu64, subject->size);
        http_put_header(request, "Content-Range", text);
        http_send(http, request, (struct http_status){416, "Range Not Satisfiable"}, NULL);
        return false;
    }
    if (range == RANGE_PART) {
        *status = (struct http_status){206, "Partial Content"};
        snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, subject->first,
                 subject->last, subject->size);
        http_put_header(request, "Content-Range", text);
    }
    snprintf(text, sizeof text, "%" PRIu64, subject->last + 1 - subject->first);
    http_put_header(request, "Content-Length", text);
    if (!is_head(request)) return true;
    http_send(http, request, *status, NULL);
    return false;
}

/* --- files of the tree --- */

static void on_sent(const void *bytes, size_t size, void *context)
{
    (void)bytes;
    (void)size;
    web_tree_leave(context);
}

static void send_file(struct http *http, struct evhttp_request *request,
                      const struct web_file *file)
{
    bool part = http_header(request, "Range")[0] != '\0';
    bool packed = file->packed.bytes != NULL && !part &&
                  http_takes_gzip(http_header(request, "Accept-Encoding"));
    const struct web_body *body = packed ? &file->packed : &file->plain;
    struct subject subject = {
        .type = file->type,
        .etag = body->etag,
        .cache = file->lasting ? "public, max-age=31536000, immutable" : "no-cache",
        .size = body->size,
        .packed = packed,
        .has_twin = file->packed.bytes != NULL,
    };
    struct http_status status;
    if (!begin(http, request, &subject, &status)) return;
    struct evbuffer *out = evbuffer_new();
    CHECK(out != NULL);
    size_t size = (size_t)(subject.last + 1 - subject.first);
    if (size > 0) {
        web_tree_keep(http->web);
        CHECK(evbuffer_add_reference(out, body->bytes + subject.first, size, on_sent, http->web) ==
              0);
    }
    http_send(http, request, status, out);
    evbuffer_free(out);
}

static void send_elsewhere(struct http *http, struct evhttp_request *request, const char *path)
{
    put_page_headers(request);
    http_put_header(request, "Location", path); /* of the table, not of the request */
    http_send(http, request, (struct http_status){308, "Permanent Redirect"}, NULL);
}

/* --- the map, in parts --- */

static void end_part(struct map_part *part)
{
    struct map_part **link = &part->http->basemap.parts;
    while (*link != part)
        link = &(*link)->next;
    *link = part->next;
    if (part->fd >= 0) close(part->fd);
    free(part);
}

/* evhttp hands a request back to us when its connection broke, and frees it itself when all ends.
 */
static void on_left(struct evhttp_connection *connection, void *context)
{
    struct map_part *part = context;
    (void)connection;
    if (evhttp_request_get_connection(part->request) == NULL) evhttp_request_free(part->request);
    end_part(part);
}

static void send_next(struct evhttp_connection *connection, void *context)
{
    struct map_part *part = context;
    uint8_t bytes[CHUNK];
    size_t size = part->left < CHUNK ? (size_t)part->left : CHUNK;
    ssize_t got = pread(part->fd, bytes, size, (off_t)part->offset);
    struct evbuffer *out = evbuffer_new();
    CHECK(out != NULL);
    (void)connection;
    if (got > 0) {
        CHECK(evbuffer_add(out, bytes, (size_t)got) == 0);
        part->offset += (uint64_t)got;
        part->left -= (uint64_t)got;
        part->http->counters.bytes_out += (uint64_t)got;
        evhttp_send_reply_chunk_with_cb(part->request, out, send_next, part);
    } else { /* all of it; or a file that was cut: then the reader sees that bytes are missing */
        struct evhttp_request *request = part->request;
        struct http *http = part->http;
        bool whole = part->left == 0;
        end_part(part);
        if (!whole) http_cut(request);
        if (!whole) log_warn("the file of --basemap is shorter than it was");
        http_done(http, request);
    }
    evbuffer_free(out);
}

static void send_map(struct http *http, struct evhttp_request *request)
{
    struct subject subject = {.type = "application/vnd.pmtiles",
                              .etag = http->basemap.etag,
                              .cache = "no-cache",
                              .size = http->basemap.size};
    struct http_status status;
    if (!begin(http, request, &subject, &status)) return;
    struct map_part *part = malloc(sizeof *part);
    CHECK(part != NULL);
    *part = (struct map_part){.next = http->basemap.parts,
                              .http = http,
                              .request = request,
                              .fd = fcntl(http->basemap.fd, F_DUPFD_CLOEXEC, 0),
                              .offset = subject.first,
                              .left = subject.last + 1 - subject.first};
    http->basemap.parts = part;
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_left, part);
    evhttp_send_reply_start(request, status.code, status.reason);
    send_next(NULL, part);
}

/* A page may ask whether there is a region's map: that there is none is an answer, no error that a
 * browser would put before its user. */
static void send_no_map(struct http *http, struct evhttp_request *request)
{
    put_page_headers(request);
    http_put_header(request, "Cache-Control", "no-cache");
    http_send(http, request, (struct http_status){204, "No Content"}, NULL);
}

/* --- the door's side --- */

bool http_files_answer(struct http *http, struct evhttp_request *request)
{
    const char *path = evhttp_request_get_uri(request);
    size_t size = strcspn(path, "?");
    if (size == strlen(MAP_PATH) && strncmp(path, MAP_PATH, size) == 0) {
        if (http->basemap.fd >= 0)
            send_map(http, request);
        else
            send_no_map(http, request);
        return true;
    }
    const struct web_file *file = web_tree_find(http->web, path, size);
    if (file == NULL) return false;
    if (file->moved_to != NULL)
        send_elsewhere(http, request, file->moved_to);
    else
        send_file(http, request, file);
    return true;
}

static enum err open_map(struct basemap *out, const char *path, struct problem *problem)
{
    struct stat stat;
    *out = (struct basemap){.fd = -1};
    if (path == NULL) return ERR_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return problem_set(problem, ERR_IO, path, "%s", strerror(errno));
    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_size == 0) {
        close(fd);
        return problem_set(problem, ERR_IO, path, "is no file of a map");
    }
    out->fd = fd;
    out->size = (uint64_t)stat.st_size;
    snprintf(out->etag, sizeof out->etag, "\"%" PRIx64 "-%" PRIx64 "\"", out->size,
             (uint64_t)stat.st_mtim.tv_sec * 1000 + (uint64_t)stat.st_mtim.tv_nsec / 1000000);
    return ERR_OK;
}

/* The folder `web` beside the program, or where packages are installed. */
static bool find_web(char out[WEB_PATH_MAX * 4])
{
    static const char *const places[] = {"/web", "/../share/callout/web"};
    char program[WEB_PATH_MAX * 3];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program);
    if (size <= 0 || size >= (ssize_t)sizeof program) return false;
    program[size] = '\0';
    *strrchr(program, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct stat stat_;
        snprintf(out, WEB_PATH_MAX * 4, "%s%s", program, places[i]);
        if (stat(out, &stat_) == 0 && S_ISDIR(stat_.st_mode)) return true;
    }
    return false;
}

static enum err open_tree(struct web_tree **out, const char *said, struct problem *problem)
{
    char found[WEB_PATH_MAX * 4];
    *out = NULL;
    if (said != NULL && strcmp(said, "none") == 0) return ERR_OK;
    if (said == NULL && !find_web(found)) return ERR_OK;
    const char *folder = said != NULL ? said : found;
    enum err err = web_tree_open(out, folder, problem);
    if (err == ERR_OK) log_info("%u files of %s are served", web_tree_count(*out), folder);
    return err;
}

enum err http_files_open(struct http *http, struct problem *problem)
{
    const struct gateway_options *options = &http->shell->gateway.options;
    struct web_tree *web;
    struct basemap basemap;
    enum err err = open_tree(&web, options->web, problem);
    if (err != ERR_OK) return err;
    err = open_map(&basemap, options->basemap, problem);
    if (err != ERR_OK) {
        web_tree_leave(web);
        return err;
    }
    basemap.parts = http->basemap.parts;
    if (http->basemap.fd >= 0) close(http->basemap.fd);
    web_tree_leave(http->web);
    http->web = web;
    http->basemap = basemap;
    return ERR_OK;
}

void http_files_close(struct http *http)
{
    while (http->basemap.parts != NULL) {
        struct evhttp_request *request = http->basemap.parts->request;
        evhttp_connection_set_closecb(evhttp_request_get_connection(request), NULL, NULL);
        end_part(http->basemap.parts);
    }
    if (http->basemap.fd >= 0) close(http->basemap.fd);
    http->basemap.fd = -1;
    web_tree_leave(http->web);
    http->web = NULL;
}
