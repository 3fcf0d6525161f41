#include "gateway/http_words.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SESSION_BYTES = 32 };

struct http_status http_status_of(enum err err)
{
    switch (err) {
    case ERR_OK: return (struct http_status){200, "OK"};
    case ERR_INVALID: return (struct http_status){400, "Bad Request"};
    case ERR_UNAUTH: return (struct http_status){401, "Unauthorized"};
    case ERR_NOT_FOUND: return (struct http_status){404, "Not Found"};
    case ERR_CONFLICT:
    case ERR_GAP:
    case ERR_SUPERSEDED: return (struct http_status){409, "Conflict"};
    case ERR_GONE:
    case ERR_RESET: return (struct http_status){410, "Gone"};
    case ERR_TOO_LARGE: return (struct http_status){413, "Content Too Large"};
    case ERR_VERSION: return (struct http_status){426, "Upgrade Required"};
    case ERR_RATE: return (struct http_status){429, "Too Many Requests"};
    case ERR_BUSY:
    case ERR_RETRY:
    case ERR_IO: return (struct http_status){503, "Service Unavailable"};
    case ERR_INTERNAL:
    case ERR_COUNT: break;
    }
    return (struct http_status){500, "Internal Server Error"};
}

static unsigned count_header(const struct evkeyvalq *headers, const char *name)
{
    unsigned count = 0;
    for (const struct evkeyval *header = headers->tqh_first; header != NULL;
         header = header->next.tqe_next)
        count += strcasecmp(header->key, name) == 0;
    return count;
}

enum err http_check_headers(struct evhttp_request *request, struct problem *problem)
{
    static const char *const once[] = {"Host",           "Content-Length",  "Transfer-Encoding",
                                       "Content-Type",   "Authorization",   "Idempotency-Key",
                                       "Cookie",         "Origin",          "Sec-Fetch-Site",
                                       "X-Callout-Csrf", "X-Forwarded-For", "X-Forwarded-Proto",
                                       "Last-Event-ID"};
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        if (count_header(headers, once[i]) > 1)
            return problem_set(problem, ERR_INVALID, once[i], "may be given once");
    if (count_header(headers, "Content-Length") + count_header(headers, "Transfer-Encoding") > 1)
        return problem_set(problem, ERR_INVALID, "Content-Length",
                           "may not stand beside Transfer-Encoding");
    if (count_header(headers, "Host") == 0)
        return problem_set(problem, ERR_INVALID, "Host", "must be given");
    return ERR_OK;
}

/* "[::1]:7380", "127.0.0.1:7380", "localhost": the length of what stands before the port. */
static size_t name_length(const char *host)
{
    const char *end = *host == '[' ? strchr(host, ']') : NULL;
    size_t size = end != NULL ? (size_t)(end + 1 - host) : strcspn(host, ":");
    const char *port = host + size;
    if (*port == '\0') return size;
    size_t digits = *port == ':' ? strspn(port + 1, "0123456789") : 0;
    return digits > 0 && digits <= 5 && port[1 + digits] == '\0' ? size : 0;
}

static bool is_literal(const char *name, size_t size)
{
    if (size > 2 && name[0] == '[') return strspn(name + 1, "0123456789abcdefABCDEF:.") == size - 2;
    bool dotted = strspn(name, "0123456789.") == size && memchr(name, '.', size) != NULL;
    return dotted || (size == 9 && strncasecmp(name, "localhost", size) == 0);
}

bool http_host_is_ours(const char *host, const char *const *names, unsigned name_count)
{
    size_t size = name_length(host);
    if (size == 0) return false;
    for (unsigned i = 0; i < name_count; i++)
        if (strlen(names[i]) == size && strncasecmp(names[i], host, size) == 0) return true;
    return is_literal(host, size);
}

bool http_forwarded_for(const char *list, char *out, size_t room)
{
    const char *comma = strrchr(list, ','), *text = comma == NULL ? list : comma + 1;
    struct in6_addr address;
    text += strspn(text, " \t");
    size_t size = strcspn(text, " \t");
    if (size == 0 || size >= room) return false;
    memcpy(out, text, size);
    out[size] = '\0';
    return inet_pton(AF_INET, out, &address) == 1 || inet_pton(AF_INET6, out, &address) == 1;
}

/* --- what a reader of files asks for --- */

bool http_takes_gzip(const char *accepted)
{
    for (const char *word = accepted; *word != '\0';) {
        word += strspn(word, ", \t");
        size_t size = strcspn(word, ",; \t");
        size_t whole = strcspn(word, ",");
        if (size == 4 && strncasecmp(word, "gzip", 4) == 0) {
            const char *weight = memchr(word, '=', whole);
            return weight == NULL || strtod(weight + 1, NULL) > 0;
        }
        word += whole;
    }
    return false;
}

bool http_names_tag(const char *list, const char *tag)
{
    const size_t size = strlen(tag);
    for (const char *word = list; *word != '\0'; word += strcspn(word, ",")) {
        word += strspn(word, ", \t");
        if (*word == '*') return true;
        if (strncmp(word, "W/", 2) == 0) word += 2;
        if (strncmp(word, tag, size) == 0 && strchr(", \t", word[size]) != NULL) return true;
    }
    return false;
}

/* Decimal digits and nothing else, at most 18 of them. */
static bool read_number(const char **text, uint64_t *out)
{
    size_t size = strspn(*text, "0123456789");
    if (size == 0 || size > 18) return false;
    *out = strtoull(*text, NULL, 10);
    *text += size;
    return true;
}

enum http_range http_range(const char *text, uint64_t size, uint64_t *first, uint64_t *last)
{
    uint64_t begin = 0, end = UINT64_MAX;
    if (strncasecmp(text, "bytes=", 6) != 0) return RANGE_ALL;
    text += 6;
    bool from_end = *text == '-';
    if (!from_end && !read_number(&text, &begin)) return RANGE_ALL;
    if (*text++ != '-') return RANGE_ALL;
    bool open = *text == '\0';
    if (from_end && open) return RANGE_ALL;
    if (!open && !read_number(&text, &end)) return RANGE_ALL;
    if (*text != '\0') return RANGE_ALL;
    if (from_end) {
        begin = end < size ? size - end : 0;
        if (end == 0) begin = size;
        end = UINT64_MAX;
    }
    if (end < begin) return RANGE_ALL;
    if (begin >= size) return RANGE_NOT_HERE;
    *first = begin;
    *last = end < size ? end : size - 1;
    return RANGE_PART;
}

/* --- who asks --- */

size_t http_bearer(const char *authorization, uint8_t token[HTTP_TOKEN_MAX])
{
    static const int alphabets[] = {sodium_base64_VARIANT_URLSAFE_NO_PADDING,
                                    sodium_base64_VARIANT_ORIGINAL_NO_PADDING};
    if (authorization == NULL || strncasecmp(authorization, "Bearer ", 7) != 0) return 0;
    const char *text = authorization + 7, *end;
    size_t size = strlen(text), count;
    if (size == 0 || size > HTTP_TOKEN_MAX) return 0;
    size_t bare = text[size - 1] == '=' ? size - 1 : size;
    for (size_t i = 0; i < sizeof alphabets / sizeof *alphabets; i++)
        if (sodium_base642bin(token, HTTP_TOKEN_MAX, text, bare, NULL, &count, &end,
                              alphabets[i]) == 0 &&
            end == text + bare && count == SESSION_BYTES)
            return count;
    memcpy(token, text, size);
    return size;
}
