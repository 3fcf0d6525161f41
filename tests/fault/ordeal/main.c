/* main.c - ordeal: one seed after the other, from the shell.
 *
 *   ordeal [--seed N] [--seeds N] [--devices N] [--half-days N] [--steps N] [--plant NAME]
 *          [--restores] [--seconds N] [--trace]
 *
 * Prints a line per seed with findings, and the sums; --trace tells each step. With --seconds no
 * seed is begun after that. Exit 0: nothing was found, 3: something was, 2: usage.
 */
#include "base/clock.h"
#include "ordeal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct arguments {
    struct ordeal_options ordeal;
    uint64_t seeds, seconds;
};

static void say_line(void *context, const char *line)
{
    (void)context;
    printf("  %s\n", line);
}

static bool read_number(const char *text, uint64_t *out)
{
    char *end;
    *out = strtoull(text, &end, 10);
    return end != text && *end == '\0';
}

static bool read_plant(const char *name, enum ordeal_plant *out)
{
    for (enum ordeal_plant plant = 0; plant < PLANT_COUNT; plant++) {
        if (strcmp(ordeal_plants[plant], name) != 0) continue;
        *out = plant;
        return true;
    }
    return false;
}

static bool read_pair(struct arguments *out, const char *name, const char *value)
{
    uint64_t number;
    if (strcmp(name, "--plant") == 0) return read_plant(value, &out->ordeal.plant);
    if (!read_number(value, &number)) return false;
    if (strcmp(name, "--seed") == 0)
        out->ordeal.seed = number;
    else if (strcmp(name, "--seeds") == 0)
        out->seeds = number;
    else if (strcmp(name, "--seconds") == 0)
        out->seconds = number;
    else if (strcmp(name, "--devices") == 0 && number > 0 && number <= ORDEAL_DEVICES_MAX)
        out->ordeal.devices = (uint32_t)number;
    else if (strcmp(name, "--half-days") == 0 && number > 0 && number <= 2 * ORDEAL_DAYS_MAX)
        out->ordeal.half_days = (uint32_t)number;
    else if (strcmp(name, "--steps") == 0)
        out->ordeal.steps_max = (uint32_t)number;
    else
        return false;
    return true;
}

static bool read_arguments(struct arguments *out, int count, char **words)
{
    *out = (struct arguments){.ordeal = {.seed = 1, .devices = 6, .half_days = 1}, .seeds = 1};
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--trace") == 0)
            out->ordeal.say = say_line;
        else if (strcmp(words[i], "--restores") == 0)
            out->ordeal.restores = true;
        else if (i + 1 == count || !read_pair(out, words[i], words[i + 1]))
            return false;
        else
            i++;
    }
    return true;
}

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void add_up(struct ordeal_result *sum, const struct ordeal_result *one)
{
    sum->device_half_days += one->device_half_days;
    sum->saved += one->saved;
    sum->acknowledged += one->acknowledged;
    sum->facts += one->facts;
    sum->orders += one->orders;
    sum->shown += one->shown;
    sum->steps += one->steps;
    for (int i = 0; i < 3; i++)
        sum->kills[i] += one->kills[i];
    sum->cuts += one->cuts;
    sum->failed_commits += one->failed_commits;
    sum->crashes += one->crashes;
    sum->revoked += one->revoked;
    sum->restores += one->restores;
    sum->lost += one->lost;
    sum->twice += one->twice;
    sum->leaked += one->leaked;
    sum->stuck += one->stuck;
    if (one->converged_us > sum->converged_us) sum->converged_us = one->converged_us;
    sum->digest = sum->digest * 31 + one->digest;
}

static void print_sum(const struct ordeal_result *sum, uint64_t seeds, double cpu_s)
{
    const struct {
        const char *name;
        uint64_t value;
    } figures[] = {
        {"seeds", seeds},
        {"device_days", sum->device_half_days / 2},
        {"commands_saved", sum->saved},
        {"commands_acknowledged", sum->acknowledged},
        {"facts", sum->facts},
        {"requests_acknowledged", sum->orders},
        {"appointments_shown", sum->shown},
        {"steps", sum->steps},
        {"gateway_kills", sum->kills[0]},
        {"dispatcher_kills", sum->kills[1]},
        {"optimizer_kills", sum->kills[2]},
        {"power_cuts_in_a_write", sum->cuts},
        {"failed_commits", sum->failed_commits},
        {"device_crashes", sum->crashes},
        {"devices_revoked", sum->revoked},
        {"restores", sum->restores},
        {"lost", sum->lost},
        {"twice", sum->twice},
        {"leaked", sum->leaked},
        {"stuck", sum->stuck},
        {"converged_seconds_max", (uint64_t)(sum->converged_us / US_PER_SECOND)},
    };
    printf("{");
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        printf("\"%s\": %llu, ", figures[i].name, (unsigned long long)figures[i].value);
    printf(
        "\"digest\": \"%016llx\", \"cpu_seconds\": %.1f, \"device_days_per_cpu_second\": %.1f}\n",
        (unsigned long long)sum->digest, cpu_s, (double)sum->device_half_days / 2 / cpu_s);
}

int main(int count, char **words)
{
    struct arguments arguments;
    struct ordeal_result sum = {.device_half_days = 0};
    if (!read_arguments(&arguments, count, words)) {
        fprintf(stderr,
                "usage: ordeal [--seed N] [--seeds N] [--devices N] [--half-days N] [--steps N] "
                "[--plant NAME] [--restores] [--seconds N] [--trace]\n");
        return 2;
    }
    double begin_s = seconds_of(CLOCK_MONOTONIC), cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t done = 0;
    for (; done < arguments.seeds; done++) {
        struct ordeal_result one;
        struct problem problem;
        double now_s = seconds_of(CLOCK_MONOTONIC);
        if (arguments.seconds > 0 && now_s - begin_s > (double)arguments.seconds) break;
        if (ordeal_run(&one, &arguments.ordeal, &problem) != ERR_OK) {
            fprintf(stderr, "ordeal: %s\n", problem.text);
            return 1;
        }
        if (one.first[0] != '\0')
            printf("seed %llu, step %u: %s\n", (unsigned long long)arguments.ordeal.seed, one.step,
                   one.first);
        add_up(&sum, &one);
        arguments.ordeal.seed++;
    }
    print_sum(&sum, done, seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_s);
    return sum.lost + sum.twice + sum.leaked + sum.stuck == 0 ? 0 : 3;
}
