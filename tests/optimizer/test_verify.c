/* Certificates of random small days: what the checker takes, and what it refuses.
 *
 * Duals are made up, so that nothing of the solver's own idea of a bound is in them: whatever they
 * are, the sum that the checker proves is at most what the best plan costs, which is found by brute
 * force. The checker's least route of each technician is never dearer than the brute's.
 *
 * CALLOUT_CASES=N in the environment makes it N cases instead of a few hundred.
 */
#include "../short.h"
#include "optimizer/bound/bound.h"
#include "optimizer/verify/verify.h"
#include "optimizer/write_certificate.h"
#include "small_day.h"

enum { CASES_DEFAULT = 250, CASES_SHORT = 60, ROUNDS = 100, CUTS = 4 };

static struct brute brutes[TECHNICIANS];

/* --- a certificate of made-up numbers -------------------------------------------------------- */

struct made {
    struct small_day day;
    struct solver solver;
    struct audited audited;
    struct rng rng;
    int64_t visit_dual[ORDERS], technician_dual[TECHNICIANS];
    struct proof_cut cuts[CUTS];
    uint8_t cut_memory[CUTS][1];
    uint16_t near[ORDERS * PROOF_NEAR_MAX];
    uint8_t near_count[ORDERS];
    struct proof proof;
    const struct tree *tree; /* NULL: plans are not split */
    char *text;
    size_t size;
};

static int64_t some(struct made *made, int64_t low, int64_t high)
{
    return low + (int64_t)(rng_next(&made->rng) % (uint64_t)(high - low + 1));
}

static void make_duals(struct made *made)
{
    uint32_t visits = made->solver.in.visit_count;
    for (uint32_t v = 0; v < visits; v++) {
        int64_t price = made->solver.in.nodes[v].price * INT64_C(256), high = 4000 * 256;
        int64_t dual = some(made, -50 * 256, some(made, 0, 3) == 0 ? price : high);
        made->visit_dual[v] = dual > price ? price : dual;
    }
    for (uint32_t v = 0; v < visits; v++) {
        made->near_count[v] = 0;
        for (uint32_t other = 0; other < visits; other++) {
            if (some(made, 0, 3) == 0) continue;
            made->near[v * PROOF_NEAR_MAX + made->near_count[v]++] = (uint16_t)other;
        }
    }
}

static void make_cuts(struct made *made)
{
    uint32_t visits = made->solver.in.visit_count;
    made->proof.cut_count = visits < 3 ? 0 : (uint32_t)some(made, 0, CUTS);
    for (uint32_t c = 0; c < made->proof.cut_count; c++) {
        struct proof_cut *cut = &made->cuts[c];
        uint16_t a = (uint16_t)some(made, 0, visits - 3);
        uint16_t b = (uint16_t)some(made, a + 1, visits - 2);
        made->cut_memory[c][0] = (uint8_t)some(made, 0, 255);
        *cut = (struct proof_cut){.visits = {a, b, (uint16_t)some(made, b + 1, visits - 1)},
                                  .dual = -some(made, 0, 500 * 256),
                                  .memory = made->cut_memory[c]};
    }
}

static void make_proof(struct made *made)
{
    made->proof = (struct proof){.visit_count = made->solver.in.visit_count,
                                 .technician_count = made->solver.in.technician_count,
                                 .visit_dual = made->visit_dual,
                                 .technician_dual = made->technician_dual,
                                 .cuts = made->cuts,
                                 .near = made->near,
                                 .near_count = made->near_count};
    make_duals(made);
    make_cuts(made);
    made->proof.bound = proof_sum(&made->proof);
}

static void write_text(struct made *made)
{
    free(made->text);
    FILE *out = open_memstream(&made->text, &made->size);
    assert_int_equal(write_certificate(&made->solver.day, &made->solver.in, &made->solver.plan,
                                       &made->proof, made->tree, out),
                     ERR_OK);
    fclose(out);
}

static void read_text(const struct made *made, struct certificate *certificate,
                      struct arena *memory)
{
    struct problem problem = {0};
    arena_open(memory, CERTIFICATE_MEMORY_MAX);
    if (certificate_read(certificate, made->text, made->size, memory, &problem) != ERR_OK)
        fail_msg("%s %s\n%s", problem.field, problem.text, made->text);
}

/* Each technician is worth what his cheapest route leaves, which the checker says. */
static void settle(struct made *made)
{
    struct arena memory;
    struct certificate certificate;
    write_text(made);
    read_text(made, &certificate, &memory);
    for (uint32_t t = 0; t < certificate.technician_count; t++) {
        uint32_t route[CERTIFICATE_ROUTE_MAX];
        struct verify_cheapest cheapest = {
            .enough = CERTIFICATE_UNLIMITED, .work_max = VERIFY_WORK_MAX, .visits = route};
        assert_true(verify_cheapest(&certificate, t, &cheapest));
        made->technician_dual[t] = cheapest.least;
    }
    arena_close(&memory);
    made->proof.bound = proof_sum(&made->proof);
    write_text(made);
}

static void make(struct made *made, uint64_t seed)
{
    small_day_make(&made->day, seed);
    made->rng = (struct rng){seed ^ 0x5eed};
    solver_open(&made->solver, &made->day.table.travel, SERVICE_DAY);
    tell(&made->day, &made->solver.day);
    solver_fresh(&made->solver, ROUNDS, seed);
    audited_open(&made->audited, &made->day.problem);
    memset(made->technician_dual, 0, sizeof made->technician_dual);
    make_proof(made);
    settle(made);
}

static void unmake(struct made *made)
{
    free(made->text);
    made->text = NULL;
    audited_close(&made->audited);
    solver_close(&made->solver);
}

static void check(const struct made *made, struct verify_report *report)
{
    struct arena memory;
    struct certificate certificate;
    memset(report, 0, sizeof *report);
    read_text(made, &certificate, &memory);
    verify_plan(&certificate, report);
    verify_bound(&certificate, NULL, report);
    arena_close(&memory);
}

static void print_findings(const struct verify_report *report)
{
    for (uint32_t i = 0; i < report->finding_count && i < VERIFY_FINDINGS_MAX; i++)
        printf("  %s: %s\n", report->findings[i].place, report->findings[i].text);
}

/* --- against brute force --------------------------------------------------------------------- */

struct tally {
    uint32_t cases, refused, above, dearer, believed;
    uint32_t priced, exact;
};

/* What brute force finds to be the least that a technician's route costs beyond what it pays. */
static int64_t brute_least(const struct made *made, uint32_t technician)
{
    const struct brute *brute = &brutes[technician];
    struct proof proof = made->proof;
    int64_t none[TECHNICIANS] = {0}, least = INT64_MAX;
    proof.technician_dual = none;
    for (uint32_t set = 0; set < SETS; set++) {
        uint16_t route[ORDERS];
        uint32_t count = 0;
        if (brute->best[set] == INT64_MAX) continue;
        for (uint32_t left = set; left != 0; left &= left - 1, count++)
            route[count] = (uint16_t)brute->best_order[set][count];
        int64_t reduced = proof_reduced(&proof, technician, route, count, brute->best[set]);
        if (reduced < least) least = reduced;
    }
    return least;
}

static void compare_case(struct made *made, uint64_t seed, struct tally *tally)
{
    struct verify_report report;
    uint32_t served;
    check(made, &report);
    int64_t best = brute_force(&made->audited.audit, brutes, &served);
    tally->cases++;
    tally->refused += report.finding_count > 0;
    tally->above += report.lower_bound > best || best > made->solver.plan.cost;
    if (report.finding_count > 0 || report.lower_bound > best) {
        printf("case %llu: bound %lld, best %lld, plan %lld\n", (unsigned long long)seed,
               (long long)report.lower_bound, (long long)best, (long long)made->solver.plan.cost);
        print_findings(&report);
    }
    for (uint32_t t = 0; t < made->solver.in.technician_count; t++) {
        int64_t least = brute_least(made, t);
        tally->priced++;
        tally->exact += least == made->technician_dual[t];
        tally->dearer += least < made->technician_dual[t];
        if (least < made->technician_dual[t])
            printf("case %llu, T%u: %lld by brute force, %lld by the checker\n",
                   (unsigned long long)seed, t, (long long)least,
                   (long long)made->technician_dual[t]);
    }
}

/* One more than the truth is one too much. */
static void claim_too_much(struct made *made, uint64_t seed, struct tally *tally)
{
    struct verify_report report;
    char place[32];
    uint32_t liar = (uint32_t)(seed % made->solver.in.technician_count);
    if (made->technician_dual[liar] == CERTIFICATE_UNLIMITED) return;
    made->technician_dual[liar]++;
    made->proof.bound = proof_sum(&made->proof);
    write_text(made);
    check(made, &report);
    snprintf(place, sizeof place, "technician T%u", liar);
    if (report.finding_count != 1 || strcmp(report.findings[0].place, place) != 0) {
        tally->believed++;
        printf("case %llu: T%u claims too much, and that gives %u findings\n",
               (unsigned long long)seed, liar, report.finding_count);
        print_findings(&report);
    }
}

static uint32_t cases_wanted(void)
{
    const char *text = getenv("CALLOUT_CASES");
    if (text == NULL && short_form()) return CASES_SHORT;
    return text == NULL ? CASES_DEFAULT : (uint32_t)strtoul(text, NULL, 10);
}

static void no_bound_is_above_the_best_plan(void **state)
{
    static struct made made;
    struct tally tally = {0};
    (void)state;
    for (uint64_t seed = 1; seed <= cases_wanted(); seed++) {
        make(&made, seed);
        compare_case(&made, seed, &tally);
        claim_too_much(&made, seed, &tally);
        unmake(&made);
    }
    print_message("%u cases: %u refused, %u bounds too high, %u lies believed; of %u technicians "
                  "%u priced to the unit, %u too dear\n",
                  tally.cases, tally.refused, tally.above, tally.believed, tally.priced,
                  tally.exact, tally.dearer);
    assert_int_equal(tally.refused, 0);
    assert_int_equal(tally.above, 0);
    assert_int_equal(tally.dearer, 0);
    assert_int_equal(tally.believed, 0);
}

/* --- proofs that the optimizer made ----------------------------------------------------------- */

enum { BOUND_ROUNDS = 60 };

/* Puts the optimizer's own proof into the text. */
static void prove(struct made *made, struct bound *bound)
{
    bound_open(bound, &made->solver.in, &bound_options_default);
    bound_take_plan(bound, &made->solver.plan);
    (void)bound_run(bound, BOUND_ROUNDS, made->solver.plan.cost);
    made->proof = bound->proof;
    write_text(made);
}

static void the_optimizers_proofs_hold(void **state)
{
    static struct made made;
    static struct bound bound;
    struct verify_report report;
    uint32_t refused = 0, above = 0, tight = 0, cases = cases_wanted() / 2;
    (void)state;
    for (uint64_t seed = 1; seed <= cases; seed++) {
        uint32_t served;
        make(&made, seed);
        prove(&made, &bound);
        check(&made, &report);
        int64_t best = brute_force(&made.audited.audit, brutes, &served);
        refused += report.finding_count > 0;
        above += report.lower_bound > best;
        tight += report.lower_bound == best;
        if (report.finding_count > 0 || report.lower_bound > best) {
            printf("case %llu: bound %lld, best %lld\n", (unsigned long long)seed,
                   (long long)report.lower_bound, (long long)best);
            print_findings(&report);
        }
        bound_close(&bound);
        unmake(&made);
    }
    print_message("%u cases: %u refused, %u above, %u proven to be the best\n", cases, refused,
                  above, tight);
    assert_int_equal(refused, 0);
    assert_int_equal(above, 0);
}

/* --- plans that are split -------------------------------------------------------------------- */

enum { NODES_MAX = 60 };

/* Days whose programs are fractional without cuts. */
static const uint16_t split_seeds[] = {271, 344, 490, 555, 741, 808, 1177, 1192};
enum { SPLIT_SEEDS = sizeof split_seeds / sizeof *split_seeds };

struct splitting {
    struct arena arena;
    struct desk desk;
    struct recall recall;
    struct walks walks;
    struct relaxation relaxation;
    struct choice choice;
    struct tree tree;
};

/* Splits the plans that cost less than the plan in hand and a bit, beginning with the made-up
 * proof. False: it is not a day for that. */
static bool split(struct made *made, struct splitting *to)
{
    static const struct choice_options options = {10000, 10000, 1000000, NULL, NULL};
    const struct instance *in = &made->solver.in;
    *to = (struct splitting){.desk = {.label_cap = 0}};
    arena_open(&to->arena, 1 << 28);
    desk_open(&to->desk);
    recall_make(&to->recall, in, 8, &to->arena);
    walks_open(&to->walks, &to->arena);
    relaxation_open(&to->relaxation, in, &to->walks, &to->arena);
    if (!choice_make(&to->choice, in, &to->recall, &made->proof, made->solver.plan.cost + 100,
                     &options, &to->desk, &to->arena))
        return false;
    tree_open(&to->tree, in, &to->choice, &to->relaxation, &made->proof, NODES_MAX, &to->arena);
    if (some(made, 0, 2) > 0) to->tree.cuts_max = 0; /* so that splits have to do */
    assert_true(tree_run(&to->tree, NODES_MAX, NULL, NULL));
    made->tree = &to->tree;
    write_text(made);
    return true;
}

static void unsplit(struct made *made, struct splitting *splitting)
{
    if (made->tree != NULL) tree_close(&splitting->tree);
    made->tree = NULL;
    relaxation_close(&splitting->relaxation);
    desk_close(&splitting->desk);
    arena_close(&splitting->arena);
}

static void split_plans_prove_no_more_than_the_best(void **state)
{
    static struct made made;
    static struct splitting splitting;
    struct verify_report report;
    uint32_t refused = 0, above = 0, tight = 0, all = 0, parts = 0, cases = cases_wanted();
    (void)state;
    for (uint64_t i = 1; i <= cases + SPLIT_SEEDS; i++) {
        uint32_t served;
        uint64_t seed = i <= cases ? i : split_seeds[i - cases - 1];
        make(&made, seed);
        if (split(&made, &splitting)) {
            check(&made, &report);
            int64_t best = brute_force(&made.audited.audit, brutes, &served);
            all++;
            parts += splitting.tree.node_count > 1;
            refused += report.finding_count > 0;
            above += report.lower_bound > best;
            tight += report.lower_bound == best;
            if (report.finding_count > 0) {
                print_findings(&report);
            }
        }
        unsplit(&made, &splitting);
        unmake(&made);
    }
    print_message("%u cases, %u with parts: %u refused, %u above, %u proven to be the best\n", all,
                  parts, refused, above, tight);
    assert_int_equal(refused, 0);
    assert_int_equal(above, 0);
    assert_true(tight * 2 > all && parts >= SPLIT_SEEDS / 2);
}

/* --- what is changed is refused -------------------------------------------------------------- */

enum { MUTANTS = 40 };

/* The line that begins with these words, the one after `after` lines; NULL: there is none. */
static const char *line_of(const char *text, const char *key, uint32_t after)
{
    size_t length = strlen(key);
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, key, length) == 0 && line[length] == ' ' && after-- == 0) return line;
    }
    return NULL;
}

static const char *word_at(const char *line, uint32_t word)
{
    for (; word > 0; word--)
        line = strchr(line, ' ') + 1;
    return line;
}

/* The text with one word of it replaced; the caller frees it. */
static char *with_word(const struct made *made, const char *word, const char *by)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fwrite(made->text, 1, (size_t)(word - made->text), out);
    fputs(by, out);
    fputs(word + strcspn(word, " \n"), out);
    fclose(out);
    return text;
}

struct verdict {
    bool read;
    struct problem problem;
    struct verify_report report;
};

static void judge_text(const char *text, struct verdict *verdict)
{
    struct arena memory;
    struct certificate certificate;
    memset(verdict, 0, sizeof *verdict);
    arena_open(&memory, CERTIFICATE_MEMORY_MAX);
    verdict->read =
        certificate_read(&certificate, text, strlen(text), &memory, &verdict->problem) == ERR_OK;
    if (verdict->read) {
        verify_plan(&certificate, &verdict->report);
        verify_bound(&certificate, NULL, &verdict->report);
    }
    arena_close(&memory);
}

static bool names_place(const struct verdict *verdict, const char *place)
{
    for (uint32_t i = 0; i < verdict->report.finding_count && i < VERIFY_FINDINGS_MAX; i++) {
        if (strstr(verdict->report.findings[i].place, place) != NULL) return true;
    }
    return false;
}

/* Adds to the number at a word; what is then found must name the place. */
static void expect_found(const struct made *made, const char *word, int64_t more, const char *place)
{
    static struct verdict verdict;
    char number[32];
    snprintf(number, sizeof number, "%lld", strtoll(word, NULL, 10) + (long long)more);
    char *text = with_word(made, word, number);
    judge_text(text, &verdict);
    if (!verdict.read || !names_place(&verdict, place)) {
        print_findings(&verdict.report);
        fail_msg("%s %s: %s is not named, in\n%s", verdict.problem.field, verdict.problem.text,
                 place, text);
    }
    free(text);
}

static void numbers_that_are_changed_are_found(void **state)
{
    static struct made made;
    uint32_t cuts = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= MUTANTS; seed++) {
        make(&made, seed);
        expect_found(&made, word_at(line_of(made.text, "dual visit", 0), 3), 1, "visit V0");
        expect_found(&made, word_at(line_of(made.text, "dual technician", 0), 3), 1,
                     "technician T0");
        expect_found(&made, word_at(line_of(made.text, "bound", 0), 1), 1, "bound");
        expect_found(&made, word_at(line_of(made.text, "lower_bound", 0), 1), 1, "lower_bound");
        expect_found(&made, word_at(line_of(made.text, "sum", 0), 2), 1, "sum visits");
        expect_found(&made, word_at(line_of(made.text, "objective", 0), 1), 1, "objective");
        expect_found(&made, word_at(line_of(made.text, "cost", 0), 2), 1, "cost");
        expect_found(&made, word_at(line_of(made.text, "gap", 0), 1), 1, "gap");
        expect_found(&made, word_at(line_of(made.text, "home", 0), 1), 1, "technician T0");
        if (made.proof.cut_count > 0) {
            expect_found(&made, word_at(line_of(made.text, "cut", 0), 1), -1, "cut 1");
            cuts++;
        }
        unmake(&made);
    }
    assert_true(cuts > MUTANTS / 4);
}

static void parts_that_are_changed_are_found(void **state)
{
    static struct made made;
    static struct splitting splitting;
    uint32_t all = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= MUTANTS; seed++) {
        make(&made, seed);
        if (split(&made, &splitting)) {
            expect_found(&made, word_at(line_of(made.text, "part", 0), 2), 1, "part");
            expect_found(&made, word_at(line_of(made.text, "of_visits", 0), 1), 1, "part");
            expect_found(&made, word_at(line_of(made.text, "of_technicians", 0), 1), 1, "part");
            expect_found(&made, word_at(line_of(made.text, "lower_bound", 0), 1), 1, "lower_bound");
            all++;
        }
        unsplit(&made, &splitting);
        unmake(&made);
    }
    assert_true(all > MUTANTS / 4);
}

/* A leg of the first stop of somebody is a second shorter, or somebody else's visit stands there.
 */
static void legs_and_visits_that_are_changed_are_found(void **state)
{
    static struct made made;
    static struct verdict verdict;
    uint32_t legs = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= MUTANTS; seed++) {
        make(&made, seed);
        for (uint32_t t = 0; t < made.solver.in.technician_count; t++) {
            const struct route *route = &made.solver.plan.routes[t];
            char place[80];
            if (route->count == 0 || route->stops[1].leg == 0) continue;
            uint32_t from = route->stops[0].place, to = route->stops[1].place;
            snprintf(place, sizeof place, "technician T%u", t);
            expect_found(&made, word_at(line_of(made.text, "travel", from), to + 1), -1, place);
            legs++;
        }
        const char *stop = line_of(made.text, "stop", 0);
        if (stop != NULL && made.solver.in.visit_count > 1) {
            char other[8] = "V0";
            if (strncmp(word_at(stop, 1), "V0 ", 3) == 0) other[1] = '1';
            char *text = with_word(&made, word_at(stop, 1), other);
            judge_text(text, &verdict);
            assert_true(verdict.read && names_place(&verdict, "visit V"));
            free(text);
        }
        unmake(&made);
    }
    assert_true(legs > MUTANTS / 2);
}

/* Without any one of its lines, and with a number that is none. */
static void no_line_may_be_missing(void **state)
{
    static struct made made;
    static struct verdict verdict;
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        make(&made, seed);
        for (const char *line = made.text; *line != '\0'; line = strchr(line, '\n') + 1) {
            char *text = strdup(made.text), *cut = text + (line - made.text);
            const char *rest = strchr(cut, '\n') + 1;
            memmove(cut, rest, strlen(rest) + 1);
            judge_text(text, &verdict);
            assert_true(!verdict.read || verdict.report.finding_count > 0);
            if (!verdict.read) assert_memory_equal(verdict.problem.field, "line ", 5);
            free(text);
        }
        static const char *const bad[] = {
            "99999999999999999999", "1e3", "-", "+1", "01", "nan", ""};
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            char *text = with_word(&made, word_at(line_of(made.text, "objective", 0), 1), bad[i]);
            judge_text(text, &verdict);
            assert_false(verdict.read);
            assert_memory_equal(verdict.problem.field, "line ", 5);
            free(text);
        }
        unmake(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bound_is_above_the_best_plan),
        cmocka_unit_test(the_optimizers_proofs_hold),
        cmocka_unit_test(split_plans_prove_no_more_than_the_best),
        cmocka_unit_test(parts_that_are_changed_are_found),
        cmocka_unit_test(numbers_that_are_changed_are_found),
        cmocka_unit_test(legs_and_visits_that_are_changed_are_found),
        cmocka_unit_test(no_line_may_be_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
