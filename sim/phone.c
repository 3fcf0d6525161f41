/* phone.c - see phone.h: the list, the words, what the system says, and the tool around them. */
#include "sim/phone.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "day/zone.h"
#include "gateway/client/client.h"
#include "message.h"
#include "sim/control.h"
#include "sim/hands.h"
#include "sim/say.h"
#include "sim/scratch.h"
#include "sim/system.h"
#include "sim/words.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VISITS_MAX = 256, LINE_BYTES = 256, TICK_MS = 50, ARENA_BYTES = 1 << 20 };
enum { CLOCK_TEXT = 8, MINUTES_MAX = 600 };

static const int64_t drain_us = 20 * US_PER_SECOND;

struct options {
    const char *technician_id, *data, *gateway, *token, *ca_file, *folder, *zone;
    bool keep, help;
};

struct phone {
    struct options options;
    struct client_loop *loop;
    struct client *client;
    struct client_timer tick;
    struct words words;
    const struct replica_visit *listed[VISITS_MAX]; /* borrowed of the replica, by planned start */
    size_t listed_count;
    char line[LINE_BYTES];
    size_t line_size;
    bool quits, stopped;
    int64_t quits_until_us;
};

static volatile sig_atomic_t end_asked;

static void on_end_signal(int signal)
{
    (void)signal;
    end_asked = 1;
}

/* --- what is shown --------------------------------------------------------------------------- */

static const char *clock_text(int64_t time_us, char out[CLOCK_TEXT])
{
    char text[32];
    clock_format_utc(zone_utc_to_local_us(time_us), text);
    snprintf(out, CLOCK_TEXT, "%.5s", time_us == 0 ? "--:--" : text + 11);
    return out;
}

static const char *status_text(Callout__AppointmentStatus status)
{
    static const char *const texts[] = {
        [CALLOUT__APPOINTMENT_STATUS__APPOINTMENT_STATUS_UNSPECIFIED] = "",
        [CALLOUT__APPOINTMENT_STATUS__UNSCHEDULED] = "nobody's",
        [CALLOUT__APPOINTMENT_STATUS__SCHEDULED] = "planned",
        [CALLOUT__APPOINTMENT_STATUS__DISPATCHED] = "dispatched",
        [CALLOUT__APPOINTMENT_STATUS__ACCEPTED] = "accepted",
        [CALLOUT__APPOINTMENT_STATUS__EN_ROUTE] = "on the way",
        [CALLOUT__APPOINTMENT_STATUS__ON_SITE] = "on site",
        [CALLOUT__APPOINTMENT_STATUS__WORKING] = "working",
        [CALLOUT__APPOINTMENT_STATUS__PAUSED] = "paused",
        [CALLOUT__APPOINTMENT_STATUS__COMPLETED] = "done",
        [CALLOUT__APPOINTMENT_STATUS__INCOMPLETE] = "incomplete",
        [CALLOUT__APPOINTMENT_STATUS__NO_ACCESS] = "no access",
        [CALLOUT__APPOINTMENT_STATUS__CANCELLED] = "cancelled",
    };
    bool known = (size_t)status < sizeof texts / sizeof texts[0];
    return known ? texts[status] : "?";
}

/* The later of what the system knows and what was typed. */
static Callout__AppointmentStatus status_of(const struct phone *phone,
                                            const struct replica_visit *visit)
{
    const struct word *word = words_find(&phone->words, visit->appointment_id);
    return word == NULL || word->status < visit->status ? visit->status : word->status;
}

static int by_start(const void *left, const void *right)
{
    const struct replica_visit *const *a = left, *const *b = right;
    if ((*a)->planned_start_us != (*b)->planned_start_us)
        return (*a)->planned_start_us < (*b)->planned_start_us ? -1 : 1;
    return strcmp((*a)->appointment_id, (*b)->appointment_id);
}

static void read_list(struct phone *phone)
{
    size_t count;
    const struct replica_visit *visits = client_appointments(phone->client, &count);
    phone->listed_count = count < VISITS_MAX ? count : VISITS_MAX;
    for (size_t i = 0; i < phone->listed_count; i++)
        phone->listed[i] = &visits[i];
    qsort(phone->listed, phone->listed_count, sizeof phone->listed[0], by_start);
}

static void show_visit(const struct phone *phone, size_t number)
{
    const struct replica_visit *visit = phone->listed[number];
    char from[CLOCK_TEXT], to[CLOCK_TEXT];
    struct arena arena;
    ProtobufCMessage *message;
    const char *work = "", *address = "";
    arena_open(&arena, ARENA_BYTES);
    if (message_decode(&callout__field_appointment__descriptor, visit->packed, visit->packed_size,
                       &arena, &message, NULL) == ERR_OK) {
        const Callout__WorkOrder *order = ((Callout__FieldAppointment *)message)->work_order;
        if (order != NULL) work = order->work_type;
        if (order != NULL && order->site != NULL) address = order->site->address;
    }
    printf("%3zu  %-12s %-10s  %s-%s%s  %s%s%s\n", number + 1, visit->appointment_id,
           status_text(status_of(phone, visit)), clock_text(visit->planned_start_us, from),
           clock_text(visit->planned_end_us, to), visit->tentative ? "?" : " ", work,
           address[0] == '\0' ? "" : ", ", address);
    arena_close(&arena);
}

static void show_list(struct phone *phone)
{
    char now[CLOCK_TEXT];
    read_list(phone);
    printf("%s  %s, %zu visits\n", clock_text(client_domain_us(phone->client), now),
           phone->options.technician_id, phone->listed_count);
    for (size_t i = 0; i < phone->listed_count; i++)
        show_visit(phone, i);
}

/* --- words ----------------------------------------------------------------------------------- */

enum about { ABOUT_IN_HAND, ABOUT_NEXT, ABOUT_OFFERED };

static const struct verb {
    const char *word;
    Callout__AppointmentStatus status;
    enum about about;
} verbs[] = {
    {"accept", CALLOUT__APPOINTMENT_STATUS__ACCEPTED, ABOUT_OFFERED},
    {"leave", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE, ABOUT_NEXT},
    {"arrive", CALLOUT__APPOINTMENT_STATUS__ON_SITE, ABOUT_IN_HAND},
    {"start", CALLOUT__APPOINTMENT_STATUS__WORKING, ABOUT_IN_HAND},
    {"pause", CALLOUT__APPOINTMENT_STATUS__PAUSED, ABOUT_IN_HAND},
    {"done", CALLOUT__APPOINTMENT_STATUS__COMPLETED, ABOUT_IN_HAND},
    {"incomplete", CALLOUT__APPOINTMENT_STATUS__INCOMPLETE, ABOUT_IN_HAND},
    {"no-access", CALLOUT__APPOINTMENT_STATUS__NO_ACCESS, ABOUT_IN_HAND},
};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

static bool is_about(const struct phone *phone, const struct replica_visit *visit, enum about about)
{
    Callout__AppointmentStatus status = status_of(phone, visit);
    const struct word *word = words_find(&phone->words, visit->appointment_id);
    if (word != NULL && word->declined) return false;
    switch (about) {
    case ABOUT_IN_HAND:
        return status >= CALLOUT__APPOINTMENT_STATUS__EN_ROUTE &&
               status <= CALLOUT__APPOINTMENT_STATUS__PAUSED;
    case ABOUT_NEXT: return status < CALLOUT__APPOINTMENT_STATUS__EN_ROUTE;
    case ABOUT_OFFERED: return status == CALLOUT__APPOINTMENT_STATUS__DISPATCHED;
    }
    return false;
}

/* `whom`: an id, a number of the list, or "" for the one that is meant anyway. NULL: none, said. */
static const struct replica_visit *find_visit(struct phone *phone, const char *whom,
                                              enum about about)
{
    static const char *const none[] = {"no visit is in hand: `leave` begins one",
                                       "no visit is left", "nothing awaits an answer"};
    char *end;
    read_list(phone);
    size_t number = strtoul(whom, &end, 10);
    if (whom[0] != '\0' && *end == '\0' && number >= 1 && number <= phone->listed_count)
        return phone->listed[number - 1];
    for (size_t i = 0; i < phone->listed_count; i++)
        if (whom[0] != '\0' ? strcmp(phone->listed[i]->appointment_id, whom) == 0
                            : is_about(phone, phone->listed[i], about))
            return phone->listed[i];
    printf("%s\n", whom[0] != '\0' ? "there is no such visit: see `list`" : none[about]);
    return NULL;
}

static void say_verb(struct phone *phone, const struct verb *verb, const char *whom)
{
    const struct replica_visit *visit = find_visit(phone, whom, verb->about);
    struct speaker who = {phone->client, phone->options.technician_id};
    if (visit == NULL) return;
    struct word *word = words_about(&phone->words, visit->appointment_id);
    word->status = verb->status;
    bool there = verb->status >= CALLOUT__APPOINTMENT_STATUS__ON_SITE;
    say_status(&who, visit->appointment_id, verb->status, "", there ? &visit->at : NULL);
    printf("%s %s\n", visit->appointment_id, status_text(verb->status));
}

static void say_declined(struct phone *phone, const char *whom)
{
    const struct replica_visit *visit = find_visit(phone, whom, ABOUT_OFFERED);
    struct speaker who = {phone->client, phone->options.technician_id};
    if (visit == NULL) return;
    words_about(&phone->words, visit->appointment_id)->declined = true;
    say_decline(&who, visit->appointment_id, "declined on the phone");
    printf("%s declined\n", visit->appointment_id);
}

static void say_running_late(struct phone *phone, const char *minutes)
{
    char *end;
    long late = strtol(minutes, &end, 10);
    struct speaker who = {phone->client, phone->options.technician_id};
    if (end == minutes || *end != '\0' || late < 1 || late > MINUTES_MAX) {
        printf("late how many minutes? 1 to %d\n", MINUTES_MAX);
        return;
    }
    const struct replica_visit *visit = find_visit(phone, "", ABOUT_IN_HAND);
    if (visit == NULL) return;
    say_late(&who, visit->appointment_id, late * US_PER_MINUTE);
    printf("%s %ld minutes late\n", visit->appointment_id, late);
}

static void help(void)
{
    printf("list  accept  decline  leave  arrive  start  pause  done  incomplete  no-access\n"
           "      each with an id or a number of the list, or about the visit that is meant\n"
           "late MINUTES  ill  quit\n");
}

static void take_line(struct phone *phone, char *line)
{
    char *rest = line + strcspn(line, " \t\r");
    if (*rest != '\0') *rest++ = '\0';
    rest += strspn(rest, " \t\r");
    rest[strcspn(rest, " \t\r")] = '\0';
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(line, verbs[i].word) == 0) {
            say_verb(phone, &verbs[i], rest);
            return;
        }
    struct speaker who = {phone->client, phone->options.technician_id};
    if (strcmp(line, "list") == 0)
        show_list(phone);
    else if (strcmp(line, "decline") == 0)
        say_declined(phone, rest);
    else if (strcmp(line, "late") == 0)
        say_running_late(phone, rest);
    else if (strcmp(line, "ill") == 0)
        say_ill(&who);
    else if (strcmp(line, "quit") == 0)
        phone->quits = true;
    else if (line[0] != '\0')
        help();
}

/* --- what the system says -------------------------------------------------------------------- */

/* What was typed here comes back as news, and times move by seconds: neither is worth a line. */
static void tell_change(const struct phone *phone, const struct replica_change *change)
{
    char before[CLOCK_TEXT], after[CLOCK_TEXT];
    const struct replica_visit *visit = client_appointment(phone->client, change->appointment_id);
    const struct word *word = words_find(&phone->words, change->appointment_id);
    const char *id = change->appointment_id;
    switch (change->kind) {
    case REPLICA_CAME: printf("+ %s %s\n", id, clock_text(change->start_after_us, after)); break;
    case REPLICA_LEFT: printf("- %s is not yours any more\n", id); break;
    case REPLICA_MOVED:
        clock_text(change->start_before_us, before);
        clock_text(change->start_after_us, after);
        if (strcmp(before, after) != 0) printf("~ %s from %s to %s\n", id, before, after);
        break;
    case REPLICA_STATUS:
        if (visit != NULL && (word == NULL || word->status < visit->status))
            printf("= %s %s\n", id, status_text(visit->status));
        break;
    }
}

static void on_news(void *context, struct client *client, const struct client_news *news)
{
    struct phone *phone = context;
    (void)client;
    for (size_t i = 0; i < news->change_count; i++)
        if (news->changes[i].kind == REPLICA_CAME || news->changes[i].kind == REPLICA_LEFT)
            words_forget(&phone->words, news->changes[i].appointment_id);
    if (news->snapshot)
        show_list(phone);
    else
        for (size_t i = 0; i < news->change_count; i++)
            tell_change(phone, &news->changes[i]);
}

static void on_result(void *context, struct client *client, const Callout__CommandResult *result)
{
    (void)context;
    (void)client;
    bool refused = result->outcome == CALLOUT__OUTCOME__REJECTED ||
                   result->outcome == CALLOUT__OUTCOME__PAYLOAD_MISMATCH;
    if (refused)
        printf("refused: %s\n", result->text);
    else
        printf("%s\n", result->outcome == CALLOUT__OUTCOME__CONFLICT_RECORDED
                           ? "recorded, with a conflict"
                           : "recorded");
}

static void on_stopped(void *context, struct client *client, enum err err, const char *text)
{
    struct phone *phone = context;
    (void)client;
    phone->stopped = true;
    fprintf(stderr, "callout sim: the phone was stopped: %s: %s\n", err_name(err), text);
}

/* --- the run --------------------------------------------------------------------------------- */

/* Takes what was typed; a line is taken whole. The end of input is `quit`. */
static void read_input(struct phone *phone)
{
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    if (phone->quits || poll(&ready, 1, 0) <= 0) return;
    ssize_t got = read(STDIN_FILENO, phone->line + phone->line_size,
                       sizeof phone->line - 1 - phone->line_size);
    if (got < 0 && errno == EINTR) return;
    if (got <= 0) phone->quits = true;
    if (got > 0) phone->line_size += (size_t)got;
    phone->line[phone->line_size] = '\0';
    for (char *end; (end = strchr(phone->line, '\n')) != NULL && !phone->quits;) {
        *end = '\0';
        take_line(phone, phone->line);
        phone->line_size -= (size_t)(end + 1 - phone->line);
        memmove(phone->line, end + 1, phone->line_size + 1);
    }
    if (phone->line_size == sizeof phone->line - 1) phone->line_size = 0; /* nobody types so much */
}

/* What is typed counts from the moment that the list is known. */
static void on_tick(void *context)
{
    struct phone *phone = context;
    int64_t now_us = clock_mono_us();
    if (client_counters(phone->client)->snapshots > 0) read_input(phone);
    fflush(stdout);
    if (end_asked) phone->quits = true;
    if (phone->quits && phone->quits_until_us == 0) phone->quits_until_us = now_us + drain_us;
    bool drained = client_state(phone->client) == CLIENT_LIVE && client_unsent(phone->client) == 0;
    if (phone->stopped || (phone->quits && (drained || now_us > phone->quits_until_us)))
        client_loop_stop(phone->loop);
    else
        client_timer_set(phone->loop, &phone->tick, now_us + TICK_MS * INT64_C(1000));
}

static enum err live(struct phone *phone, const struct client_options *options,
                     struct problem *problem)
{
    enum err err = client_loop_open(&phone->loop);
    if (err == ERR_OK) err = client_open(&phone->client, phone->loop, options, problem);
    if (err == ERR_OK) {
        phone->tick = (struct client_timer){.fire = on_tick, .context = phone};
        on_tick(phone);
        client_loop_run(phone->loop, INT64_MAX);
        client_timer_cancel(phone->loop, &phone->tick);
        uint64_t unsent = client_unsent(phone->client);
        if (unsent > 0)
            err = problem_set(problem, ERR_IO, "the phone",
                              "%llu of what was typed is not acknowledged",
                              (unsigned long long)unsent);
        if (phone->stopped) err = problem_set(problem, ERR_GONE, "the phone", "was stopped");
    }
    client_close(phone->client);
    client_loop_close(phone->loop);
    return err;
}

/* --- the tool -------------------------------------------------------------------------------- */

static int usage(FILE *out)
{
    fprintf(out,
            "callout sim phone T07 --data DIR\n"
            "\n"
            "usage: callout sim phone TECHNICIAN --data DIR [--keep] [OPTION]...\n"
            "       callout sim phone TECHNICIAN --gateway URL --token TOKEN [OPTION]...\n"
            "  --data DIR        of a running system; if a fleet lives with it, the virtual\n"
            "                    technician steps back, and goes on when this phone is closed\n"
            "  --keep            he does not go on\n"
            "  --token TOKEN     from `callout admin enrol`, or `callout sim take-over`\n"
            "  --ca FILE         for tls+tcp://\n"
            "  --folder DIR      keeps the device there, for another time\n"
            "  --time-zone ZONE  Europe/Vaduz unless told\n"
            "Type `help` when it runs.\n");
    return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

static bool read_options(struct options *out, int argc, char **argv)
{
    static const struct option words[] = {
        {"data", required_argument, NULL, 'd'},
        {"gateway", required_argument, NULL, 'g'},
        {"token", required_argument, NULL, 't'},
        {"ca", required_argument, NULL, 'c'},
        {"folder", required_argument, NULL, 'f'},
        {"time-zone", required_argument, NULL, 'z'},
        {"keep", no_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    *out = (struct options){.zone = "Europe/Vaduz"};
    for (int word; (word = getopt_long(argc, argv, "h", words, NULL)) != -1;) {
        switch (word) {
        case 'd': out->data = optarg; break;
        case 'g': out->gateway = optarg; break;
        case 't': out->token = optarg; break;
        case 'c': out->ca_file = optarg; break;
        case 'f': out->folder = optarg; break;
        case 'z': out->zone = optarg; break;
        case 'k': out->keep = true; break;
        case 'h': out->help = true; break;
        default: return false;
        }
    }
    if (out->help) return true;
    bool by_url = out->gateway != NULL && (out->token != NULL || out->folder != NULL);
    if (argc - optind != 1 || (out->data != NULL) == by_url) return false;
    out->technician_id = argv[optind];
    return true;
}

static int fail(enum err err, const struct problem *problem)
{
    fprintf(stderr, "callout sim: %s: %s\n", problem->field, problem->text);
    if (err == ERR_INVALID) return EXIT_CONFIG;
    return err == ERR_NOT_FOUND ? EXIT_UNREACHABLE : EXIT_FAILED;
}

/* A fleet is asked for him, if one lives there. */
static enum err take_over(struct phone *phone, const char *path, bool *taken,
                          struct problem *problem)
{
    char was[CONTROL_LINE];
    *taken = false;
    enum err err = hands_take(path, phone->options.technician_id, was, sizeof was, problem);
    if (err == ERR_NOT_FOUND) return ERR_OK;
    if (err != ERR_OK) return err;
    *taken = true;
    printf("%s\n", was);
    return ERR_OK;
}

static enum err give_back(const struct phone *phone, const char *path, struct problem *problem)
{
    const struct options *options = &phone->options;
    char token[SYSTEM_TOKEN] = "";
    enum err err =
        system_enrol(options->data, &options->technician_id, 1, token, sizeof token, problem);
    token[strcspn(token, "\r\n")] = '\0';
    if (err == ERR_OK) err = hands_give(path, options->technician_id, token, problem);
    if (err == ERR_OK) printf("%s is virtual again\n", options->technician_id);
    return err;
}

static enum err run(struct phone *phone, const char *folder, struct problem *problem)
{
    const struct options *options = &phone->options;
    struct system system = {0};
    char path[HANDS_PATH] = "", token[SYSTEM_TOKEN] = "";
    bool taken = false;
    enum err err = ERR_OK;
    if (options->data != NULL) {
        hands_path(options->data, path);
        err = system_find(&system, options->data, problem);
        if (err == ERR_OK)
            err = system_enrol(options->data, &options->technician_id, 1, token, sizeof token,
                               problem);
        token[strcspn(token, "\r\n")] = '\0';
        if (err == ERR_OK) err = take_over(phone, path, &taken, problem);
    }
    if (err != ERR_OK) return err;
    const char *ca_file = system.ca_file[0] == '\0' ? options->ca_file : system.ca_file;
    const struct client_options client = {
        .url = options->data != NULL ? system.gateway : options->gateway,
        .ca_file = ca_file,
        .folder = folder,
        .enrol_token = options->data != NULL ? token : options->token,
        .device_name = "a terminal",
        .app_build = "callout sim phone",
        .events = {.on_news = on_news, .on_result = on_result, .on_stopped = on_stopped},
        .context = phone};
    err = live(phone, &client, problem);
    if (!taken || options->keep) return err;
    struct problem other;
    enum err given = give_back(phone, path, &other);
    if (err == ERR_OK && given != ERR_OK) *problem = other;
    return err == ERR_OK ? given : err;
}

int phone_main(int argc, char **argv)
{
    static struct phone phone;
    struct problem problem = {0};
    char scratch[SCRATCH_PATH] = "";
    const struct sigaction action = {.sa_handler = on_end_signal};
    if (!read_options(&phone.options, argc, argv)) return usage(stderr);
    if (phone.options.help) return usage(stdout);
    log_open("sim", LOG_WARN);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    enum err err = zone_open(phone.options.zone, &problem);
    if (err == ERR_OK && phone.options.folder == NULL) err = scratch_make(scratch, &problem);
    const char *folder = phone.options.folder == NULL ? scratch : phone.options.folder;
    if (err == ERR_OK) err = run(&phone, folder, &problem);
    scratch_remove(scratch);
    return err == ERR_OK ? EXIT_DONE : fail(err, &problem);
}
