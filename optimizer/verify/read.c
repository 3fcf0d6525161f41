/* read.c - the text of a certificate; README.md describes each line. */
#include "optimizer/verify/certificate.h"
#include "optimizer/verify/line.h"
#include "optimizer/verify/read_parts.h"

#include <string.h>

const char certificate_first_line[] = "callout-certificate";

struct reader {
    struct lines lines;
    struct certificate *to;
    struct name *technicians, *visits; /* sorted by id */
};

#define NEVER_S CERTIFICATE_SECONDS_MAX

/* --- pieces of a line ------------------------------------------------------------------------ */

static int64_t seconds(struct reader *in, const char *what)
{
    return line_number(&in->lines, what, -NEVER_S, NEVER_S);
}

static int64_t length(struct reader *in, const char *what)
{
    return line_number(&in->lines, what, 0, NEVER_S);
}

static int64_t price(struct reader *in, const char *what)
{
    return line_number(&in->lines, what, 0, CERTIFICATE_PRICE_MAX);
}

static int64_t dual(struct reader *in, const char *what)
{
    return line_number(&in->lines, what, -CERTIFICATE_DUAL_MAX, CERTIFICATE_DUAL_MAX);
}

/* The sum of the duals so far, behind each. */
static int64_t sum_so_far(struct reader *in)
{
    line_expect(&in->lines, "sum");
    return line_number(&in->lines, "sum", -100 * CERTIFICATE_DUAL_MAX, 100 * CERTIFICATE_DUAL_MAX);
}

/* KEY and the number behind it. */
static int64_t keyed(struct reader *in, const char *key, int64_t low, int64_t high)
{
    line_expect(&in->lines, key);
    return line_number(&in->lines, key, low, high);
}

static uint32_t place(struct reader *in, const char *key)
{
    return (uint32_t)keyed(in, key, 0, (int64_t)in->to->place_count - 1);
}

/* The number behind KEY if that comes next, else what is so without it. */
static int64_t if_keyed(struct reader *in, const char *key, int64_t low, int64_t high,
                        int64_t otherwise)
{
    return line_takes(&in->lines, key) ? line_number(&in->lines, key, low, high) : otherwise;
}

static void list_too_long(struct reader *in)
{
    line_wrong(&in->lines, ERR_TOO_LARGE, "has more than %d of a kind", CERTIFICATE_LIST_MAX);
}

static struct cert_spans spans_keyed(struct reader *in, const char *key)
{
    struct cert_span list[CERTIFICATE_LIST_MAX];
    uint32_t count = 0;
    while (line_takes(&in->lines, key)) {
        if (count == CERTIFICATE_LIST_MAX) {
            list_too_long(in);
            break;
        }
        list[count].open = seconds(in, key);
        list[count++].close = seconds(in, key);
    }
    struct cert_span *kept = line_memory(&in->lines, sizeof *kept * (count + 1));
    if (kept == NULL) return (struct cert_spans){NULL, 0};
    if (count > 0) memcpy(kept, list, sizeof *kept * count);
    return (struct cert_spans){kept, count};
}

static struct cert_skills skills_take(struct reader *in, struct cert_skill *list, uint32_t count)
{
    struct cert_skill *kept = line_memory(&in->lines, sizeof *kept * (count + 1));
    if (kept == NULL) return (struct cert_skills){NULL, 0};
    if (count > 0) memcpy(kept, list, sizeof *kept * count);
    return (struct cert_skills){kept, count};
}

static struct cert_skill skill(struct reader *in)
{
    const char *name = line_word(&in->lines, "the name of a skill");
    return (struct cert_skill){name, line_number(&in->lines, "the level of a skill", 0, 1000)};
}

static struct cert_skills skills_keyed(struct reader *in, const char *key)
{
    struct cert_skill list[CERTIFICATE_LIST_MAX];
    uint32_t count = 0;
    while (line_takes(&in->lines, key)) {
        if (count == CERTIFICATE_LIST_MAX) {
            list_too_long(in);
            break;
        }
        list[count++] = skill(in);
    }
    return skills_take(in, list, count);
}

/* "any 2 gas 3 heat 1 any 1 roof 1": one of each list. */
static void any_keyed(struct reader *in, struct cert_visit *visit)
{
    struct cert_skills lists[CERTIFICATE_LIST_MAX];
    while (line_takes(&in->lines, "any")) {
        struct cert_skill list[CERTIFICATE_LIST_MAX];
        int64_t count = line_number(&in->lines, "any", 0, CERTIFICATE_LIST_MAX);
        for (int64_t i = 0; i < count; i++)
            list[i] = skill(in);
        if (visit->any_count == CERTIFICATE_LIST_MAX) {
            list_too_long(in);
            return;
        }
        lists[visit->any_count++] = skills_take(in, list, (uint32_t)count);
    }
    struct cert_skills *kept = line_memory(&in->lines, sizeof *kept * (visit->any_count + 1));
    if (kept == NULL) return;
    if (visit->any_count > 0) memcpy(kept, lists, sizeof *kept * visit->any_count);
    visit->any = kept;
}

static struct cert_names names_keyed(struct reader *in, const char *key)
{
    const char *list[CERTIFICATE_LIST_MAX];
    uint32_t count = 0;
    while (line_takes(&in->lines, key)) {
        if (count == CERTIFICATE_LIST_MAX) {
            list_too_long(in);
            break;
        }
        list[count++] = line_word(&in->lines, key);
    }
    const char **kept = line_memory(&in->lines, sizeof *kept * (count + 1));
    if (kept == NULL) return (struct cert_names){NULL, 0};
    if (count > 0) memcpy(kept, list, sizeof *kept * count);
    return (struct cert_names){kept, count};
}

/* The next word is the id of a visit. */
static uint32_t visit_named(struct reader *in)
{
    const char *id = line_word(&in->lines, "the id of a visit");
    if (id == NULL) return 0;
    uint32_t index = names_find(in->visits, in->to->visit_count, id);
    if (index != UINT32_MAX) return index;
    line_wrong(&in->lines, ERR_INVALID, "there is no visit %.60s", id);
    return 0;
}

/* The next word must be the id of entity `index`, for each has its line, in order. */
static void in_order(struct reader *in, const char *kind, const char *id)
{
    const char *word = line_word(&in->lines, kind);
    if (word != NULL && strcmp(word, id) != 0)
        line_wrong(&in->lines, ERR_INVALID, "is of %s %.60s, and that of %.60s is missing", kind,
                   word, id);
}

static uint64_t *set_empty(struct reader *in)
{
    return line_memory(&in->lines, sizeof(uint64_t) * in->to->visit_words);
}

/* --- the head -------------------------------------------------------------------------------- */

static void read_version(struct reader *in)
{
    line_begin(&in->lines, certificate_first_line);
    int64_t version = line_number(&in->lines, "the version", 1, 1000000);
    line_over(&in->lines);
    if (in->lines.err == ERR_OK && version != CERTIFICATE_VERSION)
        line_wrong(&in->lines, ERR_VERSION, "is of version %d, and %d is what this program reads",
                   (int)version, CERTIFICATE_VERSION);
}

static void read_policy(struct reader *in)
{
    struct cert_policy *policy = &in->to->policy;
    line_begin(&in->lines, "policy");
    policy->travel_percent = keyed(in, "travel", 0, 1000000);
    policy->overtime_percent = keyed(in, "overtime", 0, 1000000);
    policy->tier_s = keyed(in, "tier", 0, NEVER_S);
    policy->tier_percent = line_number(&in->lines, "tier", 0, 1000000);
    policy->lateness_percent = keyed(in, "lateness", 0, 1000000);
    policy->preferred_window = keyed(in, "preferred_window", 0, CERTIFICATE_PRICE_MAX);
    policy->preferred_technician = keyed(in, "preferred_technician", 0, CERTIFICATE_PRICE_MAX);
    policy->tolerance = keyed(in, "tolerance", 0, NEVER_S);
    policy->frozen_until = keyed(in, "frozen_until", -NEVER_S, NEVER_S);
    policy->route_max = keyed(in, "route_max", 0, CERTIFICATE_ROUTE_MAX);
    line_over(&in->lines);
}

static void read_relaxed(struct reader *in)
{
    const char *list[CERTIFICATE_LIST_MAX];
    line_begin(&in->lines, "relaxed");
    while (line_more(&in->lines)) {
        if (in->to->relaxed_count == CERTIFICATE_LIST_MAX) {
            list_too_long(in);
            return;
        }
        list[in->to->relaxed_count++] = line_word(&in->lines, "relaxed");
    }
    const char **kept = line_memory(&in->lines, sizeof *kept * (in->to->relaxed_count + 1));
    if (kept == NULL) return;
    if (in->to->relaxed_count > 0) memcpy(kept, list, sizeof *kept * in->to->relaxed_count);
    in->to->relaxed = kept;
}

static void take_room(struct reader *in)
{
    struct certificate *to = in->to;
    struct lines *lines = &in->lines;
    to->visit_words = (to->visit_count + 63) / 64 + 1;
    to->cut_words = (to->cut_count + 63) / 64 + 1;
    to->travel = line_memory(lines, sizeof *to->travel * to->place_count * to->place_count);
    to->technicians = line_memory(lines, sizeof *to->technicians * (to->technician_count + 1));
    to->visits = line_memory(lines, sizeof *to->visits * (to->visit_count + 1));
    to->cuts = line_memory(lines, sizeof *to->cuts * (to->cut_count + 1));
    to->routes = line_memory(lines, sizeof *to->routes * (to->technician_count + 1));
    to->unserved = line_memory(lines, to->visit_count + 1);
    in->technicians = line_memory(lines, sizeof *in->technicians * (to->technician_count + 1));
    in->visits = line_memory(lines, sizeof *in->visits * (to->visit_count + 1));
}

static void read_head(struct reader *in)
{
    struct certificate *to = in->to;
    read_version(in);
    line_begin(&in->lines, "fine");
    to->fine = line_number(&in->lines, "fine", 1, 1000000);
    line_over(&in->lines);
    line_begin(&in->lines, "day");
    to->day = line_number(&in->lines, "day", -1000000, 1000000);
    line_over(&in->lines);
    read_policy(in);
    line_begin(&in->lines, "sizes");
    to->technician_count = (uint32_t)keyed(in, "technicians", 0, CERTIFICATE_TECHNICIANS_MAX);
    to->visit_count = (uint32_t)keyed(in, "visits", 0, CERTIFICATE_VISITS_MAX);
    to->place_count = (uint32_t)keyed(in, "places", 0, CERTIFICATE_PLACES_MAX);
    to->cut_count = (uint32_t)keyed(in, "cuts", 0, CERTIFICATE_CUTS_MAX);
    line_over(&in->lines);
    read_relaxed(in);
    if ((size_t)to->place_count * to->place_count > (size_t)(in->lines.end - in->lines.at))
        line_wrong(&in->lines, ERR_INVALID, "the travel times of %u places are not all there",
                   to->place_count);
    take_room(in);
}

static void read_travel(struct reader *in)
{
    uint32_t count = in->to->place_count;
    for (uint32_t from = 0; from < count && in->lines.err == ERR_OK; from++) {
        line_begin(&in->lines, "travel");
        for (uint32_t to = 0; to < count && in->lines.err == ERR_OK; to++)
            in->to->travel[(size_t)from * count + to] = (int32_t)length(in, "a travel time");
        line_over(&in->lines);
    }
}

/* --- the instance ---------------------------------------------------------------------------- */

static enum cert_order order_keyed(struct reader *in)
{
    if (!line_takes(&in->lines, "order")) return CERT_ORDER_FREE;
    if (line_takes(&in->lines, "in_time")) return CERT_ORDER_IN_TIME;
    line_expect(&in->lines, "fixed");
    return CERT_ORDER_FIXED;
}

static void read_technician(struct reader *in, uint32_t index)
{
    struct cert_technician *who = &in->to->technicians[index];
    line_begin(&in->lines, "technician");
    who->id = line_word(&in->lines, "the id of the technician");
    who->from = place(in, "from");
    who->to = place(in, "to");
    who->available = keyed(in, "available", -NEVER_S, NEVER_S);
    who->shift_end = keyed(in, "shift_end", -NEVER_S, NEVER_S);
    who->latest_end = keyed(in, "latest_end", -NEVER_S, NEVER_S);
    if (line_takes(&in->lines, "break")) {
        who->break_earliest = seconds(in, "break");
        who->break_latest = seconds(in, "break");
        who->break_length = line_number(&in->lines, "break", 1, NEVER_S);
    }
    who->leg_max = if_keyed(in, "leg_max", 0, NEVER_S, CERTIFICATE_UNLIMITED);
    who->travel_max = if_keyed(in, "travel_max", 0, 2 * NEVER_S, CERTIFICATE_UNLIMITED);
    who->capacity = if_keyed(in, "capacity", 0, 2 * NEVER_S, CERTIFICATE_UNLIMITED);
    who->order = order_keyed(in);
    who->skills = skills_keyed(in, "skill");
    line_over(&in->lines);
}

static const struct cert_span anytime = {-NEVER_S, NEVER_S};

static void read_windows(struct reader *in, struct cert_visit *visit)
{
    if (line_takes(&in->lines, "never")) return;
    visit->windows = spans_keyed(in, "window");
    if (visit->windows.count == 0) visit->windows = (struct cert_spans){&anytime, 1};
}

static void read_plan_in_force(struct reader *in, struct cert_visit *visit)
{
    visit->with = CERTIFICATE_NONE;
    if (line_takes(&in->lines, "with")) {
        const char *id = line_word(&in->lines, "with");
        uint32_t found = id == NULL ? 0 : names_find(in->technicians, in->to->technician_count, id);
        visit->with = found == UINT32_MAX ? CERTIFICATE_STRANGER : found;
    }
    if (line_takes(&in->lines, "planned")) {
        visit->planned = true;
        visit->planned_start = seconds(in, "planned");
        visit->position = line_number(&in->lines, "planned", 0, UINT32_MAX);
    }
    if (line_takes(&in->lines, "told")) {
        visit->told_technician = price(in, "told");
        visit->told_start = price(in, "told");
    }
    visit->frozen = line_takes(&in->lines, "frozen");
    visit->pinned = line_takes(&in->lines, "pinned") || visit->frozen;
    visit->emergency = line_takes(&in->lines, "emergency");
    visit->stretched = if_keyed(in, "stretched", 0, NEVER_S, 0);
}

static void read_visit(struct reader *in, uint32_t index)
{
    struct cert_visit *visit = &in->to->visits[index];
    line_begin(&in->lines, "visit");
    visit->id = line_word(&in->lines, "the id of the visit");
    visit->at = place(in, "at");
    visit->service = keyed(in, "service", 0, NEVER_S);
    visit->load = keyed(in, "load", 0, NEVER_S);
    visit->unserved = keyed(in, "unserved", 0, CERTIFICATE_PRICE_MAX);
    read_windows(in, visit);
    visit->due = spans_keyed(in, "due");
    visit->best = spans_keyed(in, "best");
    visit->needs = skills_keyed(in, "needs");
    any_keyed(in, visit);
    visit->only = names_keyed(in, "only");
    visit->not_by = names_keyed(in, "not");
    visit->rather = names_keyed(in, "rather");
    read_plan_in_force(in, visit);
    line_over(&in->lines);
}

static void read_near(struct reader *in, uint32_t index)
{
    struct cert_visit *visit = &in->to->visits[index];
    uint64_t *set = set_empty(in);
    line_begin(&in->lines, "near");
    in_order(in, "visit", visit->id);
    while (line_more(&in->lines) && set != NULL)
        certificate_add(set, visit_named(in));
    visit->near = set;
}

static bool names_known(struct reader *in, struct name *names, uint32_t count)
{
    if (in->lines.err != ERR_OK) return false;
    const struct name *twice = names_sort(names, count);
    if (twice == NULL) return true;
    return line_wrong(&in->lines, ERR_INVALID, "two have the id %.60s", twice->id);
}

static void read_instance(struct reader *in)
{
    struct certificate *to = in->to;
    for (uint32_t t = 0; t < to->technician_count && in->lines.err == ERR_OK; t++) {
        read_technician(in, t);
        in->technicians[t] = (struct name){to->technicians[t].id, t};
    }
    if (!names_known(in, in->technicians, to->technician_count)) return;
    for (uint32_t v = 0; v < to->visit_count && in->lines.err == ERR_OK; v++) {
        read_visit(in, v);
        in->visits[v] = (struct name){to->visits[v].id, v};
    }
    if (!names_known(in, in->visits, to->visit_count)) return;
    for (uint32_t v = 0; v < to->visit_count && in->lines.err == ERR_OK; v++)
        read_near(in, v);
}

/* --- the plan -------------------------------------------------------------------------------- */

static bool break_before(struct reader *in, int64_t *start)
{
    if (!line_begins(&in->lines, "break")) return false;
    *start = seconds(in, "break");
    line_over(&in->lines);
    return true;
}

static void read_route(struct reader *in, uint32_t index)
{
    struct cert_route *route = &in->to->routes[index];
    line_begin(&in->lines, "route");
    route->line = in->lines.number;
    in_order(in, "technician", in->to->technicians[index].id);
    route->stop_count = (uint32_t)keyed(in, "stops", 0, CERTIFICATE_ROUTE_MAX);
    route->travel = keyed(in, "travel", 0, 2 * CERTIFICATE_PRICE_MAX);
    route->overtime = keyed(in, "overtime", 0, NEVER_S);
    route->cost = keyed(in, "cost", 0, CERTIFICATE_PRICE_MAX);
    line_over(&in->lines);
    struct cert_stop *stops = line_memory(&in->lines, sizeof *stops * (route->stop_count + 1));
    for (uint32_t i = 0; i < route->stop_count && in->lines.err == ERR_OK; i++) {
        stops[i].rests = break_before(in, &stops[i].break_start);
        line_begin(&in->lines, "stop");
        stops[i].line = in->lines.number;
        stops[i].visit = visit_named(in);
        stops[i].arrival = keyed(in, "arrival", -NEVER_S, NEVER_S);
        stops[i].start = keyed(in, "start", -NEVER_S, NEVER_S);
        stops[i].departure = keyed(in, "departure", -NEVER_S, 2 * NEVER_S);
        line_over(&in->lines);
    }
    route->stops = stops;
    route->rests = break_before(in, &route->break_start);
    line_begin(&in->lines, "home");
    route->home = line_number(&in->lines, "home", -NEVER_S, 4 * NEVER_S);
    line_over(&in->lines);
}

static void read_unserved(struct reader *in)
{
    while (line_begins(&in->lines, "unserved")) {
        uint32_t visit = visit_named(in);
        line_over(&in->lines);
        if (in->lines.err != ERR_OK) return;
        if (in->to->unserved[visit]) line_wrong(&in->lines, ERR_INVALID, "says so twice");
        in->to->unserved[visit] = true;
    }
}

static void read_cost(struct reader *in)
{
    struct cert_parts *parts = &in->to->parts;
    line_begin(&in->lines, "cost");
    parts->travel = keyed(in, "travel", 0, CERTIFICATE_PRICE_MAX);
    parts->overtime = keyed(in, "overtime", 0, CERTIFICATE_PRICE_MAX);
    parts->lateness = keyed(in, "lateness", 0, CERTIFICATE_PRICE_MAX);
    parts->preferred_window = keyed(in, "preferred_window", 0, CERTIFICATE_PRICE_MAX);
    parts->preferred_technician = keyed(in, "preferred_technician", 0, CERTIFICATE_PRICE_MAX);
    parts->change_technician = keyed(in, "change_technician", 0, CERTIFICATE_PRICE_MAX);
    parts->change_start = keyed(in, "change_start", 0, CERTIFICATE_PRICE_MAX);
    parts->idle = keyed(in, "idle", 0, CERTIFICATE_PRICE_MAX);
    parts->unserved = keyed(in, "unserved", 0, CERTIFICATE_DUAL_MAX);
    line_over(&in->lines);
    line_begin(&in->lines, "objective");
    in->to->objective = line_number(&in->lines, "objective", 0, CERTIFICATE_DUAL_MAX);
    line_over(&in->lines);
}

static void read_plan(struct reader *in)
{
    for (uint32_t t = 0; t < in->to->technician_count && in->lines.err == ERR_OK; t++)
        read_route(in, t);
    read_unserved(in);
    read_cost(in);
}

/* --- the proof ------------------------------------------------------------------------------- */

static void read_cut(struct reader *in, uint32_t index)
{
    struct cert_cut *cut = &in->to->cuts[index];
    uint64_t *set = set_empty(in);
    line_begin(&in->lines, "cut");
    cut->dual = dual(in, "the dual of the cut");
    cut->sum = sum_so_far(in);
    line_expect(&in->lines, "of");
    while (line_more(&in->lines) && set != NULL && !line_takes(&in->lines, "memory")) {
        if (cut->member_count == CERTIFICATE_CUT_MEMBERS_MAX) {
            line_wrong(&in->lines, ERR_TOO_LARGE, "has more than %d members",
                       CERTIFICATE_CUT_MEMBERS_MAX);
            return;
        }
        uint32_t member = visit_named(in);
        if (in->lines.err == ERR_OK && certificate_has(set, member))
            line_wrong(&in->lines, ERR_INVALID, "names a member twice");
        certificate_add(set, member);
        cut->members[cut->member_count++] = member;
    }
    while (line_more(&in->lines) && set != NULL)
        certificate_add(set, visit_named(in));
    cut->memory = set;
}

static void read_duals(struct reader *in)
{
    struct certificate *to = in->to;
    for (uint32_t v = 0; v < to->visit_count && in->lines.err == ERR_OK; v++) {
        line_begin(&in->lines, "dual");
        line_expect(&in->lines, "visit");
        in_order(in, "visit", to->visits[v].id);
        to->visits[v].dual = dual(in, "the dual");
        to->visits[v].sum = sum_so_far(in);
        line_over(&in->lines);
    }
    for (uint32_t t = 0; t < to->technician_count && in->lines.err == ERR_OK; t++) {
        line_begin(&in->lines, "dual");
        line_expect(&in->lines, "technician");
        in_order(in, "technician", to->technicians[t].id);
        to->technicians[t].dual = dual(in, "the dual");
        to->technicians[t].sum = sum_so_far(in);
        line_over(&in->lines);
    }
    for (uint32_t c = 0; c < to->cut_count && in->lines.err == ERR_OK; c++)
        read_cut(in, c);
}

/* "KEY NUMBER", alone in its line. */
static int64_t figure(struct reader *in, const char *key, int64_t max)
{
    line_begin(&in->lines, key);
    int64_t value = line_number(&in->lines, key, -max, max);
    line_over(&in->lines);
    return value;
}

static void read_proof(struct reader *in)
{
    const int64_t max = 100 * CERTIFICATE_DUAL_MAX;
    struct certificate *to = in->to;
    read_duals(in);
    line_begin(&in->lines, "sum");
    to->visits_sum = keyed(in, "visits", -max, max);
    to->technicians_sum = keyed(in, "technicians", -max, max);
    to->cuts_sum = keyed(in, "cuts", -max, max);
    line_over(&in->lines);
    to->bound = figure(in, "bound", max);
    read_parts(&in->lines, to, in->technicians, in->visits);
    to->lower_bound = figure(in, "lower_bound", max);
    to->hopeless = figure(in, "hopeless", max);
    to->gap = figure(in, "gap", max);
    line_begin(&in->lines, "end");
    line_over(&in->lines);
    if (in->lines.err == ERR_OK && in->lines.at != in->lines.end) {
        in->lines.number++;
        line_wrong(&in->lines, ERR_INVALID, "stands behind the end");
    }
}

/* --- what follows from it -------------------------------------------------------------------- */

static bool goes_before(const struct cert_visit *a, const struct cert_visit *b)
{
    if (a->planned_start != b->planned_start) return a->planned_start < b->planned_start;
    return a->position < b->position;
}

/* Only what somebody of the instance has can be frozen; a technician's are in order of their
 * planned starts, then positions, then as they stand in the text. */
static void find_frozen(struct reader *in)
{
    struct certificate *to = in->to;
    for (uint32_t v = 0; v < to->visit_count; v++) {
        struct cert_visit *visit = &to->visits[v];
        visit->frozen = visit->frozen && visit->planned && visit->with < to->technician_count;
        if (visit->frozen) to->technicians[visit->with].frozen_count++;
    }
    for (uint32_t t = 0; t < to->technician_count; t++) {
        struct cert_technician *who = &to->technicians[t];
        uint32_t *list = line_memory(&in->lines, sizeof *list * (who->frozen_count + 1)), count = 0;
        if (list == NULL) return;
        for (uint32_t v = 0; v < to->visit_count && who->frozen_count > 0; v++) {
            if (!to->visits[v].frozen || to->visits[v].with != t) continue;
            uint32_t at = count++;
            for (; at > 0 && goes_before(&to->visits[v], &to->visits[list[at - 1]]); at--)
                list[at] = list[at - 1];
            list[at] = v;
        }
        who->frozen = list;
    }
}

enum err certificate_read(struct certificate *certificate, const char *text, size_t size,
                          struct arena *memory, struct problem *problem)
{
    struct reader in = {.to = certificate};
    *certificate = (struct certificate){.memory = memory};
    lines_open(&in.lines, text, size, memory, problem);
    read_head(&in);
    read_travel(&in);
    read_instance(&in);
    read_plan(&in);
    read_proof(&in);
    if (in.lines.err == ERR_OK) find_frozen(&in);
    return in.lines.err;
}
