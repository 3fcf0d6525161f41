/* order.h - a good work order and a territory for it, for tests that change one thing of them.
 */
#ifndef CALLOUT_TESTS_HOSTILE_ORDER_H
#define CALLOUT_TESTS_HOSTILE_ORDER_H

#include "rig.h"

#define DAY "2026-11-23"
enum { MANY = 50000, HOUR_S = 3600 };

static char order_id[] = "W1", work_type[] = "repair", skill_name[] = "hvac";

static inline int64_t at_us(const char *utc)
{
    int64_t us = 0;
    assert_true(clock_parse_utc(utc, &us));
    return us;
}

/* A good work order; a row changes one thing of it. */
struct order {
    Callout__UpsertWorkOrderRequest request;
    Callout__WorkOrder work_order;
    Callout__Customer customer;
    Callout__Site site;
    Callout__Point point;
    Callout__ArrivalWindow window, *windows[1];
    Callout__Skill skill, *skills[LIMIT_SKILLS_PER_ENTITY + 1];
};

static inline void order_init(struct order *order)
{
    callout__upsert_work_order_request__init(&order->request);
    callout__work_order__init(&order->work_order);
    callout__customer__init(&order->customer);
    callout__site__init(&order->site);
    callout__point__init(&order->point);
    callout__arrival_window__init(&order->window);
    callout__skill__init(&order->skill);
    order->request.work_order = &order->work_order;
    order->work_order.work_order_id = order_id;
    order->work_order.territory_id = territory_id;
    order->work_order.work_type = work_type;
    order->work_order.service_seconds = 1800;
    order->work_order.priority = 3;
    order->work_order.customer = &order->customer;
    order->work_order.site = &order->site;
    order->site.site_id = borrowed("S1");
    order->site.address = borrowed("Feldweg 1");
    order->site.point = &order->point;
    order->point = (Callout__Point){order->point.base, 471400000, 95200000};
    order->window.start_us = at_us(DAY "T10:00:00Z");
    order->window.end_us = at_us(DAY "T12:00:00Z");
    order->windows[0] = &order->window;
    order->work_order.n_windows = 1;
    order->work_order.windows = order->windows;
    order->skill.name = skill_name;
    order->skill.level = 2;
    for (unsigned i = 0; i <= LIMIT_SKILLS_PER_ENTITY; i++)
        order->skills[i] = &order->skill;
    order->work_order.n_skills = 1;
    order->work_order.skills = order->skills;
}

static inline void upsert_territory(const char *zone, const char *const *skills, size_t count,
                                    struct got *got)
{
    static char *names[MANY];
    Callout__Territory territory;
    Callout__UpsertTerritoryRequest request;
    callout__territory__init(&territory);
    callout__upsert_territory_request__init(&request);
    for (size_t i = 0; i < count; i++)
        names[i] = borrowed(skills[i]);
    territory.territory_id = territory_id;
    territory.name = borrowed("North");
    territory.time_zone = borrowed(zone);
    request.territory = &territory;
    request.n_skill_names = count;
    request.skill_names = names;
    ask("UpsertTerritory", &request.base, got);
}

#endif
