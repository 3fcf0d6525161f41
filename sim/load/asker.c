#include "sim/load/asker.h"

#include "base/check.h"
#include "base/clock.h"
#include "sp_dialler.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 128, SILENCE_S = 30, PROGRESS_EVERY = 500 };
static const uint32_t id_bit = 1u << 31;

struct asker {
    struct load *load;
    const char *token;
    const struct asker_work *work;
    struct sp_dialler *dialler;
    struct event *silence;
    uint32_t next, done;
    enum err err;
    struct problem *problem;
};

static void stop(struct asker *asker, enum err err)
{
    if (asker->err == ERR_OK) asker->err = err;
    event_base_loopbreak(asker->load->base);
}

static void ask(struct asker *asker, uint32_t index)
{
    char request_id[LOAD_ID] = "";
    const ProtobufCMessage *message = asker->work->make(asker->load, index, request_id);
    ProtobufCBinaryData bytes = load_pack(asker->load, asker->token, strlen(asker->token),
                                          request_id, asker->work->method, message);
    sp_dialler_ask(asker->dialler, id_bit | index, bytes.data, bytes.len);
}

static void on_up(void *context)
{
    struct asker *asker = context;
    while (asker->next < asker->work->count && asker->next < WIDTH)
        ask(asker, asker->next++);
}

static enum err refusal(struct asker *asker, const Callout__Reply *reply)
{
    const char *field = reply->n_errors > 0 ? reply->errors[0]->field : asker->work->method;
    const char *text = reply->n_errors > 0 ? reply->errors[0]->problem : reply->text;
    return problem_set(asker->problem, (enum err)reply->status, asker->work->what, "%s: %s", field,
                       text);
}

static bool worth_repeating(Callout__Status status)
{
    return status == CALLOUT__STATUS__RETRY || status == CALLOUT__STATUS__RATE ||
           status == CALLOUT__STATUS__BUSY;
}

static void say_progress(const struct asker *asker)
{
    bool over = asker->done == asker->work->count;
    if (!isatty(STDERR_FILENO) || (!over && asker->done % PROGRESS_EVERY != 0)) return;
    fprintf(stderr, "\r%-12s %u of %u  ", asker->work->what, asker->done, asker->work->count);
    if (over) fputs("\r\033[K", stderr);
}

static void on_reply(void *context, uint32_t request, const uint8_t *bytes, size_t size)
{
    static const struct timeval silence = {.tv_sec = SILENCE_S};
    struct asker *asker = context;
    uint32_t index = request & ~id_bit;
    const Callout__Reply *reply = load_unpack(asker->load, bytes, size);
    event_add(asker->silence, &silence);
    if (reply == NULL) {
        stop(asker, problem_set(asker->problem, ERR_IO, asker->work->what, "a broken answer"));
        return;
    }
    load_learn(asker->load, reply);
    if (worth_repeating(reply->status)) {
        ask(asker, index);
        return;
    }
    enum err err = reply->status == CALLOUT__STATUS__OK ? ERR_OK : refusal(asker, reply);
    if (err == ERR_OK && asker->work->take != NULL)
        err = asker->work->take(asker->load, index, reply->body);
    asker->done++;
    say_progress(asker);
    if (err != ERR_OK || asker->done == asker->work->count) {
        stop(asker, err);
        return;
    }
    if (asker->next < asker->work->count) ask(asker, asker->next++);
}

static void on_end(void *context)
{
    struct asker *asker = context;
    stop(asker, problem_set(asker->problem, ERR_IO, "gateway", "the connection ended"));
}

static void on_silence(evutil_socket_t fd, short what, void *context)
{
    struct asker *asker = context;
    (void)fd;
    (void)what;
    stop(asker, problem_set(asker->problem, ERR_IO, "gateway", "no answer within %d s", SILENCE_S));
}

enum err asker_each(struct load *load, const char *url, const char *token,
                    const struct asker_work *work, struct problem *problem)
{
    const struct timeval silence = {.tv_sec = SILENCE_S};
    struct asker asker = {.load = load, .token = token, .work = work, .problem = problem};
    const struct sp_dialler_options options = {.url = url,
                                               .trust = load->trust,
                                               .message_max = LIMIT_INNER_MESSAGE,
                                               .on_up = on_up,
                                               .on_reply = on_reply,
                                               .on_end = on_end,
                                               .context = &asker};
    if (work->count == 0) return ERR_OK;
    asker.silence = evtimer_new(load->base, on_silence, &asker);
    CHECK(asker.silence != NULL);
    event_add(asker.silence, &silence);
    enum err err = sp_dialler_open(&asker.dialler, load->base, &options, problem);
    if (err == ERR_OK) {
        event_base_dispatch(load->base);
        err = asker.err;
    }
    sp_dialler_close(asker.dialler);
    event_free(asker.silence);
    return err;
}
