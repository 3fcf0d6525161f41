#include "optimizer/verify_tool.h"

#include "base/exit_code.h"
#include "optimizer/input_file.h"
#include "optimizer/verify/verify.h"

#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char TOOL[] = "callout verify";

bool verify_is_certificate(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

/* --- command line ---------------------------------------------------------------------------- */

struct options {
    const char *path;
    bool json, help;
};

static int usage(FILE *out)
{
    fputs(
        "usage: callout verify CERTIFICATE [--json]\n"
        "  Checks a plan and the proof of how good it is, without the solver: walks and prices\n"
        "  each route again, and looks for a route of each technician that is cheaper than the\n"
        "  certificate's duals say, by a dynamic programme in whole numbers. Where there is none,\n"
        "  no plan costs less than the lower bound. 0: all of it holds, 3: something does not,\n"
        "  and its place is named, 5: the file is not a certificate. Up to 300 orders take less\n"
        "  than a minute. For example:\n\n"
        "  callout solve monday --certificate monday.proof\n"
        "  callout verify monday.proof\n",
        out);
    return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

static bool read_options(struct options *out, int argc, char **argv)
{
    static const struct option words[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    *out = (struct options){0};
    optind = 1;
    for (int word; (word = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        switch (word) {
        case 'j': out->json = true; break;
        case 'h': out->help = true; return true;
        default: return false;
        }
    }
    if (optind + 1 != argc) return false;
    out->path = argv[optind];
    return true;
}

/* --- words ----------------------------------------------------------------------------------- */

/* Of the cost above what orders that nobody can serve cost anyway. */
static double gap_percent(const struct certificate *certificate, const struct verify_report *report)
{
    int64_t above = report->objective - certificate->hopeless;
    int64_t gap = report->objective - report->lower_bound;
    return above <= 0 ? 0.0 : 100.0 * (double)gap / (double)above;
}

static void print_relaxed(const struct certificate *certificate)
{
    printf("relaxed:");
    for (uint32_t i = 0; i < certificate->relaxed_count; i++)
        printf(" %s", certificate->relaxed[i]);
    printf("%s\n", certificate->relaxed_count == 0 ? " nothing" : "");
}

static void print_text(const struct certificate *certificate, const struct verify_report *report)
{
    uint32_t shown = report->finding_count;
    if (shown > VERIFY_FINDINGS_MAX) shown = VERIFY_FINDINGS_MAX;
    for (uint32_t i = 0; i < shown; i++)
        printf("%s: %s\n", report->findings[i].place, report->findings[i].text);
    if (shown < report->finding_count) printf("and %u more\n", report->finding_count - shown);
    if (report->finding_count > 0) {
        printf("refused: %u findings\n", report->finding_count);
        return;
    }
    print_relaxed(certificate);
    printf("certified: the plan costs %" PRId64 ", and none costs less than %" PRId64
           ": gap %" PRId64 ", %.3f %%\n",
           report->objective, report->lower_bound, report->objective - report->lower_bound,
           gap_percent(certificate, report));
    printf("%u technicians, %u orders, %u cuts; %u priced, %" PRIu64 " labels\n",
           certificate->technician_count, certificate->visit_count, certificate->cut_count,
           report->priced, report->labels);
}

static bool print_json(const struct certificate *certificate, const struct verify_report *report)
{
    json_t *findings = json_array(), *relaxed = json_array();
    for (uint32_t i = 0; i < report->finding_count && i < VERIFY_FINDINGS_MAX; i++)
        json_array_append_new(findings, json_pack("{s:s, s:s}", "place", report->findings[i].place,
                                                  "text", report->findings[i].text));
    for (uint32_t i = 0; i < certificate->relaxed_count; i++)
        json_array_append_new(relaxed, json_string(certificate->relaxed[i]));
    bool good = report->finding_count == 0;
    json_t *word = json_pack(
        "{s:b, s:I, s:o, s:I, s:I, s:I, s:f, s:o, s:I, s:I, s:I, s:I}", "certified", good,
        "finding_count", (json_int_t)report->finding_count, "findings", findings, "objective",
        (json_int_t)report->objective, "bound", (json_int_t)report->lower_bound, "gap",
        (json_int_t)(report->objective - report->lower_bound), "gap_percent",
        gap_percent(certificate, report), "relaxed", relaxed, "technicians",
        (json_int_t)certificate->technician_count, "orders", (json_int_t)certificate->visit_count,
        "cuts", (json_int_t)certificate->cut_count, "labels", (json_int_t)report->labels);
    bool written =
        word != NULL && json_dumpf(word, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) == 0;
    json_decref(word);
    return written && putchar('\n') != EOF;
}

/* --- the tool -------------------------------------------------------------------------------- */

static void tell(void *context, uint32_t done, uint32_t total)
{
    (void)context;
    fprintf(stderr, "\r%u of %u technicians priced ", done, total);
}

static void check(const struct certificate *certificate, struct verify_report *report)
{
    bool progress = isatty(STDERR_FILENO) == 1;
    const struct verify_watch watch = {.tell = progress ? tell : NULL, .work_max = VERIFY_WORK_MAX};
    if (certificate->visit_count > VERIFY_VISITS_PROMISED)
        fprintf(stderr, "%s: %u orders are more than the %d that take less than a minute\n", TOOL,
                certificate->visit_count, VERIFY_VISITS_PROMISED);
    verify_plan(certificate, report);
    verify_bound(certificate, &watch, report);
    if (progress) fputs("\r\033[K", stderr);
}

static int verify(const struct options *options, const char *text, size_t size)
{
    static struct verify_report report;
    struct arena memory;
    struct certificate certificate;
    struct problem problem = {0};
    int code = EXIT_CONFIG;
    report = (struct verify_report){0};
    arena_open(&memory, CERTIFICATE_MEMORY_MAX);
    if (certificate_read(&certificate, text, size, &memory, &problem) != ERR_OK) {
        fprintf(stderr, "%s: %s: %s: %s\n", TOOL, options->path, problem.field, problem.text);
    } else {
        check(&certificate, &report);
        code = report.finding_count == 0 ? EXIT_DONE : EXIT_VIOLATION;
        if (!options->json)
            print_text(&certificate, &report);
        else if (!print_json(&certificate, &report))
            code = EXIT_FAILED;
        if (fflush(stdout) != 0) code = EXIT_FAILED;
    }
    arena_close(&memory);
    return code;
}

int certificate_main(int argc, char **argv)
{
    struct options options;
    struct problem problem = {0};
    char *text = NULL;
    size_t size = 0;
    if (!read_options(&options, argc, argv)) return usage(stderr);
    if (options.help) return usage(stdout);
    if (file_take(options.path, CERTIFICATE_BYTES_MAX, &text, &size, &problem) != ERR_OK) {
        fprintf(stderr, "%s: %s: %s\n", TOOL, problem.field, problem.text);
        return EXIT_CONFIG;
    }
    int code = verify(&options, text, size);
    free(text);
    return code;
}
