#include "sp_dialler.h"

#include "base/check.h"
#include "base/limits.h"
#include "sp_send.h"
#include "sp_socket.h"
#include "sp_tls.h"
#include "sp_wire.h"
#include "url.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { READ_AT_ONCE = 256 * 1024 };

enum phase { GREETING, HEAD, BODY };

struct sp_dialler {
    struct sp_dialler_options options; /* url, tls_name and source are not kept */
    struct bufferevent *stream;
    enum phase phase;
    bool unix_framing;
    bool in_callback; /* close now means: free when the callback is done */
    bool doomed;      /* closed from inside one */
    bool ended;
    uint64_t size; /* BODY: of the whole message */
};

struct sp_trust {
    SSL_CTX *tls;
};

/* --- life --- */

static void destroy(struct sp_dialler *dialler)
{
    bufferevent_free(dialler->stream);
    free(dialler);
}

void sp_dialler_close(struct sp_dialler *dialler)
{
    if (dialler == NULL) return;
    dialler->doomed = true;
    if (!dialler->in_callback) destroy(dialler);
}

static void end(struct sp_dialler *dialler)
{
    if (dialler->ended || dialler->doomed) return;
    dialler->ended = true;
    bufferevent_disable(dialler->stream, EV_READ | EV_WRITE);
    dialler->options.on_end(dialler->options.context);
}

/* --- incoming; each step is true when it took its piece --- */

static bool step_greeting(struct sp_dialler *dialler, struct evbuffer *in)
{
    uint8_t bytes[SP_GREETING_SIZE];
    if (evbuffer_get_length(in) < sizeof bytes) return false;
    evbuffer_remove(in, bytes, sizeof bytes);
    if (memcmp(bytes, sp_greeting_of_rep, sizeof bytes) != 0) {
        end(dialler);
        return false;
    }
    bufferevent_set_timeouts(dialler->stream, NULL, NULL);
    dialler->phase = HEAD;
    dialler->options.on_up(dialler->options.context);
    return true;
}

static bool step_head(struct sp_dialler *dialler, struct evbuffer *in)
{
    uint8_t head[1 + SP_LENGTH_SIZE];
    size_t mark = dialler->unix_framing ? 1 : 0, head_size = mark + SP_LENGTH_SIZE;
    if (evbuffer_get_length(in) < head_size) return false;
    evbuffer_remove(in, head, head_size);
    dialler->size = sp_read_number(head + mark, SP_LENGTH_SIZE);
    bool marked = mark == 0 || head[0] == SP_UNIX_MARK;
    if (!marked || dialler->size < SP_ID_SIZE ||
        dialler->size > dialler->options.message_max + SP_ID_SIZE) {
        end(dialler);
        return false;
    }
    dialler->phase = BODY;
    return true;
}

static bool step_body(struct sp_dialler *dialler, struct evbuffer *in)
{
    size_t size = (size_t)dialler->size;
    if (evbuffer_get_length(in) < size) return false;
    const uint8_t *bytes = evbuffer_pullup(in, (ev_ssize_t)size);
    uint32_t request = (uint32_t)sp_read_number(bytes, SP_ID_SIZE);
    dialler->phase = HEAD;
    dialler->options.on_reply(dialler->options.context, request, bytes + SP_ID_SIZE,
                              size - SP_ID_SIZE);
    evbuffer_drain(in, size);
    return true;
}

static bool step(struct sp_dialler *dialler, struct evbuffer *in)
{
    if (dialler->doomed || dialler->ended) return false;
    switch (dialler->phase) {
    case GREETING: return step_greeting(dialler, in);
    case HEAD: return step_head(dialler, in);
    case BODY: return step_body(dialler, in);
    }
    return false;
}

static void on_read(struct bufferevent *stream, void *context)
{
    struct sp_dialler *dialler = context;
    dialler->in_callback = true;
    while (step(dialler, bufferevent_get_input(stream)))
        ;
    dialler->in_callback = false;
    if (dialler->doomed) destroy(dialler);
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    struct sp_dialler *dialler = context;
    (void)stream;
    if ((what & BEV_EVENT_CONNECTED) != 0) return; /* the TLS handshake is done */
    bool outer = dialler->in_callback;
    dialler->in_callback = true;
    end(dialler);
    dialler->in_callback = outer;
    if (dialler->doomed && !outer) destroy(dialler);
}

/* --- connecting --- */

/* The peer's certificate must be for `host`, a name or an address. */
static SSL *ssl_for(const struct sp_trust *trust, const char *host)
{
    SSL *ssl = SSL_new(trust->tls);
    CHECK(ssl != NULL);
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1) return ssl;
    union {
        const char *constant;
        char *text;
    } name = {host}; /* OpenSSL copies it, but its macro casts const away */
    CHECK(SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, name.text) == 1);
    return ssl;
}

static struct bufferevent *stream_new(struct event_base *base, const struct url *url,
                                      const struct sp_dialler_options *options, int fd)
{
    struct bufferevent *stream;
    const char *name = options->tls_name != NULL ? options->tls_name : url->host;
    if (url->scheme != URL_TLS) {
        stream = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    } else {
        stream = bufferevent_openssl_socket_new(base, fd, ssl_for(options->trust, name),
                                                BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
        if (stream != NULL) bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
    }
    CHECK(stream != NULL);
    bufferevent_set_max_single_read(stream, READ_AT_ONCE);
    bufferevent_set_max_single_write(stream, READ_AT_ONCE);
    return stream;
}

enum err sp_dialler_open(struct sp_dialler **out, struct event_base *base,
                         const struct sp_dialler_options *options, struct problem *problem)
{
    struct url url;
    int fd = -1;
    enum err err = url_parse(options->url, &url, problem);
    if (err == ERR_OK && url.scheme == URL_TLS && options->trust == NULL)
        err = problem_set(problem, ERR_INVALID, "url", "%.100s needs a CA", options->url);
    if (err == ERR_OK) err = sp_socket_dial(&url, options->source, &fd, problem);
    if (err != ERR_OK) return err;
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an answer, not a reason to die */
    struct sp_dialler *dialler = calloc(1, sizeof *dialler);
    CHECK(dialler != NULL);
    dialler->options = *options;
    dialler->unix_framing = url.scheme == URL_IPC;
    dialler->stream = stream_new(base, &url, options, fd);
    const struct timeval patience = {.tv_sec = LIMIT_GREETING_MS / 1000};
    bufferevent_setcb(dialler->stream, on_read, NULL, on_event, dialler);
    bufferevent_set_timeouts(dialler->stream, &patience, &patience);
    bufferevent_write(dialler->stream, sp_greeting_of_req, sizeof sp_greeting_of_req);
    bufferevent_enable(dialler->stream, EV_READ | EV_WRITE);
    *out = dialler;
    return ERR_OK;
}

/* --- asking --- */

bool sp_dialler_up(const struct sp_dialler *dialler)
{
    return dialler->phase != GREETING && !dialler->ended && !dialler->doomed;
}

void sp_dialler_ask(struct sp_dialler *dialler, uint32_t request, const void *bytes, size_t size)
{
    uint8_t space[SP_HEAD_MAX];
    size_t head_size;
    CHECK(sp_dialler_up(dialler) && sp_is_request_id(request));
    const uint8_t *head = sp_write_head(space, dialler->unix_framing, request, size, &head_size);
    sp_send(dialler->stream, dialler->options.at_once, head, head_size, bytes, size);
}

/* --- trust --- */

enum err sp_trust_open(struct sp_trust **out, const char *ca_file, struct problem *problem)
{
    SSL_CTX *tls;
    enum err err = sp_tls_trust(&tls, ca_file, problem);
    if (err != ERR_OK) return err;
    *out = malloc(sizeof **out);
    CHECK(*out != NULL);
    (*out)->tls = tls;
    return ERR_OK;
}

void sp_trust_close(struct sp_trust *trust)
{
    if (trust == NULL) return;
    SSL_CTX_free(trust->tls);
    free(trust);
}
