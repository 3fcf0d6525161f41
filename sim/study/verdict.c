#include "sim/study/verdict.h"

#include <stdbool.h>
#include <string.h>

enum goal goal_of(const char *figure)
{
    /* The first word that is in the name decides. */
    static const struct {
        const char *word;
        enum goal goal;
    } words[] = {
        {"unserved", GOAL_LESS},  {"not_served", GOAL_LESS}, {"first_time_fix", GOAL_MORE},
        {"on_time", GOAL_MORE},   {"served", GOAL_MORE},     {"sla", GOAL_MORE},
        {"attain", GOAL_MORE},    {"nps", GOAL_MORE},        {"late", GOAL_LESS},
        {"overtime", GOAL_LESS},  {"travel", GOAL_LESS},     {"moves", GOAL_LESS},
        {"moved", GOAL_LESS},     {"changed", GOAL_LESS},    {"response", GOAL_LESS},
        {"backlog", GOAL_LESS},   {"cost", GOAL_LESS},       {"objective", GOAL_LESS},
        {"lost", GOAL_LESS},      {"doubled", GOAL_LESS},    {"broken", GOAL_LESS},
        {"completed", GOAL_MORE}, {"breach", GOAL_LESS},     {"gap", GOAL_LESS},
        {"declined", GOAL_LESS},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(figure, words[i].word) != NULL) return words[i].goal;
    return GOAL_NONE;
}

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {"too few seeds", "same",   "not different", "better",
                                        "worse",         "higher", "lower"};
    return names[verdict];
}

static enum verdict judge(const struct paired *paired, enum goal goal)
{
    if (paired->pairs < 2) return VERDICT_TOO_FEW;
    if (paired->equal == paired->pairs) return VERDICT_SAME;
    bool up = paired->t.low > 0, down = paired->t.high < 0;
    if (!up && !down) return VERDICT_NOT_DIFFERENT;
    if (goal == GOAL_NONE) return up ? VERDICT_HIGHER : VERDICT_LOWER;
    return up == (goal == GOAL_MORE) ? VERDICT_BETTER : VERDICT_WORSE;
}

struct paired paired_judge(const double *differences, size_t count, enum goal goal,
                           double confidence, uint64_t seed)
{
    struct paired paired = {
        .pairs = count,
        .t = stats_t_interval(differences, count, confidence),
        .bootstrap = stats_bootstrap(differences, count, confidence, BOOTSTRAP_RESAMPLES, seed),
        .p_value = stats_p_value(differences, count),
    };
    for (size_t i = 0; i < count; i++)
        paired.equal += differences[i] == 0;
    paired.verdict = judge(&paired, goal);
    return paired;
}
