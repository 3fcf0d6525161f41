#include "sim/ask.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "gateway/client/api.h"
#include "message_json.h"
#include "pb/dispatch.pb-c.h"
#include "sim/ask_inbox.h"
#include "sim/ask_kpis.h"
#include "sim/system.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 10000, ANSWER_MEMORY = 16 << 20 };

static const char usage[] =
    "usage: callout ask QUESTION APPOINTMENT [TECHNICIAN] --data DIR | --gateway URL --key-file "
    "FILE\n"
    "                   [--ca FILE] [--count N] [--start TIME] [--place N] [--json]\n"
    "       callout ask kpis [TERRITORY] [--day DATE] [--legs] ... as above\n"
    "       callout ask conflicts|dead-letters [TERRITORY] ... as above\n"
    "  candidates APPOINTMENT         who could do it, ranked, what it costs and what it breaks\n"
    "  check APPOINTMENT TECHNICIAN   what would be if he did it, at --start or --place if given\n"
    "  why APPOINTMENT                why nobody does it, or what moved it\n"
    "  why APPOINTMENT TECHNICIAN     why not he\n"
    "  changes APPOINTMENT            what moved it: cause, gain, and who moved with it\n"
    "  emergency APPOINTMENT          where an emergency goes at least cost, and whom it "
    "displaces\n"
    "  kpis [TERRITORY]               the figures of the day, of each territory or of one; with "
    "--legs\n"
    "                                 also each journey and visit, as planned and as it was\n"
    "  conflicts [TERRITORY]          reports of devices that the plan knew otherwise, still open\n"
    "  dead-letters [TERRITORY]       commands of devices that were rejected for good\n"
    "Times are UTC. Nothing is changed; `callout ask` needs a dispatcher's or an\n"
    "admin's key, which --data finds by itself. Exit code 3: the move would break a rule, or "
    "nobody\n"
    "could do it.\n"
    "examples:\n"
    "  callout ask candidates O017.1 --data /var/lib/callout --count 3\n"
    "  callout ask check O017.1 T04 --start 2026-11-23T13:30 --data /var/lib/callout\n"
    "  callout ask why O017.1 T04 --data /var/lib/callout --json\n"
    "  callout ask kpis north --day 2026-11-23 --legs --data /var/lib/callout\n";

struct options {
    const char *data, *gateway, *key_file, *ca_file;
    const char *question;
    const char *appointment_id; /* of kpis: the territory, or "" */
    const char *technician_id;
    uint32_t count, place;
    int64_t start_us, day_us;
    bool legs, json;
};

static bool read_number(const char *text, uint32_t *out)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    *out = (uint32_t)number;
    return end != text && *end == '\0' && text[0] != '-' && number <= UINT32_MAX;
}

static bool read_day(const char *text, int64_t *out)
{
    char midnight[32];
    snprintf(midnight, sizeof midnight, "%.20sT00:00", text);
    return clock_parse_utc(midnight, out) != 0;
}

static bool read_option(struct options *out, int letter)
{
    switch (letter) {
    case 'd': out->data = optarg; return true;
    case 'g': out->gateway = optarg; return true;
    case 'k': out->key_file = optarg; return true;
    case 'a': out->ca_file = optarg; return true;
    case 'n': return read_number(optarg, &out->count);
    case 'p': return read_number(optarg, &out->place);
    case 's': return clock_parse_utc(optarg, &out->start_us) != 0;
    case 'D': return read_day(optarg, &out->day_us);
    case 'l': out->legs = true; return true;
    case 'j': out->json = true; return true;
    case 'h': fputs(usage, stdout); exit(EXIT_DONE);
    default: return false;
    }
}

static bool read_options(struct options *out, int argc, char **argv)
{
    static const struct option words[] = {
        {"data", required_argument, NULL, 'd'},     {"gateway", required_argument, NULL, 'g'},
        {"key-file", required_argument, NULL, 'k'}, {"ca", required_argument, NULL, 'a'},
        {"count", required_argument, NULL, 'n'},    {"place", required_argument, NULL, 'p'},
        {"start", required_argument, NULL, 's'},    {"json", no_argument, NULL, 'j'},
        {"day", required_argument, NULL, 'D'},      {"legs", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    *out = (struct options){.technician_id = ""};
    for (int letter; (letter = getopt_long(argc, argv, "h", words, NULL)) != -1;) {
        if (!read_option(out, letter)) return false;
    }
    int words_given = argc - optind;
    if (words_given < 1 || words_given > 3) return false;
    out->question = argv[optind];
    out->appointment_id = words_given > 1 ? argv[optind + 1] : "";
    if (words_given == 3) out->technician_id = argv[optind + 2];
    bool kpis = strcmp(out->question, "kpis") == 0;
    bool inbox =
        strcmp(out->question, "conflicts") == 0 || strcmp(out->question, "dead-letters") == 0;
    if (kpis ? out->legs && words_given == 1 : out->legs || out->day_us != 0) return false;
    if (words_given == 1 && !kpis && !inbox) return false;
    bool by_url = out->gateway != NULL && out->key_file != NULL;
    return (out->data != NULL) != by_url && (out->gateway == NULL) == (out->key_file == NULL);
}

/* --- people's words --- */

static void print_time(int64_t time_us)
{
    char text[32];
    clock_format_utc(time_us, text);
    printf("%.16s", time_us != 0 ? text : "-");
}

static void print_part(const char *name, int64_t seconds)
{
    if (seconds != 0) printf(" %s %+lld", name, (long long)seconds);
}

static void print_parts(const Callout__CostParts *parts)
{
    if (parts == NULL) return;
    printf("%+lld s:", (long long)parts->total);
    print_part("travel", parts->travel);
    print_part("overtime", parts->overtime);
    print_part("lateness", parts->lateness);
    print_part("preferred window", parts->preferred_window);
    print_part("preferred technician", parts->preferred_technician);
    print_part("unserved", parts->unserved);
    print_part("change of technician", parts->change_technician);
    print_part("change of start", parts->change_start);
}

static void print_move(const Callout__Move *move)
{
    printf("%-12s place %-2u ", move->technician_id, move->place);
    print_time(move->start_us);
    printf("  ");
    print_parts(move->cost_delta);
    puts("");
    for (size_t i = 0; i < move->n_violations; i++)
        printf("    breaks: %s\n", move->violations[i]->text);
    for (size_t i = 0; i < move->n_knock_on; i++) {
        const Callout__KnockOn *it = move->knock_on[i];
        printf("    %s ", it->appointment_id);
        print_time(it->start_before_us);
        printf(" -> ");
        print_time(it->start_after_us);
        printf("%s\n", it->becomes_late ? ", late" : "");
    }
}

static void print_delta(const Callout__PlanDelta *delta)
{
    printf("%s: %s ", delta->appointment_id,
           delta->technician_before[0] != '\0' ? delta->technician_before : "nobody");
    print_time(delta->start_before_us);
    printf(" -> %s ", delta->technician_after[0] != '\0' ? delta->technician_after : "nobody");
    print_time(delta->start_after_us);
    puts("");
}

static int print_candidates(const ProtobufCMessage *message)
{
    const Callout__CandidatesReply *reply = (const Callout__CandidatesReply *)message;
    printf("%u of %u technicians could do it; now: %s\n", reply->fitting, reply->technicians,
           reply->technician_id[0] != '\0' ? reply->technician_id : "nobody");
    for (size_t i = 0; i < reply->n_candidates; i++)
        print_move(reply->candidates[i]);
    return reply->fitting > 0 ? EXIT_DONE : EXIT_VIOLATION;
}

static int print_check(const ProtobufCMessage *message)
{
    const Callout__CheckMoveReply *reply = (const Callout__CheckMoveReply *)message;
    print_move(reply->move);
    if (reply->frozen)
        puts("    it is frozen: its technician counts on it");
    else if (reply->pinned)
        puts("    it is pinned: only people move it");
    if (reply->left_behind != NULL) {
        printf("    %s keeps %u, and is idle ", reply->left_behind->technician_id,
               reply->left_behind->appointments);
        print_time(reply->left_behind->idle_from_us);
        printf(" to ");
        print_time(reply->left_behind->idle_until_us);
        puts("");
    }
    return reply->move->n_violations == 0 ? EXIT_DONE : EXIT_VIOLATION;
}

static int print_explain(const ProtobufCMessage *message)
{
    const Callout__ExplainReply *reply = (const Callout__ExplainReply *)message;
    puts(reply->text);
    for (size_t i = 0; i < reply->n_technicians; i++) {
        const Callout__TechnicianReason *it = reply->technicians[i];
        printf("%-12s %s\n", it->technician_id, it->n_relaxations == 0 ? "could do it" : "");
        for (size_t v = 0; v < it->n_relaxations; v++)
            printf("    %s\n", it->relaxations[v]->text);
    }
    if (reply->alternative != NULL) print_move(reply->alternative);
    for (size_t i = 0; i < reply->n_changes; i++) {
        const Callout__AppointmentChange *it = reply->changes[i];
        print_time(it->time_us);
        printf(" fact %llu ", (unsigned long long)it->log_seq);
        print_delta(it->delta);
        printf("    because of fact %llu by %s: %s\n", (unsigned long long)it->cause_seq,
               it->cause_actor, it->cause_text);
        if (it->gain != NULL) {
            printf("    gain of plan %llu ", (unsigned long long)it->plan_version);
            print_parts(it->gain);
            puts("");
        }
        for (size_t d = 0; d < it->n_displaced; d++) {
            printf("    with it ");
            print_delta(it->displaced[d]);
        }
    }
    return EXIT_DONE;
}

static void print_option(const char *title, const Callout__EmergencyOption *option)
{
    if (option == NULL) {
        printf("%s: there is no way\n", title);
        return;
    }
    printf("%s:\n", title);
    Callout__Move move = *option->move;
    move.n_knock_on = 0; /* they are among the displaced */
    print_move(&move);
    for (size_t i = 0; i < option->n_displaced; i++) {
        printf("    ");
        print_delta(option->displaced[i]->delta);
    }
}

static int print_emergency(const ProtobufCMessage *message)
{
    const Callout__EmergencyOptionsReply *reply = (const Callout__EmergencyOptionsReply *)message;
    print_option("within the rules", reply->within_rules);
    print_option("with the least that is late", reply->delaying);
    printf("based on %s\n", reply->text);
    return reply->within_rules != NULL ? EXIT_DONE : EXIT_VIOLATION;
}

static int print_kpis(const ProtobufCMessage *message)
{
    ask_print_kpis((const Callout__KpisReply *)message);
    return EXIT_DONE;
}

/* --- asking --- */

struct question {
    const char *method;
    const ProtobufCMessage *body;
    int (*print)(const ProtobufCMessage *message);
};

/* The protobuf structs know no const; nothing is written through it. */
static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

static bool ask_about(const struct options *options, struct arena *arena, struct question *out)
{
    Callout__CandidatesRequest *who = arena_need(arena, sizeof *who);
    Callout__CheckMoveRequest *check = arena_need(arena, sizeof *check);
    Callout__ExplainRequest *why = arena_need(arena, sizeof *why);
    Callout__EmergencyOptionsRequest *emergency = arena_need(arena, sizeof *emergency);
    Callout__KpisRequest *kpis = arena_need(arena, sizeof *kpis);
    callout__kpis_request__init(kpis);
    kpis->territory_id = text_of(options->appointment_id);
    kpis->service_day = options->day_us / US_PER_DAY;
    kpis->legs = options->legs;
    Callout__ConflictsRequest *conflicts = arena_need(arena, sizeof *conflicts);
    Callout__DeadLettersRequest *letters = arena_need(arena, sizeof *letters);
    callout__conflicts_request__init(conflicts);
    callout__dead_letters_request__init(letters);
    conflicts->territory_id = letters->territory_id = text_of(options->appointment_id);
    callout__candidates_request__init(who);
    callout__check_move_request__init(check);
    callout__explain_request__init(why);
    callout__emergency_options_request__init(emergency);
    who->appointment_id = check->appointment_id = why->appointment_id = emergency->appointment_id =
        text_of(options->appointment_id);
    who->count = why->count = options->count;
    check->technician_id = why->technician_id = text_of(options->technician_id);
    check->start_us = options->start_us;
    check->place = options->place;
    bool named = options->technician_id[0] != '\0';
    if (named) why->question = CALLOUT__QUESTION__WHY_NOT_TECHNICIAN;
    if (strcmp(options->question, "changes") == 0) why->question = CALLOUT__QUESTION__WHY_CHANGED;
    const struct {
        const char *word;
        bool technician, either;
        struct question question;
    } questions[] = {
        {"candidates", false, false, {"Candidates", &who->base, print_candidates}},
        {"check", true, false, {"CheckMove", &check->base, print_check}},
        {"why", false, true, {"Explain", &why->base, print_explain}},
        {"changes", false, false, {"Explain", &why->base, print_explain}},
        {"emergency", false, false, {"EmergencyOptions", &emergency->base, print_emergency}},
        {"kpis", false, false, {"Kpis", &kpis->base, print_kpis}},
        {"conflicts", false, false, {"Conflicts", &conflicts->base, ask_print_conflicts}},
        {"dead-letters", false, false, {"DeadLetters", &letters->base, ask_print_dead_letters}},
    };
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        if (strcmp(questions[i].word, options->question) != 0) continue;
        *out = questions[i].question;
        return questions[i].either || questions[i].technician == named;
    }
    return false;
}

static enum err find_system(struct system *out, const struct options *options,
                            struct problem *problem)
{
    if (options->data != NULL) return system_find(out, options->data, problem);
    *out = (struct system){0};
    snprintf(out->gateway, sizeof out->gateway, "%s", options->gateway);
    if (options->ca_file != NULL)
        snprintf(out->ca_file, sizeof out->ca_file, "%s", options->ca_file);
    return system_read_line(options->key_file, out->key, sizeof out->key, problem);
}

static int print_answer(const struct options *options, const struct question *question,
                        const ProtobufCMessage *reply)
{
    if (!options->json) return question->print(reply);
    json_t *json = message_json(reply);
    json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    puts("");
    json_decref(json);
    return EXIT_DONE;
}

/* The pages of legs behind the first, put to it. */
static enum err ask_legs(struct api *api, const struct question *question, struct arena *arena,
                         const ProtobufCMessage *first, struct problem *problem)
{
    Callout__KpisReply *all = (Callout__KpisReply *)(uintptr_t)first;
    Callout__KpisRequest next = *(const Callout__KpisRequest *)question->body;
    while (all->next_page_token[0] != '\0') {
        const ProtobufCMessage *reply;
        next.page_token = all->next_page_token;
        enum err err =
            api_call(api, question->method, &next.base, NULL, ANSWER_MS, arena, &reply, problem);
        if (err != ERR_OK) return err;
        const Callout__KpisReply *page = (const Callout__KpisReply *)reply;
        Callout__Leg **legs = arena_need(arena, (all->n_legs + page->n_legs + 1) * sizeof *legs);
        if (all->n_legs > 0) memcpy(legs, all->legs, all->n_legs * sizeof *legs);
        for (size_t i = 0; i < page->n_legs; i++)
            legs[all->n_legs++] = page->legs[i];
        all->legs = legs;
        all->next_page_token = page->next_page_token;
    }
    return ERR_OK;
}

static int ask(const struct system *system, const struct options *options,
               const struct question *question, struct arena *arena)
{
    struct problem problem = {{0}, {0}};
    struct client_loop *loop = NULL;
    struct api *api = NULL;
    const ProtobufCMessage *reply = NULL;
    const struct api_options api_options = {.url = system->gateway,
                                            .ca_file =
                                                system->ca_file[0] != '\0' ? system->ca_file : NULL,
                                            .key = system->key,
                                            .app_build = "callout ask"};
    enum err err = client_loop_open(&loop);
    if (err == ERR_OK) err = api_open(&api, loop, &api_options, &problem);
    if (err == ERR_OK)
        err = api_call(api, question->method, question->body, NULL, ANSWER_MS, arena, &reply,
                       &problem);
    if (err == ERR_OK && strcmp(question->method, "Kpis") == 0)
        err = ask_legs(api, question, arena, reply, &problem);
    int code = EXIT_UNREACHABLE;
    if (err == ERR_OK) {
        code = print_answer(options, question, reply);
    } else {
        fprintf(stderr, "callout ask: %s%s%s\n", problem.field,
                problem.field[0] != '\0' ? ": " : "",
                problem.text[0] != '\0' ? problem.text : err_name(err));
        if (err != ERR_IO) code = EXIT_CONFIG;
    }
    api_close(api);
    client_loop_close(loop);
    return code;
}

int ask_main(int argc, char **argv)
{
    struct options options;
    struct question question;
    struct system system;
    struct problem problem = {{0}, {0}};
    struct arena arena;
    arena_open(&arena, ANSWER_MEMORY);
    if (!read_options(&options, argc, argv) || !ask_about(&options, &arena, &question)) {
        fputs(usage, stderr);
        arena_close(&arena);
        return EXIT_USAGE;
    }
    log_open("ask", LOG_WARN);
    int code = EXIT_UNREACHABLE;
    if (find_system(&system, &options, &problem) != ERR_OK)
        fprintf(stderr, "callout ask: %s: %s\n", problem.field, problem.text);
    else
        code = ask(&system, &options, &question, &arena);
    arena_close(&arena);
    return code;
}
