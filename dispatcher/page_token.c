#include "dispatcher/page_token.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_MAC = 16, MAC_TEXT = 2 * TOKEN_MAC };

/* Each part with the zero at its end, so that none runs into the next. */
static void token_mac(const struct call *call, const char *text, char out[MAC_TEXT + 1])
{
    const char *parts[] = {"page token", call->method, call->who->id, text};
    uint8_t mac[TOKEN_MAC];
    crypto_generichash_state state;
    crypto_generichash_init(&state, call->engine->secret, SECRET_SIZE, TOKEN_MAC);
    crypto_generichash_update(&state, (const uint8_t *)&call->engine->log_epoch,
                              sizeof call->engine->log_epoch);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        crypto_generichash_update(&state, (const uint8_t *)parts[i], strlen(parts[i]) + 1);
    crypto_generichash_final(&state, mac, TOKEN_MAC);
    sodium_bin2hex(out, MAC_TEXT + 1, mac, TOKEN_MAC);
}

char *page_token_make(struct call *call, const char *text)
{
    size_t size = strlen(text);
    char *token = arena_need(call->arena, MAC_TEXT + size + 1);
    token_mac(call, text, token);
    memcpy(token + MAC_TEXT, text, size + 1);
    return token;
}

enum err page_token_read(struct call *call, const char *token, const char **text)
{
    char mac[MAC_TEXT + 1];
    *text = "";
    if (token[0] == '\0') return ERR_OK;
    if (strlen(token) >= MAC_TEXT) {
        token_mac(call, token + MAC_TEXT, mac);
        if (sodium_memcmp(mac, token, MAC_TEXT) == 0) {
            *text = token + MAC_TEXT;
            return ERR_OK;
        }
    }
    return problem_set(&call->problem, ERR_INVALID, "page_token", "is not one that was given");
}

char *page_token_of(struct call *call, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    return page_token_make(call, text);
}

enum err page_token_number(struct call *call, const char *token, int64_t *number)
{
    const char *text;
    enum err err = page_token_read(call, token, &text);
    *number = err == ERR_OK ? strtoll(text, NULL, 10) : 0;
    return err;
}
