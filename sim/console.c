#include "sim/console.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    USUAL_PORT = 7380,
    SYLLABLES = 8
}; /* of 75 each: 49 bits, behind a door that counts tries */

static const char account[] = "demo";

const char *console_address(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(USUAL_PORT)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return NULL;
    const int yes = 1; /* connections of a run before may linger */
    bool taken = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
                 bind(fd, (const struct sockaddr *)&at, sizeof at) != 0;
    close(fd);
    return taken ? "127.0.0.1:0" : NULL;
}

/* Below `count`, each as likely: bytes beyond the last whole multiple are drawn again. */
static unsigned draw_below(unsigned count)
{
    uint8_t byte = 0;
    do
        CHECK(getrandom(&byte, 1, 0) == 1);
    while (byte >= 256 / count * count);
    return byte % count;
}

/* Syllables, which are easier to type from one screen to another. */
static void make_password(char out[SYLLABLES * 3])
{
    static const char consonants[] = "bdfghklmnprstvz", vowels[] = "aeiou";
    size_t size = 0;
    for (int i = 0; i < SYLLABLES; i++) {
        if (i > 0 && i % 2 == 0) out[size++] = '-';
        out[size++] = consonants[draw_below(sizeof consonants - 1)];
        out[size++] = vowels[draw_below(sizeof vowels - 1)];
    }
    out[size] = '\0';
}

static const char *scheme_of(const struct system *system)
{
    return strncmp(system->http, "https://", 8) == 0 ? "" : "http://";
}

enum err console_open(const struct system *system, const char *territory_id, const char *log_path,
                      char text[CONSOLE_TEXT], struct problem *problem)
{
    if (system->http[0] == '\0')
        return problem_set(problem, ERR_NOT_FOUND, "--http", "the system has no door for browsers");
    char password[SYLLABLES * 3], input[SYLLABLES * 3 + 1];
    make_password(password);
    snprintf(input, sizeof input, "%s\n", password);
    const char *const add[] = {"callout",    "admin",       "person",         "add",
                               account,      "--data",      system->data_dir, "--role",
                               "dispatcher", "--territory", territory_id,     NULL};
    const char *const again[] = {"callout", "admin",  "person",         "passwd",
                                 account,   "--data", system->data_dir, NULL};
    enum err err = system_tell(add, input, log_path, problem);
    if (err != ERR_OK) err = system_tell(again, input, log_path, problem);
    if (err != ERR_OK) return err;
    snprintf(text, CONSOLE_TEXT, "console: %s%.150s/   name %s   password %s", scheme_of(system),
             system->http, account, password);
    return ERR_OK;
}

enum err console_app_link(const struct system *system, const char *technician_id,
                          char text[CONSOLE_TEXT], struct problem *problem)
{
    char token[SYSTEM_TOKEN] = "";
    if (system->http[0] == '\0')
        return problem_set(problem, ERR_NOT_FOUND, "--http", "the system has no door for browsers");
    enum err err = system_enrol(system->data_dir, &technician_id, 1, token, sizeof token, problem);
    if (err != ERR_OK) return err;
    token[strcspn(token, "\r\n")] = '\0';
    snprintf(text, CONSOLE_TEXT,
             "app: %s%.80s/technician/#enrol=%.40s   you are %.40s from then on", scheme_of(system),
             system->http, token, technician_id);
    return ERR_OK;
}
