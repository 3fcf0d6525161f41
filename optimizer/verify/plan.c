/* plan.c - the plan that the certificate holds, and what it says of its price. */
#include "optimizer/verify/verify_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- words ----------------------------------------------------------------------------------- */

struct word word_visit(const struct certificate *in, uint32_t visit)
{
    struct word word;
    snprintf(word.text, sizeof word.text, "visit %.100s", in->visits[visit].id);
    return word;
}

struct word word_technician(const struct certificate *in, uint32_t technician)
{
    struct word word;
    snprintf(word.text, sizeof word.text, "technician %.90s", in->technicians[technician].id);
    return word;
}

static struct word word_line(uint32_t line, const char *kind, const char *id)
{
    struct word word;
    snprintf(word.text, sizeof word.text, "line %u, %s %.70s", line, kind, id);
    return word;
}

static struct word word_plain(const char *text)
{
    struct word word;
    snprintf(word.text, sizeof word.text, "%s", text);
    return word;
}

void verify_find(struct verify_report *report, struct word place, const char *format, ...)
{
    if (report->finding_count++ >= VERIFY_FINDINGS_MAX) return;
    struct verify_finding *finding = &report->findings[report->finding_count - 1];
    va_list arguments;
    snprintf(finding->place, sizeof finding->place, "%s", place.text);
    va_start(arguments, format);
    vsnprintf(finding->text, sizeof finding->text, format, arguments);
    va_end(arguments);
}

/* --- one route ------------------------------------------------------------------------------- */

static void check_figure(struct verify_report *report, struct word place, const char *what,
                         int64_t says, int64_t is)
{
    if (says != is)
        verify_find(report, place, "%s is %lld, and the certificate says %lld", what, (long long)is,
                    (long long)says);
}

static void check_break(struct verify_report *report, struct word place, bool says, bool is,
                        int64_t says_start, int64_t start)
{
    if (says != is)
        verify_find(report, place, "the break %s on the way here", is ? "is" : "is not");
    else if (is)
        check_figure(report, place, "the break's start", says_start, start);
}

static void check_stops(const struct certificate *in, uint32_t technician, const struct walk *walk,
                        struct verify_report *report)
{
    const struct cert_route *route = &in->routes[technician];
    for (uint32_t i = 0; i < route->stop_count; i++) {
        const struct cert_stop *says = &route->stops[i];
        const struct walk_stop *is = &walk->stops[i];
        struct word place = word_line(says->line, "visit", in->visits[says->visit].id);
        check_break(report, place, says->rests, is->rests, says->break_start, is->break_start);
        check_figure(report, place, "the arrival", says->arrival, is->arrival);
        check_figure(report, place, "the start", says->start, is->start);
        check_figure(report, place, "the departure", says->departure, is->departure);
        if (rule_frozen_out(in, technician, says->visit) && is->start < in->policy.frozen_until)
            verify_find(report, place, "it is new here, and starts within the freeze");
    }
    struct word home = word_line(route->line, "technician", in->technicians[technician].id);
    const struct walk_stop *end = &walk->stops[route->stop_count];
    check_break(report, home, route->rests, end->rests, route->break_start, end->break_start);
    check_figure(report, home, "the time when he is home", route->home, end->arrival);
}

static void check_people(const struct certificate *in, uint32_t technician,
                         struct verify_report *report)
{
    const struct cert_route *route = &in->routes[technician];
    const struct cert_technician *who = &in->technicians[technician];
    for (uint32_t i = 0; i < route->stop_count; i++) {
        if (!rule_may_serve(in, technician, route->stops[i].visit))
            verify_find(
                report,
                word_line(route->stops[i].line, "visit", in->visits[route->stops[i].visit].id),
                "it may not be served by %.80s", who->id);
    }
    for (uint32_t i = 0; i < who->frozen_count; i++) {
        if (i < route->stop_count && route->stops[i].visit == who->frozen[i]) continue;
        verify_find(report, word_technician(in, technician),
                    "stop %u must be the frozen visit %.80s", i + 1, in->visits[who->frozen[i]].id);
        return;
    }
}

static bool before_in_force(const struct certificate *in, uint32_t a, uint32_t b)
{
    const struct cert_visit *left = &in->visits[a], *right = &in->visits[b];
    if (left->frozen != right->frozen) return left->frozen;
    if (left->planned_start != right->planned_start)
        return left->planned_start < right->planned_start;
    if (left->position != right->position) return left->position < right->position;
    return a < b;
}

/* Those who must stay: in their order or, where it may change, in time as if nothing were late. */
static void check_order(const struct certificate *in, uint32_t technician, const struct walk *walk,
                        struct verify_report *report)
{
    const struct cert_route *route = &in->routes[technician];
    enum cert_order order = in->technicians[technician].order;
    uint32_t last = UINT32_MAX, wrong = UINT32_MAX;
    for (uint32_t i = 0; i < route->stop_count && order != CERT_ORDER_FREE; i++) {
        uint32_t visit = route->stops[i].visit;
        if (!rule_stays(in, visit) || in->visits[visit].with != technician) continue;
        if (last != UINT32_MAX && before_in_force(in, visit, last)) wrong = visit;
        last = visit;
    }
    if (wrong == UINT32_MAX) return;
    if (order == CERT_ORDER_FIXED)
        verify_find(report, word_visit(in, wrong), "it has changed its place in a late day");
    for (uint32_t i = 0; i < route->stop_count && order == CERT_ORDER_IN_TIME; i++) {
        const struct cert_visit *visit = &in->visits[route->stops[i].visit];
        const struct cert_spans *windows = &visit->windows;
        if (visit->stretched == 0 || windows->count == 0) continue;
        if (walk->stops[i].start > windows->items[windows->count - 1].close - visit->stretched)
            verify_find(report, word_visit(in, route->stops[i].visit),
                        "its window ends so late in another order only");
    }
}

static void price_route(const struct certificate *in, uint32_t technician, const struct walk *walk,
                        struct cert_parts *parts)
{
    const struct cert_route *route = &in->routes[technician];
    if (route->stop_count == 0) {
        parts->idle += rule_travel_price(&in->policy, walk->travel);
        return;
    }
    parts->travel += rule_travel_price(&in->policy, walk->travel);
    parts->overtime += rule_overtime_price(&in->policy, walk->overtime);
    for (uint32_t i = 0; i < route->stop_count; i++) {
        uint32_t v = route->stops[i].visit;
        const struct cert_visit *visit = &in->visits[v];
        struct start_price start = rule_start_price(in, v, walk->stops[i].start);
        bool his = visit->planned && visit->with == technician;
        int64_t change = his ? 0 : visit->told_technician;
        parts->lateness += start.lateness;
        parts->preferred_window += start.preferred_window;
        parts->change_start += start.change_start;
        parts->change_technician += change;
        parts->preferred_technician += rule_who_price(in, technician, v) - change;
    }
}

static int64_t parts_sum(const struct cert_parts *parts)
{
    return parts->travel + parts->overtime + parts->lateness + parts->preferred_window +
           parts->preferred_technician + parts->change_technician + parts->change_start +
           parts->idle + parts->unserved;
}

static void check_route(const struct certificate *in, uint32_t technician,
                        struct verify_report *report)
{
    static _Thread_local struct walk walk;
    const struct cert_route *route = &in->routes[technician];
    struct word place = word_line(route->line, "technician", in->technicians[technician].id);
    check_people(in, technician, report);
    if (route->stop_count > in->policy.route_max)
        verify_find(report, place, "has more than %lld stops", (long long)in->policy.route_max);
    walk_route(in, technician, route->stops, route->stop_count, &walk);
    if (walk.wrong != NULL) {
        bool home = walk.wrong_at == route->stop_count;
        uint32_t line = home ? route->line : route->stops[walk.wrong_at].line;
        verify_find(
            report,
            home ? place
                 : word_line(line, "visit", in->visits[route->stops[walk.wrong_at].visit].id),
            "%s", walk.wrong);
        return;
    }
    struct cert_parts parts = {0};
    price_route(in, technician, &walk, &parts);
    check_figure(report, place, "the travel", route->travel, walk.travel);
    check_figure(report, place, "the overtime", route->overtime,
                 route->stop_count > 0 ? walk.overtime : 0);
    check_figure(report, place, "the cost", route->cost, parts_sum(&parts));
    check_stops(in, technician, &walk, report);
    check_order(in, technician, &walk, report);
    price_route(in, technician, &walk, &report->parts);
}

/* --- the whole ------------------------------------------------------------------------------- */

static void check_served(const struct certificate *in, struct verify_report *report)
{
    for (uint32_t v = 0; v < in->visit_count; v++) {
        uint32_t times = 0;
        for (uint32_t t = 0; t < in->technician_count; t++) {
            for (uint32_t i = 0; i < in->routes[t].stop_count; i++)
                times += in->routes[t].stops[i].visit == v;
        }
        if (times > 1) verify_find(report, word_visit(in, v), "it is served %u times", times);
        if (times == 0 && !in->unserved[v])
            verify_find(report, word_visit(in, v), "nobody serves it, and it is not unserved");
        if (times > 0 && in->unserved[v])
            verify_find(report, word_visit(in, v), "it is served, and unserved");
        if (times == 0 && rule_stays(in, v))
            verify_find(report, word_visit(in, v), "it must stay with %.80s, and is not served",
                        in->technicians[in->visits[v].with].id);
        if (times == 0) report->parts.unserved += in->visits[v].unserved;
    }
}

static void check_parts(const struct certificate *in, struct verify_report *report)
{
    const struct cert_parts *is = &report->parts, *says = &in->parts;
    struct word place = word_plain("cost");
    check_figure(report, place, "travel", says->travel, is->travel);
    check_figure(report, place, "overtime", says->overtime, is->overtime);
    check_figure(report, place, "lateness", says->lateness, is->lateness);
    check_figure(report, place, "preferred_window", says->preferred_window, is->preferred_window);
    check_figure(report, place, "preferred_technician", says->preferred_technician,
                 is->preferred_technician);
    check_figure(report, place, "change_technician", says->change_technician,
                 is->change_technician);
    check_figure(report, place, "change_start", says->change_start, is->change_start);
    check_figure(report, place, "idle", says->idle, is->idle);
    check_figure(report, place, "unserved", says->unserved, is->unserved);
    check_figure(report, word_plain("objective"), "the sum of the parts", in->objective,
                 parts_sum(is));
    check_figure(report, word_plain("gap"), "objective less lower_bound", in->gap,
                 in->objective - in->lower_bound);
}

void verify_plan(const struct certificate *in, struct verify_report *report)
{
    report->parts = (struct cert_parts){0};
    for (uint32_t t = 0; t < in->technician_count; t++)
        check_route(in, t, report);
    check_served(in, report);
    check_parts(in, report);
    report->objective = parts_sum(&report->parts);
}
