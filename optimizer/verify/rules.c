/* rules.c - what the lines of a certificate mean for one technician and one visit. */
#include "optimizer/verify/verify_impl.h"

#include <string.h>

static bool has_skill(const struct cert_technician *who, const struct cert_skill *need)
{
    for (uint32_t i = 0; i < who->skills.count; i++) {
        const struct cert_skill *own = &who->skills.items[i];
        if (strcmp(own->name, need->name) == 0 && own->level >= need->level) return true;
    }
    return false;
}

static bool has_all(const struct cert_technician *who, const struct cert_skills *needs)
{
    for (uint32_t i = 0; i < needs->count; i++) {
        if (!has_skill(who, &needs->items[i])) return false;
    }
    return true;
}

static bool has_one(const struct cert_technician *who, const struct cert_skills *choice)
{
    for (uint32_t i = 0; i < choice->count; i++) {
        if (has_skill(who, &choice->items[i])) return true;
    }
    return choice->count == 0;
}

static bool names_him(const struct cert_names *names, const char *id)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], id) == 0) return true;
    }
    return false;
}

bool rule_stays(const struct certificate *in, uint32_t v)
{
    const struct cert_visit *visit = &in->visits[v];
    return visit->pinned && visit->planned && visit->with < in->technician_count;
}

bool rule_may_serve(const struct certificate *in, uint32_t technician, uint32_t v)
{
    const struct cert_visit *visit = &in->visits[v];
    const struct cert_technician *who = &in->technicians[technician];
    if (visit->pinned && visit->with != CERTIFICATE_NONE) {
        if (visit->with != technician) return false;
        if (visit->planned) return true; /* it is with him, whatever it asks */
    }
    if (visit->only.count > 0 && !names_him(&visit->only, who->id)) return false;
    if (names_him(&visit->not_by, who->id) || !has_all(who, &visit->needs)) return false;
    for (uint32_t i = 0; i < visit->any_count; i++) {
        if (!has_one(who, &visit->any[i])) return false;
    }
    return true;
}

bool rule_frozen_out(const struct certificate *in, uint32_t technician, uint32_t v)
{
    const struct cert_visit *visit = &in->visits[v];
    bool his = visit->planned && visit->with == technician;
    return in->technicians[technician].frozen_count > 0 && !his && !visit->emergency;
}

int64_t rule_start(const struct cert_visit *visit, int64_t at)
{
    for (uint32_t i = 0; i < visit->windows.count; i++) {
        const struct cert_span *window = &visit->windows.items[i];
        if (at <= window->close) return at > window->open ? at : window->open;
    }
    return CERTIFICATE_UNLIMITED;
}

int64_t rule_who_price(const struct certificate *in, uint32_t technician, uint32_t v)
{
    const struct cert_visit *visit = &in->visits[v];
    bool his = visit->planned && visit->with == technician;
    bool other =
        visit->rather.count > 0 && !names_him(&visit->rather, in->technicians[technician].id);
    return (his ? 0 : visit->told_technician) + (other ? in->policy.preferred_technician : 0);
}

struct start_price rule_start_price(const struct certificate *in, uint32_t v, int64_t start)
{
    const struct cert_visit *visit = &in->visits[v];
    struct start_price price = {0, 0, 0};
    int64_t late = 0, moved = start - visit->planned_start;
    for (uint32_t i = 0; i < visit->due.count; i++) {
        if (start >= visit->due.items[i].open) late = start - visit->due.items[i].close;
    }
    if (late > 0) price.lateness = late * in->policy.lateness_percent / 100;
    bool liked = visit->best.count == 0;
    for (uint32_t i = 0; i < visit->best.count; i++)
        liked |= start >= visit->best.items[i].open && start <= visit->best.items[i].close;
    if (!liked) price.preferred_window = in->policy.preferred_window;
    if (moved > in->policy.tolerance || moved < -in->policy.tolerance)
        price.change_start = visit->told_start;
    return price;
}

int64_t rule_overtime_price(const struct cert_policy *policy, int64_t overtime)
{
    if (policy->tier_s == 0 || overtime <= policy->tier_s)
        return overtime * policy->overtime_percent / 100;
    return (policy->tier_s * policy->overtime_percent +
            (overtime - policy->tier_s) * policy->tier_percent) /
           100;
}

int64_t rule_travel_price(const struct cert_policy *policy, int64_t travel)
{
    return travel * policy->travel_percent / 100;
}

int64_t rule_rested(const struct cert_technician *who, int64_t left, int64_t leg)
{
    if (who->break_length == 0 || left > who->break_latest) return CERTIFICATE_UNLIMITED;
    int64_t there = left + leg;
    return (there > who->break_earliest ? there : who->break_earliest) + who->break_length;
}
