#include "optimizer/solve_tool.h"

#include "base/exit_code.h"
#include "optimizer/input_file.h"
#include "optimizer/solve_lanes.h"
#include "optimizer/write_certificate.h"
#include "optimizer/write_plan.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    CHUNK_ROUNDS = 64,
    JOINED_ROUNDS = 1024, /* of each lane, where there are several: threads start and end here */
    STAGES = 8,
    THREADS_MAX = 64,
    COOLING_ROUNDS = 2500, /* for each visit */
    COOLINGS_MAX = 8,
    SEARCH_FOREVER = 1 << 30, /* rounds, before the pace is known */
    BOUND_ROUNDS_MAX = 3000,
};

static const double CPU_SECONDS_DEFAULT = 5, CPU_SECONDS_MAX = 86400, PROGRESS_S = 0.2;
static const double COOLINGS_KNOWN = 0.02; /* the share after which the pace is */
static const uint64_t WORK_MAX = UINT64_C(1000000000000);

/* --- effort ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* How far it is, and the best plan so far. `share` of the effort is used. */
static void print_progress(const struct solver *solver, double seconds, double share)
{
    int64_t travel = 0;
    for (uint32_t t = 0; t < solver->in.technician_count; t++)
        if (solver->plan.routes[t].count > 0) travel += solver->plan.routes[t].travel;
    double left = share > 0.01 ? seconds / share - seconds : 0;
    fprintf(stderr, "\r%3.0f %%  %.1f s, %.1f s left  unassigned %u  travel %lld\033[K",
            100 * share, seconds, left, solver->plan.unserved_count, (long long)travel);
    fflush(stderr);
}

static double share_done(const struct solver *solver, const struct solve_budget *budget, double now)
{
    double share = budget->work > 0 ? (double)solver->search.done / (double)budget->work
                                    : now / budget->cpu_seconds;
    return share < 1 ? share : 1;
}

/* The search cools by its share of rounds done. Where time rules, that share is time's: the number
 * of rounds is what it would come to at the pace so far. */
static void keep_pace(struct search *search, double begin, double end, double now)
{
    double rounds = (double)search->done * (end - begin) / (now - begin + 1e-9);
    search->options.rounds = search->done + 1;
    if (rounds > (double)search->options.rounds) search->options.rounds = (uint64_t)rounds;
}

/* One slow cooling is best for a big problem, several for a small one: its search is over sooner.
 */
static void choose_coolings(struct search *search)
{
    uint64_t rounds_each = (uint64_t)COOLING_ROUNDS * search->in->visit_count;
    uint64_t coolings = search->options.rounds / rounds_each;
    search->options.coolings = coolings > COOLINGS_MAX ? COOLINGS_MAX : (uint32_t)coolings;
}

static void begin_search(struct solve_input *input, const struct solve_budget *budget)
{
    uint64_t rounds = budget->work > 0 ? budget->work : SEARCH_FOREVER;
    if (input->format == SOLVE_DAY)
        solver_search(&input->solver, rounds, budget->seed, true);
    else /* prices that keep an order of objectives say nothing about heat */
        solver_search_legs(&input->solver, rounds, budget->seed);
}

/* The master may take its share of the time gone by, so that it never starves the search. */
static const double MASTER_SHARE = 0.15;

struct share {
    double begin, spent, call; /* seconds; when the call in hand began */
};

static bool share_is_spent(void *context)
{
    const struct share *share = context;
    double now = cpu_seconds();
    return share->spent + now - share->call > MASTER_SHARE * (now - share->begin);
}

static void recombine(struct lanes *lanes, struct share *share)
{
    share->call = cpu_seconds();
    lanes_gather(lanes);
    bool better = solver_recombine(lanes->solver);
    if (better || lanes->count > 1) lanes_restart(lanes);
    share->spent += cpu_seconds() - share->call;
}

static const char *run_lanes(struct lanes *lanes, const struct solve_budget *budget, bool progress)
{
    struct solver *solver = lanes->solver;
    struct search *search = &solver->search;
    uint64_t chunk = lanes->count > 1 ? JOINED_ROUNDS : CHUNK_ROUNDS;
    double begin = cpu_seconds(), told = begin;
    static struct share share;
    share = (struct share){.begin = begin};
    if (budget->work == 0) {
        solver->master_limits.stop = share_is_spent;
        solver->master_limits.context = &share;
    }
    for (uint64_t stage = 1; !interrupted;) {
        lanes_improve(lanes, chunk);
        double now = cpu_seconds();
        if (budget->work == 0) keep_pace(search, begin, budget->cpu_seconds, now);
        if (search->options.coolings == 0 && share_done(solver, budget, now) > COOLINGS_KNOWN)
            choose_coolings(search);
        if (search->done * STAGES >= search->options.rounds * stage) {
            recombine(lanes, &share);
            stage = search->done * STAGES / search->options.rounds + 1;
        }
        if (progress && now - told >= PROGRESS_S)
            print_progress(solver, told = now, share_done(solver, budget, now));
        if (budget->work == 0 && now >= budget->cpu_seconds) return "cpu_seconds";
        if (budget->work > 0 && solver_search_over(solver)) return "work";
    }
    return "interrupt";
}

static uint32_t at_least_one(uint32_t count)
{
    return count > 0 ? count : 1;
}

const char *solve_run(struct solve_input *input, const struct solve_budget *budget, bool progress)
{
    struct solver *solver = &input->solver;
    struct lanes lanes;
    if (solver->in.visit_count == 0) return "nothing_to_do";
    begin_search(input, budget);
    lanes_open(&lanes, solver, at_least_one(budget->searches), at_least_one(budget->threads));
    const char *why = run_lanes(&lanes, budget, progress);
    lanes_close(&lanes);
    return why;
}

/* --- and the bound --------------------------------------------------------------------------- */

/* Of the CPU seconds, from the begin. Of a small day the bound finds the best plan. */
static const double SEARCH_SHARE = 0.3, SEARCH_SHARE_SMALL = 0.1, BOUND_SHARE = 0.9;
enum { SMALL_VISITS = 80 };

static bool bound_time_is_up(void *context)
{
    const double *until = context;
    return interrupted || (*until > 0 && cpu_seconds() >= *until);
}

/* What time is left is the search's again, in short heats from the plan as it is. */
static void search_on(struct solver *solver, double until, uint64_t seed)
{
    while (!interrupted && cpu_seconds() < until) {
        solver_search_more(solver, (uint64_t)CHUNK_ROUNDS * 16, ++seed);
        while (!interrupted && cpu_seconds() < until && !solver_search_over(solver))
            (void)solver_improve(solver, CHUNK_ROUNDS);
        (void)solver_recombine(solver);
    }
}

const char *solve_and_bound(struct solve_input *input, const struct solve_budget *budget,
                            bool progress, struct solve_bound *bound)
{
    struct solver *solver = &input->solver;
    struct solve_budget first = *budget;
    static double until;
    until = budget->work > 0 ? 0 : BOUND_SHARE * budget->cpu_seconds;
    first.cpu_seconds *= solver->in.visit_count <= SMALL_VISITS ? SEARCH_SHARE_SMALL : SEARCH_SHARE;
    const char *why = solve_run(input, &first, progress);
    struct bound_options options = bound_options_default;
    options.stop = bound_time_is_up;
    options.context = &until;
    options.threads = budget->threads;
    solve_bound_open(bound, solver, &options);
    enum bound_end end = solve_bound_run(bound, BOUND_ROUNDS_MAX);
    if (end != BOUND_REACHED) (void)solve_bound_recombine(bound);
    struct solve_proof proof;
    bool proven =
        solve_bound_proof(bound, &proof) && solve_proof_seconds(&proof) >= solver->plan.cost;
    if (!proven && budget->work == 0) search_on(solver, budget->cpu_seconds, budget->seed);
    if (interrupted) return "interrupt";
    return proven ? "proven" : why;
}

#define TOOL "callout solve"

/* --- command line ---------------------------------------------------------------------------- */

struct options {
    const char *path, *format;
    const char *certificate; /* where it goes; NULL: none is asked for */
    struct solve_budget budget;
    bool cpu_given, overtime, json, bound, help;
};

static int usage(FILE *out)
{
    fputs("usage: callout solve FILE [--format FORMAT] [--cpu-seconds S | --work N] [--seed N]\n"
          "                     [--searches K] [--threads N] [--no-overtime] [--json]\n"
          "                     [--bound] [--certificate CERT]\n",
          out);
    if (out != stdout) fputs("callout solve --help says more\n", out);
    return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

static int help(void)
{
    (void)usage(stdout);
    fputs(
        "\nPlans the routes of a file. FORMAT, where the file does not say by itself:\n"
        "  solomon  a text of Solomon, or of Gehring and Homberger, by the DIMACS convention:\n"
        "           travel is floor(10 x euclid), all times x 10\n"
        "  vrplib   VRPLIB's text with EDGE_WEIGHT_TYPE EXPLICIT, FULL_MATRIX; windows, service\n"
        "           times, demands; the matrix is travel time and cost\n"
        "  vroom    VROOM's JSON: vehicles, jobs, one matrix of durations; steps are the routes\n"
        "           to begin with\n"
        "  day      a folder with technicians.csv and orders.csv\n"
        "Everybody is served first (vroom: by priority, then number), then travel is least; of a\n"
        "day, the price of what is not served and of overtime is in the objective.\n"
        "\n"
        "  --cpu-seconds S  searches until the process has used so much CPU time (5); how far it\n"
        "                   comes depends on the machine, so a plan need not come out again\n"
        "  --work N         searches for N rounds: the same file, seed and N give the same plan,\n"
        "                   byte for byte but for the time that it took\n"
        "  --seed N         another seed, another search (1)\n"
        "  --searches K     K searches with seeds of their own, joined at fixed points of their\n"
        "                   work (1); each has the whole of --work, but --cpu-seconds they share\n"
        "  --threads N      runs up to N searches at a time (1), and as many prices of a bound; "
        "how\n"
        "                   many does not change the plan of --work\n"
        "  --no-overtime    of a day: nobody works beyond his shift\n"
        "  --json           the plan for programs\n"
        "  --bound          proves how much a plan must cost at least: so that the gap to the "
        "best\n"
        "                   plan is known. Of --cpu-seconds it takes its share; with --work it\n"
        "                   goes on until nothing raises the bound\n"
        "  --certificate CERT  writes the plan and the proof of how good it is, for\n"
        "                   callout verify CERT; implies --bound\n"
        "\n"
        "An interrupt (Ctrl-C) ends the search early; the best plan so far is printed.\n"
        "\n"
        "  callout solve C101.txt                            5 seconds, for people\n"
        "  callout solve day.vroom.json --cpu-seconds 60 --json >plan.json\n"
        "  callout solve day-300x50 --no-overtime --work 100000 --seed 7\n",
        stdout);
    return EXIT_DONE;
}

static bool read_count(const char *text, uint64_t low, uint64_t high, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) return false;
    if (value < low || value > high) return false;
    *out = value;
    return true;
}

static bool read_number(const char *text, uint32_t high, uint32_t *out)
{
    uint64_t count;
    if (!read_count(text, 1, high, &count)) return false;
    *out = (uint32_t)count;
    return true;
}

static bool read_seconds(const char *text, double *out)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value)) return false;
    if (value <= 0 || value > CPU_SECONDS_MAX) return false;
    *out = value;
    return true;
}

static bool read_options(struct options *out, int argc, char **argv)
{
    static const struct option words[] = {
        {"format", required_argument, NULL, 'f'},
        {"cpu-seconds", required_argument, NULL, 'c'},
        {"work", required_argument, NULL, 'w'},
        {"seed", required_argument, NULL, 's'},
        {"searches", required_argument, NULL, 'k'},
        {"threads", required_argument, NULL, 't'},
        {"no-overtime", no_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"bound", no_argument, NULL, 'b'},
        {"certificate", required_argument, NULL, 'C'},
        {NULL, 0, NULL, 0},
    };
    bool fine = true;
    *out = (struct options){.budget = {.cpu_seconds = CPU_SECONDS_DEFAULT, .seed = 1},
                            .overtime = true};
    optind = 1;
    for (int word; fine && (word = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        switch (word) {
        case 'f': fine = input_format_known(TOOL, out->format = optarg); break;
        case 'c': fine = out->cpu_given = read_seconds(optarg, &out->budget.cpu_seconds); break;
        case 'w': fine = read_count(optarg, 1, WORK_MAX, &out->budget.work); break;
        case 's': fine = read_count(optarg, 0, UINT64_MAX, &out->budget.seed); break;
        case 'k': fine = read_number(optarg, LANES_MAX, &out->budget.searches); break;
        case 't': fine = read_number(optarg, THREADS_MAX, &out->budget.threads); break;
        case 'o': out->overtime = false; break;
        case 'j': out->json = true; break;
        case 'b': out->bound = true; break;
        case 'C': out->bound = (out->certificate = optarg) != NULL; break;
        case 'h': out->help = true; return true;
        default: fine = false;
        }
    }
    if (!fine || optind + 1 != argc) return false;
    out->path = argv[optind];
    return !(out->cpu_given && out->budget.work > 0);
}

/* --- the tool -------------------------------------------------------------------------------- */

static int fail(const struct problem *problem, int code)
{
    fprintf(stderr, TOOL ": %s: %s\n", problem->field, problem->text);
    return code;
}

/* What of the file's own plan could not be kept. */
static void say_dropped(const struct solve_input *input)
{
    if (input->dropped_count == 0) return;
    fprintf(stderr, "callout solve: vehicles.steps: %u of them do not fit and are planned anew:",
            input->dropped_count);
    for (uint32_t i = 0; i < input->dropped_count; i++)
        fprintf(stderr, " %s", input->solver.day.visits[input->dropped[i]].id);
    fputc('\n', stderr);
}

/* The plan as it stands in the solver, with what proves its bound. */
static enum err certify(const struct solver *solver, const struct solve_proof *proof,
                        const char *path, struct problem *problem)
{
    FILE *out = fopen(path, "w");
    if (out == NULL) return problem_set(problem, ERR_IO, path, "%s", strerror(errno));
    enum err err = write_certificate(&solver->day, &solver->in, &solver->plan,
                                     proof == NULL ? NULL : proof->proof,
                                     proof == NULL ? NULL : proof->tree, out);
    if (fclose(out) != 0) err = ERR_IO;
    return err == ERR_OK ? ERR_OK : problem_set(problem, err, path, "cannot be written");
}

static enum err write_all(struct solve_input *input, const struct options *options,
                          const struct solve_effort *effort, struct problem *problem)
{
    if (options->certificate != NULL) {
        enum err err = certify(&input->solver, effort->proof, options->certificate, problem);
        if (err != ERR_OK) return err;
    }
    if (options->json) return write_plan_json(input, effort, stdout, problem);
    return write_plan_text(input, effort, stdout, problem);
}

static enum err solve(struct solve_input *input, const struct options *options,
                      struct problem *problem)
{
    struct sigaction action = {.sa_handler = interrupt}, before;
    static struct solve_bound bound;
    interrupted = 0;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &before);
    solve_input_begin(input);
    say_dropped(input);
    bool progress = isatty(STDERR_FILENO) == 1;
    struct solve_effort effort = {0};
    bool bounded = options->bound && input->solver.in.visit_count > 0;
    if (bounded)
        effort.stopped_because = solve_and_bound(input, &options->budget, progress, &bound);
    else
        effort.stopped_because = solve_run(input, &options->budget, progress);
    if (progress) fputs("\r\033[K", stderr);
    sigaction(SIGINT, &before, NULL);
    effort.cpu_seconds = cpu_seconds();
    effort.work = input->solver.work_done;
    struct solve_proof proof;
    effort.proof = bounded && solve_bound_proof(&bound, &proof) ? &proof : NULL;
    enum err err = write_all(input, options, &effort, problem);
    if (bounded) solve_bound_close(&bound);
    return err;
}

int solve_main(int argc, char **argv)
{
    struct options options;
    struct problem problem = {0};
    if (!read_options(&options, argc, argv)) return usage(stderr);
    if (options.help) return help();
    static struct solve_input input;
    solve_input_open(&input);
    int code = EXIT_DONE;
    if (input_file_read(&input, TOOL, options.format, options.path, options.overtime, &problem) !=
        ERR_OK)
        code = fail(&problem, EXIT_CONFIG);
    else if (solve(&input, &options, &problem) != ERR_OK)
        code = fail(&problem, EXIT_FAILED);
    solve_input_close(&input);
    master_leave();
    return code;
}
