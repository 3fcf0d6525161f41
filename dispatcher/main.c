/* main.c - one program, its roles and tools by the first word. */
#include "base/crashpoint.h"
#include "base/exit_code.h"
#include "base/nearest.h"
#include "base/version.h"
#include "dispatcher/admin.h"
#include "dispatcher/replay.h"
#include "dispatcher/serve.h"
#include "dispatcher/service.h"
#include "gateway/service.h"
#include "optimizer/audit_tool.h"
#include "optimizer/compare.h"
#include "optimizer/service.h"
#include "optimizer/solve_tool.h"
#include "optimizer/verify_tool.h"
#include "sim/ask.h"
#include "sim/import.h"
#include "sim/load/load_tool.h"
#include "sim/run/run_tool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A folder is a system's data, a file is a certificate. */
static int verify_either_main(int argc, char **argv)
{
    bool help = false;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' && verify_is_certificate(argv[i]))
            return certificate_main(argc, argv);
        help |= strcmp(argv[i], "--help") == 0;
    }
    if (help) (void)certificate_main(argc, argv);
    return verify_main(argc, argv);
}

static const struct role {
    const char *word;
    int (*main)(int argc, char **argv);
    const char *description;
} roles[] = {
    {"serve", serve_main,
     "the whole system on this machine: the three processes below, kept running"},
    {"gateway", gateway_main, "the edge that devices and other systems reach"},
    {"dispatcher", dispatcher_main, "the only writer: facts, rights, the store"},
    {"optimizer", optimizer_main, "solves the plan again on every event"},
    {"import", import_main, "a day of technicians and work orders from two CSV files"},
    {"ask", ask_main, "who could do it, what a move would be, why: answers about the plan"},
    {"sim", sim_verbs_main, "simulated days: run, sweep, compare; live, demo against a system"},
    {"load", load_main,
     "many devices against a running system: how much, how fast, how it comes back"},
    {"replay", replay_main, "rebuilds the state from the fact log and compares its digest"},
    {"verify", verify_either_main,
     "checks a data folder from its first fact to its last, or a plan's certificate"},
    {"solve", solve_main, "a plan for a day folder or a VROOM file, without any system running"},
    {"audit", audit_main, "checks a plan of solve, or of another solver, against every rule"},
    {"compare", compare_main, "the live plan against a fresh solve of the same problem"},
    {"admin", admin_main, "keys, enrolment, certificates, backup and restore"},
};
enum { ROLE_COUNT = sizeof roles / sizeof roles[0] };

static void print_help(FILE *out)
{
    fprintf(out, "usage: callout ROLE [OPTION]...\n\n");
    for (int i = 0; i < ROLE_COUNT; i++)
        fprintf(out, "  %-11s %s\n", roles[i].word, roles[i].description);
    fprintf(out, "  %-11s %s\n", "help", "this text; callout --version says which version this is");
    fprintf(out, "\nExit codes: 0 done, 1 failed, 2 usage, 3 nothing feasible or a check found a\n"
                 "violation, 4 not reachable, 5 bad configuration or input,\n"
                 "130 interrupted with partial results.\n");
}

static int refuse_word(const char *word)
{
    const char *words[ROLE_COUNT];
    for (int i = 0; i < ROLE_COUNT; i++)
        words[i] = roles[i].word;
    const char *nearest = nearest_word(word, words, ROLE_COUNT);
    fprintf(stderr, "callout: there is no role \"%s\"", word);
    if (nearest != NULL) fprintf(stderr, "; did you mean \"%s\"?", nearest);
    fprintf(stderr, "\n\n");
    print_help(stderr);
    return EXIT_USAGE;
}

/* LeakSanitizer's, in builds that have it. */
void __lsan_do_leak_check(void) __attribute__((weak));

/* At exit nng 1.5.2 destroys locks that its own threads may still take, and panics then: an answer
 * that is printed would end with a signal. So nothing is done at exit but what is done here. */
static int leave(int code)
{
    if (fflush(NULL) != 0 && code == EXIT_DONE) code = EXIT_FAILED;
    if (__lsan_do_leak_check != NULL) __lsan_do_leak_check();
    _exit(code);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    const char *word = argv[1];
    if (!crash_arm()) {
        fprintf(stderr, "callout: CALLOUT_CRASHPOINT names a place that there is not\n");
        return EXIT_USAGE;
    }
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(word, "--version") == 0) {
        printf("callout " CALLOUT_VERSION "\n");
        return EXIT_DONE;
    }
    for (int i = 0; i < ROLE_COUNT; i++)
        if (strcmp(word, roles[i].word) == 0) return leave(roles[i].main(argc - 1, argv + 1));
    return refuse_word(word);
}
