#include "sim/sim_options.h"

#include "base/exit_code.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int sim_usage(FILE *out, const char *verb)
{
    static const char all[] =
        "callout sim run town-small                        a scenario's days in virtual time\n"
        "callout sim demo                                  the real system with a fleet, at speed\n"
        "\n"
        "usage: callout sim VERB [OPTION]...    callout sim VERB --help\n"
        "  run        lives a scenario, a day's CSV files or a recorded day; the planner's page\n"
        "  scenario   what there is to live, as a text to start from, as CSV files\n"
        "  sweep      many seeds of a scenario and of its variants\n"
        "  compare    variants, policies or solvers on the same seeds, with intervals\n"
        "  demo       starts the real system and a fleet that lives through a day\n"
        "  live       the same fleet with a system that runs already\n"
        "  take-over  a virtual technician of demo or live steps back for a real one\n"
        "  give-back  and goes on\n"
        "  phone      a technician's phone in the terminal\n";
    static const char demo[] =
        "callout sim demo                        a day in some minutes\n"
        "callout sim demo --for 60s --json       ends by itself, with a summary\n"
        "callout sim demo --day my-day --rate 60\n"
        "\n"
        "usage: callout sim demo [OPTION]...\n"
        "  --for TIME         the day is made to fit: 60, 60s, 10m, 1h\n"
        "  --rate R           so many times as fast as life; 120 unless told\n"
        "  --data DIR         keeps what was recorded there\n"
        "  --work N           rounds of search per event\n"
        "  --http HOST:PORT   the door for browsers; 127.0.0.1:7380 unless told or taken\n";
    static const char live[] =
        "callout sim live --data DIR --day sim/day\n"
        "callout sim phone --data DIR T07        meanwhile: T07 is you, until you quit\n"
        "\n"
        "usage: callout sim live --data DIR --day DIR [OPTION]...\n"
        "       callout sim live --gateway URL --key-file FILE --tokens FILE --day DIR "
        "[OPTION]...\n"
        "  --data DIR         of a system that runs on this machine\n"
        "  --gateway URL      of one elsewhere, with an admin's key in a file, and one enrolment\n"
        "                     token a line for the day's technicians; --ca FILE for tls+tcp://\n"
        "  --control FILE     the socket for take-over; with --data it is DIR/fleet.sock\n"
        "  --fleet DIR        keeps the devices there: the same command goes on with them\n"
        "  --for TIME         ends before the day does: 60, 60s, 10m, 1h\n";
    static const char both[] =
        "  --day DIR          technicians.csv and orders.csv; demo brings a small one\n"
        "  --territory NAME   main unless told      --time-zone ZONE   Europe/Vaduz\n"
        "  --seed N           of people and customers\n"
        "  --ill N --emergencies N --cancels N      a sixth, a fifth, a twelfth unless told\n"
        "  --json             one object at the end, in place of the board\n"
        "  --metrics FILE     the figures as CSV, held against their bars\n";
    bool is_demo = strcmp(verb, "demo") == 0, is_live = strcmp(verb, "live") == 0;
    fputs(is_demo ? demo : is_live ? live : all, out);
    if (is_demo || is_live) fputs(both, out);
    return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

/* "60", "60s", "10m", "1h" in seconds; negative: not a time. */
static double read_seconds(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || !isfinite(value) || value <= 0) return -1;
    double unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : 1;
    if (*end != '\0' && strchr("smh", *end) != NULL) end++;
    return *end == '\0' && value * unit < 1e8 ? value * unit : -1;
}

static bool read_count(const char *text, long *out)
{
    char *end;
    *out = strtol(text, &end, 10);
    return end != text && *end == '\0' && *out >= 0 && *out <= 100000;
}

static bool read_option(struct sim_options *out, int word)
{
    long seed;
    switch (word) {
    case 'd': out->data = optarg; return true;
    case 'g': out->gateway = optarg; return true;
    case 'k': out->key_file = optarg; return true;
    case 'c': out->ca_file = optarg; return true;
    case 'T': out->tokens_file = optarg; return true;
    case 'D': out->day = optarg; return true;
    case 'F': out->fleet = optarg; return true;
    case 't': out->territory = optarg; return true;
    case 'z': out->zone = optarg; return true;
    case 'm': out->metrics = optarg; return true;
    case 'w': out->work = optarg; return true;
    case 'C': out->control = optarg; return true;
    case 'H': out->http = optarg; return true;
    case 'j': out->json = true; return true;
    case 'h': out->help = true; return true;
    case 'f': out->for_s = read_seconds(optarg); return out->for_s > 0;
    case 'r': out->rate = read_seconds(optarg); return out->rate > 0;
    case 'i': return read_count(optarg, &out->ill);
    case 'e': return read_count(optarg, &out->emergencies);
    case 'x': return read_count(optarg, &out->cancels);
    case 's':
        if (!read_count(optarg, &seed)) return false;
        out->seed = (uint64_t)seed;
        return true;
    default: return false;
    }
}

bool sim_options_read(struct sim_options *out, int argc, char **argv)
{
    static const struct option words[] = {
        {"data", required_argument, NULL, 'd'},
        {"gateway", required_argument, NULL, 'g'},
        {"key-file", required_argument, NULL, 'k'},
        {"ca", required_argument, NULL, 'c'},
        {"tokens", required_argument, NULL, 'T'},
        {"day", required_argument, NULL, 'D'},
        {"fleet", required_argument, NULL, 'F'},
        {"territory", required_argument, NULL, 't'},
        {"time-zone", required_argument, NULL, 'z'},
        {"metrics", required_argument, NULL, 'm'},
        {"work", required_argument, NULL, 'w'},
        {"control", required_argument, NULL, 'C'},
        {"http", required_argument, NULL, 'H'},
        {"json", no_argument, NULL, 'j'},
        {"for", required_argument, NULL, 'f'},
        {"rate", required_argument, NULL, 'r'},
        {"ill", required_argument, NULL, 'i'},
        {"emergencies", required_argument, NULL, 'e'},
        {"cancels", required_argument, NULL, 'x'},
        {"seed", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    *out = (struct sim_options){.territory = "main",
                                .zone = "Europe/Vaduz",
                                .seed = 1,
                                .ill = SIM_NOT_SET,
                                .emergencies = SIM_NOT_SET,
                                .cancels = SIM_NOT_SET};
    for (int word; (word = getopt_long(argc, argv, "h", words, NULL)) != -1;)
        if (!read_option(out, word)) return false;
    return optind == argc;
}
