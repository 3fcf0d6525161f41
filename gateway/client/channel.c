#include "gateway/client/channel.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { REPLY_SLACK = 4096 };

/* nng 1.5.2 waits a random time below its least wait, but for every second try not at all, and it
 * doubles the wait with each try: within 50 ms it is at its maximum. So doubling is off (maximum
 * 0), and the wait grows with the time that the connection has been gone. */
static const struct {
    int64_t gone_us;
    nng_duration wait_ms;
} waits[] = {
    {0, 1000},
    {3 * US_PER_SECOND, 4000},
    {15 * US_PER_SECOND, 15000},
    {60 * US_PER_SECOND, 30000},
};
enum { WAIT_COUNT = sizeof waits / sizeof *waits };

/* A request's way: ask -> send -> receive -> note -> on_reply. `receiving` and `reply` belong to
 * nng's threads while the request is out, and to the loop from the note on. */
struct channel {
    struct client_loop *loop;
    struct client_note note;
    void (*on_reply)(void *context, const uint8_t *bytes, size_t size);
    void *context;
    char *url, *ca_file, *tls_name;

    nng_socket socket;
    nng_dialer dialer;
    nng_aio *aio;
    bool open, online, busy;
    bool receiving;
    nng_msg *reply;

    struct client_note link; /* connections has changed */
    atomic_int connections;
    struct client_timer longer; /* when the wait between two tries grows */
    size_t wait;                /* index of waits */
};

static enum err nng_failed(int code, const char *what, struct problem *problem)
{
    enum err err =
        code == NNG_EADDRINVAL || code == NNG_EINVAL || code == NNG_ENOTSUP ? ERR_INVALID : ERR_IO;
    return problem_set(problem, err, what, "%s", nng_strerror(code));
}

static char *copy_text(const char *text)
{
    if (text == NULL) return NULL;
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    CHECK(copy != NULL);
    return memcpy(copy, text, size);
}

/* On an nng thread: the send or the receive of the request is over. */
static void on_aio(void *context)
{
    struct channel *channel = context;
    int code = nng_aio_result(channel->aio);
    if (code == 0 && !channel->receiving) {
        channel->receiving = true;
        nng_recv_aio(channel->socket, channel->aio);
        return;
    }
    if (code == 0)
        channel->reply = nng_aio_get_msg(channel->aio);
    else if (!channel->receiving)
        nng_msg_free(nng_aio_get_msg(channel->aio)); /* a message that was not sent is ours again */
    if (code == NNG_ECLOSED || code == NNG_ECANCELED) return; /* the channel is being closed */
    client_loop_post(channel->loop, &channel->note);
}

/* On the loop's thread: hands the reply over; the channel may ask again from within. */
static void on_note(void *context)
{
    struct channel *channel = context;
    nng_msg *reply = channel->reply;
    channel->reply = NULL;
    channel->busy = false;
    if (reply == NULL) {
        channel->on_reply(channel->context, NULL, 0);
        return;
    }
    channel->on_reply(channel->context, nng_msg_body(reply), nng_msg_len(reply));
    nng_msg_free(reply);
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct channel *channel = context;
    (void)pipe;
    atomic_fetch_add(&channel->connections, event == NNG_PIPE_EV_ADD_POST ? 1 : -1);
    client_loop_post(channel->loop, &channel->link);
}

/* --- how long to wait between two tries ------------------------------------------------------ */

static void set_wait(struct channel *channel, size_t wait)
{
    channel->wait = wait;
    nng_dialer_set_ms(channel->dialer, NNG_OPT_RECONNMINT, waits[wait].wait_ms);
    client_timer_cancel(channel->loop, &channel->longer);
    if (channel_connected(channel) || wait + 1 == WAIT_COUNT) return;
    client_timer_set(channel->loop, &channel->longer,
                     client_loop_now_us(channel->loop) + waits[wait + 1].gone_us -
                         waits[wait].gone_us);
}

static void on_longer(void *context)
{
    struct channel *channel = context;
    if (!channel_connected(channel)) set_wait(channel, channel->wait + 1);
}

/* Connected, or not any more: either way the waits begin with the shortest. */
static void on_link(void *context)
{
    struct channel *channel = context;
    if (channel->online) set_wait(channel, 0);
}

static enum err open_socket(struct channel *channel, uint32_t resend_ms, struct problem *problem)
{
    int code = nng_req0_open(&channel->socket);
    if (code != 0) return nng_failed(code, "socket", problem);
    channel->open = true;
    code = nng_socket_set_ms(channel->socket, NNG_OPT_REQ_RESENDTIME, (nng_duration)resend_ms);
    if (code == 0) code = nng_socket_set_ms(channel->socket, NNG_OPT_RECONNMINT, waits[0].wait_ms);
    if (code == 0) code = nng_socket_set_ms(channel->socket, NNG_OPT_RECONNMAXT, 0);
    if (code == 0)
        code = nng_socket_set_size(channel->socket, NNG_OPT_RECVMAXSZ, LIMIT_REPLY + REPLY_SLACK);
    if (code == 0) code = nng_pipe_notify(channel->socket, NNG_PIPE_EV_ADD_POST, on_pipe, channel);
    if (code == 0) code = nng_pipe_notify(channel->socket, NNG_PIPE_EV_REM_POST, on_pipe, channel);
    if (code == 0) code = nng_aio_alloc(&channel->aio, on_aio, channel);
    return code == 0 ? ERR_OK : nng_failed(code, "socket", problem);
}

enum err channel_open(struct channel **out, struct client_loop *loop,
                      const struct channel_options *options, struct problem *problem)
{
    struct channel *channel = calloc(1, sizeof *channel);
    CHECK(channel != NULL);
    channel->loop = loop;
    channel->note = (struct client_note){.run = on_note, .context = channel};
    channel->link = (struct client_note){.run = on_link, .context = channel};
    channel->longer = (struct client_timer){.fire = on_longer, .context = channel};
    channel->on_reply = options->on_reply;
    channel->context = options->context;
    channel->url = copy_text(options->url);
    channel->ca_file = copy_text(options->ca_file);
    channel->tls_name = copy_text(options->tls_name);
    enum err err = open_socket(channel, options->resend_ms, problem);
    if (err != ERR_OK) {
        channel_close(channel);
        return err;
    }
    *out = channel;
    return ERR_OK;
}

void channel_close(struct channel *channel)
{
    if (channel == NULL) return;
    if (channel->open) nng_close(channel->socket);
    if (channel->aio != NULL) {
        nng_aio_stop(channel->aio);
        nng_aio_free(channel->aio);
    }
    client_timer_cancel(channel->loop, &channel->longer);
    client_loop_withdraw(channel->loop, &channel->link);
    client_loop_withdraw(channel->loop, &channel->note);
    if (channel->reply != NULL) nng_msg_free(channel->reply);
    free(channel->url);
    free(channel->ca_file);
    free(channel->tls_name);
    free(channel);
}

static int set_tls(struct channel *channel)
{
    nng_tls_config *config = NULL;
    int code = nng_tls_config_alloc(&config, NNG_TLS_MODE_CLIENT);
    if (code != 0) return code;
    code = nng_tls_config_auth_mode(config, NNG_TLS_AUTH_MODE_REQUIRED);
    if (code == 0 && channel->ca_file != NULL)
        code = nng_tls_config_ca_file(config, channel->ca_file);
    if (code == 0 && channel->tls_name != NULL)
        code = nng_tls_config_server_name(config, channel->tls_name);
    if (code == 0) code = nng_dialer_set_ptr(channel->dialer, NNG_OPT_TLS_CONFIG, config);
    nng_tls_config_free(config); /* the dialler keeps a reference of its own */
    return code;
}

enum err channel_online(struct channel *channel, bool online, struct problem *problem)
{
    if (channel->online == online) return ERR_OK;
    if (!online) {
        channel->online = false;
        client_timer_cancel(channel->loop, &channel->longer);
        nng_dialer_close(channel->dialer);
        return ERR_OK;
    }
    int code = nng_dialer_create(&channel->dialer, channel->socket, channel->url);
    if (code != 0) return nng_failed(code, channel->url, problem);
    if (strncmp(channel->url, "tls+", 4) == 0) code = set_tls(channel);
    if (code == 0) code = nng_dialer_start(channel->dialer, NNG_FLAG_NONBLOCK);
    if (code != 0) {
        nng_dialer_close(channel->dialer);
        return nng_failed(code, channel->ca_file != NULL ? channel->ca_file : channel->url,
                          problem);
    }
    channel->online = true;
    set_wait(channel, 0);
    return ERR_OK;
}

void channel_ask(struct channel *channel, const void *bytes, size_t size)
{
    CHECK(!channel->busy);
    CHECK(size <= LIMIT_MESSAGE);
    nng_msg *message = NULL;
    CHECK(nng_msg_alloc(&message, 0) == 0);
    CHECK(nng_msg_append(message, bytes, size) == 0);
    channel->busy = true;
    channel->receiving = false;
    nng_aio_set_msg(channel->aio, message);
    nng_send_aio(channel->socket, channel->aio);
}

bool channel_busy(const struct channel *channel)
{
    return channel->busy;
}

bool channel_connected(const struct channel *channel)
{
    return atomic_load(&channel->connections) > 0;
}
