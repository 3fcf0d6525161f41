#include "gateway/gateway.h"

#include "base/digest.h"

static uint64_t next_seed(uint64_t seed)
{
    struct digest digest = digest_start();
    digest_u64(&digest, seed);
    return digest.state;
}

void gateway_open(struct gateway *gateway, const struct gateway_options *options,
                  const struct gateway_ports *ports, uint64_t seed)
{
    *gateway = (struct gateway){.options = *options, .ports = *ports};
    arena_open(&gateway->memory, SIZE_MAX);
    arena_open(&gateway->request_arena, LIMIT_REQUEST_ARENA);
    arena_open(&gateway->pack_arena, 2 * LIMIT_INNER_MESSAGE);
    arena_open(&gateway->reply_arena, 4 * LIMIT_INNER_MESSAGE);
    arena_open(&gateway->send_arena, 2 * LIMIT_INNER_OUTBOX);
    sessions_init(&gateway->sessions, &gateway->memory, GATEWAY_SESSIONS_MAX, seed);
    throttle_init(&gateway->throttle, &gateway->memory, GATEWAY_BUCKETS_MAX, next_seed(seed));
    admission_init(&gateway->admission, next_seed(next_seed(seed)));
    polls_init(&gateway->polls, &gateway->memory, GATEWAY_POLLS_MAX);
    gateway->held = arena_need(&gateway->memory, GATEWAY_POLLS_MAX * sizeof(struct held));
    gateway->upstream = upstream_open(&gateway->ports);
    metrics_init(&gateway->metrics);
}

void gateway_stop(struct gateway *gateway)
{
    gateway->stopping = true;
    hold_stop(gateway);
    upstream_abandon(gateway->upstream);
}

void gateway_close(struct gateway *gateway)
{
    upstream_close(gateway->upstream);
    arena_close(&gateway->send_arena);
    arena_close(&gateway->reply_arena);
    arena_close(&gateway->pack_arena);
    arena_close(&gateway->request_arena);
    arena_close(&gateway->memory);
}
