#include "gateway/client/channel.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "gateway/client/transport.h"

#include <stdlib.h>

struct channel {
    struct client_loop *loop;
    const struct channel_transport *transport;
    void *end; /* the transport's */
    void (*on_reply)(void *context, const uint8_t *bytes, size_t size);
    void *context;
    bool busy;
};

const struct transport_wait transport_waits[TRANSPORT_WAITS] = {
    {0, 1000},
    {3 * US_PER_SECOND, 4000},
    {15 * US_PER_SECOND, 15000},
    {60 * US_PER_SECOND, 30000},
};

enum err channel_open(struct channel **out, struct client_loop *loop,
                      const struct channel_options *options, struct problem *problem)
{
    struct channel *channel = calloc(1, sizeof *channel);
    CHECK(channel != NULL);
    const struct channel_transport *carried = client_loop_carried(loop);
    *channel = (struct channel){.loop = loop,
                                .transport = carried != NULL ? carried : &transport_sp,
                                .on_reply = options->on_reply,
                                .context = options->context};
    enum err err = channel->transport->open(channel->transport->network, channel, options,
                                            &channel->end, problem);
    if (err != ERR_OK) {
        free(channel);
        return err;
    }
    *out = channel;
    return ERR_OK;
}

void channel_close(struct channel *channel)
{
    if (channel == NULL) return;
    channel->transport->close(channel->end);
    free(channel);
}

enum err channel_online(struct channel *channel, bool online, struct problem *problem)
{
    return channel->transport->online(channel->end, online, problem);
}

void channel_ask(struct channel *channel, const void *bytes, size_t size)
{
    CHECK(!channel->busy);
    CHECK(size <= LIMIT_MESSAGE);
    channel->busy = true;
    channel->transport->ask(channel->end, bytes, size);
}

/* The channel may ask again from within on_reply. */
void channel_answer(struct channel *channel, const uint8_t *bytes, size_t size)
{
    CHECK(channel->busy);
    channel->busy = false;
    channel->on_reply(channel->context, bytes, size);
}

bool channel_busy(const struct channel *channel)
{
    return channel->busy;
}

bool channel_connected(const struct channel *channel)
{
    return channel->transport->connected(channel->end);
}

struct client_loop *channel_loop(const struct channel *channel)
{
    return channel->loop;
}
