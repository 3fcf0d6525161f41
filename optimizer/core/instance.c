#include "optimizer/core/instance.h"

#include "base/check.h"

#include <string.h>

static const int32_t FAR_S = 500000000; /* times further from the day than this are cut to it */

static int32_t clamp(int64_t seconds)
{
    if (seconds > FAR_S) return FAR_S;
    return seconds < -FAR_S ? -FAR_S : (int32_t)seconds;
}

static int64_t since_base_us(const struct workday *day, int64_t time_us)
{
    int64_t base_us = day->service_day * INT64_C(86400000000);
    if (time_us < INT64_MIN / 2) return INT64_MIN / 2;
    return time_us > INT64_MAX / 2 ? INT64_MAX / 2 : time_us - base_us;
}

static int32_t seconds_down(const struct workday *day, int64_t time_us)
{
    int64_t us = since_base_us(day, time_us);
    return clamp(us >= 0 ? us / 1000000 : -((-us + 999999) / 1000000));
}

static int32_t seconds_up(const struct workday *day, int64_t time_us)
{
    int64_t us = since_base_us(day, time_us);
    return clamp(us >= 0 ? (us + 999999) / 1000000 : -(-us / 1000000));
}

int32_t node_leave_later(const struct instance *in, const struct node *node, int32_t arrival)
{
    for (uint32_t i = 0; i < node->span_count; i++) {
        struct span span = in->spans[node->span_at + i];
        if (arrival <= span.close)
            return (arrival > span.open ? arrival : span.open) + node->service;
    }
    return NEVER;
}

int32_t node_latest_later(const struct instance *in, const struct node *node, int32_t start)
{
    int32_t latest = node->close;
    for (uint32_t i = 0; i < node->span_count; i++) {
        struct span span = in->spans[node->span_at + i];
        if (start < span.open) break;
        latest = start < span.close ? start : span.close;
    }
    return latest;
}

/* --- technicians --- */

static uint64_t id_hash(const char *id)
{
    struct digest digest = digest_start();
    digest_bytes(&digest, id, strlen(id));
    return digest.state | 1;
}

static void technician_fill(struct technician *out, const struct workday *day, uint32_t slot)
{
    const struct technician_slot *from = &day->technicians[slot];
    const struct route_day *times = &from->day;
    int64_t available = times->available_us > day->now_us ? times->available_us : day->now_us;
    *out = (struct technician){
        .available = seconds_up(day, available),
        .shift_end = seconds_down(day, times->shift_end_us),
        .latest_end = seconds_up(day, times->shift_end_us + times->overtime_us_max),
        .break_latest = NOWAY,
        .leg_max = times->leg_s_max > 0 ? times->leg_s_max : INT32_MAX,
        .travel_max = times->travel_s_max > 0 ? times->travel_s_max : INT32_MAX,
        .start = (uint16_t)from->start,
        .end = (uint16_t)from->end,
        .capacity = from->capacity > 0 ? from->capacity : UNLIMITED,
        .changes_left = from->changes_limited ? from->changes_left : UNLIMITED,
        .order = from->keeps_order ? ORDER_FIXED : ORDER_FREE,
        .tried = from->tried,
        .slot = slot,
        .hash = id_hash(from->id),
    };
    if (times->break_us > 0) {
        out->break_earliest = seconds_up(day, times->break_earliest_us);
        out->break_latest = seconds_down(day, times->break_latest_us);
        out->break_length = clamp((times->break_us + 999999) / 1000000);
    }
}

/* Does the list name the technician of this slot? */
static bool named(const struct named_set *set, uint32_t slot)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->slots[i] == slot) return true;
    }
    return false;
}

/* Whom a need allows, and whom it would rather have. */
static void need_match(struct instance *in, const struct workday *day, uint32_t need)
{
    const struct need_set *set = &day->needs[need];
    uint8_t *can = in->can + (size_t)need * in->technician_count;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        uint32_t slot = in->technicians[t].slot;
        const struct technician_slot *from = &day->technicians[slot];
        bool serves =
            (set->required.count == 0 || named(&set->required, slot)) &&
            !named(&set->excluded, slot) &&
            skills_cover(from->skills, from->skill_count, set->skills, set->count) &&
            skills_cover_choices(from->skills, from->skill_count, set->choices, set->choice_count);
        bool other = set->preferred.count > 0 && !named(&set->preferred, slot);
        can[t] = (uint8_t)((serves ? CAN_SERVE : 0) | (other ? CAN_BUT_NOT_PREFERRED : 0));
    }
}

static void technicians_build(struct instance *in, const struct workday *day, struct arena *arena)
{
    in->technicians = arena_need(arena, sizeof *in->technicians * (day->technician_count + 1));
    in->technician_of_slot =
        arena_need(arena, sizeof *in->technician_of_slot * (day->technician_count + 1));
    for (uint32_t i = 0; i < day->technician_count; i++) {
        uint32_t slot = day->technician_order[i];
        in->technician_of_slot[slot] = NO_INDEX;
        if (!day->technicians[slot].working) continue;
        in->technician_of_slot[slot] = in->technician_count;
        technician_fill(&in->technicians[in->technician_count++], day, slot);
    }
    in->need_count = day->need_count;
    in->can = arena_need(arena, (size_t)in->need_count * in->technician_count + 1);
    for (uint32_t need = 0; need < in->need_count; need++)
        need_match(in, day, need);
}

/* --- visits --- */

/* The latest whole second within a window that ends so. The window of a pinned visit may end with
 * the very microsecond that delay makes of it; it is rounded up as that time itself is. */
static int32_t window_close(const struct workday *day, int64_t end_us, bool pinned)
{
    return pinned ? seconds_up(day, end_us) : seconds_down(day, end_us);
}

/* Each window goes on as late as it may, but not into the next one. */
static int32_t close_late(const struct workday *day, const struct route_visit *visit, uint32_t i,
                          bool pinned)
{
    int32_t close = window_close(day, visit->windows[i].end_us + visit->late_us_max, pinned);
    if (visit->late_us_max == 0 || i + 1 == visit->window_count) return close;
    int32_t next = seconds_up(day, visit->windows[i + 1].start_us) - 1;
    return close < next ? close : next;
}

/* The windows as far as they lie after `not_before`, the first in the node, the rest as spans. */
static void windows_fill(struct instance *in, struct node *node, const struct workday *day,
                         const struct route_visit *visit, bool pinned, uint32_t *spans_used)
{
    int32_t not_before = visit->not_before_us == 0 ? -FAR_S : seconds_up(day, visit->not_before_us);
    node->open = not_before;
    node->close = visit->window_count == 0 ? NEVER - 1 : NOWAY;
    node->span_at = *spans_used;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < visit->window_count; i++) {
        struct span span = {seconds_up(day, visit->windows[i].start_us),
                            close_late(day, visit, i, pinned)};
        if (span.open < not_before) span.open = not_before;
        if (span.close < span.open) continue;
        if (kept++ == 0) {
            node->open = span.open;
            node->close = span.close;
        } else {
            in->spans[(*spans_used)++] = span;
            node->span_count++;
        }
    }
    node->last_close =
        node->span_count == 0 ? node->close : in->spans[node->span_at + node->span_count - 1].close;
}

static uint32_t spans_add(struct instance *in, const struct workday *day,
                          const struct window *windows, uint32_t count, bool pinned,
                          uint32_t *spans_used)
{
    uint32_t at = *spans_used;
    for (uint32_t i = 0; i < count; i++)
        in->spans[(*spans_used)++] = (struct span){seconds_up(day, windows[i].start_us),
                                                   window_close(day, windows[i].end_us, pinned)};
    return at;
}

static void wish_fill(struct instance *in, uint32_t rank, const struct workday *day,
                      const struct route_visit *visit, bool pinned, uint32_t *spans_used)
{
    bool late = visit->late_us_max > 0 && visit->window_count > 0;
    bool prefers = visit->preferred_count > 0 && in->policy.preferred_window_missed_s > 0;
    struct wish *wish = &in->wishes[rank];
    *wish = (struct wish){.due_count = late ? visit->window_count : 0,
                          .preferred_count = prefers ? visit->preferred_count : 0};
    wish->due_at = spans_add(in, day, visit->windows, wish->due_count, pinned, spans_used);
    wish->preferred_at =
        spans_add(in, day, visit->preferred, wish->preferred_count, false, spans_used);
    in->nodes[rank].soft = late || prefers;
}

int32_t instance_start_price(const struct instance *in, uint32_t visit, int32_t start)
{
    const struct wish *wish = &in->wishes[visit];
    const struct span *due = in->spans + wish->due_at, *span = in->spans + wish->preferred_at;
    int32_t late = 0;
    for (uint32_t i = 0; i < wish->due_count && start >= due[i].open; i++)
        late = start - due[i].close;
    int64_t price = late > 0 ? (int64_t)late * in->policy.lateness_price_percent / 100 : INT64_C(0);
    bool liked = wish->preferred_count == 0;
    for (uint32_t i = 0; i < wish->preferred_count && !liked; i++)
        liked = start >= span[i].open && start <= span[i].close;
    return part_price(price + (liked ? 0 : in->policy.preferred_window_missed_s));
}

static void change_prices(struct node *node, const struct workday *day,
                          const struct visit_slot *visit)
{
    node->planned = seconds_down(day, visit->planned_start_us);
    if (!visit->published || visit->planned_start_us == 0) return;
    int64_t until_us = visit->planned_start_us - day->now_us;
    node->change_technician = policy_change_technician_s(&day->policy, until_us);
    node->change_start = policy_change_start_s(&day->policy, until_us);
}

static void visit_fill(struct instance *in, uint32_t rank, const struct workday *day, uint32_t slot,
                       uint32_t *spans_used)
{
    const struct visit_slot *visit = &day->visits[slot];
    uint32_t named =
        visit->technician == NO_INDEX ? NO_INDEX : in->technician_of_slot[visit->technician];
    struct node *node = &in->nodes[rank];
    *node = (struct node){
        .service = clamp((visit->visit.service_us + 999999) / 1000000),
        .load = visit->load,
        .place = (uint16_t)visit->place,
        .need = (uint16_t)visit->need,
        .pinned = NO_INDEX,
        .home = visit->planned_start_us != 0 ? named : NO_INDEX,
        .position = visit->position,
        .stretched = clamp((visit->visit.stretched_us + 999999) / 1000000),
        .price = (int32_t)visit->priority * day->policy.unserved_s_per_priority,
        .emergency = visit->emergency,
        .changed_hands = visit->changed_hands,
        .left_out = visit->left_out,
        .slot = slot,
        .hash = id_hash(visit->id),
    };
    bool pinned = visit->mobility != VISIT_MOVABLE;
    windows_fill(in, node, day, &visit->visit, pinned, spans_used);
    wish_fill(in, rank, day, &visit->visit, pinned, spans_used);
    change_prices(node, day, visit);
    if (pinned && visit->technician != NO_INDEX) {
        node->pinned = named == NO_INDEX ? NOBODY : named;
        node->frozen = visit->mobility == VISIT_FROZEN && node->home != NO_INDEX;
        bool placed = node->home != NO_INDEX && node->home == node->pinned;
        node->price += placed ? PLACED_EXTRA_S : PINNED_EXTRA_S;
    }
}

/* --- what must stay --- */

static int32_t min_s(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

bool instance_before(const struct instance *in, uint32_t a, uint32_t b)
{
    const struct node *left = &in->nodes[a], *right = &in->nodes[b];
    if (left->frozen != right->frozen) return left->frozen;
    if (left->planned != right->planned) return left->planned < right->planned;
    if (left->position != right->position) return left->position < right->position;
    return a < b;
}

/* The pinned visits that `technician` has already, frozen ones first, in their order. */
static uint32_t pinned_collect(const struct instance *in, uint32_t technician, uint16_t *list)
{
    uint32_t count = 0;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        const struct node *node = &in->nodes[v];
        if (node->home != technician || node->pinned != technician) continue;
        if (count == in->route_max) break;
        uint32_t at = count++;
        for (; at > 0 && instance_before(in, v, list[at - 1]); at--)
            list[at] = list[at - 1];
        list[at] = (uint16_t)v;
    }
    return count;
}

/* Its last window ends when one who cannot be sooner gets there; gaps before it stay gaps. */
static void last_window_stretch(struct instance *in, struct node *node, int32_t arrival)
{
    if (node->span_count > 0)
        in->spans[node->span_at + node->span_count - 1].close = arrival;
    else
        node->close = arrival > node->open ? arrival : node->open;
    node->last_close = node->span_count > 0 ? arrival : node->close;
}

static void leg_allow(struct technician *technician, int32_t leg, int32_t *travel)
{
    *travel += leg;
    if (technician->leg_max < leg) technician->leg_max = leg;
    if (technician->travel_max < *travel) technician->travel_max = *travel;
}

/* Walks them by the rules of route.h, with nothing in between, and widens whatever is against it.
 */
static void pinned_fit(struct instance *in, struct technician *technician, const uint16_t *list,
                       uint32_t count)
{
    bool has_break = technician->break_length > 0;
    int32_t ahead = has_break ? technician->available : NEVER;
    int32_t behind = has_break ? NEVER : technician->available;
    uint32_t at = technician->start;
    int32_t load = 0, travel = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct node *node = &in->nodes[list[i]];
        load += node->load;
        int32_t leg = instance_travel(in, at, node->place);
        leg_allow(technician, leg, &travel);
        int32_t late = min_s(behind + leg, rested(technician, ahead, leg));
        int32_t early = ahead + leg;
        ahead = node_leave(in, node, early);
        behind = node_leave(in, node, late);
        if (min_s(ahead, behind) >= NEVER) {
            last_window_stretch(in, node, min_s(early, late));
            ahead = node_leave(in, node, early);
            behind = node_leave(in, node, late);
        }
        at = node->place;
    }
    int32_t home = instance_travel(in, at, technician->end);
    leg_allow(technician, home, &travel);
    int32_t end = min_s(behind + home, rested(technician, ahead, home));
    if (end >= NEVER) { /* they leave no room for the break */
        technician->break_length = technician->break_earliest = 0;
        technician->break_latest = NOWAY;
        pinned_fit(in, technician, list, count);
        return;
    }
    if (end > technician->latest_end) technician->latest_end = end;
    if (load > technician->capacity) technician->capacity = load;
}

static void pinned_build(struct instance *in, struct arena *arena)
{
    uint32_t *pinned = arena_need(arena, sizeof *pinned * (in->technician_count + 1));
    for (uint32_t v = 0; v < in->visit_count; v++) {
        const struct node *node = &in->nodes[v];
        if (node->home == NO_INDEX || node->pinned != node->home) continue;
        struct technician *technician = &in->technicians[node->home];
        pinned[node->home]++;
        technician->frozen += node->frozen;
        if (node->stretched > 0 && technician->order == ORDER_FREE)
            technician->order = ORDER_IN_TIME;
    }
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (pinned[t] == 0) continue;
        uint16_t list[LIMIT_STOPS_PER_ROUTE];
        pinned_fit(in, &in->technicians[t], list, pinned_collect(in, t, list));
    }
}

static bool plain_day(const struct instance *in)
{
    if (in->policy.travel_price_percent != 100 || in->policy.preferred_technician_missed_s > 0)
        return false;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        const struct technician *who = &in->technicians[t];
        if (who->break_length > 0 || who->frozen > 0 || who->latest_end > who->shift_end ||
            who->leg_max < INT32_MAX || who->travel_max < INT32_MAX)
            return false;
    }
    for (uint32_t v = 0; v < in->visit_count; v++) {
        const struct node *node = &in->nodes[v];
        if (node->soft || node->span_count > 0 || node->change_technician > 0 ||
            node->change_start > 0)
            return false;
    }
    return true;
}

/* Whatever of a technician counts in route_refresh or instance_allows. */
static bool are_alike(const struct instance *in, uint32_t a, uint32_t b)
{
    const struct technician *one = &in->technicians[a], *other = &in->technicians[b];
    if (one->start != other->start || one->end != other->end ||
        one->available != other->available || one->latest_end != other->latest_end ||
        one->shift_end != other->shift_end || one->capacity != other->capacity ||
        one->leg_max != other->leg_max || one->travel_max != other->travel_max ||
        one->changes_left != other->changes_left || one->break_earliest != other->break_earliest ||
        one->break_latest != other->break_latest || one->break_length != other->break_length)
        return false;
    for (uint32_t need = 0; need < in->need_count; need++) {
        const uint8_t *can = in->can + (size_t)need * in->technician_count;
        if (can[a] != can[b]) return false;
    }
    return true;
}

static void alike_build(struct instance *in, struct arena *arena)
{
    uint8_t *named = arena_need(arena, in->technician_count + 1);
    for (uint32_t v = 0; v < in->visit_count; v++) {
        const struct node *node = &in->nodes[v];
        if (node->pinned < in->technician_count) named[node->pinned] = 1;
        if (node->home < in->technician_count) named[node->home] = 1;
    }
    for (uint32_t t = 0; t < in->technician_count; t++) {
        in->technicians[t].alike = t;
        for (uint32_t other = 0; other < t && !named[t]; other++) {
            if (in->technicians[other].alike != other || named[other]) continue;
            if (!are_alike(in, other, t)) continue;
            in->technicians[t].alike = other;
            break;
        }
    }
}

void instance_build(struct instance *in, const struct workday *day, struct arena *arena)
{
    *in = (struct instance){
        .from = day->travel_from,
        .into = day->travel_into,
        .stride = day->place_cap,
        .place_count = day->place_count,
        .route_max = day->visits_per_route_max,
        .frozen_until = seconds_down(day, day->frozen_until_us),
        .hands_left = day->hands_limited ? (int32_t)day->hands_left : UNLIMITED,
        .tolerance = clamp(day->policy.change_start_tolerance_us / 1000000),
        .policy = day->policy,
    };
    technicians_build(in, day, arena);
    in->visit_count = day->visits_used;
    in->nodes = arena_need(arena, sizeof *in->nodes * (in->visit_count + 1));
    in->wishes = arena_need(arena, sizeof *in->wishes * (in->visit_count + 1));
    /* windows, and those of soft visits without lateness, and preferred ones */
    in->spans =
        arena_need(arena, sizeof *in->spans * in->visit_count * LIMIT_WINDOWS_PER_ORDER * 3 + 1);
    in->visit_of_slot = arena_need(arena, sizeof *in->visit_of_slot * (day->visit_count + 1));
    for (uint32_t i = 0; i < day->visit_count; i++)
        in->visit_of_slot[i] = NO_INDEX;
    uint32_t spans_used = 0;
    for (uint32_t rank = 0; rank < in->visit_count; rank++) {
        in->visit_of_slot[day->visit_order[rank]] = rank;
        visit_fill(in, rank, day, day->visit_order[rank], &spans_used);
    }
    CHECK(day->place_count < NO_VISIT && in->visit_count < NO_VISIT);
    pinned_build(in, arena);
    alike_build(in, arena);
    in->plain = plain_day(in);
}
