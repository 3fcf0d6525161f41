/* bench_checkins.c - what a check-in costs the dispatcher alone: its engine, a store in a folder,
 * no gateway, no sockets, no load.
 *
 *   bench_checkins FOLDER DEVICES BATCH ROUNDS
 *
 * In each round every device pushes BATCH status reports; 500 pushes are one commit, as in the live
 * dispatcher. Prints CPU seconds, its own and the kernel's, per command, and how many commands a
 * commit had. What is measured is in `rounds` alone, so that a profiler can count that function.
 */
#include "../dispatcher/desk.h"

#include <stdlib.h>
#include <sys/resource.h>

enum { DEVICES_MAX = 2000, BATCH_MAX = LIMIT_BATCH_COMMANDS };

struct yard {
    struct desk desk;
    uint32_t device_count, batch, round_count;
    struct desk_device *devices;
    char (*appointments)[48];
};

static void furnish(struct yard *yard)
{
    struct desk *desk = &yard->desk;
    char id[32];
    desk_do(desk, "UpsertTerritory", desk_territory(desk, "UTC"));
    for (uint32_t i = 0; i < yard->device_count; i++) {
        snprintf(id, sizeof id, "load-t%05u", i);
        char *technician = arena_text(&desk->arena, id);
        desk_do(desk, "UpsertTechnician", desk_technician(desk, technician));
        snprintf(id, sizeof id, "load-o%05u", i);
        desk_do(desk, "UpsertWorkOrder", &desk_order(desk, id)->base);
        snprintf(yard->appointments[i], sizeof yard->appointments[i], "%s.1", id);
        Callout__AssignRequest *assign = desk_assign(desk, yard->appointments[i], technician);
        assign->override_reason = words("bench");
        desk_do(desk, "Assign", &assign->base);
        yard->devices[i] = desk_device(desk, technician);
    }
}

/* The next Push of a device, packed. */
static struct engine_item next_push(struct yard *yard, uint32_t device)
{
    struct desk *desk = &yard->desk;
    Callout__Command *commands[BATCH_MAX];
    for (uint32_t i = 0; i < yard->batch; i++) {
        uint64_t seq = ++yard->devices[device].seq;
        commands[i] = desk_status(desk, seq, yard->appointments[device],
                                  seq % 2 == 1 ? CALLOUT__APPOINTMENT_STATUS__WORKING
                                               : CALLOUT__APPOINTMENT_STATUS__PAUSED);
        commands[i]->device_time_us = desk->now_us;
    }
    return desk_item(desk, &yard->devices[device].who, "Push", "",
                     desk_push(desk, commands, yard->batch));
}

static void check_reply(struct yard *yard, const struct engine_item *item)
{
    Callout__PushReply *answer = desk_body(&yard->desk, desk_reply(&yard->desk, item, true),
                                           &callout__push_reply__descriptor);
    assert_int_equal(answer->n_results, yard->batch);
    assert_int_equal(answer->results[yard->batch - 1]->outcome, CALLOUT__OUTCOME__APPLIED);
}

/* Returns how many batches it took. */
static __attribute__((noinline)) uint32_t rounds(struct yard *yard, struct engine_item *items)
{
    uint32_t batches = 0;
    for (uint32_t done = 0; done < yard->device_count; batches++) {
        uint32_t left = yard->device_count - done;
        uint32_t count = left < LIMIT_FACTS_PER_COMMIT ? left : LIMIT_FACTS_PER_COMMIT;
        done += engine_batch(yard->desk.engine, items + done, count, yard->desk.now_us);
    }
    return batches;
}

static double cpu_us(struct timeval from, struct timeval to)
{
    return (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_usec - from.tv_usec);
}

static void measure(struct yard *yard)
{
    struct engine_item *items = calloc(yard->device_count, sizeof *items);
    struct rusage before, after;
    double own_us = 0, kernel_us = 0;
    uint32_t batches = 0;
    for (uint32_t round = 0; round < yard->round_count; round++) {
        for (uint32_t i = 0; i < yard->device_count; i++)
            items[i] = next_push(yard, i);
        yard->desk.now_us += US_PER_SECOND;
        getrusage(RUSAGE_SELF, &before);
        batches += rounds(yard, items);
        getrusage(RUSAGE_SELF, &after);
        own_us += cpu_us(before.ru_utime, after.ru_utime);
        kernel_us += cpu_us(before.ru_stime, after.ru_stime);
        check_reply(yard, &items[yard->device_count - 1]);
    }
    double commands = (double)yard->round_count * yard->device_count * yard->batch;
    printf("own_cpu,%.2f,us\nkernel_cpu,%.2f,us\ncommands_per_commit,%.0f,count\n",
           own_us / commands, kernel_us / commands, commands / batches);
    free(items);
}

int main(int argc, char **argv)
{
    struct yard yard = {.device_count = 0};
    struct store *store;
    struct problem problem;
    if (argc == 5) {
        yard.device_count = (uint32_t)strtoul(argv[2], NULL, 10);
        yard.batch = (uint32_t)strtoul(argv[3], NULL, 10);
        yard.round_count = (uint32_t)strtoul(argv[4], NULL, 10);
    }
    if (yard.device_count < 1 || yard.device_count > DEVICES_MAX || yard.batch < 1 ||
        yard.batch > BATCH_MAX || yard.round_count < 1) {
        fprintf(stderr, "usage: bench_checkins FOLDER DEVICES BATCH ROUNDS\n");
        return 2;
    }
    yard.devices = calloc(yard.device_count, sizeof *yard.devices);
    yard.appointments = calloc(yard.device_count, sizeof *yard.appointments);
    assert_int_equal(store_open_spatialite(&store, argv[1], &problem), ERR_OK);
    desk_open(&yard.desk, store, argv[1]);
    arena_close(&yard.desk.arena);
    arena_open(&yard.desk.arena, (size_t)8 << 30);
    yard.desk.now_us = DESK_DAY_US + 9 * HOUR_US;
    furnish(&yard);
    measure(&yard);
    desk_close(&yard.desk);
    free(yard.devices);
    free(yard.appointments);
    return 0;
}
