/* blank_order.h - a work order without a customer, a site and words: what a test does not care for.
 */
#ifndef CALLOUT_TESTS_BLANK_ORDER_H
#define CALLOUT_TESTS_BLANK_ORDER_H

#include "dispatcher/core/fact.h"

static inline struct fact_work_order blank_order(const char *id, const char *territory_id)
{
    return (struct fact_work_order){
        .work_order_id = id,
        .territory_id = territory_id,
        .external_id = "",
        .customer_id = "",
        .customer_name = "",
        .customer_locale = "",
        .customer_external_id = "",
        .contact_id = "",
        .contact_name = "",
        .contact_phone = "",
        .contact_email = "",
        .site_id = "",
        .address = "",
        .access_note = "",
        .site_time_zone = "",
        .asset_id = "",
        .work_type = "",
        .note = "",
    };
}

#endif
