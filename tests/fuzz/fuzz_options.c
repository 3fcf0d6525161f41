/* The gateway's options from anywhere, one per line: refused by name, or doors that it can open.
 * With a '@' before it the rest is an address, with a '%' a clock. */
#include "base/check.h"
#include "base/clock.h"
#include "gateway/options.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { WORDS_MAX = 32 };

static void read_address(const char *text)
{
    struct url url = {.scheme = URL_TCP};
    struct problem problem = {{0}, {0}};
    if (url_parse(text, &url, &problem) != ERR_OK) {
        CHECK(problem.text[0] != '\0');
        return;
    }
    CHECK(memchr(url.host, '\0', sizeof url.host) != NULL);
    CHECK(memchr(url.path, '\0', sizeof url.path) != NULL);
    CHECK(url.scheme == URL_IPC ? url.path[0] == '/' : url.host[0] != '\0');
    CHECK(url.scheme == URL_IPC || strtol(url.port, NULL, 10) <= UINT16_MAX);
}

static void read_clock(const char *text)
{
    struct clock clock;
    struct problem problem = {{0}, {0}};
    if (clock_parse(text, &clock, &problem) != ERR_OK)
        CHECK(problem.text[0] != '\0');
    else
        (void)clock_now_us(&clock);
}

static void read_options(char *text)
{
    char role[] = "gateway", *words[WORDS_MAX + 1] = {role};
    int count = 1;
    for (char *rest = text, *word; count < WORDS_MAX && (word = strtok_r(rest, "\n", &rest));)
        words[count++] = word;
    struct gateway_options options;
    struct problem problem = {{0}, {0}};
    opterr = 0;
    if (gateway_options_read(count, words, &options, &problem) != ERR_OK) {
        CHECK(problem.text[0] != '\0');
        return;
    }
    CHECK(options.listen_count > 0 && options.dispatcher != NULL);
    for (unsigned i = 0; i < options.listen_count; i++) {
        struct url url;
        CHECK(url_parse(options.listen[i], &url, &problem) == ERR_OK);
        CHECK(url.scheme != URL_TCP || url_is_local(&url) || options.lab || options.behind_proxy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1); /* of its own, so that a byte too far is seen */
    CHECK(text != NULL);
    memcpy(text, bytes, size);
    text[size] = '\0';
    if (text[0] == '@')
        read_address(text + 1);
    else if (text[0] == '%')
        read_clock(text + 1);
    else
        read_options(text);
    free(text);
    return 0;
}
