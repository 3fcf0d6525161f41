#include "base/clock.h"
#include "day/zone.h"
#include "sim/scenario/generate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- fields ---------------------------------------------------------------------------------- */

static void put_text(FILE *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void put_degrees(FILE *out, int32_t e7)
{
    int64_t size = e7 < 0 ? -(int64_t)e7 : e7;
    fprintf(out, "%s%lld.%07lld", e7 < 0 ? "-" : "", (long long)(size / GEO_E7),
            (long long)(size % GEO_E7));
}

/* Local, to the minute where that is enough; 0 is an empty field. */
static void put_time(FILE *out, int64_t time_us)
{
    char text[32];
    if (time_us == 0) return;
    int64_t local_us = zone_utc_to_local_us(time_us);
    fprintf(out, "%.*s", local_us % US_PER_MINUTE == 0 ? 16 : 19, clock_format_utc(local_us, text));
}

static void put_skills(FILE *out, const struct day_skill *skills, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s:%u", i == 0 ? "" : " ", skills[i].name, skills[i].level);
}

/* --- rows ------------------------------------------------------------------------------------ */

static void put_technician(FILE *out, const struct day_technician *technician)
{
    put_text(out, technician->id);
    fputc(',', out);
    put_text(out, technician->name);
    fputc(',', out);
    put_degrees(out, technician->home.lon_e7);
    fputc(',', out);
    put_degrees(out, technician->home.lat_e7);
    const int64_t times[] = {technician->shift_start_us, technician->shift_end_us,
                             technician->break_earliest_us, technician->break_latest_us};
    for (size_t i = 0; i < 4; i++) {
        fputc(',', out);
        put_time(out, times[i]);
    }
    fprintf(out, ",%d,", technician->break_s / 60);
    put_skills(out, technician->skills, technician->skill_count);
    fprintf(out, ",%d\n", technician->overtime_s_max / 60);
}

static void put_order(FILE *out, const struct day_order *order)
{
    put_text(out, order->id);
    fputc(',', out);
    put_time(out, order->received_us);
    fputc(',', out);
    put_degrees(out, order->at.lon_e7);
    fputc(',', out);
    put_degrees(out, order->at.lat_e7);
    fputc(',', out);
    put_text(out, order->address);
    fputc(',', out);
    put_text(out, order->work_type);
    fprintf(out, ",%d,%u,", order->service_s / 60, order->priority);
    put_skills(out, order->skills, order->skill_count);
    const int64_t times[] = {order->window_start_us, order->window_end_us, order->due_us};
    for (size_t i = 0; i < 3; i++) {
        fputc(',', out);
        put_time(out, times[i]);
    }
    fputc('\n', out);
}

/* --- files ----------------------------------------------------------------------------------- */

static FILE *begin_file(const char *folder, const char *name, const char *head,
                        struct problem *problem)
{
    char path[SCENARIO_PATH + 64];
    snprintf(path, sizeof path, "%.*s/%s", SCENARIO_PATH, folder, name);
    FILE *out = fopen(path, "w");
    if (out == NULL)
        (void)problem_set(problem, ERR_IO, path, "cannot be written: %s", strerror(errno));
    else
        fputs(head, out);
    return out;
}

static enum err end_file(FILE *out, const char *folder, struct problem *problem)
{
    int failed = ferror(out);
    if (fclose(out) != 0 || failed)
        return problem_set(problem, ERR_IO, folder, "cannot be written: %s", strerror(errno));
    return ERR_OK;
}

enum err scenario_write_day(const struct day *day, const char *folder, struct problem *problem)
{
    FILE *out = begin_file(folder, "technicians.csv",
                           "technician_id,name,home_lon,home_lat,shift_start,shift_end,"
                           "break_earliest,break_latest,break_minutes,skills,"
                           "overtime_minutes_max\n",
                           problem);
    if (out == NULL) return ERR_IO;
    for (size_t i = 0; i < day->technician_count; i++)
        put_technician(out, &day->technicians[i]);
    enum err err = end_file(out, folder, problem);
    if (err != ERR_OK) return err;
    out = begin_file(folder, "orders.csv",
                     "order_id,received_at,lon,lat,address,work_type,service_minutes,priority,"
                     "skill,window_start,window_end,due_at\n",
                     problem);
    if (out == NULL) return ERR_IO;
    for (size_t i = 0; i < day->order_count; i++)
        put_order(out, &day->orders[i]);
    return end_file(out, folder, problem);
}
