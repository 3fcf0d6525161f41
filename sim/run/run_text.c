#include "sim/run/run_text.h"

#include "base/clock.h"
#include "base/version.h"
#include "sim/world/run_page.h"

#include <stdio.h>

/* --- a line ---------------------------------------------------------------------------------- */

/* "  on time          93.1 %  of 240", and behind it what the faults changed. */
static void print_share(const char *name, int64_t permille, int64_t of, int64_t without)
{
    if (permille < 0) return;
    printf("  %-22s %7.1f %%   of %lld", name, (double)permille / 10, (long long)of);
    if (without >= 0) printf("   (without faults %.1f %%)", (double)without / 10);
    printf("\n");
}

static double minutes(int64_t us)
{
    return (double)us / (double)US_PER_MINUTE;
}

static void print_minutes(const char *name, int64_t us, int64_t without)
{
    if (us < 0) return;
    printf("  %-22s %7.1f min", name, minutes(us));
    if (without >= 0) printf("   (without faults %.1f min)", minutes(without));
    printf("\n");
}

static void print_count(const char *name, int64_t count, const struct kpi *without,
                        int64_t count_without)
{
    printf("  %-22s %7lld", name, (long long)count);
    if (without != NULL) printf("   (without faults %lld)", (long long)count_without);
    printf("\n");
}

static int64_t of_or_none(const struct kpi *kpi, int64_t value)
{
    return kpi == NULL ? -1 : value;
}

/* --- the figures ----------------------------------------------------------------------------- */

static void print_visits(const struct kpi *kpi, const struct kpi *without)
{
    static const struct kpi none;
    const struct kpi *base = without == NULL ? &none : without;
    print_count("visits", kpi->visits, without, base->visits);
    print_count("completed", kpi->completed, without, base->completed);
    print_count("unserved", kpi->unserved, without, base->unserved);
    print_count("cancelled", kpi->cancelled, without, base->cancelled);
#define SHARE(name, part, whole)                                                                   \
    print_share(name, kpi_permille(kpi->part, kpi->whole), kpi->whole,                             \
                of_or_none(without, kpi_permille(base->part, base->whole)))
    SHARE("on time", on_time, windowed);
    SHARE("SLA kept", sla_met, sla_due);
    SHARE("first-time fix", first_fixed, first_tried);
#undef SHARE
    print_minutes("first response, mean", kpi_lengths_mean(&kpi->response),
                  of_or_none(without, kpi_lengths_mean(&base->response)));
    print_minutes("lateness, p95", kpi_lengths_at(&kpi->lateness, 950),
                  of_or_none(without, kpi_lengths_at(&base->lateness, 950)));
}

static void print_people(const struct kpi *kpi, const struct kpi *without)
{
    static const struct kpi none;
    const struct kpi *base = without == NULL ? &none : without;
    int64_t paid_us = kpi->shift_us + kpi->overtime_us;
    int64_t base_us = base->shift_us + base->overtime_us;
    const struct {
        const char *name;
        int64_t us, without_us;
    } parts[] = {{"work", kpi->work_us, base->work_us},
                 {"travel", kpi->travel_us, base->travel_us},
                 {"wait", kpi->wait_us, base->wait_us},
                 {"idle", kpi->idle_us, base->idle_us}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        printf("  %-22s %7.1f %%   of %.0f h paid", parts[i].name,
               (double)kpi_permille(parts[i].us, paid_us) / 10, minutes(paid_us) / 60);
        if (without != NULL)
            printf("   (without faults %.1f %%)",
                   (double)kpi_permille(parts[i].without_us, base_us) / 10);
        printf("\n");
    }
    print_minutes("overtime", kpi->overtime_us, of_or_none(without, base->overtime_us));
    print_minutes("travel per visit", kpi_mean(kpi->travel_us, kpi->arrivals),
                  of_or_none(without, kpi_mean(base->travel_us, base->arrivals)));
    print_count("moved visits", kpi->technician_changes + kpi->start_changes, without,
                base->technician_changes + base->start_changes);
}

static void print_faults(const struct run_result *result)
{
    for (size_t i = 0; i < result->fault_count; i++) {
        const struct run_fault *it = &result->faults[i];
        char begin[32];
        printf("  fault %s: %s at %s", it->name, fault_kind_name(it->kind),
               clock_format_utc(it->begin_us, begin));
        if (it->end_us > it->begin_us) printf(" for %.0f min", minutes(it->end_us - it->begin_us));
        if (it->technicians > 0) printf(", %u technicians", it->technicians);
        printf("\n");
    }
}

static void print_system(const struct run_result *result)
{
    const struct run_commands *said = &result->commands;
    const struct kpi_lengths *plan = &result->kpi.solve;
    printf("  %llu commands and %llu orders, %llu lost, %llu twice; %llu events, %llu plans\n",
           (unsigned long long)said->saved, (unsigned long long)said->orders,
           (unsigned long long)said->lost, (unsigned long long)said->doubled,
           (unsigned long long)result->system.events, (unsigned long long)result->system.plans);
    if (plan->count > 0)
        printf("  plan in p50 %.0f ms, p95 %.0f ms, p99 %.0f ms of virtual time\n",
               (double)kpi_lengths_at(plan, 500) / 1000, (double)kpi_lengths_at(plan, 950) / 1000,
               (double)kpi_lengths_at(plan, 990) / 1000);
}

static void print_peer(const struct run_result *result)
{
    const struct run_peer *it = &result->peer;
    if (result->solver[0] == '\0') return;
    printf("  planned by %s: %llu answers, %llu hung, %llu died, %llu nonsense; %llu visits left "
           "out\n",
           result->solver, (unsigned long long)it->answered, (unsigned long long)it->hung,
           (unsigned long long)it->died, (unsigned long long)it->nonsense,
           (unsigned long long)it->left_out);
    if (it->last_failure[0] != '\0') printf("  its last failure: %s\n", it->last_failure);
    printf("  it took %.0f ms, at worst %.0f ms of this machine's time\n",
           (double)result->times.peer_mean_us / 1000, (double)result->times.peer_worst_us / 1000);
}

void run_print(const struct run_result *result, const struct scenario *scenario)
{
    printf("%s: %s\nseed %llu, configuration %016llx, %zu day%s\n", scenario->name, scenario->about,
           (unsigned long long)result->seed, (unsigned long long)result->configuration,
           result->day_count, result->day_count == 1 ? "" : "s");
    print_visits(&result->kpi, result->untroubled);
    print_people(&result->kpi, result->untroubled);
    print_faults(result);
    print_system(result);
    print_peer(result);
    printf("  digest %016llx\n", (unsigned long long)result->digest);
}

enum err run_write_page(const struct run_result *result, const struct scenario *scenario,
                        const char *command, const char *folder, struct problem *problem)
{
    const struct run_page_about about = {
        .command = command, .version = CALLOUT_VERSION, .scenario = scenario};
    struct page *page = run_page(result, &about);
    enum err err = page_write(page, folder, problem);
    page_close(page);
    return err;
}
