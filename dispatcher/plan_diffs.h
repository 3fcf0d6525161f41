/* plan_diffs.h - what a plan changes, as people are told it. Messages live in the arena. */
#ifndef CALLOUT_DISPATCHER_PLAN_DIFFS_H
#define CALLOUT_DISPATCHER_PLAN_DIFFS_H

#include "dispatcher/engine_impl.h"

/* A diff of the plan with that row: its figures and reasons, no changes yet. */
Callout__PlanDiff *plan_diff_new(struct arena *arena, const struct row_plan *plan);
/* Adds one of its changes; what moved nowhere is passed over. */
void plan_diff_add(struct arena *arena, const struct row_change *row, Callout__PlanDiff *to);
/* The day without it and with it, once its changes are added. */
void plan_diff_figures(struct arena *arena, const struct row_plan *plan, Callout__PlanDiff *to);

/* The day that a request names; 0: the day of now. */
int64_t plan_day(struct call *call, const char *territory_id, int64_t service_day);

#endif
