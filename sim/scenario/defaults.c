/* defaults.c - what holds where a scenario's text says nothing: a small town with a service company
 * of usual hours and habits. The figures are made up but for the shape of a day: two peaks on the
 * roads, orders that come in the morning. */
#include "base/check.h"
#include "sim/scenario/fields.h"

enum { H = 3600, M = 60 };

#define ALL_HOURS(x)                                                                               \
    {                                                                                              \
        x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x                     \
    }

static const struct scenario usual = {
    .name = "unnamed",
    .time_zone = "Europe/Vaduz",
    .territory = "main",
    .first_day = 20780, /* 2026-11-23, a Monday */
    .days = 1,
    .town = {.center = {472000000, 95500000},
             .width_m = 12000,
             .height_m = 9000,
             .block_m = 250,
             .noise_percent = 40,
             .gaps_percent = 15,
             .main_every = 5,
             .side_kmh = 27,
             .main_kmh = 45,
             .centre_radius_m = 1800,
             .suburbs = 5,
             .suburb_radius_m = 1000,
             .centre_percent = 45,
             .country_percent = 5},
    .folder = {.orders_percent = 100, .technicians_percent = 100},
    .workforce = {.technicians = 8,
                  .second_skill_percent = 50,
                  .third_skill_percent = 20,
                  .level_percent = {20, 40, 40},
                  .weekday_percent = {100, 100, 100, 100, 100, 40, 20}},
    .demand = {.orders = 45,
               .known_percent = 75,
               .open_s = 8 * H,
               .close_s = 18 * H,
               .by_hour = {0, 0, 0, 0, 0, 1, 3, 8, 12, 14, 13, 11, 8, 9, 9, 7, 4, 1},
               .weekday_percent = {110, 100, 100, 100, 95, 30, 15}},
    .people = {.decline_permille = 20,
               .incomplete_permille = 15,
               .forget_check_out_permille = 15,
               .late_start_permille = 60,
               .late_least_s = 5 * M,
               .late_most_s = 45 * M,
               .ill_permille = 15,
               .positions_permille = 1000},
    .customers = {.cancel_permille = 40, .no_access_permille = 30},
    .roads = {.by_hour = {85,  85,  85,  85,  85,  90,  100, 115, 120, 105, 100, 100,
                          105, 100, 100, 105, 115, 125, 110, 95,  90,  85,  85,  85}},
    .service = {.by_hour = ALL_HOURS(100)},
    .network = {.latency_ms = 30,
                .jitter_ms = 120,
                .loss_permille = 5,
                .duplicate_permille = 2,
                .reorder_permille = 5,
                .outage_permille = 500,
                .outage_least_s = 5 * M,
                .outage_most_s = 40 * M},
    .optimizer = {.rounds = 200, .round_us = 50, .repair_us = 1000, .commit_us = 5000},
    .skills = {{"electrical", 30, 30},
               {"plumbing", 30, 30},
               {"hvac", 20, 20},
               {"gas", 10, 10},
               {"network", 10, 10}},
    .skill_count = 5,
    .shifts = {{"early", 60, 7 * H, 15 * H + 30 * M, 30 * M, 3 * H + 30 * M, 2 * H, 1 * H},
               {"late", 40, 9 * H, 17 * H + 30 * M, 30 * M, 3 * H + 30 * M, 2 * H, 1 * H}},
    .shift_count = 2,
    .works =
        {{"repair", 40, 20 * M, 45 * M, 120 * M, 5, "any", {45, 40, 15}, 30, 2 * H, 4 * H, 0, 1},
         {"installation",
          15,
          60 * M,
          90 * M,
          180 * M,
          3,
          "any",
          {20, 50, 30},
          50,
          3 * H,
          5 * H,
          0,
          1},
         {"inspection", 25, 15 * M, 30 * M, 60 * M, 3, "any", {60, 30, 10}, 80, 2 * H, 4 * H, 0, 1},
         {"meter", 15, 15 * M, 20 * M, 30 * M, 1, "none", {100, 0, 0}, 100, 4 * H, 4 * H, 0, 1},
         {"emergency",
          5,
          20 * M,
          40 * M,
          90 * M,
          9,
          "any",
          {70, 30, 0},
          0,
          2 * H,
          2 * H,
          150 * M,
          1}},
    .work_count = 5,
};

void scenario_defaults(struct scenario *out)
{
    const char *why;
    *out = usual;
    out->policy = policy_default;
    CHECK(spread_parse("lognormal 100 15", &out->roads.travel, &why));
    CHECK(spread_parse("lognormal 95 25", &out->service.work, &why));
}
