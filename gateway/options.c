#include "gateway/options.h"

#include "url.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

const char gateway_usage[] =
    "usage: callout gateway --dispatcher URL [--listen URL]... [--http ADDRESS]\n"
    "                       [--http-if-free] [--http-name NAME]... [--web DIR]\n"
    "                       [--basemap FILE] [--admin HOST:PORT] [--tls-dir DIR] [--lab]\n"
    "                       [--behind-proxy]\n"
    "  --dispatcher URL   where the dispatcher listens, such as "
    "ipc:///run/callout/dispatcher.sock\n"
    "  --listen URL       tcp://HOST:PORT, tls+tcp://HOST:PORT or ipc://PATH; the default is\n"
    "                     tcp://127.0.0.1:7310\n"
    "  --http ADDRESS     HOST:PORT or https://HOST:PORT, for browsers and other systems; the\n"
    "                     default is no such door\n"
    "  --http-if-free     where that port is taken, go on without the door\n"
    "  --http-name NAME   a name by which they know this server\n"
    "  --web DIR          files for browsers, or none; the default is the folder web beside this\n"
    "                     program, or ../share/callout/web, where that exists\n"
    "  --basemap FILE     a map of the region for them, in PMTiles\n"
    "  --admin ADDRESS    /healthz and /metrics; the default is 127.0.0.1:7381\n"
    "  --tls-dir DIR      has server.pem and server.key, for tls+tcp and https\n"
    "  --lab              plain tcp beyond this machine, no limits for clients on it: for tests\n"
    "  --behind-proxy     plain tcp beyond this machine, no limits per address\n";

static enum err take_http(struct gateway_options *options, const char *text)
{
    static const char tls[] = "https://";
    options->http_tls = strncmp(text, tls, sizeof tls - 1) == 0;
    options->http = options->http_tls ? text + sizeof tls - 1 : text;
    return ERR_OK;
}

static enum err take_option(struct gateway_options *options, int letter, struct problem *problem)
{
    switch (letter) {
    case 'd': options->dispatcher = optarg; return ERR_OK;
    case 'a': options->admin = optarg; return ERR_OK;
    case 't': options->tls_dir = optarg; return ERR_OK;
    case 'L': options->lab = true; return ERR_OK;
    case 'h': return take_http(options, optarg);
    case 'n':
        if (options->http_name_count == GATEWAY_HTTP_NAMES_MAX)
            return problem_set(problem, ERR_INVALID, "--http-name", "at most %d names",
                               GATEWAY_HTTP_NAMES_MAX);
        options->http_names[options->http_name_count++] = optarg;
        return ERR_OK;
    case 'P': options->behind_proxy = true; return ERR_OK;
    case 'f': options->http_if_free = true; return ERR_OK;
    case 'w': options->web = optarg; return ERR_OK;
    case 'm': options->basemap = optarg; return ERR_OK;
    case 'l':
        if (options->listen_count == GATEWAY_DOORS_MAX)
            return problem_set(problem, ERR_INVALID, "--listen", "at most %d addresses",
                               GATEWAY_DOORS_MAX);
        options->listen[options->listen_count++] = optarg;
        return ERR_OK;
    default: return problem_set(problem, ERR_INVALID, "gateway", "see its usage");
    }
}

static enum err check_door(const struct gateway_options *options, const char *text,
                           struct problem *problem)
{
    struct url url;
    if (url_parse(text, &url, problem) != ERR_OK) return ERR_CONFLICT;
    if (url.scheme == URL_TLS && options->tls_dir == NULL)
        return problem_set(problem, ERR_CONFLICT, "--tls-dir", "%.100s needs a certificate", text);
    if (url.scheme != URL_TCP || url_is_local(&url) || options->lab || options->behind_proxy)
        return ERR_OK;
    return problem_set(problem, ERR_CONFLICT, "--listen",
                       "%.100s is plain text beyond this machine: use tls+tcp://, or say "
                       "--behind-proxy or --lab",
                       text);
}

static enum err check_http(const struct gateway_options *options, struct problem *problem)
{
    struct url url;
    if (options->http == NULL) return ERR_OK;
    if (url_parse_host_port(options->http, &url, problem) != ERR_OK) return ERR_CONFLICT;
    if (options->http_tls && options->tls_dir == NULL)
        return problem_set(problem, ERR_CONFLICT, "--tls-dir", "https://%.100s needs a certificate",
                           options->http);
    if (options->http_tls || url_is_local(&url) || options->lab || options->behind_proxy)
        return ERR_OK;
    return problem_set(problem, ERR_CONFLICT, "--http",
                       "%.100s is plain text beyond this machine: use https://, or say "
                       "--behind-proxy or --lab",
                       options->http);
}

/* Figures of a fleet in plain text, without a key: for this machine only, unless it is meant. */
static enum err check_admin(const struct gateway_options *options, struct problem *problem)
{
    struct url url;
    if (url_parse_host_port(options->admin, &url, problem) != ERR_OK) return ERR_CONFLICT;
    if (url_is_local(&url) || options->lab || options->behind_proxy) return ERR_OK;
    return problem_set(problem, ERR_CONFLICT, "--admin",
                       "%.100s is open beyond this machine: say --behind-proxy or --lab",
                       options->admin);
}

enum err gateway_options_read(int argc, char **argv, struct gateway_options *out,
                              struct problem *problem)
{
    static const struct option names[] = {
        {"dispatcher", required_argument, NULL, 'd'}, {"listen", required_argument, NULL, 'l'},
        {"http", required_argument, NULL, 'h'},       {"http-if-free", no_argument, NULL, 'f'},
        {"http-name", required_argument, NULL, 'n'},  {"web", required_argument, NULL, 'w'},
        {"basemap", required_argument, NULL, 'm'},    {"admin", required_argument, NULL, 'a'},
        {"tls-dir", required_argument, NULL, 't'},    {"lab", no_argument, NULL, 'L'},
        {"behind-proxy", no_argument, NULL, 'P'},     {NULL, 0, NULL, 0},
    };
    struct gateway_options options = {.admin = "127.0.0.1:7381"};
    enum err err = ERR_OK;
    optind = 1;
    for (int letter; err == ERR_OK && (letter = getopt_long(argc, argv, "", names, NULL)) != -1;)
        err = take_option(&options, letter, problem);
    if (err != ERR_OK) return err;
    if (optind < argc)
        return problem_set(problem, ERR_INVALID, argv[optind], "is not an option of gateway");
    if (options.dispatcher == NULL)
        return problem_set(problem, ERR_INVALID, "--dispatcher",
                           "where does the dispatcher listen?");
    if (options.listen_count == 0) options.listen[options.listen_count++] = "tcp://127.0.0.1:7310";
    for (unsigned i = 0; err == ERR_OK && i < options.listen_count; i++)
        err = check_door(&options, options.listen[i], problem);
    if (err == ERR_OK) err = check_http(&options, problem);
    if (err == ERR_OK) err = check_admin(&options, problem);
    if (err == ERR_OK) *out = options;
    return err;
}
