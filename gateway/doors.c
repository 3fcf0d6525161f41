#include "gateway/shell.h"

#include <stdio.h>

static void on_request(void *context, struct sp_ticket ticket, const uint8_t *bytes, size_t size)
{
    struct door *door = context;
    edge_request(&door->shell->gateway, (unsigned)(door - door->shell->doors), ticket, bytes, size);
}

static void on_oversize(void *context, struct sp_ticket ticket, uint64_t size)
{
    struct door *door = context;
    edge_oversize(&door->shell->gateway, (unsigned)(door - door->shell->doors), ticket, size);
}

enum err doors_open(struct shell *shell, struct problem *problem)
{
    const struct gateway_options *options = &shell->gateway.options;
    char certificate[1024], key[1024];
    const char *folder = options->tls_dir == NULL ? "." : options->tls_dir;
    snprintf(certificate, sizeof certificate, "%s/server.pem", folder);
    snprintf(key, sizeof key, "%s/server.key", folder);
    for (unsigned i = 0; i < options->listen_count; i++) {
        struct door *door = &shell->doors[i];
        struct sp_listener_options listen = {
            .url = options->listen[i],
            .certificate_file = certificate,
            .key_file = key,
            .on_request = on_request,
            .on_oversize = on_oversize,
            .context = door,
            .unlimited_per_address = options->lab || options->behind_proxy,
        };
        door->shell = shell;
        enum err err = sp_listener_open(&door->listener, shell->base, &listen, problem);
        if (err != ERR_OK) return err;
        shell->door_count++;
    }
    return ERR_OK;
}

size_t doors_unsent(const struct shell *shell)
{
    size_t unsent = 0;
    for (unsigned i = 0; i < shell->door_count; i++)
        unsent += sp_listener_unsent(shell->doors[i].listener);
    return unsent;
}

uint64_t doors_turnover(const struct shell *shell)
{
    uint64_t turnover = 0;
    for (unsigned i = 0; i < shell->door_count; i++) {
        const struct sp_counters *counters = sp_listener_counters(shell->doors[i].listener);
        turnover += counters->accepted + counters->closed;
    }
    return turnover;
}

void doors_close(struct shell *shell)
{
    for (unsigned i = 0; i < shell->door_count; i++)
        sp_listener_close(shell->doors[i].listener);
    shell->door_count = 0;
}
