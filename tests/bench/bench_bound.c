/* How high a bound comes, and what it costs: bench_bound FILE [WORK [ROUNDS]]. */
#include "optimizer/bound/bound.h"
#include "optimizer/input_file.h"
#include "optimizer/solve_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static struct solve_input input;
    struct problem problem = {0};
    const struct solve_budget budget = {.work = argc > 2 ? strtoull(argv[2], NULL, 10) : 2000,
                                        .seed = 1};
    uint32_t rounds = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 1000;
    if (argc < 2) return 2;
    solve_input_open(&input);
    if (input_file_read(&input, "bench_bound", NULL, argv[1], true, &problem) != ERR_OK) {
        fprintf(stderr, "%s: %s\n", problem.field, problem.text);
        return 2;
    }
    solve_input_begin(&input);
    (void)solve_run(&input, &budget, false);
    double begin = cpu_seconds();
    static struct bound bound;
    bound_open(&bound, &input.solver.in, &bound_options_default);
    bound_take_plan(&bound, &input.solver.plan);
    enum bound_end end = BOUND_MORE;
    for (uint32_t i = 0; i < rounds && end == BOUND_MORE; i++) {
        end = bound_run(&bound, 1, input.solver.plan.cost);
        if (getenv("CALLOUT_VERBOSE"))
            printf("%u: %.2f s value %.3f bound %.3f columns %u cuts %u labels %llu pricings %u "
                   "exact %u pivots %d\n",
                   bound.rounds, cpu_seconds() - begin, bound.relaxation.value,
                   (double)bound.proof.bound / PROOF_FINE, bound.relaxation.used_count,
                   bound.relaxation.cut_count, (unsigned long long)bound.labels, bound.pricings,
                   bound.exact_pricings, bound.relaxation.pivots);
    }
    printf("%s: plan %lld after %.2f s, bound %.3f after %.2f s more: %s; %u rounds, value %.3f\n",
           argv[1], (long long)input.solver.plan.cost, begin,
           (double)bound.proof.bound / PROOF_FINE, cpu_seconds() - begin,
           end == BOUND_CONVERGED ? "converged"
           : end == BOUND_REACHED ? "reached"
           : end == BOUND_MORE    ? "more"
                                  : "failed",
           bound.rounds, bound.relaxation.value);
    bound_close(&bound);
    solve_input_close(&input);
    return 0;
}
