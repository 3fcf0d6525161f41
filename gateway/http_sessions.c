#include "gateway/http_sessions.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAME_SIZE = 32, TEXT_SIZE = 48 };

static void write_name(const struct http_origin *origin, char out[NAME_SIZE])
{
    if (origin->secure)
        snprintf(out, NAME_SIZE, "__Host-callout");
    else
        snprintf(out, NAME_SIZE, "callout_%u", origin->port % 65536);
}

void http_cookie_write(const struct http_origin *origin, const uint8_t *token,
                       char out[HTTP_COOKIE_SIZE])
{
    char name[NAME_SIZE], text[TEXT_SIZE] = "";
    write_name(origin, name);
    if (token != NULL)
        sodium_bin2base64(text, sizeof text, token, HTTP_SESSION_BYTES,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(out, HTTP_COOKIE_SIZE, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s", name, text,
             origin->secure ? "; Secure" : "", token == NULL ? "; Max-Age=0" : "");
}

static enum err read_token(const char *text, size_t size, uint8_t token[HTTP_SESSION_BYTES])
{
    size_t count;
    const char *end;
    if (sodium_base642bin(token, HTTP_SESSION_BYTES, text, size, NULL, &count, &end,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return ERR_INVALID;
    return end == text + size && count == HTTP_SESSION_BYTES ? ERR_OK : ERR_INVALID;
}

/* RFC 6265, 4.2.1: pairs with "; " between them. */
enum err http_cookie_read(const struct http_origin *origin, const char *header,
                          uint8_t token[HTTP_SESSION_BYTES])
{
    char name[NAME_SIZE];
    enum err err = ERR_NOT_FOUND;
    unsigned seen = 0;
    write_name(origin, name);
    size_t name_size = strlen(name);
    while (*header != '\0') {
        header += strspn(header, "; \t");
        size_t size = strcspn(header, ";");
        bool ours = strncmp(header, name, name_size) == 0 && header[name_size] == '=';
        if (ours && seen++ > 0) return ERR_INVALID;
        if (ours && read_token(header + name_size + 1, size - name_size - 1, token) == ERR_OK)
            err = ERR_OK;
        header += size;
    }
    return err;
}

void http_csrf_write(const uint8_t token[HTTP_SESSION_BYTES], char out[HTTP_CSRF_SIZE])
{
    static const char purpose[] = "callout csrf 1";
    uint8_t hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, (const uint8_t *)purpose, sizeof purpose - 1, token,
                       HTTP_SESSION_BYTES);
    sodium_bin2base64(out, HTTP_CSRF_SIZE, hash, sizeof hash,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool http_csrf_is(const uint8_t token[HTTP_SESSION_BYTES], const char *given)
{
    char right[HTTP_CSRF_SIZE];
    http_csrf_write(token, right);
    size_t size = strlen(right);
    return strlen(given) == size && sodium_memcmp(right, given, size) == 0;
}

/* "SCHEME://HOST" of this very door. */
static bool is_ours(const struct http_origin *origin, const char *header)
{
    const char *scheme = origin->secure ? "https://" : "http://";
    size_t size = strlen(scheme);
    return strncasecmp(header, scheme, size) == 0 && strcasecmp(header + size, origin->host) == 0;
}

enum err http_origin_check(const struct http_origin *origin, const char *origin_header,
                           const char *fetch_site, bool said, struct problem *problem)
{
    if (origin_header[0] != '\0' && !is_ours(origin, origin_header))
        return problem_set(problem, ERR_UNAUTH, "Origin", "is not %s://%.200s",
                           origin->secure ? "https" : "http", origin->host);
    bool same = strcmp(fetch_site, "same-origin") == 0;
    bool by_hand = !said && strcmp(fetch_site, "none") == 0;
    if (fetch_site[0] != '\0' && !same && !by_hand)
        return problem_set(problem, ERR_UNAUTH, "Sec-Fetch-Site", "is not same-origin");
    if (said && origin_header[0] == '\0' && fetch_site[0] == '\0')
        return problem_set(problem, ERR_UNAUTH, "Origin",
                           "must be given where a cookie says who asks");
    return ERR_OK;
}
