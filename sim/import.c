/* import.c - see import.h. Several connections carry the rows, so that the server's group commit
 * has something to group: territory first, then technicians, then orders. */
#include "sim/import.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "day/zone.h"
#include "pb/dispatch.pb-c.h"
#include "sim/day_send.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LANES = 8, SILENCE_MS = 15000 };

/* --- sending --------------------------------------------------------------------------------- */

struct import {
    const struct day *day;
    const struct import_target *target;
    struct import_result *result;
    struct day_errors *errors;
    struct client_loop *loop;
    struct api *lanes[LANES];
    size_t waiting; /* rows that were sent and not answered */
    size_t answered;
};

static void on_answer(void *context, const struct api_answer *answer)
{
    struct import *import = context;
    import->answered++;
    if (answer->err == ERR_OK) {
        const Callout__MutationReply *reply = (const Callout__MutationReply *)answer->message;
        if (reply->duplicate) import->result->unchanged++;
    } else if (import->errors->count++ < DAY_ERRORS_MAX) {
        struct problem *problem = &import->errors->items[import->errors->count - 1];
        const char *field = answer->error_count > 0 ? answer->errors[0]->field : "";
        const char *text = answer->error_count > 0 ? answer->errors[0]->problem : answer->text;
        problem_set(problem, answer->err, field, "%s: %s", err_name(answer->err), text);
    }
    if (--import->waiting == 0) client_loop_stop(import->loop);
}

/* Waits until every row is answered, as long as answers keep coming. */
static enum err await_all(struct import *import)
{
    while (import->waiting > 0) {
        size_t before = import->answered;
        client_loop_run(import->loop,
                        client_loop_now_us(import->loop) + SILENCE_MS * INT64_C(1000));
        if (import->waiting > 0 && import->answered == before) {
            problem_set(&import->errors->items[0], ERR_IO, import->target->url,
                        "no answer for %d s: %s", SILENCE_MS / 1000,
                        api_connected(import->lanes[0]) ? "it is connected but silent"
                                                        : "it cannot be reached");
            import->errors->count = 1;
            return ERR_IO;
        }
    }
    return import->errors->count > 0 ? ERR_INVALID : ERR_OK;
}

static enum err send_all(struct import *import)
{
    const struct day *day = import->day;
    const char *territory = import->target->territory_id;
    import->waiting = 1;
    day_send_territory(import->lanes[0], day, territory, import->target->policy, on_answer, import);
    enum err err = await_all(import);
    if (err != ERR_OK) return err;
    for (size_t i = 0; i < day->technician_count; i++, import->waiting++)
        day_send_technician(import->lanes[i % LANES], day, territory, &day->technicians[i],
                            on_answer, import);
    err = await_all(import);
    if (err != ERR_OK) return err;
    import->result->technicians = day->technician_count;
    for (size_t i = 0; i < day->order_count; i++) {
        const struct day_order *order = &day->orders[i];
        if (!day_order_servable(day, order)) import->result->unservable++;
        if (order->received_us > import->target->known_at_us) {
            import->result->left_out++;
            continue;
        }
        import->waiting++;
        import->result->orders++;
        day_send_order(import->lanes[i % LANES], territory, order,
                       strcmp(order->work_type, "emergency") == 0, on_answer, import);
    }
    return await_all(import);
}

enum err import_day(const struct day *day, const struct import_target *target,
                    struct import_result *result, struct day_errors *errors)
{
    *result = (struct import_result){0};
    errors->count = 0;
    struct import import = {
        .day = day, .target = target, .result = result, .errors = errors, .loop = target->loop};
    enum err err = target->loop != NULL ? ERR_OK : client_loop_open(&import.loop);
    struct api_options options = {.url = target->url,
                                  .ca_file = target->ca_file,
                                  .key = target->key,
                                  .app_build = "callout import"};
    for (int i = 0; i < LANES && err == ERR_OK; i++)
        err = api_open(&import.lanes[i], import.loop, &options, &errors->items[0]);
    if (err != ERR_OK)
        errors->count = 1;
    else
        err = send_all(&import);
    for (int i = 0; i < LANES; i++)
        api_close(import.lanes[i]);
    if (target->loop == NULL) client_loop_close(import.loop);
    return err;
}

void import_print_errors(const struct day_errors *errors)
{
    size_t kept = errors->count < DAY_ERRORS_MAX ? errors->count : DAY_ERRORS_MAX;
    for (size_t i = 0; i < kept; i++)
        fprintf(stderr, "%s: %s\n", errors->items[i].field, errors->items[i].text);
    if (errors->count > kept) fprintf(stderr, "and %zu more\n", errors->count - kept);
}

/* --- the tool -------------------------------------------------------------------------------- */

struct options {
    const char *data, *gateway, *key_file, *ca_file, *territory, *time_zone, *known_at;
    const char *technicians, *orders;
};

static int usage(void)
{
    fprintf(stderr,
            "usage: callout import --data DIR | --gateway URL --key-file FILE [--ca FILE]\n"
            "                      [--territory NAME] [--time-zone ZONE] [--known-at TIME]\n"
            "                      technicians.csv orders.csv\n");
    return EXIT_USAGE;
}

static bool read_options(struct options *out, int argc, char **argv)
{
    static const struct option words[] = {
        {"data", required_argument, NULL, 'd'},      {"gateway", required_argument, NULL, 'g'},
        {"key-file", required_argument, NULL, 'k'},  {"ca", required_argument, NULL, 'c'},
        {"territory", required_argument, NULL, 't'}, {"time-zone", required_argument, NULL, 'z'},
        {"known-at", required_argument, NULL, 'a'},  {NULL, 0, NULL, 0},
    };
    *out = (struct options){.territory = "main", .time_zone = "Europe/Vaduz"};
    for (int word; (word = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        switch (word) {
        case 'd': out->data = optarg; break;
        case 'g': out->gateway = optarg; break;
        case 'k': out->key_file = optarg; break;
        case 'c': out->ca_file = optarg; break;
        case 't': out->territory = optarg; break;
        case 'z': out->time_zone = optarg; break;
        case 'a': out->known_at = optarg; break;
        default: return false;
        }
    }
    if (argc - optind != 2) return false;
    out->technicians = argv[optind];
    out->orders = argv[optind + 1];
    bool by_url = out->gateway != NULL && out->key_file != NULL;
    return (out->data != NULL) != by_url && (out->gateway == NULL) == (out->key_file == NULL);
}

static void report(const struct day *day, const struct import_result *result)
{
    for (size_t i = 0; i < day->order_count; i++)
        if (!day_order_servable(day, &day->orders[i]))
            fprintf(stderr, "note: nobody has the skill that order %s needs (%s:%u)\n",
                    day->orders[i].id, day->orders[i].skills[0].name,
                    day->orders[i].skills[0].level);
    printf("imported %zu technicians and %zu orders", result->technicians, result->orders);
    if (result->unchanged > 0) printf(", %zu rows were there already", result->unchanged);
    if (result->left_out > 0) printf(", %zu orders come later", result->left_out);
    printf("\n");
}

static int import_into(const struct system *system, const struct options *options,
                       const struct day *day, int64_t known_at_us)
{
    static struct day_errors errors;
    struct import_result result;
    struct import_target target = {.url = system->gateway,
                                   .ca_file = system->ca_file[0] != '\0' ? system->ca_file : NULL,
                                   .key = system->key,
                                   .territory_id = options->territory,
                                   .known_at_us = known_at_us};
    enum err err = import_day(day, &target, &result, &errors);
    if (err == ERR_OK) {
        report(day, &result);
        return EXIT_DONE;
    }
    import_print_errors(&errors);
    return err == ERR_IO ? EXIT_UNREACHABLE : EXIT_CONFIG;
}

/* The system of a folder: the one that runs, or one of our own on a socket that nobody else knows.
 */
static enum err system_for(struct system *out, const char *data_dir, char *socket_dir,
                           struct problem *problem)
{
    enum err err = system_find(out, data_dir, problem);
    if (err != ERR_NOT_FOUND) return err;
    if (mkdtemp(socket_dir) == NULL)
        return problem_set(problem, ERR_IO, socket_dir, "cannot be made");
    char url[128];
    snprintf(url, sizeof url, "ipc://%s/gateway.sock", socket_dir);
    const char *more[] = {"--listen", url, "--admin", "127.0.0.1:0", "--http", "none", NULL};
    return system_start(out, data_dir, more, NULL, problem);
}

static enum err system_of(struct system *out, const struct options *options, char *socket_dir,
                          struct problem *problem)
{
    if (options->data != NULL) return system_for(out, options->data, socket_dir, problem);
    *out = (struct system){0};
    snprintf(out->gateway, sizeof out->gateway, "%s", options->gateway);
    if (options->ca_file != NULL)
        snprintf(out->ca_file, sizeof out->ca_file, "%s", options->ca_file);
    return system_read_line(options->key_file, out->key, sizeof out->key, problem);
}

static int import_with(const struct options *options, const struct day *day, int64_t known_at_us)
{
    char socket_dir[] = "/tmp/callout-import-XXXXXX";
    struct problem problem = {0};
    struct system system = {0};
    if (system_of(&system, options, socket_dir, &problem) != ERR_OK) {
        fprintf(stderr, "callout import: %s: %s\n", problem.field, problem.text);
        return EXIT_UNREACHABLE;
    }
    int code = import_into(&system, options, day, known_at_us);
    if (system.pid != 0 && !system_stop(&system) && code == EXIT_DONE) code = EXIT_FAILED;
    rmdir(socket_dir);
    return code;
}

int import_main(int argc, char **argv)
{
    struct options options;
    if (!read_options(&options, argc, argv)) return usage();
    log_open("import", LOG_WARN);
    static struct day_errors errors;
    struct day day;
    if (day_read(&day, options.technicians, options.orders, options.time_zone, &errors) != ERR_OK) {
        import_print_errors(&errors);
        return EXIT_CONFIG;
    }
    int64_t known_at_us = INT64_MAX;
    int code = EXIT_USAGE;
    if (options.known_at != NULL && !zone_parse_us(options.known_at, &known_at_us))
        fprintf(stderr, "--known-at: \"%s\" is not a local time such as 2026-11-23T08:00\n",
                options.known_at);
    else
        code = import_with(&options, &day, known_at_us);
    day_fini(&day);
    return code;
}
