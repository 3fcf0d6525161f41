#include "sim/load/figures.h"

#include "base/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static double seconds(int64_t us)
{
    return (double)us / 1e6;
}

static double counted_s(const struct load *load)
{
    return seconds(load->count.to_us - load->count.from_us);
}

static double per_second(const struct load *load)
{
    double span = counted_s(load);
    return span > 0 ? (double)load->count.acknowledged / span : 0;
}

/* Of the gateway, for each device with its connection, session and held poll; below 0: unknown. */
static double bytes_per_device(const struct load *load)
{
    uint32_t others = load->options.clients - 1;
    if (load->first_bytes == 0 || load->held_bytes < load->first_bytes || others == 0) return -1;
    return (double)(load->held_bytes - load->first_bytes) / others;
}

/* --- JSON --- */

static json_t *latency_json(const struct samples *samples)
{
    return json_pack("{s:f, s:f, s:f, s:f}", "p50", samples_percentile_ms(samples, 50), "p95",
                     samples_percentile_ms(samples, 95), "p99", samples_percentile_ms(samples, 99),
                     "max", samples_percentile_ms(samples, 100));
}

static json_t *errors_json(const struct load *load)
{
    json_t *errors = json_object();
    for (unsigned i = 1; i < LOAD_STATUSES; i++)
        if (load->statuses[i] > 0)
            json_object_set_new(errors, err_name((enum err)i),
                                json_integer((json_int_t)load->statuses[i]));
    return errors;
}

static json_t *storm_json(const struct load *load)
{
    const struct load_storm *storm = &load->storm;
    json_t *all_s =
        storm->synced_us == 0 ? json_null() : json_real(seconds(storm->synced_us - storm->cut_us));
    return json_pack("{s:I, s:o, s:f, s:f, s:f, s:f}", "synced", (json_int_t)storm->synced,
                     "all_synced_seconds", all_s, "last_connected_seconds",
                     storm->connected_us == 0 ? 0 : seconds(storm->connected_us - storm->cut_us),
                     "ack_p99_ms", samples_percentile_ms(&storm->latency, 99),
                     "ack_with_refusals_p99_ms", samples_percentile_ms(&storm->whole, 99),
                     "gateway_peak_mib", (double)storm->gateway_peak_bytes / 1048576);
}

static void print_json(const struct load *load, bool interrupted)
{
    const struct load_options *options = &load->options;
    json_t *out = json_pack(
        "{s:I, s:I, s:s, s:b, s:b, s:f, s:I, s:f, s:o, s:I, s:I, s:I, s:o, s:o}", "clients",
        (json_int_t)options->clients, "batch", (json_int_t)options->batch, "kind",
        options->kind == LOAD_STATUS ? "status" : "position", "tls", load->trust != NULL,
        "interrupted", interrupted, "seconds", counted_s(load), "acknowledged",
        (json_int_t)load->count.acknowledged, "per_second", per_second(load), "latency_ms",
        latency_json(&load->count.latency), "rejected", (json_int_t)load->rejected, "conflicts",
        (json_int_t)load->conflicts, "connections_lost", (json_int_t)load->connections_lost,
        "errors", errors_json(load), "gateway_bytes_per_device",
        bytes_per_device(load) < 0 ? json_null() : json_real(bytes_per_device(load)));
    if (options->storm) json_object_set_new(out, "storm", storm_json(load));
    char *text = json_dumps(out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    puts(text);
    free(text);
    json_decref(out);
}

/* --- for people --- */

static void print_storm(const struct load *load)
{
    const struct load_storm *storm = &load->storm;
    printf("storm         %u of %u devices synced", storm->synced, load->options.clients);
    if (storm->synced_us != 0)
        printf(", the last one after %.1f s", seconds(storm->synced_us - storm->cut_us));
    printf("; acknowledged within p99 %.1f ms, refusals before it included %.1f ms; the gateway "
           "took %.1f MiB at most\n",
           samples_percentile_ms(&storm->latency, 99), samples_percentile_ms(&storm->whole, 99),
           (double)storm->gateway_peak_bytes / 1048576);
}

static void print_text(const struct load *load)
{
    const struct samples *latency = &load->count.latency;
    printf("devices       %u%s\n", load->options.clients, load->trust != NULL ? ", TLS" : "");
    if (load->count.to_us > load->count.from_us)
        printf("acknowledged  %llu in %.1f s: %.0f a second\n"
               "latency       p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, max %.1f ms\n",
               (unsigned long long)load->count.acknowledged, counted_s(load), per_second(load),
               samples_percentile_ms(latency, 50), samples_percentile_ms(latency, 95),
               samples_percentile_ms(latency, 99), samples_percentile_ms(latency, 100));
    for (unsigned i = 1; i < LOAD_STATUSES; i++)
        if (load->statuses[i] > 0)
            printf("answers       %llu %s\n", (unsigned long long)load->statuses[i],
                   err_name((enum err)i));
    if (load->rejected + load->conflicts + load->connections_lost > 0)
        printf("trouble       %llu rejected, %llu conflicts, %llu connections lost\n",
               (unsigned long long)load->rejected, (unsigned long long)load->conflicts,
               (unsigned long long)load->connections_lost);
    if (bytes_per_device(load) >= 0)
        printf("gateway       %.1f kB for each device\n", bytes_per_device(load) / 1e3);
    if (load->options.storm) print_storm(load);
}

void figures_print(const struct load *load, bool interrupted)
{
    if (load->options.json)
        print_json(load, interrupted);
    else
        print_text(load);
}
