#include "sim/ask_kpis.h"

#include "base/clock.h"

#include <stdio.h>

static void print_share(const char *name, int64_t permille, const char *of, int64_t count)
{
    if (permille < 0)
        printf("  %-16s -         of no %s\n", name, of);
    else
        printf("  %-16s %5.1f %%   of %lld %s\n", name, (double)permille / 10, (long long)count,
               of);
}

static double minutes(int64_t us)
{
    return (double)us / (double)US_PER_MINUTE;
}

static void print_lengths(const char *name, const Callout__KpiLengths *it, int64_t unit_us,
                          const char *unit)
{
    const double by = (double)unit_us;
    if (it->count == 0) return;
    printf("  %-16s mean %.1f, p50 %.1f, p95 %.1f, p99 %.1f %s (%lld)\n", name,
           (double)it->mean_us / by, (double)it->p50_us / by, (double)it->p95_us / by,
           (double)it->p99_us / by, unit, (long long)it->count);
}

static void print_visits(const Callout__Kpis *it)
{
    printf(
        "  %-16s %lld: %lld completed, %lld incomplete, %lld no access, %lld running, %lld open, "
        "%lld unserved, %lld cancelled\n",
        "visits", (long long)it->visits, (long long)it->completed, (long long)it->incomplete,
        (long long)it->no_access, (long long)it->running, (long long)it->open,
        (long long)it->unserved, (long long)it->cancelled);
    print_share("on time", it->on_time_permille, "arrivals with a window", it->windowed);
    print_share("SLA kept", it->sla_permille, "that were due", it->sla_due);
    print_share("first-time fix", it->first_time_fix_permille, "first visits", it->first_tried);
    print_lengths("lateness", it->lateness, US_PER_MINUTE, "min");
    print_lengths("first response", it->response, US_PER_MINUTE, "min");
    print_lengths("time to repair", it->repair, US_PER_MINUTE, "min");
}

static void print_people(const Callout__Kpis *it)
{
    const struct {
        const char *name;
        int64_t us, permille;
    } parts[] = {
        {"work", it->work_us, it->work_permille}, {"travel", it->travel_us, it->travel_permille},
        {"wait", it->wait_us, it->wait_permille}, {"break", it->break_us, it->break_permille},
        {"idle", it->idle_us, it->idle_permille},
    };
    printf("  %-16s %lld technician-days, %.0f min of shift, %.0f min overtime\n", "paid",
           (long long)it->technician_days, minutes(it->shift_us), minutes(it->overtime_us));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].permille >= 0)
            printf("    %-14s %5.1f %%   %.0f min\n", parts[i].name, (double)parts[i].permille / 10,
                   minutes(parts[i].us));
    if (it->arrivals > 0)
        printf("  %-16s %.1f min\n", "travel per visit", minutes(it->travel_per_arrival_us));
    if (it->legs > 0)
        printf("  %-16s %.0f min planned, %.0f actual (%lld journeys)\n", "travel",
               minutes(it->leg_planned_us), minutes(it->leg_actual_us), (long long)it->legs);
    if (it->services > 0)
        printf("  %-16s %.0f min planned, %.0f actual (%lld visits)\n", "work",
               minutes(it->service_planned_us), minutes(it->service_actual_us),
               (long long)it->services);
}

static void print_plans(const Callout__Kpis *it)
{
    if (it->visits > 0)
        printf("  %-16s %lld of the technician, %lld of the start, %.2f per visit; %lld after a "
               "promise, %lld overrides\n",
               "moves", (long long)it->technician_changes, (long long)it->start_changes,
               (double)it->moves_per_visit_permille / 1000, (long long)it->moves_after_promise,
               (long long)it->overrides);
    print_lengths("plans", it->solve, 1000, "ms");
    print_lengths("first answers", it->repair_solve, 1000, "ms");
}

static void print_time(int64_t us)
{
    char text[32];
    clock_format_utc(us, text);
    printf(" %5.5s", us == 0 ? "-" : text + 11);
}

static void print_leg(const Callout__Leg *it)
{
    printf("  %-12s %-14s", it->technician_id, it->appointment_id);
    print_time(it->departed_us);
    print_time(it->arrived_us);
    printf(" travel %.0f (%.0f) min, start",
           it->arrived_us != 0 ? minutes(it->arrived_us - it->departed_us) : 0.0,
           minutes(it->planned_travel_us));
    print_time(it->begun_us);
    printf(" (");
    print_time(it->planned_start_us);
    printf("), work %.0f (%.0f) min", minutes(it->worked_us), minutes(it->planned_service_us));
    if (it->late_us > 0) printf(", %.0f min late", minutes(it->late_us));
    puts("");
}

void ask_print_kpis(const Callout__KpisReply *reply)
{
    char day[32], now[32];
    clock_format_utc(reply->now_us, now);
    for (size_t i = 0; i < reply->n_days; i++) {
        const Callout__DayKpis *it = reply->days[i];
        clock_format_utc(it->service_day * US_PER_DAY, day);
        printf("%s, %.10s, as of %.16s UTC\n", it->territory_id, day, now);
        print_visits(it->kpis);
        print_people(it->kpis);
        print_plans(it->kpis);
    }
    if (reply->n_legs > 0) puts("as it was (as planned when he left), UTC");
    for (size_t i = 0; i < reply->n_legs; i++)
        print_leg(reply->legs[i]);
}
