#include "sim/hands.h"

#include "base/check.h"
#include "base/exit_code.h"
#include "sim/control.h"
#include "sim/system.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *data, *control, *token, *technician_id;
    bool help;
};

static int usage(FILE *out)
{
    fprintf(out,
            "callout sim take-over --data DIR           the fleet: who does what\n"
            "callout sim take-over --data DIR T07       prints a token for T07's real device\n"
            "callout sim give-back --data DIR T07       T07 is virtual again\n"
            "\n"
            "usage: callout sim take-over [TECHNICIAN] --data DIR | --control FILE\n"
            "       callout sim give-back TECHNICIAN --data DIR | --control FILE --token TOKEN\n"
            "  --data DIR      of the system that `callout sim live` or demo lives with\n"
            "  --control FILE  the fleet's socket, as given to `callout sim live --control`\n"
            "  --token TOKEN   from `callout admin enrol`; --data gets one by itself\n"
            "`callout sim phone` takes over, is a phone in the terminal, and gives back.\n");
    return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

static bool read_options(struct options *out, int argc, char **argv)
{
    static const struct option words[] = {{"data", required_argument, NULL, 'd'},
                                          {"control", required_argument, NULL, 'c'},
                                          {"token", required_argument, NULL, 't'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    *out = (struct options){0};
    for (int word; (word = getopt_long(argc, argv, "h", words, NULL)) != -1;) {
        if (word == 'd') out->data = optarg;
        if (word == 'c') out->control = optarg;
        if (word == 't') out->token = optarg;
        if (word == 'h') out->help = true;
        if (word == '?') return false;
    }
    if (out->help) return true;
    if (argc - optind > 1 || (out->data == NULL) == (out->control == NULL)) return false;
    if (optind < argc) out->technician_id = argv[optind];
    return true;
}

/* --- asking ---------------------------------------------------------------------------------- */

void hands_path(const char *data_dir, char path[HANDS_PATH])
{
    snprintf(path, HANDS_PATH, "%.1000s/fleet.sock", data_dir);
}

enum err hands_take(const char *path, const char *technician_id, char *was, size_t size,
                    struct problem *problem)
{
    char line[CONTROL_LINE];
    snprintf(line, sizeof line, "take\t%.200s", technician_id);
    return control_call(path, line, was, size, problem);
}

enum err hands_give(const char *path, const char *technician_id, const char *token,
                    struct problem *problem)
{
    char line[CONTROL_LINE], answer[CONTROL_LINE];
    snprintf(line, sizeof line, "give\t%.200s\t%.200s", technician_id, token);
    return control_call(path, line, answer, sizeof answer, problem);
}

/* --- the verbs ------------------------------------------------------------------------------- */

static int fail(enum err err, const struct problem *problem)
{
    fprintf(stderr, "callout sim: %s: %s\n", problem->field, problem->text);
    return err == ERR_NOT_FOUND || err == ERR_IO ? EXIT_UNREACHABLE : EXIT_FAILED;
}

static enum err list(const char *path, struct problem *problem)
{
    char *text = calloc(1, HANDS_ANSWER);
    CHECK(text != NULL);
    enum err err = control_call(path, "list", text, HANDS_ANSWER, problem);
    if (err == ERR_OK) fputs(text, stdout);
    free(text);
    return err;
}

/* The token comes first: without one nobody could go on. */
static enum err take(const struct options *options, const char *path, struct problem *problem)
{
    char was[CONTROL_LINE], token[SYSTEM_TOKEN] = "";
    enum err err = ERR_OK;
    if (options->data != NULL)
        err = system_enrol(options->data, &options->technician_id, 1, token, sizeof token, problem);
    if (err == ERR_OK) err = hands_take(path, options->technician_id, was, sizeof was, problem);
    if (err != ERR_OK) return err;
    fprintf(stderr, "%s\n", was);
    if (options->data != NULL)
        fputs(token, stdout);
    else
        fprintf(stderr, "`callout admin enrol` gives his real device its token\n");
    return ERR_OK;
}

static enum err give(const struct options *options, const char *path, struct problem *problem)
{
    char token[SYSTEM_TOKEN] = "";
    enum err err = ERR_OK;
    if (options->token != NULL)
        snprintf(token, sizeof token, "%s", options->token);
    else
        err = system_enrol(options->data, &options->technician_id, 1, token, sizeof token, problem);
    token[strcspn(token, "\r\n")] = '\0';
    return err == ERR_OK ? hands_give(path, options->technician_id, token, problem) : err;
}

int hands_main(int argc, char **argv)
{
    struct options options;
    struct problem problem = {0};
    char path[HANDS_PATH];
    bool gives = strcmp(argv[0], "give-back") == 0;
    if (!read_options(&options, argc, argv)) return usage(stderr);
    if (options.help) return usage(stdout);
    bool lacks = options.technician_id == NULL || (options.data == NULL && options.token == NULL);
    if (gives && lacks) return usage(stderr);
    if (options.data != NULL)
        hands_path(options.data, path);
    else
        snprintf(path, sizeof path, "%s", options.control);
    enum err err;
    if (gives)
        err = give(&options, path, &problem);
    else if (options.technician_id == NULL)
        err = list(path, &problem);
    else
        err = take(&options, path, &problem);
    return err == ERR_OK ? EXIT_DONE : fail(err, &problem);
}
