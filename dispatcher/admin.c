/* admin.c - a system that runs is asked through its private socket; an idle folder is opened. */
#include "dispatcher/admin.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "bus.h"
#include "dispatcher/authz.h"
#include "dispatcher/blobs.h"
#include "dispatcher/engine.h"
#include "dispatcher/password.h"
#include "message.h"
#include "tls_init.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 4096, ASK_MS = 60000 };

static const char usage[] =
    "usage: callout admin VERB --data DIR [ARGUMENT]...\n"
    "  enrol TECHNICIAN...     prints a token for each; a device enrols with it once, within 15 "
    "minutes\n"
    "  key --name N --role R [--territory A,B]   prints a new API key; R is dispatcher, planner,\n"
    "                          integrator, auditor or admin; without territories it has them all\n"
    "  keys                    lists them\n"
    "  person add NAME --role R [--territory A,B]   somebody who logs in; the password is read\n"
    "                          from standard input, 12 characters at least\n"
    "  person passwd NAME | disable NAME | list     either ends the person's sessions\n"
    "  audit [NUMBER]          prints the audit log, from the entry after NUMBER on\n"
    "  revoke DEVICE|KEY       ends a device's or key's access\n"
    "  backup NEWDIR           writes a copy of the data folder, also while it is in use\n"
    "  restore BACKUP          makes the (new) folder DIR from a backup\n"
    "  tls-init [HOST]...      makes a CA and a certificate for tls+tcp in DIR/tls\n"
    "examples:\n"
    "  callout admin enrol --data /var/lib/callout T01\n"
    "  callout admin key --data /var/lib/callout --name crm --role integrator\n";

struct options {
    const char *verb, *data, *name, *role, *territories;
    char hash[PASSWORD_HASH_SIZE]; /* of the password that was read */
    char **arguments;
    int argument_count;
};

static int parse(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {
        {"data", required_argument, NULL, 'd'}, {"name", required_argument, NULL, 'n'},
        {"role", required_argument, NULL, 'r'}, {"territory", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'd') options->data = optarg;
        if (c == 'n') options->name = optarg;
        if (c == 'r') options->role = optarg;
        if (c == 't') options->territories = optarg;
        if (c == 'h') {
            fputs(usage, stdout);
            exit(EXIT_DONE);
        }
        if (c == '?') return EXIT_USAGE;
    }
    if (optind < argc && options->data != NULL) {
        options->verb = argv[optind];
        options->arguments = argv + optind + 1;
        options->argument_count = argc - optind - 1;
        return EXIT_DONE;
    }
    fputs(usage, stderr);
    return EXIT_USAGE;
}

/* The dispatcher's socket of a running system, from DIR/endpoints. */
static bool running_socket(const char *data, char *url, size_t size)
{
    char path[4200], line[512];
    snprintf(path, sizeof path, "%s/endpoints", data);
    FILE *file = fopen(path, "r");
    if (file == NULL) return false;
    bool found = false;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "dispatcher ", 11) != 0) continue;
        snprintf(url, size, "%s", line + 11);
        found = true;
    }
    fclose(file);
    return found;
}

static ProtobufCBinaryData pack_request(const struct options *options, struct arena *arena)
{
    Callout__Request request;
    callout__request__init(&request);
    Callout__AdminRequest admin;
    callout__admin_request__init(&admin);
    /* protobuf-c's structs know no const; packing only reads */
    char *role = (char *)(uintptr_t)options->role, *hash = (char *)(uintptr_t)options->hash;
    char *territories =
        (char *)(uintptr_t)(options->territories == NULL ? GRANT_ALL : options->territories);
    char *key[] = {(char *)(uintptr_t)options->name, role, territories};
    char *person[5] = {NULL};
    request.proto_major = 1;
    request.method = arena_text(arena, "Admin");
    admin.verb = arena_text(arena, options->verb);
    admin.arguments = options->arguments;
    admin.n_arguments = (size_t)options->argument_count;
    if (strcmp(options->verb, "key") == 0) {
        admin.arguments = key;
        admin.n_arguments = 3;
    }
    if (options->hash[0] != '\0') { /* person add NAME, person passwd NAME */
        bool add = strcmp(options->arguments[0], "add") == 0;
        for (size_t i = 0; i < 2; i++)
            person[i] = options->arguments[i];
        if (add) person[2] = role;
        if (add) person[3] = territories;
        person[add ? 4 : 2] = hash;
        admin.arguments = person;
        admin.n_arguments = add ? 5 : 3;
    }
    request.body = message_encode(&admin.base, arena);
    return message_encode(&request.base, arena);
}

static int print_reply(const void *bytes, size_t size, struct arena *arena)
{
    ProtobufCMessage *message;
    struct problem problem = {{0}, {0}};
    if (message_decode(&callout__reply__descriptor, bytes, size, arena, &message, &problem) !=
        ERR_OK)
        return EXIT_FAILED;
    const Callout__Reply *reply = (const Callout__Reply *)message;
    if (reply->status != CALLOUT__STATUS__OK) {
        fprintf(stderr, "callout admin: %s\n", reply->text);
        return reply->status == CALLOUT__STATUS__RETRY ? EXIT_FAILED : EXIT_CONFIG;
    }
    if (message_decode(&callout__admin_reply__descriptor, reply->body.data, reply->body.len, arena,
                       &message, &problem) != ERR_OK)
        return EXIT_FAILED;
    const Callout__AdminReply *admin = (const Callout__AdminReply *)message;
    for (size_t i = 0; i < admin->n_values; i++)
        puts(admin->values[i]);
    if (admin->text[0] != '\0') puts(admin->text);
    return EXIT_DONE;
}

/* Asks the dispatcher that runs. EXIT_UNREACHABLE: nobody answers there. */
static int ask_running(const char *url, const struct options *options, struct arena *arena)
{
    struct bus_options bus_options = {.url = url, .in_flight_max = 1};
    struct problem problem = {{0}, {0}};
    struct bus *bus;
    uint8_t *reply = NULL;
    size_t reply_size = 0;
    ProtobufCBinaryData request = pack_request(options, arena);
    if (bus_open(&bus, &bus_options, &problem) != ERR_OK) return EXIT_UNREACHABLE;
    enum err err = bus_call(bus, request.data, request.len, ASK_MS, &reply, &reply_size);
    int code = err == ERR_OK ? print_reply(reply, reply_size, arena) : EXIT_UNREACHABLE;
    free(reply);
    bus_close(bus);
    return code;
}

/* Whatever opens a store makes one; a wrong path shall not become an empty installation. */
static bool is_installation(const char *data)
{
    char path[4200];
    return snprintf(path, sizeof path, "%s/callout.db", data) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

static int ask_folder(const struct options *options, struct arena *arena)
{
    struct problem problem = {{0}, {0}};
    if (!is_installation(options->data)) {
        fprintf(stderr,
                "callout admin: --data %s: no installation is there (it has no callout.db); "
                "`callout serve` makes a new one\n",
                options->data);
        return EXIT_CONFIG;
    }
    struct store *store = NULL;
    struct engine *engine = NULL;
    struct engine_options engine_options = {.folder = options->data, .clock_rate = 1};
    enum err err = store_open_spatialite(&store, options->data, &problem);
    if (err == ERR_OK) err = engine_open(&engine, store, &engine_options, &problem);
    if (err == ERR_OK) {
        ProtobufCBinaryData request = pack_request(options, arena);
        struct engine_item item = {.bytes = request.data, .size = request.len};
        engine_batch(engine, &item, 1, core_time_us(engine_core(engine)));
        int code = print_reply(item.reply.data, item.reply.len, arena);
        engine_close(engine);
        store_close(store);
        return code;
    }
    fprintf(stderr, "callout admin: %s: %s\n", options->data, problem.text);
    if (store != NULL) store_close(store);
    return err == ERR_BUSY ? EXIT_UNREACHABLE : EXIT_CONFIG;
}

static int restore(const struct options *options)
{
    struct problem problem = {{0}, {0}};
    if (options->argument_count != 1) {
        fprintf(stderr, "callout admin restore: name one backup folder\n");
        return EXIT_USAGE;
    }
    enum err err = store_restore(options->arguments[0], options->data, &problem);
    if (err == ERR_OK) err = blobs_copy(options->arguments[0], options->data, &problem);
    if (err == ERR_OK) return EXIT_DONE;
    fprintf(stderr, "callout admin restore: %s\n", problem.text);
    return EXIT_CONFIG;
}

static int tls(const struct options *options)
{
    struct problem problem = {{0}, {0}};
    enum err err = tls_init(options->data, (const char *const *)options->arguments,
                            (uint32_t)options->argument_count, &problem);
    if (err == ERR_OK) return EXIT_DONE;
    fprintf(stderr, "callout admin tls-init: %s %s\n", problem.field, problem.text);
    return EXIT_CONFIG;
}

/* For `person add` and `person passwd`: the password, never from the command line. */
static int read_password(struct options *options)
{
    char password[PASSWORD_BYTES_MAX + 2];
    struct problem problem = {{0}, {0}};
    const char *what = options->argument_count > 0 ? options->arguments[0] : "";
    bool add = strcmp(what, "add") == 0;
    if (!add && strcmp(what, "passwd") != 0) return EXIT_DONE;
    if (options->argument_count != 2 || (add && options->role == NULL)) {
        fprintf(stderr, "callout admin person %s: a name%s needed\n", what,
                add ? " and --role are" : " is");
        return EXIT_USAGE;
    }
    if (isatty(STDIN_FILENO)) fputs("password: ", stderr);
    if (fgets(password, sizeof password, stdin) == NULL) password[0] = '\0';
    password[strcspn(password, "\r\n")] = '\0';
    enum err err = password_hash(password, options->hash, &problem);
    memset(password, 0, sizeof password);
    if (err == ERR_OK) return EXIT_DONE;
    fprintf(stderr, "callout admin person %s: %s %s\n", what, problem.field, problem.text);
    return EXIT_CONFIG;
}

int admin_main(int argc, char **argv)
{
    struct options options = {0};
    struct arena arena;
    char url[512];
    int code = parse(argc, argv, &options);
    if (code != EXIT_DONE) return code;
    log_open("admin", LOG_WARN);
    if (strcmp(options.verb, "restore") == 0) return restore(&options);
    if (strcmp(options.verb, "tls-init") == 0) return tls(&options);
    if (strcmp(options.verb, "key") == 0 && (options.name == NULL || options.role == NULL)) {
        fprintf(stderr, "callout admin key: --name and --role are needed\n");
        return EXIT_USAGE;
    }
    if (strcmp(options.verb, "person") == 0 && (code = read_password(&options)) != EXIT_DONE)
        return code;
    arena_open(&arena, (size_t)64 << 20);
    code = EXIT_UNREACHABLE;
    if (running_socket(options.data, url, sizeof url)) code = ask_running(url, &options, &arena);
    if (code == EXIT_UNREACHABLE) code = ask_folder(&options, &arena);
    arena_close(&arena);
    return code;
}
