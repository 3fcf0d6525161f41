/* transport_nng.c - channels over nng 1.5.2, one REQ socket each.
 *
 * nng sends an unanswered request again by itself. A request is never cancelled: cancelling a
 * receive whose send is in flight crashes nng 1.5.2. Going offline closes the dialler alone; the
 * request waits in the socket. nng_close can hang for ever where there was a connection (nng issue
 * 1543): a line that is closed keeps its socket, without a dialler, to the end of the process.
 *
 * nng waits a random time below its least wait, but for every second try not at all, and it doubles
 * the wait with each try: within 50 ms it is at its maximum. So doubling is off (maximum 0), and
 * the wait grows with the time that the connection has been gone.
 */
#include "gateway/client/transport.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { REPLY_SLACK = 4096 };

/* A request's way: ask -> send -> receive -> note -> on_reply. `receiving` and `reply` belong to
 * nng's threads while the request is out, and to the loop from the note on. */
struct line {
    struct channel *channel;
    struct client_loop *loop;
    struct client_note note;
    char *url, *ca_file, *tls_name;

    nng_socket socket;
    nng_dialer dialer;
    nng_aio *aio;
    bool open, online, dialled; /* dialled: ever online */
    bool receiving;
    nng_msg *reply;

    struct client_note link; /* connections has changed */
    atomic_int connections;
    struct client_timer longer; /* when the wait between two tries grows */
    size_t wait;                /* index of transport_waits */

    pthread_mutex_t lock; /* of `left` */
    bool left;            /* closed: nothing more is posted */
    struct line *next_left;
};

/* Lines that nng still has, so that nobody takes them for lost. */
static struct {
    pthread_mutex_t lock;
    struct line *first;
} left_lines = {.lock = PTHREAD_MUTEX_INITIALIZER};

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

/* From nng's threads, while there is a loop. */
static void post(struct line *line, struct client_note *note)
{
    pthread_mutex_lock(&line->lock);
    if (!line->left) client_loop_post(line->loop, note);
    pthread_mutex_unlock(&line->lock);
}

/* On an nng thread: the send or the receive of the request is over. */
static void on_aio(void *context)
{
    struct line *line = context;
    int code = nng_aio_result(line->aio);
    if (code == 0 && !line->receiving) {
        line->receiving = true;
        nng_recv_aio(line->socket, line->aio);
        return;
    }
    if (code == 0)
        line->reply = nng_aio_get_msg(line->aio);
    else if (!line->receiving)
        nng_msg_free(nng_aio_get_msg(line->aio)); /* a message that was not sent is ours again */
    if (code == NNG_ECLOSED || code == NNG_ECANCELED) return; /* the line is being closed */
    post(line, &line->note);
}

/* On the loop's thread: hands the reply over; the channel may ask again from within. */
static void on_note(void *context)
{
    struct line *line = context;
    nng_msg *reply = line->reply;
    line->reply = NULL;
    if (reply == NULL) {
        channel_answer(line->channel, NULL, 0);
        return;
    }
    channel_answer(line->channel, nng_msg_body(reply), nng_msg_len(reply));
    nng_msg_free(reply);
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct line *line = context;
    (void)pipe;
    atomic_fetch_add(&line->connections, event == NNG_PIPE_EV_ADD_POST ? 1 : -1);
    post(line, &line->link);
}

static bool connected(const void *end)
{
    const struct line *line = end;
    return atomic_load(&line->connections) > 0;
}

/* --- how long to wait between two tries ------------------------------------------------------ */

static void set_wait(struct line *line, size_t wait)
{
    line->wait = wait;
    nng_dialer_set_ms(line->dialer, NNG_OPT_RECONNMINT,
                      (nng_duration)transport_waits[wait].wait_ms);
    client_timer_cancel(line->loop, &line->longer);
    if (connected(line) || wait + 1 == TRANSPORT_WAITS) return;
    client_timer_set(line->loop, &line->longer,
                     client_loop_now_us(line->loop) + transport_waits[wait + 1].gone_us -
                         transport_waits[wait].gone_us);
}

static void on_longer(void *context)
{
    struct line *line = context;
    if (!connected(line)) set_wait(line, line->wait + 1);
}

/* Connected, or not any more: either way the waits begin with the shortest. */
static void on_link(void *context)
{
    struct line *line = context;
    if (line->online) set_wait(line, 0);
}

static enum err open_socket(struct line *line, uint32_t resend_ms, struct problem *problem)
{
    int code = nng_req0_open(&line->socket);
    if (code != 0) return nng_failed(code, "socket", problem);
    line->open = true;
    code = nng_socket_set_ms(line->socket, NNG_OPT_REQ_RESENDTIME, (nng_duration)resend_ms);
    if (code == 0)
        code = nng_socket_set_ms(line->socket, NNG_OPT_RECONNMINT,
                                 (nng_duration)transport_waits[0].wait_ms);
    if (code == 0) code = nng_socket_set_ms(line->socket, NNG_OPT_RECONNMAXT, 0);
    if (code == 0)
        code = nng_socket_set_size(line->socket, NNG_OPT_RECVMAXSZ, LIMIT_REPLY + REPLY_SLACK);
    if (code == 0) code = nng_pipe_notify(line->socket, NNG_PIPE_EV_ADD_POST, on_pipe, line);
    if (code == 0) code = nng_pipe_notify(line->socket, NNG_PIPE_EV_REM_POST, on_pipe, line);
    if (code == 0) code = nng_aio_alloc(&line->aio, on_aio, line);
    return code == 0 ? ERR_OK : nng_failed(code, "socket", problem);
}

static void end_line(struct line *line)
{
    if (line->open) nng_close(line->socket);
    if (line->aio != NULL) {
        nng_aio_stop(line->aio);
        nng_aio_free(line->aio);
    }
    client_loop_withdraw(line->loop, &line->link);
    if (line->reply != NULL) nng_msg_free(line->reply);
    pthread_mutex_destroy(&line->lock);
    free(line->url);
    free(line->ca_file);
    free(line->tls_name);
    free(line);
}

/* Its connections end with its dialler; a request that is out stays with nng. */
static void leave_line(struct line *line)
{
    if (line->online) nng_dialer_close(line->dialer);
    pthread_mutex_lock(&line->lock);
    line->left = true;
    pthread_mutex_unlock(&line->lock);
    client_loop_withdraw(line->loop, &line->link);
    client_loop_withdraw(line->loop, &line->note);
    pthread_mutex_lock(&left_lines.lock);
    line->next_left = left_lines.first;
    left_lines.first = line;
    pthread_mutex_unlock(&left_lines.lock);
}

static void close_line(void *end)
{
    struct line *line = end;
    client_timer_cancel(line->loop, &line->longer);
    if (line->dialled)
        leave_line(line);
    else
        end_line(line);
}

static enum err open_line(void *network, struct channel *channel,
                          const struct channel_options *options, void **end,
                          struct problem *problem)
{
    (void)network;
    struct line *line = calloc(1, sizeof *line);
    CHECK(line != NULL);
    line->channel = channel;
    line->loop = channel_loop(channel);
    CHECK(pthread_mutex_init(&line->lock, NULL) == 0);
    line->note = (struct client_note){.run = on_note, .context = line};
    line->link = (struct client_note){.run = on_link, .context = line};
    line->longer = (struct client_timer){.fire = on_longer, .context = line};
    line->url = copy_text(options->url);
    line->ca_file = copy_text(options->ca_file);
    line->tls_name = copy_text(options->tls_name);
    enum err err = open_socket(line, options->resend_ms, problem);
    if (err == ERR_OK)
        *end = line;
    else
        close_line(line);
    return err;
}

static int set_tls(struct line *line)
{
    nng_tls_config *config = NULL;
    int code = nng_tls_config_alloc(&config, NNG_TLS_MODE_CLIENT);
    if (code != 0) return code;
    code = nng_tls_config_auth_mode(config, NNG_TLS_AUTH_MODE_REQUIRED);
    if (code == 0 && line->ca_file != NULL) code = nng_tls_config_ca_file(config, line->ca_file);
    if (code == 0 && line->tls_name != NULL)
        code = nng_tls_config_server_name(config, line->tls_name);
    if (code == 0) code = nng_dialer_set_ptr(line->dialer, NNG_OPT_TLS_CONFIG, config);
    nng_tls_config_free(config); /* the dialler keeps a reference of its own */
    return code;
}

static enum err go_online(void *end, bool online, struct problem *problem)
{
    struct line *line = end;
    if (line->online == online) return ERR_OK;
    if (!online) {
        line->online = false;
        client_timer_cancel(line->loop, &line->longer);
        nng_dialer_close(line->dialer);
        return ERR_OK;
    }
    int code = nng_dialer_create(&line->dialer, line->socket, line->url);
    if (code != 0) return nng_failed(code, line->url, problem);
    if (strncmp(line->url, "tls+", 4) == 0) code = set_tls(line);
    if (code == 0) code = nng_dialer_start(line->dialer, NNG_FLAG_NONBLOCK);
    if (code != 0) {
        nng_dialer_close(line->dialer);
        return nng_failed(code, line->ca_file != NULL ? line->ca_file : line->url, problem);
    }
    line->online = line->dialled = true;
    set_wait(line, 0);
    return ERR_OK;
}

static void ask(void *end, const void *bytes, size_t size)
{
    struct line *line = end;
    nng_msg *message = NULL;
    CHECK(nng_msg_alloc(&message, 0) == 0);
    CHECK(nng_msg_append(message, bytes, size) == 0);
    line->receiving = false;
    nng_aio_set_msg(line->aio, message);
    nng_send_aio(line->socket, line->aio);
}

const struct channel_transport transport_nng = {
    .open = open_line,
    .close = close_line,
    .online = go_online,
    .ask = ask,
    .connected = connected,
};
