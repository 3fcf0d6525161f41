/* bound.c - do the duals prove the bound? */
#include "optimizer/verify/verify_impl.h"

#include <stdio.h>
#include <string.h>

static struct word word_plain(const char *text)
{
    struct word word;
    snprintf(word.text, sizeof word.text, "%s", text);
    return word;
}

static struct word word_cut(uint32_t cut)
{
    struct word word;
    snprintf(word.text, sizeof word.text, "cut %u", cut + 1);
    return word;
}

/* --- what can be seen of the numbers alone --------------------------------------------------- */

static void check_duals(const struct certificate *in, struct verify_report *report)
{
    for (uint32_t v = 0; v < in->visit_count; v++) {
        const struct cert_visit *visit = &in->visits[v];
        if (visit->dual > visit->unserved * in->fine)
            verify_find(report, word_visit(in, v),
                        "its dual is %lld, above the price of leaving it unserved, which is %lld",
                        (long long)visit->dual, (long long)(visit->unserved * in->fine));
    }
    for (uint32_t c = 0; c < in->cut_count; c++) {
        if (in->cuts[c].dual > 0) verify_find(report, word_cut(c), "its dual is above 0");
    }
}

/* A cut of n members says that at most n / 2 routes serve two of them each: it counts so often. */
static int64_t cuts_sum(const struct certificate *in)
{
    int64_t sum = 0;
    for (uint32_t c = 0; c < in->cut_count; c++)
        sum += in->cuts[c].dual * (in->cuts[c].member_count / 2);
    return sum;
}

static void check_sum(struct verify_report *report, const char *place, const char *what,
                      int64_t says, int64_t is)
{
    if (says != is)
        verify_find(report, word_plain(place), "%s come to %lld, and the certificate says %lld",
                    what, (long long)is, (long long)says);
}

static int64_t seconds_up(int64_t fine_price, int64_t fine)
{
    int64_t seconds = fine_price / fine;
    return seconds + (fine_price > 0 && fine_price % fine != 0);
}

/* Could he serve it, if he were there at once? Travel is left out: it has no triangles, so a way
 * round may be the shorter one. */
static bool could_serve(const struct certificate *in, uint32_t technician, uint32_t v)
{
    const struct cert_technician *who = &in->technicians[technician];
    const struct cert_visit *visit = &in->visits[v];
    int64_t start = rule_start(visit, who->available);
    return rule_may_serve(in, technician, v) && visit->load <= who->capacity &&
           start != CERTIFICATE_UNLIMITED && start + visit->service <= who->latest_end;
}

/* Whom nobody can serve costs that in every plan. */
static int64_t hopeless(const struct certificate *in)
{
    int64_t sum = 0;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        bool anybody = false;
        for (uint32_t t = 0; t < in->technician_count && !anybody; t++)
            anybody = could_serve(in, t, v);
        if (!anybody) sum += in->visits[v].unserved;
    }
    return sum;
}

static void check_step(struct verify_report *report, struct word place, int64_t *sum, int64_t dual,
                       int64_t says)
{
    if (says - *sum != dual)
        verify_find(report, place, "its dual adds %lld, and the sum behind it grows by %lld",
                    (long long)dual, (long long)(says - *sum));
    *sum = says;
}

/* Each dual has the sum of all up to it beside it: where one was changed, its line is named. */
static void check_steps(const struct certificate *in, struct verify_report *report)
{
    int64_t sum = 0;
    for (uint32_t v = 0; v < in->visit_count; v++)
        check_step(report, word_visit(in, v), &sum, in->visits[v].dual, in->visits[v].sum);
    for (uint32_t t = 0; t < in->technician_count; t++)
        check_step(report, word_technician(in, t), &sum, in->technicians[t].dual,
                   in->technicians[t].sum);
    for (uint32_t c = 0; c < in->cut_count; c++) {
        const struct cert_cut *cut = &in->cuts[c];
        check_step(report, word_cut(c), &sum, cut->dual * (cut->member_count / 2), cut->sum);
    }
}

static void check_sums(const struct certificate *in, struct verify_report *report)
{
    int64_t visits = 0, technicians = 0, cuts = cuts_sum(in);
    for (uint32_t v = 0; v < in->visit_count; v++)
        visits += in->visits[v].dual;
    for (uint32_t t = 0; t < in->technician_count; t++)
        technicians += in->technicians[t].dual;
    check_sum(report, "sum visits", "the duals of visits", in->visits_sum, visits);
    check_sum(report, "sum technicians", "the duals of technicians", in->technicians_sum,
              technicians);
    check_sum(report, "sum cuts", "the duals of cuts", in->cuts_sum, cuts);
    check_sum(report, "bound", "all duals", in->bound, visits + technicians + cuts);
    int64_t anyway = hopeless(in);
    if (in->hopeless > anyway)
        verify_find(report, word_plain("hopeless"),
                    "visits that nobody can serve cost %lld, and the certificate says %lld",
                    (long long)anyway, (long long)in->hopeless);
}

/* --- one technician after the other ---------------------------------------------------------- */

static bool same_span(const struct cert_technician *a, const struct cert_technician *b)
{
    return a->from == b->from && a->to == b->to && a->available == b->available &&
           a->shift_end == b->shift_end && a->latest_end == b->latest_end &&
           a->break_earliest == b->break_earliest && a->break_latest == b->break_latest &&
           a->break_length == b->break_length && a->leg_max == b->leg_max &&
           a->travel_max == b->travel_max && a->capacity == b->capacity && a->frozen_count == 0 &&
           b->frozen_count == 0;
}

/* Whatever one can do the other can, for the same price. */
static bool alike(const struct certificate *in, uint32_t a, uint32_t b)
{
    if (!same_span(&in->technicians[a], &in->technicians[b])) return false;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        if (rule_may_serve(in, a, v) != rule_may_serve(in, b, v)) return false;
        if (rule_who_price(in, a, v) != rule_who_price(in, b, v)) return false;
    }
    return true;
}

uint32_t verify_first_alike(const struct certificate *in, uint32_t technician)
{
    for (uint32_t other = 0; other < technician; other++) {
        if (alike(in, other, technician)) return other;
    }
    return technician;
}

static void describe(const struct certificate *in, const uint32_t *visits, uint32_t count,
                     char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < count && used + 24 < size; i++) {
        int length = snprintf(text + used, size - used, " %.60s", in->visits[visits[i]].id);
        used += length > 0 ? (size_t)length : 0;
    }
    if (count == 0) snprintf(text, size, " (none)");
}

static void price(const struct certificate *in, uint32_t technician, uint64_t work_max,
                  struct verify_report *report)
{
    uint32_t visits[CERTIFICATE_ROUTE_MAX];
    int64_t dual = in->technicians[technician].dual;
    struct verify_cheapest cheapest = {.enough = dual, .work_max = work_max, .visits = visits};
    char text[160];
    bool done = verify_cheapest(in, technician, &cheapest);
    report->priced++;
    report->labels += cheapest.labels;
    if (!done) {
        report->given_up++;
        verify_find(report, word_technician(in, technician),
                    "pricing takes too long, and was given up after %llu labels",
                    (unsigned long long)cheapest.labels);
        return;
    }
    if (cheapest.least >= dual) return;
    describe(in, visits, cheapest.visit_count, text, sizeof text);
    verify_find(report, word_technician(in, technician),
                "his dual is %lld, and the route%s costs %lld beyond what it pays: %lld too little",
                (long long)dual, text, (long long)cheapest.least,
                (long long)(dual - cheapest.least));
}

/* What is proved, in seconds: by the duals of all, and by those of parts where plans are split. */
static void check_lower(const struct certificate *in, struct verify_report *report)
{
    int64_t sum = cuts_sum(in);
    for (uint32_t v = 0; v < in->visit_count; v++)
        sum += in->visits[v].dual;
    for (uint32_t t = 0; t < in->technician_count; t++)
        sum += in->technicians[t].dual;
    report->lower_bound = seconds_up(verify_parts(in, sum, report), in->fine);
    check_sum(report, "lower_bound", "all duals, in seconds,", in->lower_bound,
              report->lower_bound);
}

void verify_bound(const struct certificate *in, const struct verify_watch *watch,
                  struct verify_report *report)
{
    static const struct verify_watch nobody = {.work_max = VERIFY_WORK_MAX};
    if (watch == NULL) watch = &nobody;
    check_duals(in, report);
    check_steps(in, report);
    check_sums(in, report);
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (watch->tell != NULL) watch->tell(watch->context, t, in->technician_count);
        if (verify_first_alike(in, t) != t) continue;
        uint32_t claims_most = t;
        for (uint32_t other = t + 1; other < in->technician_count; other++) {
            bool more = in->technicians[other].dual > in->technicians[claims_most].dual;
            if (more && alike(in, t, other)) claims_most = other;
        }
        price(in, claims_most, watch->work_max, report);
    }
    check_lower(in, report);
}
