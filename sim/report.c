#include "sim/report.h"

#include "base/check.h"
#include "base/clock.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *report_failure(const struct live_summary *summary)
{
    const struct fleet_count *fleet = &summary->fleet;
    if (summary->system_died) return "the system ended before the run did";
    if (fleet->stopped > 0) return "a device was refused for good";
    if (summary->interrupted) return fleet->unsent == 0 ? NULL : "commands were left in outboxes";
    if (fleet->live + fleet->doing[PERSON_TAKEN] < summary->technicians)
        return "a device never got a session";
    if (!summary->drained) return "commands were saved that the system never acknowledged";
    if (summary->totals->events == 0) return "no event was seen";
    if (summary->totals->plans == 0) return "no plan was published";
    if (summary->totals->events_with_change == 0) return "no device ever got a changed assignment";
    return NULL;
}

/* The mean of those plans that came with a bound. */
static double gap_percent(const struct watch_totals *totals)
{
    if (totals->bounded_plans == 0) return 0;
    return (double)totals->gap_ppm_sum / (double)totals->bounded_plans / 1e4;
}

void report_text(const struct live_summary *summary)
{
    const struct watch_totals *totals = summary->totals;
    const struct tally_count *tally = &summary->tally;
    char begin[32], end[32];
    printf("%zu technicians lived from %s to %s in %.1f s.\n", summary->technicians,
           clock_format_utc(summary->begin_us, begin), clock_format_utc(summary->end_us, end),
           summary->seconds);
    printf("%zu orders: %zu done, %zu failed, %zu cancelled, %zu left.\n", tally->appointments,
           tally->done, tally->failed, tally->cancelled,
           tally->appointments - tally->done - tally->failed - tally->cancelled);
    printf("%llu events, %llu of them changed a device's assignments; %llu plans.\n",
           (unsigned long long)totals->events, (unsigned long long)totals->events_with_change,
           (unsigned long long)totals->plans);
    if (totals->bounded_plans > 0)
        printf("%llu plans with a proof: their gap was %.2f %% in the mean, %.2f %% at the end.\n",
               (unsigned long long)totals->bounded_plans, gap_percent(totals),
               (double)totals->gap_ppm_last / 1e4);
    printf("event to device: p50 %.1f ms, p95 %.1f ms, p99 %.1f ms over %zu receipts.\n",
           samples_percentile_ms(&totals->latency, 50), samples_percentile_ms(&totals->latency, 95),
           samples_percentile_ms(&totals->latency, 99), totals->latency.count);
    printf("%llu commands saved, %llu acknowledged, %llu rejected, %llu not acknowledged.\n",
           (unsigned long long)summary->fleet.saved,
           (unsigned long long)summary->fleet.acknowledged,
           (unsigned long long)summary->fleet.rejected, (unsigned long long)summary->fleet.unsent);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void put(json_t *object, const char *name, json_t *value)
{
    CHECK(json_object_set_new(object, name, value) == 0);
}

static void put_count(json_t *object, const char *name, uint64_t value)
{
    put(object, name, json_integer((json_int_t)value));
}

static json_t *percentiles(const struct samples *samples)
{
    json_t *object = json_object();
    put(object, "p50", json_real(samples_percentile_ms(samples, 50)));
    put(object, "p95", json_real(samples_percentile_ms(samples, 95)));
    put(object, "p99", json_real(samples_percentile_ms(samples, 99)));
    put_count(object, "samples", samples->count);
    return object;
}

void report_json(const struct live_summary *summary)
{
    const struct watch_totals *totals = summary->totals;
    const struct tally_count *tally = &summary->tally;
    const char *failure = report_failure(summary);
    char time[32];
    json_t *object = json_object();
    CHECK(object != NULL);
    put(object, "ok", json_boolean(failure == NULL));
    if (failure != NULL) put(object, "failure", json_string(failure));
    put_count(object, "technicians", summary->technicians);
    put_count(object, "handovers", summary->handovers);
    put_count(object, "orders", tally->appointments);
    put_count(object, "served", tally->done);
    put_count(object, "failed_visits", tally->failed);
    put_count(object, "cancelled", tally->cancelled);
    put_count(object, "unserved",
              tally->appointments - tally->done - tally->failed - tally->cancelled);
    put_count(object, "events", totals->events);
    put_count(object, "changes", totals->events_with_change);
    put_count(object, "facts", totals->facts);
    put_count(object, "plans", totals->plans);
    put_count(object, "plans_with_bound", totals->bounded_plans);
    if (totals->bounded_plans > 0) {
        put(object, "gap_percent_mean", json_real(gap_percent(totals)));
        put(object, "gap_percent_last", json_real((double)totals->gap_ppm_last / 1e4));
    }
    put_count(object, "plan_version", tally->plan_version);
    put(object, "latency_ms", percentiles(&totals->latency));
    put(object, "improvement_ms", percentiles(&totals->improvement));
    put_count(object, "receipts_without_signal", totals->without_signal);
    put_count(object, "commands_saved", summary->fleet.saved);
    put_count(object, "commands_acknowledged", summary->fleet.acknowledged);
    put_count(object, "commands_rejected", summary->fleet.rejected);
    put_count(object, "commands_lost", summary->fleet.unsent);
    put_count(object, "retries", summary->fleet.failures);
    put_count(object, "snapshots", summary->fleet.snapshots);
    put(object, "domain_begin", json_string(clock_format_utc(summary->begin_us, time)));
    put(object, "domain_end", json_string(clock_format_utc(summary->end_us, time)));
    put(object, "rate", json_real(summary->rate));
    put(object, "seconds", json_real(summary->seconds));
    put(object, "day_over", json_boolean(summary->day_over));
    CHECK(json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0);
    printf("\n");
    json_decref(object);
}

/* --- metrics --------------------------------------------------------------------------------- */

struct metric {
    const char *name, *unit;
    double value;
    double at_least, at_most; /* the bar; 0: none */
};

static bool bar_held(const struct metric *metric)
{
    if (metric->at_least > 0 && metric->value < metric->at_least) return false;
    return metric->at_most == 0 || metric->value <= metric->at_most;
}

static bool write_metric(FILE *file, const struct metric *metric)
{
    fprintf(file, "%s,%.6g,%s\n", metric->name, metric->value, metric->unit);
    if (bar_held(metric)) return true;
    fprintf(stderr, "missed: %s is %.6g, but must be at %s %g\n", metric->name, metric->value,
            metric->at_least > 0 ? "least" : "most",
            metric->at_least > 0 ? metric->at_least : metric->at_most);
    return false;
}

enum err report_metrics(const struct live_summary *summary, const char *path, bool *held,
                        struct problem *problem)
{
    const struct watch_totals *totals = summary->totals;
    const struct samples *latency = &totals->latency;
    double events = (double)totals->events;
    double share = events > 0 ? 100 * (1 - (double)totals->events_with_change / events) : 0;
    const struct metric metrics[] = {
        {"events", "count", events, 1500, 0},
        {"events_per_second", "1/s", events / summary->seconds, 5, 0},
        {"events_that_changed_a_device", "count", (double)totals->events_with_change, 300, 0},
        {"events_without_a_change", "percent", share, 0, 0},
        {"event_to_device_p50", "ms", samples_percentile_ms(latency, 50), 0, 0},
        {"event_to_device_p95", "ms", samples_percentile_ms(latency, 95), 0, 300},
        {"event_to_device_p99", "ms", samples_percentile_ms(latency, 99), 0, 1000},
        {"event_to_device_max", "ms", samples_percentile_ms(latency, 100), 0, 0},
        {"receipts_measured", "count", (double)latency->count, 0, 0},
        {"receipts_without_signal", "count", (double)totals->without_signal, 0, 0},
        {"later_plan_to_device_p95", "ms", samples_percentile_ms(&totals->improvement, 95), 0, 0},
        {"orders_done", "count", (double)summary->tally.done, 0, 0},
        {"commands_acknowledged", "count", (double)summary->fleet.acknowledged, 0, 0},
        {"commands_not_acknowledged", "count", (double)summary->fleet.unsent, 0, 0},
    };
    FILE *file = fopen(path, "w");
    if (file == NULL) return problem_set(problem, ERR_IO, path, "%s", strerror(errno));
    bool all_held = true;
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        all_held = write_metric(file, &metrics[i]) && all_held;
    if (fclose(file) != 0) return problem_set(problem, ERR_IO, path, "%s", strerror(errno));
    *held = all_held;
    return ERR_OK;
}
