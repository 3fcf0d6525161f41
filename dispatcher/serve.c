/* What it rests on: the dispatcher comes first, since both others ask it; a death before everything
 * answers ends it all with the child's exit code, a death later is mended (children.h). */
#include "dispatcher/serve.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "base/rundir.h"
#include "dispatcher/children.h"
#include "dispatcher/reach.h"
#include "dispatcher/role_ends.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DISPATCHER, GATEWAY, OPTIMIZER, ROLE_COUNT };
enum { LISTEN_MAX = 8, URL_SIZE = 300, PATH_SIZE = 1024, TICK_MS = 200, PROBE_MS = 5 };
enum { HELP = 256 };

struct options {
    const char *data_dir;
    char listen[LISTEN_MAX][URL_SIZE];
    int listen_count;
    char http[URL_SIZE]; /* "": no door for HTTP */
    const char *http_names[LISTEN_MAX];
    int http_name_count;
    bool http_said;
    char admin[URL_SIZE];
    const char *web, *basemap; /* NULL: as the gateway finds it */
    const char *clock, *seed, *work, *certificates;
    bool lab, behind_proxy, lockstep;
};

struct serve {
    struct options options;
    char clock[CLOCK_TEXT_SIZE];
    char dispatcher_url[URL_SIZE];
    struct child children[ROLE_COUNT];
    int lock_fd;
    bool stopped; /* TERM or INT came */
};

static const char usage_text[] =
    "usage: callout serve --data DIR [--listen URL]... [--http ADDRESS] [--http-name NAME]...\n"
    "                     [--web DIR] [--basemap FILE] [--admin HOST:PORT]\n"
    "                     [--clock wall | START,RATE] [--lab] [--behind-proxy]\n"
    "                     [--seed N] [--work N] [--lockstep] [--certificates DIR]\n"
    "  --data DIR       the data folder; an empty or missing one is initialised\n"
    "  --listen URL     tcp://HOST:PORT, tls+tcp://HOST:PORT or ipc://PATH; port 0: a free one;\n"
    "                   the default is tcp://127.0.0.1:7310\n"
    "  --http ADDRESS   HOST:PORT, https://HOST:PORT or none, for browsers and other systems; the\n"
    "                   default is 127.0.0.1:7380 where that is free\n"
    "  --http-name NAME a name by which they know this server, such as dispatch.example.org\n"
    "  --web DIR        files for browsers, or none; the default is the folder web beside this\n"
    "                   program, or ../share/callout/web, where that exists\n"
    "  --basemap FILE   a map of the region for them, in PMTiles\n"
    "  --admin ADDRESS  /healthz and /metrics; the default is 127.0.0.1:7381\n"
    "  --clock CLOCK    wall (the default), or from START on, RATE times as fast\n"
    "  --lab            plain tcp beyond this machine, no limits for clients on it: for tests\n"
    "  --behind-proxy   the peers are a proxy's: limits per address do not hold\n"
    "  --seed N         of the optimizer's chance\n"
    "  --work N         rounds of search per event\n"
    "  --lockstep       no search is cut short: the same facts give the same plans\n"
    "  --certificates DIR  the optimizer leaves what proves its plans there, for callout verify:\n"
    "                   TERRITORY-DAY.proof, the newest of each\n"
    "examples:\n"
    "  callout serve --data /var/lib/callout\n"
    "  callout serve --data DIR --listen tls+tcp://0.0.0.0:7310 --http https://0.0.0.0:7443 \\\n"
    "                --http-name dispatch.example.org\n"
    "  callout serve --data DIR --clock 2026-11-23T05:00:00Z,120   two minutes a second\n";

/* --- options --- */

static enum err add_listen(struct options *options, const char *url, struct problem *problem)
{
    if (options->listen_count == LISTEN_MAX)
        return problem_set(problem, ERR_TOO_LARGE, "--listen", "at most %d addresses", LISTEN_MAX);
    return reach_fix_url(url, options->listen[options->listen_count++], URL_SIZE, problem);
}

/* The text that the gateway gets, with its port fixed; "none" stays until it is left out. */
static enum err take_http(struct options *options, const char *text, struct problem *problem)
{
    static const char tls[] = "https://";
    size_t skip = strncmp(text, tls, sizeof tls - 1) == 0 ? sizeof tls - 1 : 0;
    snprintf(options->http, URL_SIZE, "%.*s", (int)skip, text);
    options->http_said = true;
    if (strcmp(text, "none") == 0) return ERR_OK;
    return reach_fix_address(text + skip, options->http + skip, URL_SIZE - skip, problem);
}

/* Several systems on one machine shall not need to say that they want no HTTP. */
static void default_http(struct options *options)
{
    static const char address[] = "127.0.0.1:7380";
    if (strcmp(options->http, "none") == 0) options->http[0] = '\0';
    if (options->http_said) return;
    if (reach_is_free(address))
        snprintf(options->http, URL_SIZE, "%s", address);
    else
        log_warn("%s is taken: no door for HTTP; --http says where else", address);
}

static enum err take_option(struct options *options, int letter, struct problem *problem)
{
    switch (letter) {
    case 'd': options->data_dir = optarg; return ERR_OK;
    case 'l': return add_listen(options, optarg, problem);
    case 'h': return take_http(options, optarg, problem);
    case 'n':
        if (options->http_name_count == LISTEN_MAX)
            return problem_set(problem, ERR_TOO_LARGE, "--http-name", "at most %d", LISTEN_MAX);
        options->http_names[options->http_name_count++] = optarg;
        return ERR_OK;
    case 'W': options->web = optarg; return ERR_OK;
    case 'm': options->basemap = optarg; return ERR_OK;
    case 'a': return reach_fix_address(optarg, options->admin, URL_SIZE, problem);
    case 'c': options->clock = optarg; return ERR_OK;
    case 's': options->seed = optarg; return ERR_OK;
    case 'C': options->certificates = optarg; return ERR_OK;
    case 'w': options->work = optarg; return ERR_OK;
    case 'L': options->lab = true; return ERR_OK;
    case HELP: fputs(usage_text, stdout); exit(EXIT_DONE);
    case 'P': options->behind_proxy = true; return ERR_OK;
    case 'S': options->lockstep = true; return ERR_OK;
    default: return problem_set(problem, ERR_INVALID, "serve", "see its usage");
    }
}

static enum err read_options(int argc, char **argv, struct options *options,
                             struct problem *problem)
{
    static const struct option names[] = {
        {"data", required_argument, NULL, 'd'},
        {"listen", required_argument, NULL, 'l'},
        {"http", required_argument, NULL, 'h'},
        {"http-name", required_argument, NULL, 'n'},
        {"web", required_argument, NULL, 'W'},
        {"basemap", required_argument, NULL, 'm'},
        {"admin", required_argument, NULL, 'a'},
        {"clock", required_argument, NULL, 'c'},
        {"seed", required_argument, NULL, 's'},
        {"work", required_argument, NULL, 'w'},
        {"certificates", required_argument, NULL, 'C'},
        {"lab", no_argument, NULL, 'L'},
        {"behind-proxy", no_argument, NULL, 'P'},
        {"lockstep", no_argument, NULL, 'S'},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    *options = (struct options){.clock = "wall"};
    enum err err = ERR_OK;
    for (int letter; err == ERR_OK && (letter = getopt_long(argc, argv, "", names, NULL)) != -1;)
        err = take_option(options, letter, problem);
    if (err != ERR_OK) return err;
    if (optind < argc)
        return problem_set(problem, ERR_INVALID, argv[optind], "is not an option of serve");
    if (options->data_dir == NULL)
        return problem_set(problem, ERR_INVALID, "--data", "which folder keeps the data?");
    if (options->listen_count == 0) err = add_listen(options, "tcp://127.0.0.1:7310", problem);
    if (err == ERR_OK) default_http(options);
    if (err == ERR_OK && options->admin[0] == '\0')
        err = reach_fix_address("127.0.0.1:7381", options->admin, URL_SIZE, problem);
    return err;
}

/* --- the folder --- */

/* One supervisor per folder; the dispatcher holds a lock of its own against others. The lock is the
 * process's and falls with it. */
static enum err lock_folder(struct serve *serve, struct problem *problem)
{
    char path[PATH_SIZE];
    const char *dir = serve->options.data_dir;
    if (snprintf(path, sizeof path, "%s/serve.lock", dir) >= (int)sizeof path)
        return problem_set(problem, ERR_TOO_LARGE, "--data", "this path is too long");
    serve->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (serve->lock_fd < 0) return problem_set(problem, ERR_IO, path, "%s", strerror(errno));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(serve->lock_fd, F_SETLK, &lock) == 0) return ERR_OK;
    struct flock holder = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(serve->lock_fd, F_GETLK, &holder) != 0 || holder.l_type == F_UNLCK) holder.l_pid = 0;
    return problem_set(problem, ERR_CONFLICT, dir, "is already served by process %d",
                       (int)holder.l_pid);
}

static enum err open_folder(struct serve *serve, struct problem *problem)
{
    const char *dir = serve->options.data_dir;
    CHECK(dir != NULL);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return problem_set(problem, ERR_IO, dir, "cannot be made: %s", strerror(errno));
    enum err err = lock_folder(serve, problem);
    if (err != ERR_OK) return err;
    char rundir[RUNDIR_PATH_SIZE];
    err = rundir_make(dir, rundir, problem);
    if (err != ERR_OK) return err;
    snprintf(serve->dispatcher_url, URL_SIZE, "ipc://%s/dispatcher.sock", rundir);
    return ERR_OK;
}

/* A reader of DIR/endpoints sees all of it or none. */
static enum err write_endpoints(const struct serve *serve, struct problem *problem)
{
    const struct options *options = &serve->options;
    char path[PATH_SIZE], fresh[PATH_SIZE + 8];
    snprintf(path, sizeof path, "%s/endpoints", options->data_dir);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *file = fopen(fresh, "w");
    if (file == NULL) return problem_set(problem, ERR_IO, fresh, "%s", strerror(errno));
    for (int i = 0; i < options->listen_count; i++)
        fprintf(file, "gateway %s\n", options->listen[i]);
    if (options->http[0] != '\0') fprintf(file, "http %s\n", options->http);
    fprintf(file, "admin %s\ndispatcher %s\n", options->admin, serve->dispatcher_url);
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed || rename(fresh, path) != 0)
        return problem_set(problem, ERR_IO, path, "%s", strerror(errno));
    return ERR_OK;
}

static void remove_endpoints(const struct serve *serve)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/endpoints", serve->options.data_dir);
    unlink(path);
}

/* --- the children --- */

static void arg_pair(struct child *child, const char *name, const char *value)
{
    if (value == NULL) return;
    child_arg(child, name);
    child_arg(child, value);
}

static void write_dispatcher(struct child *child, const struct serve *serve)
{
    child_init(child, "dispatcher");
    arg_pair(child, "--data", serve->options.data_dir);
    arg_pair(child, "--socket", serve->dispatcher_url);
    arg_pair(child, "--clock", serve->clock);
    if (serve->options.lab) child_arg(child, "--lab");
}

static void write_gateway(struct child *child, const struct serve *serve)
{
    const struct options *options = &serve->options;
    bool tls = false;
    child_init(child, "gateway");
    arg_pair(child, "--dispatcher", serve->dispatcher_url);
    for (int i = 0; i < options->listen_count; i++) {
        arg_pair(child, "--listen", options->listen[i]);
        tls = tls || strncmp(options->listen[i], "tls+", 4) == 0;
    }
    if (options->http[0] != '\0') arg_pair(child, "--http", options->http);
    if (!options->http_said && options->http[0] != '\0') child_arg(child, "--http-if-free");
    tls = tls || strncmp(options->http, "https://", 8) == 0;
    for (int i = 0; i < options->http_name_count; i++)
        arg_pair(child, "--http-name", options->http_names[i]);
    arg_pair(child, "--web", options->web);
    arg_pair(child, "--basemap", options->basemap);
    arg_pair(child, "--admin", options->admin);
    char tls_dir[PATH_SIZE];
    snprintf(tls_dir, sizeof tls_dir, "%s/tls", options->data_dir);
    if (tls) arg_pair(child, "--tls-dir", tls_dir);
    if (options->lab) child_arg(child, "--lab");
    if (options->behind_proxy) child_arg(child, "--behind-proxy");
}

static void write_optimizer(struct child *child, const struct serve *serve)
{
    child_init(child, "optimizer");
    arg_pair(child, "--dispatcher", serve->dispatcher_url);
    arg_pair(child, "--seed", serve->options.seed);
    arg_pair(child, "--work", serve->options.work);
    arg_pair(child, "--certificates", serve->options.certificates);
    if (serve->options.lockstep) child_arg(child, "--lockstep");
}

static void write_arguments(struct serve *serve)
{
    write_dispatcher(&serve->children[DISPATCHER], serve);
    write_gateway(&serve->children[GATEWAY], serve);
    write_optimizer(&serve->children[OPTIMIZER], serve);
}

static bool role_answers(const struct serve *serve, int role)
{
    if (role == DISPATCHER) return reach_sp(serve->dispatcher_url);
    if (role == OPTIMIZER) return true; /* it listens nowhere */
    for (int i = 0; i < serve->options.listen_count; i++)
        if (!reach_sp(serve->options.listen[i])) return false;
    return reach_http(serve->options.admin);
}

/* Starts one role and waits until it answers: as long as that takes, since a large store may have
 * much to recover. The exit code if that failed, EXIT_DONE also when we were stopped. */
static int bring_up(struct serve *serve, int role)
{
    if (child_start(&serve->children[role]) != ERR_OK) {
        log_error("%s cannot be started: %s", serve->children[role].args[1], strerror(errno));
        return EXIT_FAILED;
    }
    while (!serve->stopped) {
        if (children_look(serve->children, ROLE_COUNT)) break;
        if (role_answers(serve, role)) return EXIT_DONE;
        serve->stopped = children_wait(PROBE_MS);
    }
    if (serve->stopped) return EXIT_DONE;
    for (int i = 0; i < ROLE_COUNT; i++)
        if (serve->children[i].exit_code != 0) return serve->children[i].exit_code;
    return EXIT_FAILED;
}

static int bring_all_up(struct serve *serve)
{
    int code = EXIT_DONE;
    for (int role = 0; role < ROLE_COUNT && code == EXIT_DONE && !serve->stopped; role++)
        code = bring_up(serve, role);
    struct problem problem;
    if (code == EXIT_DONE && !serve->stopped && write_endpoints(serve, &problem) != ERR_OK) {
        log_error("%s: %s", problem.field, problem.text);
        return EXIT_FAILED;
    }
    return code;
}

static void say_ready(const struct serve *serve)
{
    const struct options *options = &serve->options;
    printf("ready");
    for (int i = 0; i < options->listen_count; i++)
        printf(" gateway %s", options->listen[i]);
    printf(" admin %s dispatcher %s\n", options->admin, serve->dispatcher_url);
    fflush(stdout);
}

static void keep_running(struct serve *serve)
{
    while (!serve->stopped) {
        int64_t now_us = clock_mono_us(), wait_us = TICK_MS * INT64_C(1000);
        for (int i = 0; i < ROLE_COUNT; i++) {
            int64_t due_us = serve->children[i].restart_us - now_us;
            if (serve->children[i].pid == 0 && due_us < wait_us) wait_us = due_us > 0 ? due_us : 0;
        }
        serve->stopped = children_wait((int)(wait_us / 1000) + 1);
        if (children_look(serve->children, ROLE_COUNT))
            role_ends_write(serve->options.data_dir, serve->children, ROLE_COUNT);
        if (!serve->stopped) children_restart(serve->children, ROLE_COUNT);
    }
}

/* Nobody new comes in, then nobody plans, then the store is closed; 9 seconds at most. */
static void take_down(struct serve *serve)
{
    child_stop(&serve->children[GATEWAY], 3000);
    child_stop(&serve->children[OPTIMIZER], 1000);
    child_stop(&serve->children[DISPATCHER], 5000);
    for (int role = 0; role < ROLE_COUNT; role++)
        child_fini(&serve->children[role]);
    remove_endpoints(serve);
    role_ends_remove(serve->options.data_dir);
}

/* Every phone is a connection: as many descriptors as we may have. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int serve_main(int argc, char **argv)
{
    static struct serve serve;
    struct problem problem;
    log_open("serve", LOG_INFO);
    if (read_options(argc, argv, &serve.options, &problem) != ERR_OK) {
        fprintf(stderr, "callout serve: %s: %s\n%s", problem.field, problem.text, usage_text);
        return EXIT_USAGE;
    }
    struct clock clock;
    enum err err = clock_parse(serve.options.clock, &clock, &problem);
    if (err == ERR_OK) err = open_folder(&serve, &problem);
    if (err != ERR_OK) {
        fprintf(stderr, "callout serve: %s: %s\n", problem.field, problem.text);
        return err == ERR_INVALID || err == ERR_TOO_LARGE ? EXIT_CONFIG : EXIT_FAILED;
    }
    clock_print(&clock, serve.clock);
    umask(077);
    raise_descriptor_limit();
    children_open();
    write_arguments(&serve);
    role_ends_write(serve.options.data_dir, serve.children, ROLE_COUNT);
    int code = bring_all_up(&serve);
    if (code == EXIT_DONE && !serve.stopped) {
        say_ready(&serve);
        keep_running(&serve);
    }
    take_down(&serve);
    return code;
}
