/* A scenario's text from anywhere is refused with reasons, or it is a scenario that comes back from
 * its print and, if it is small, makes days that hold. */
#include "base/check.h"
#include "sim/scenario/faults.h"
#include "sim/scenario/generate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { ORDERS_MAX = 200, CROSSINGS_MAX = 4000, DAYS_MAX = 2 };

static struct scenario scenario, again;
static struct day_errors errors;

static void print_and_read(void)
{
    char *text = scenario_print(&scenario);
    struct scenario_source source = {"printed", text, strlen(text), NULL, 0};
    CHECK(scenario_parse(&again, &source, &errors) == ERR_OK);
    CHECK(scenario_digest(&scenario) == scenario_digest(&again));
    free(text);
}

static bool small(void)
{
    const struct scenario_town *town = &scenario.town;
    int64_t crossings =
        (int64_t)(town->width_m / town->block_m + 1) * (town->height_m / town->block_m + 1);
    int64_t storms = 0;
    for (size_t i = 0; i < scenario.fault_count; i++)
        storms += scenario.faults[i].kind == FAULT_STORM ? scenario.faults[i].orders : 0;
    return scenario.folder.path[0] == '\0' && crossings <= CROSSINGS_MAX &&
           scenario.demand.orders <= ORDERS_MAX && storms <= ORDERS_MAX &&
           scenario.workforce.technicians <= ORDERS_MAX;
}

static void check_day(const struct day *day)
{
    CHECK(day->technician_count > 0);
    for (size_t i = 0; i < day->technician_count; i++) {
        const struct day_technician *row = &day->technicians[i];
        CHECK(row->shift_start_us < row->shift_end_us && row->skill_count > 0);
        CHECK(row->break_s == 0 || (row->break_earliest_us >= row->shift_start_us &&
                                    row->break_latest_us >= row->break_earliest_us &&
                                    row->break_latest_us <= row->shift_end_us));
    }
    for (size_t i = 0; i < day->order_count; i++) {
        const struct day_order *row = &day->orders[i];
        CHECK(point_valid(row->at) && row->service_s > 0);
        CHECK(row->window_end_us - row->window_start_us >= row->service_s * INT64_C(1000000));
    }
}

static void live_days(uint64_t seed)
{
    struct town *town = town_open(&scenario.town, seed);
    for (int32_t index = 0; index < scenario.days && index < DAYS_MAX; index++) {
        struct day day;
        struct fault_list faults;
        CHECK(scenario_day(&day, &scenario, town, seed, index, &errors) == ERR_OK);
        check_day(&day);
        scenario_faults(&scenario, &day, index, seed, &faults);
        if (day.order_count > 0)
            CHECK(town_seconds(town, day.technicians[0].home, day.orders[0].at) >= 0);
        faults_fini(&faults);
        day_fini(&day);
    }
    town_close(town);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct scenario_source source = {"fuzz", (const char *)bytes, size, NULL, 0};
    if (scenario_parse(&scenario, &source, &errors) != ERR_OK) {
        CHECK(errors.count > 0 && errors.items[0].text[0] != '\0');
        return 0;
    }
    print_and_read();
    if (small()) live_days(size);
    return 0;
}
