/* transport_sp.c - channels over sp_dialler, one connection each, on the loop's own thread.
 *
 * Not over nng, though any nng may dial a gateway: in nng 1.5.2 a connection that ends while a
 * message is coming in can leave the one thread that clears connections away waiting for ever
 * (mended upstream by nng pull request 1636); then no line of the process connects again, and
 * whoever closes a socket waits with it. A device goes on and off line all day.
 *
 *      OFFLINE --online--> LOOKING --address--> DIALLING --greeting--> UP
 *                             ^                    |                    |
 *                             +------ WAITING <----+----- ended --------+
 *
 * Which one it is, is told by what is not NULL or set: online, lookup, dialler, again.
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/rng.h"
#include "gateway/client/identity.h"
#include "gateway/client/lookup.h"
#include "gateway/client/transport.h"
#include "sp_dialler.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPLY_SLACK = 4096, URL_BYTES = 400 };

struct line {
    struct channel *channel;
    struct client_loop *loop;
    char *url_text, *ca_file, *tls_name;
    struct url url;
    struct sp_trust *trust; /* of tls+tcp, from the first time online */
    struct rng chance;
    int64_t resend_us;

    bool online, up;
    struct lookup *lookup;
    struct sp_dialler *dialler;
    uint32_t turn;             /* of the host's addresses: the next after one that was silent */
    struct client_timer again; /* the next try */
    int64_t gone_us;           /* since when there is no connection */

    uint8_t *request; /* NULL: none is out */
    size_t request_size;
    uint32_t request_id;        /* counted up: a reply to an earlier one is known by it */
    struct client_timer resend; /* the request has waited for too long on this connection */
};

static char *copy_text(const char *text)
{
    if (text == NULL) return NULL;
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    CHECK(copy != NULL);
    return memcpy(copy, text, size);
}

static bool connected(const void *end)
{
    const struct line *line = end;
    return line->up;
}

/* --- the request that is out --- */

static void send_request(struct line *line)
{
    sp_dialler_ask(line->dialler, line->request_id, line->request, line->request_size);
    client_timer_set(line->loop, &line->resend, client_loop_now_us(line->loop) + line->resend_us);
}

static void forget_request(struct line *line)
{
    client_timer_cancel(line->loop, &line->resend);
    free(line->request);
    line->request = NULL;
}

static void on_up(void *context)
{
    struct line *line = context;
    line->up = true;
    if (line->request != NULL) send_request(line);
}

/* The last thing that is done here: the channel may ask again from within, or be closed. */
static void on_reply(void *context, uint32_t request, const uint8_t *bytes, size_t size)
{
    struct line *line = context;
    if (line->request == NULL || request != line->request_id) return;
    forget_request(line);
    channel_answer(line->channel, bytes, size);
}

/* --- connecting --- */

static void wait_for_next_try(struct line *line)
{
    int64_t now_us = client_loop_now_us(line->loop);
    size_t wait = TRANSPORT_WAITS - 1;
    while (wait > 0 && now_us - line->gone_us < transport_waits[wait].gone_us)
        wait--;
    uint32_t below_us = transport_waits[wait].wait_ms * 1000;
    client_timer_set(line->loop, &line->again, now_us + rng_below(&line->chance, below_us));
}

static void hang_up(struct line *line)
{
    if (line->up) line->gone_us = client_loop_now_us(line->loop);
    line->up = false;
    client_timer_cancel(line->loop, &line->resend);
    client_timer_cancel(line->loop, &line->again);
    lookup_leave(line->lookup);
    line->lookup = NULL;
    sp_dialler_close(line->dialler);
    line->dialler = NULL;
}

/* The connection has ended; or a request was not answered on it for too long, and then nobody is
 * there any more, whatever the connection says. */
static void on_end(void *context)
{
    struct line *line = context;
    if (!line->up) line->turn++;
    hang_up(line);
    wait_for_next_try(line);
}

static void dial_at(struct line *line, const char *address)
{
    char url[URL_BYTES];
    const char *scheme = line->url.scheme == URL_TLS ? "tls+tcp" : "tcp";
    bool bare = strchr(address, ':') == NULL;
    snprintf(url, sizeof url, bare ? "%s://%s:%s" : "%s://[%s]:%s", scheme, address,
             line->url.port);
    const struct sp_dialler_options options = {
        .url = line->url.scheme == URL_IPC ? line->url_text : url,
        .trust = line->trust,
        .tls_name = line->tls_name != NULL ? line->tls_name : line->url.host,
        .message_max = LIMIT_REPLY + REPLY_SLACK,
        .at_once = true,
        .on_up = on_up,
        .on_reply = on_reply,
        .on_end = on_end,
        .context = line};
    if (sp_dialler_open(&line->dialler, client_loop_base(line->loop), &options, NULL) != ERR_OK) {
        line->turn++;
        wait_for_next_try(line); /* no route, no descriptor: it may be better later */
    }
}

static void on_found(void *context, const char *address)
{
    struct line *line = context;
    char found[URL_BYTES / 2] = "";
    if (address != NULL) snprintf(found, sizeof found, "%s", address);
    lookup_leave(line->lookup);
    line->lookup = NULL;
    if (found[0] != '\0')
        dial_at(line, found);
    else
        wait_for_next_try(line);
}

static void try_now(void *context)
{
    struct line *line = context;
    if (line->url.scheme == URL_IPC || lookup_is_address(line->url.host)) {
        dial_at(line, line->url.host);
        return;
    }
    line->lookup = lookup_open(line->loop, line->url.host, line->turn, on_found, line);
    if (line->lookup == NULL) wait_for_next_try(line);
}

/* --- the transport --- */

static void close_line(void *end)
{
    struct line *line = end;
    hang_up(line);
    forget_request(line);
    sp_trust_close(line->trust);
    free(line->url_text);
    free(line->ca_file);
    free(line->tls_name);
    free(line);
}

static enum err open_line(void *network, struct channel *channel,
                          const struct channel_options *options, void **end,
                          struct problem *problem)
{
    (void)network;
    struct url url;
    enum err err = url_parse(options->url, &url, problem);
    if (err != ERR_OK) return err;
    struct line *line = calloc(1, sizeof *line);
    CHECK(line != NULL);
    *line = (struct line){.channel = channel,
                          .loop = channel_loop(channel),
                          .url_text = copy_text(options->url),
                          .ca_file = copy_text(options->ca_file),
                          .tls_name = copy_text(options->tls_name),
                          .url = url,
                          .chance = {identity_chance()},
                          .resend_us = (int64_t)options->resend_ms * 1000};
    line->again = (struct client_timer){.fire = try_now, .context = line};
    line->resend = (struct client_timer){.fire = on_end, .context = line};
    *end = line;
    return ERR_OK;
}

static enum err go_online(void *end, bool online, struct problem *problem)
{
    struct line *line = end;
    if (line->online == online) return ERR_OK;
    if (!online) {
        line->online = false;
        hang_up(line);
        return ERR_OK;
    }
    if (line->url.scheme == URL_TLS && line->trust == NULL) {
        enum err err = line->ca_file != NULL
                           ? sp_trust_open(&line->trust, line->ca_file, problem)
                           : problem_set(problem, ERR_INVALID, "ca_file", "tls+tcp needs one");
        if (err != ERR_OK) return err;
    }
    line->online = true;
    line->gone_us = client_loop_now_us(line->loop);
    try_now(line);
    return ERR_OK;
}

static void ask(void *end, const void *bytes, size_t size)
{
    struct line *line = end;
    CHECK(line->request == NULL);
    line->request = malloc(size + 1);
    CHECK(line->request != NULL);
    memcpy(line->request, bytes, size);
    line->request_size = size;
    line->request_id = (line->request_id + 1) | 1u << 31;
    if (line->up) send_request(line);
}

const struct channel_transport transport_sp = {
    .open = open_line,
    .close = close_line,
    .online = go_online,
    .ask = ask,
    .connected = connected,
};
