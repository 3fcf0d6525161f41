#include "optimizer/write_certificate.h"

#include "base/check.h"

#include <inttypes.h>
#include <string.h>

struct writer {
    const struct workday *day;
    const struct instance *in;
    const struct plan *plan;
    const struct proof *proof; /* NULL: all duals are 0 */
    const struct tree *tree;   /* NULL: plans are not split */
    FILE *out;
    struct cost_parts_written {
        int64_t travel, overtime, lateness, preferred_window, preferred_technician;
        int64_t change_technician, change_start, idle, unserved;
    } parts;
};

/* --- words ----------------------------------------------------------------------------------- */

/* A blank, a percent sign and a control character would end the word: %20. */
static void put_name(const struct writer *to, const char *name)
{
    fputc(' ', to->out);
    if (name[0] == '\0') fputs("%00", to->out);
    for (const char *byte = name; *byte != '\0'; byte++) {
        unsigned char value = (unsigned char)*byte;
        if (value <= 0x20 || value == '%' || value == 0x7f)
            fprintf(to->out, "%%%02X", value);
        else
            fputc(value, to->out);
    }
}

static void put(const struct writer *to, const char *key, int64_t number)
{
    fprintf(to->out, " %s %" PRId64, key, number);
}

static const char *visit_id(const struct writer *to, uint32_t visit)
{
    return to->day->visits[to->in->nodes[visit].slot].id;
}

static const char *technician_id(const struct writer *to, uint32_t technician)
{
    return to->day->technicians[to->in->technicians[technician].slot].id;
}

static void put_visit(const struct writer *to, uint32_t visit)
{
    put_name(to, visit_id(to, visit));
}

static void put_skill(const struct writer *to, const struct skill *skill)
{
    put_name(to, to->day->skill_names[skill->name]);
    fprintf(to->out, " %u", (unsigned)skill->level);
}

static void put_spans(const struct writer *to, const char *key, const struct span *spans,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        fprintf(to->out, " %s %d %d", key, spans[i].open, spans[i].close);
}

static void put_named(const struct writer *to, const char *key, const struct named_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        fprintf(to->out, " %s", key);
        put_name(to, to->day->technicians[set->slots[i]].id);
    }
}

/* --- the instance ---------------------------------------------------------------------------- */

static void write_relaxed(const struct writer *to)
{
    static const struct {
        uint32_t bit;
        const char *word;
    } words[] = {
        {RELAXED_ELEMENTARY, "elementary"}, {RELAXED_WAITING, "waiting"},
        {RELAXED_BREAK, "break"},           {RELAXED_ORDER, "order"},
        {RELAXED_CHANGES, "changes"},       {RELAXED_FREEZE, "freeze"},
        {RELAXED_COUNT, "count"},           {RELAXED_ROUNDING, "rounding"},
    };
    fputs("relaxed", to->out);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (to->proof != NULL && (to->proof->relaxed & words[i].bit) != 0)
            fprintf(to->out, " %s", words[i].word);
    }
    fputc('\n', to->out);
}

static void write_head(const struct writer *to)
{
    const struct instance *in = to->in;
    const struct policy *policy = &in->policy;
    fprintf(to->out, "callout-certificate 1\nfine %d\nday %" PRId64 "\npolicy", PROOF_FINE,
            to->day->service_day);
    put(to, "travel", policy->travel_price_percent);
    put(to, "overtime", policy->overtime_price_percent);
    put(to, "tier", policy->overtime_tier_us / 1000000);
    fprintf(to->out, " %d", policy->overtime_tier_price_percent);
    put(to, "lateness", policy->lateness_price_percent);
    put(to, "preferred_window", policy->preferred_window_missed_s);
    put(to, "preferred_technician", policy->preferred_technician_missed_s);
    put(to, "tolerance", in->tolerance);
    put(to, "frozen_until", in->frozen_until);
    put(to, "route_max", in->route_max);
    fprintf(to->out, "\nsizes technicians %u visits %u places %u cuts %u\n", in->technician_count,
            in->visit_count, in->place_count, to->proof == NULL ? 0 : to->proof->cut_count);
    write_relaxed(to);
}

static void write_travel(const struct writer *to)
{
    for (uint32_t from = 0; from < to->in->place_count; from++) {
        fputs("travel", to->out);
        for (uint32_t into = 0; into < to->in->place_count; into++)
            fprintf(to->out, " %d", instance_travel(to->in, from, into));
        fputc('\n', to->out);
    }
}

static void write_technician(const struct writer *to, uint32_t technician)
{
    const struct technician *who = &to->in->technicians[technician];
    const struct technician_slot *slot = &to->day->technicians[who->slot];
    fputs("technician", to->out);
    put_name(to, slot->id);
    put(to, "from", who->start);
    put(to, "to", who->end);
    put(to, "available", who->available);
    put(to, "shift_end", who->shift_end);
    put(to, "latest_end", who->latest_end);
    if (who->break_length > 0)
        fprintf(to->out, " break %d %d %d", who->break_earliest, who->break_latest,
                who->break_length);
    if (who->leg_max < INT32_MAX) put(to, "leg_max", who->leg_max);
    if (who->travel_max < INT32_MAX) put(to, "travel_max", who->travel_max);
    if (who->capacity != UNLIMITED) put(to, "capacity", who->capacity);
    if (who->order == ORDER_IN_TIME) fputs(" order in_time", to->out);
    if (who->order == ORDER_FIXED) fputs(" order fixed", to->out);
    for (uint32_t i = 0; i < slot->skill_count; i++) {
        fputs(" skill", to->out);
        put_skill(to, &slot->skills[i]);
    }
    fputc('\n', to->out);
}

static void write_windows(const struct writer *to, uint32_t visit)
{
    const struct node *node = &to->in->nodes[visit];
    const struct wish *wish = &to->in->wishes[visit];
    bool any_time = node->close >= NEVER - 1;
    if (node->close < node->open) {
        fputs(" never", to->out);
    } else if (any_time) {
        if (node->open > -NEVER / 2) fprintf(to->out, " window %d %d", node->open, NEVER);
    } else {
        const struct span first = {node->open, node->close};
        put_spans(to, "window", &first, 1);
        put_spans(to, "window", to->in->spans + node->span_at, node->span_count);
    }
    put_spans(to, "due", to->in->spans + wish->due_at, wish->due_count);
    put_spans(to, "best", to->in->spans + wish->preferred_at, wish->preferred_count);
}

static void write_need(const struct writer *to, const struct need_set *need)
{
    for (uint32_t i = 0; i < need->count; i++) {
        fputs(" needs", to->out);
        put_skill(to, &need->skills[i]);
    }
    for (uint32_t i = 0; i < need->choice_count; i++) {
        const struct skill_choice *choice = &need->choices[i];
        put(to, "any", choice->count);
        for (uint32_t s = 0; s < choice->count; s++)
            put_skill(to, &choice->any_of[s]);
    }
    put_named(to, "only", &need->required);
    put_named(to, "not", &need->excluded);
    put_named(to, "rather", &need->preferred);
}

static void write_visit(const struct writer *to, uint32_t visit)
{
    const struct node *node = &to->in->nodes[visit];
    const struct visit_slot *slot = &to->day->visits[node->slot];
    fputs("visit", to->out);
    put_name(to, slot->id);
    put(to, "at", node->place);
    put(to, "service", node->service);
    put(to, "load", node->load);
    put(to, "unserved", node->price);
    write_windows(to, visit);
    write_need(to, &to->day->needs[slot->need]);
    if (slot->technician != NO_INDEX) {
        fputs(" with", to->out);
        put_name(to, to->day->technicians[slot->technician].id);
    }
    if (slot->planned_start_us != 0)
        fprintf(to->out, " planned %d %u", node->planned, node->position);
    if (node->change_technician > 0 || node->change_start > 0)
        fprintf(to->out, " told %d %d", node->change_technician, node->change_start);
    if (node->frozen)
        fputs(" frozen", to->out);
    else if (node->pinned != NO_INDEX)
        fputs(" pinned", to->out);
    if (node->emergency) fputs(" emergency", to->out);
    if (node->stretched > 0) put(to, "stretched", node->stretched);
    fputc('\n', to->out);
}

/* Without a proof nothing need be remembered, for nothing is worth a visit. */
static void write_near(const struct writer *to, uint32_t visit)
{
    const struct proof *proof = to->proof;
    fputs("near", to->out);
    put_visit(to, visit);
    for (uint32_t i = 0; proof != NULL && i < proof->near_count[visit]; i++)
        put_visit(to, proof->near[visit * PROOF_NEAR_MAX + i]);
    fputc('\n', to->out);
}

static void write_instance(const struct writer *to)
{
    write_head(to);
    write_travel(to);
    for (uint32_t t = 0; t < to->in->technician_count; t++)
        write_technician(to, t);
    for (uint32_t v = 0; v < to->in->visit_count; v++)
        write_visit(to, v);
    for (uint32_t v = 0; v < to->in->visit_count; v++)
        write_near(to, v);
}

/* --- the plan -------------------------------------------------------------------------------- */

struct timed_stop {
    int32_t arrival, break_start;
    bool rests;
};

/* When he arrives at each stop and at home, and where he rests. */
static void time_stops(const struct writer *to, uint32_t technician, struct timed_stop *timed)
{
    const struct technician *who = &to->in->technicians[technician];
    const struct route *route = &to->plan->routes[technician];
    const struct stop *stops = route->stops;
    bool behind = true;
    for (uint32_t i = route->count + 1; i > 0; i--) {
        int32_t after = rested(who, stops[i - 1].ahead, stops[i].leg);
        bool here = behind && after < stops[i - 1].behind + stops[i].leg;
        int32_t left = behind && !here ? stops[i - 1].behind : stops[i - 1].ahead;
        timed[i - 1] = (struct timed_stop){here ? after : left + stops[i].leg, 0, here};
        if (!here) continue;
        timed[i - 1].break_start = left > who->break_earliest ? left : who->break_earliest;
        behind = false;
    }
}

static void add_visit_parts(struct writer *to, uint32_t technician, uint32_t visit, int32_t start)
{
    const struct instance *in = to->in;
    const struct node *node = &in->nodes[visit];
    const struct wish *wish = &in->wishes[visit];
    int32_t moved = start > node->planned ? start - node->planned : node->planned - start;
    int32_t change = node->home == technician ? 0 : node->change_technician, late = 0;
    to->parts.change_technician += change;
    to->parts.preferred_technician += instance_who_price(in, technician, visit) - change;
    if (moved > in->tolerance) to->parts.change_start += node->change_start;
    if (!node->soft) return;
    const struct span *due = in->spans + wish->due_at;
    for (uint32_t i = 0; i < wish->due_count && start >= due[i].open; i++)
        late = start - due[i].close;
    int64_t price = late > 0 ? (int64_t)late * in->policy.lateness_price_percent / 100 : INT64_C(0);
    to->parts.lateness += price;
    to->parts.preferred_window += instance_start_price(in, visit, start) - price;
}

static void write_break(const struct writer *to, const struct timed_stop *timed)
{
    if (timed->rests) fprintf(to->out, "break %d\n", timed->break_start);
}

static void write_route(struct writer *to, uint32_t technician)
{
    const struct instance *in = to->in;
    const struct route *route = &to->plan->routes[technician];
    struct timed_stop timed[ROUTE_MAX + 1];
    fputs("route", to->out);
    put_name(to, technician_id(to, technician));
    fprintf(to->out, " stops %u travel %d overtime %d cost %d\n", route->count, route->travel,
            route->overtime, route->cost);
    if (route->count == 0) {
        to->parts.idle += route->cost;
        fprintf(to->out, "home %d\n", route->end);
        return;
    }
    time_stops(to, technician, timed);
    for (uint32_t i = 0; i < route->count; i++) {
        uint32_t visit = route->stops[i + 1].visit;
        const struct node *node = &in->nodes[visit];
        int32_t departure = node_leave(in, node, timed[i].arrival);
        write_break(to, &timed[i]);
        fputs("stop", to->out);
        put_visit(to, visit);
        fprintf(to->out, " arrival %d start %d departure %d\n", timed[i].arrival,
                departure - node->service, departure);
        add_visit_parts(to, technician, visit, departure - node->service);
    }
    write_break(to, &timed[route->count]);
    fprintf(to->out, "home %d\n", timed[route->count].arrival);
    to->parts.travel += instance_travel_price(in, route->travel);
    to->parts.overtime += route->overtime_price;
}

static void write_plan(struct writer *to)
{
    for (uint32_t t = 0; t < to->in->technician_count; t++)
        write_route(to, t);
    for (uint32_t v = 0; v < to->in->visit_count; v++) {
        if (to->plan->route_of[v] != NO_INDEX) continue;
        fputs("unserved", to->out);
        put_visit(to, v);
        fputc('\n', to->out);
        to->parts.unserved += to->in->nodes[v].price;
    }
    fputs("cost", to->out);
    put(to, "travel", to->parts.travel);
    put(to, "overtime", to->parts.overtime);
    put(to, "lateness", to->parts.lateness);
    put(to, "preferred_window", to->parts.preferred_window);
    put(to, "preferred_technician", to->parts.preferred_technician);
    put(to, "change_technician", to->parts.change_technician);
    put(to, "change_start", to->parts.change_start);
    put(to, "idle", to->parts.idle);
    put(to, "unserved", to->parts.unserved);
    fprintf(to->out, "\nobjective %" PRId64 "\n", to->plan->cost);
}

/* --- the proof ------------------------------------------------------------------------------- */

static void write_cut(const struct writer *to, const struct proof_cut *cut, int64_t sum)
{
    fprintf(to->out, "cut %" PRId64 " sum %" PRId64 " of", cut->dual, sum);
    for (uint32_t i = 0; i < 3; i++)
        put_visit(to, cut->visits[i]);
    fputs(" memory", to->out);
    for (uint32_t v = 0; v < to->in->visit_count; v++) {
        bool member = v == cut->visits[0] || v == cut->visits[1] || v == cut->visits[2];
        if (!member && (cut->memory[v / 8] >> (v % 8) & 1) != 0) put_visit(to, v);
    }
    fputc('\n', to->out);
}

static void write_list(const struct writer *to, const char *key, const int64_t *duals,
                       uint32_t count, uint32_t all)
{
    fputs(key, to->out);
    for (uint32_t i = 0; i < all; i++)
        fprintf(to->out, " %" PRId64, i < count ? duals[i] : 0);
    fputc('\n', to->out);
}

static void write_part(const struct writer *to, const struct tree_node *node)
{
    const struct relaxation *relaxation = to->tree->relaxation;
    fprintf(to->out, "part bound %" PRId64 "\n", node->bound);
    write_list(to, "of_visits", node->visit_dual, to->in->visit_count, to->in->visit_count);
    fputs("of_technicians", to->out);
    for (uint32_t t = 0; t < to->in->technician_count; t++)
        fprintf(to->out, " %" PRId64, node->crew_dual[relaxation->crew_of[t]]);
    fputc('\n', to->out);
    write_list(to, "of_cuts", node->cut_dual, node->cut_count, to->tree->cut_count);
}

static void write_node(const struct writer *to, uint32_t index)
{
    const struct tree_node *node = &to->tree->nodes[index];
    if (node->child == NO_INDEX) {
        write_part(to, node);
        return;
    }
    fputs("split", to->out);
    put_visit(to, node->visit);
    fputs(node->with_technician ? " technician" : " visit", to->out);
    if (node->with_technician)
        put_name(to, technician_id(to, node->other));
    else
        put_visit(to, node->other);
    fputc('\n', to->out);
    write_node(to, node->child);
    write_node(to, node->child + 1);
}

static void write_tree(const struct writer *to)
{
    const struct tree *tree = to->tree;
    if (tree == NULL) return;
    fprintf(to->out, "below %" PRId64 " parts %u cuts %u\n", tree->choice->target, tree->node_count,
            tree->cut_count);
    for (uint32_t c = 0; c < tree->cut_count; c++) {
        fputs("part_cut", to->out);
        for (uint32_t i = 0; i < 3; i++)
            put_visit(to, tree->cuts[c][i]);
        fputc('\n', to->out);
    }
    write_node(to, 0);
}

static void write_sums(const struct writer *to, int64_t visits, int64_t technicians, int64_t cuts)
{
    static const struct proof none;
    const struct proof *proof = to->proof == NULL ? &none : to->proof;
    int64_t lower = proof_seconds(proof);
    if (to->tree != NULL && tree_bound(to->tree) > lower) lower = tree_bound(to->tree);
    fprintf(to->out,
            "sum visits %" PRId64 " technicians %" PRId64 " cuts %" PRId64 "\nbound %" PRId64 "\n",
            visits, technicians, cuts, proof->bound);
    write_tree(to);
    fprintf(to->out, "lower_bound %" PRId64 "\nhopeless %" PRId64 "\ngap %" PRId64 "\nend\n", lower,
            proof->hopeless, to->plan->cost - lower);
}

static void write_proof(const struct writer *to)
{
    const struct proof *proof = to->proof;
    int64_t visits = 0, technicians = 0, cuts = 0;
    for (uint32_t v = 0; v < to->in->visit_count; v++) {
        int64_t dual = proof == NULL ? 0 : proof->visit_dual[v];
        fputs("dual visit", to->out);
        put_visit(to, v);
        visits += dual;
        fprintf(to->out, " %" PRId64 " sum %" PRId64 "\n", dual, visits);
    }
    for (uint32_t t = 0; t < to->in->technician_count; t++) {
        int64_t dual = proof == NULL ? 0 : proof->technician_dual[t];
        fputs("dual technician", to->out);
        put_name(to, technician_id(to, t));
        technicians += dual;
        fprintf(to->out, " %" PRId64 " sum %" PRId64 "\n", dual, visits + technicians);
    }
    for (uint32_t c = 0; proof != NULL && c < proof->cut_count; c++) {
        cuts += proof->cuts[c].dual;
        write_cut(to, &proof->cuts[c], visits + technicians + cuts);
    }
    write_sums(to, visits, technicians, cuts);
}

enum err write_certificate(const struct workday *day, const struct instance *in,
                           const struct plan *plan, const struct proof *proof,
                           const struct tree *tree, FILE *out)
{
    struct writer to = {
        .day = day, .in = in, .plan = plan, .proof = proof, .tree = tree, .out = out};
    CHECK(plan->in == in);
    if (proof != NULL)
        CHECK(proof->visit_count == in->visit_count &&
              proof->technician_count == in->technician_count);
    write_instance(&to);
    write_plan(&to);
    write_proof(&to);
    return fflush(out) != 0 || ferror(out) ? ERR_IO : ERR_OK;
}
