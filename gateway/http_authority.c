/* Safe is: what is given away is public, and is what this very door's certificate was signed by.
 * That a stranger in between does not give another one is seen by the fingerprint alone, which
 * people compare with the console's; so behind a proxy, whose certificate is another, there is
 * none. */
#include "gateway/http_impl.h"
#include "gateway/shell.h"

#include <event2/http.h>
#include <stdio.h>
#include <string.h>

#define FOLDER "/authority"

void http_authority_read(struct http *http)
{
    const struct gateway_options *options = &http->shell->gateway.options;
    struct authority *authority = &http->authority;
    uint8_t digest[SP_TLS_DIGEST];
    *authority = (struct authority){.size = 0};
    if (http->tls == NULL || options->behind_proxy) return;
    authority->size =
        sp_tls_authority(http->tls, authority->bytes, sizeof authority->bytes, digest);
    if (authority->size == 0) return;
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(authority->fingerprint + 3 * i, 4, i + 1 < sizeof digest ? "%02X:" : "%02X",
                 digest[i]);
}

static void send_public(struct http *http, struct evhttp_request *request, const char *type,
                        const void *bytes, size_t size)
{
    bool head = evhttp_request_get_command(request) == EVHTTP_REQ_HEAD;
    http_put_headers(request, type, 0);
    http_send_bytes(http, request, http_status_of(ERR_OK), bytes, head ? 0 : size);
}

bool http_authority_answer(struct http *http, struct evhttp_request *request)
{
    const struct authority *authority = &http->authority;
    const char *path = evhttp_request_get_uri(request);
    if (strncmp(path, FOLDER, sizeof FOLDER - 1) != 0) return false;
    const char *name = path + sizeof FOLDER - 1;
    struct problem problem;
    if (name[0] != '\0' && name[0] != '/' && name[0] != '?') return false;
    if (strcmp(name, "/fingerprint") == 0) { /* that there is none is an answer, no error */
        const char *text = authority->fingerprint;
        send_public(http, request, "text/plain; charset=utf-8", text, strlen(text));
    } else if (authority->size == 0) {
        problem_set(&problem, ERR_NOT_FOUND, "path", "no authority of its own vouches for it");
        http_refuse(http, request, false, http_status_of(ERR_NOT_FOUND), ERR_NOT_FOUND, &problem);
    } else if (strcmp(name, "/ca.crt") == 0) {
        send_public(http, request, "application/x-x509-ca-cert", authority->bytes, authority->size);
    } else {
        return false;
    }
    return true;
}
