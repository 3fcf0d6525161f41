#include "sim/board.h"

#include "base/clock.h"
#include "day/zone.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FRAME_BYTES = 64 * 1024, CELL = 26, ROWS_DEFAULT = 40, COLUMNS_DEFAULT = 100 };

/* A frame is put together first and written at once, so that it never flickers. */
struct frame {
    char text[FRAME_BYTES];
    size_t size;
    int rows_left, columns;
};

static void put_line(struct frame *frame, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One row, cut at the terminal's width, so that nothing wraps. */
static void put_line(struct frame *frame, const char *format, ...)
{
    static const char line_end[] = "\033[K\r\n"; /* clears what an older frame left there */
    char line[512];
    if (frame->rows_left-- <= 0) return;
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    int columns = 0;
    for (const char *at = line; *at != '\0' && frame->size + 16 < sizeof frame->text; at++) {
        bool starts_character = ((unsigned char)*at & 0xc0) != 0x80;
        if (starts_character && ++columns >= frame->columns) break;
        frame->text[frame->size++] = iscntrl((unsigned char)*at) ? '?' : *at;
    }
    memcpy(frame->text + frame->size, line_end, sizeof line_end - 1);
    frame->size += sizeof line_end - 1;
}

/* "09:41:12" in the day's zone. */
static const char *local_clock(int64_t time_us, char text[32])
{
    clock_format_utc(zone_utc_to_local_us(time_us), text);
    memmove(text, text + 11, 8);
    text[8] = '\0';
    return text;
}

static void put_head(struct frame *frame, const struct board_view *view)
{
    char now[32];
    const struct tally_count *tally = view->tally;
    const struct watch_totals *totals = watch_totals(view->watch);
    struct fleet_count fleet = fleet_count(view->fleet);
    put_line(frame, "Callout   %s   %.0f times as fast   plan %llu", local_clock(view->now_us, now),
             view->rate, (unsigned long long)tally->plan_version);
    put_line(frame, " ");
    put_line(frame,
             "people    %zu drive, %zu on site, %zu work, %zu rest, %zu wait, %zu ill, %zu "
             "home, %zu taken over; %zu without signal, %llu commands to send",
             fleet.doing[PERSON_TRAVELS], fleet.doing[PERSON_ON_SITE], fleet.doing[PERSON_WORKS],
             fleet.doing[PERSON_RESTS], fleet.doing[PERSON_IDLE], fleet.doing[PERSON_ABSENT],
             fleet.doing[PERSON_GONE] + fleet.doing[PERSON_OFF], fleet.doing[PERSON_TAKEN],
             fleet.without_signal, (unsigned long long)fleet.unsent);
    put_line(frame,
             "orders    %zu done, %zu under way, %zu dispatched, %zu planned, %zu nowhere, %zu "
             "failed, %zu cancelled, %zu late",
             tally->done, tally->under_way, tally->dispatched, tally->planned, tally->unscheduled,
             tally->failed, tally->cancelled, tally->late);
    put_line(
        frame,
        "events    %llu, of which %llu changed a device; event to device p50 %.0f ms, p95 %.0f "
        "ms, p99 %.0f ms",
        (unsigned long long)totals->events, (unsigned long long)totals->events_with_change,
        samples_percentile_ms(&totals->latency, 50), samples_percentile_ms(&totals->latency, 95),
        samples_percentile_ms(&totals->latency, 99));
    put_line(frame, " ");
}

static void put_events(struct frame *frame, const struct board_view *view)
{
    struct watch_line lines[WATCH_LINES];
    size_t count = watch_lines(view->watch, lines);
    for (size_t i = 0; i < count; i++) {
        char at[32], took[32] = "", changed[64] = "";
        if (lines[i].to_device_us >= 0)
            snprintf(took, sizeof took, ", %lld ms", (long long)(lines[i].to_device_us / 1000));
        if (lines[i].changed > 0)
            snprintf(changed, sizeof changed, "  -> %u changed%s", lines[i].changed, took);
        put_line(frame, "  %s  %s%s", local_clock(lines[i].time_us, at), lines[i].text, changed);
    }
    put_line(frame, " ");
}

static void put_people(struct frame *frame, const struct board_view *view)
{
    int across = (frame->columns - 1) / CELL;
    if (across < 1) across = 1;
    if (across > 16) across = 16;
    char line[16 * (CELL + LIMIT_ID) + 1];
    size_t size = 0;
    int cells = 0;
    for (size_t i = 0; i < view->day->technician_count; i++) {
        const struct person *person = fleet_person(view->fleet, i);
        size += (size_t)snprintf(
            line + size, sizeof line - size, "  %-12.12s %-8s%-2s ", view->day->technicians[i].id,
            person_doing_text(person_doing(person)), person_has_signal(person) ? "" : "x");
        if (++cells < across && i + 1 < view->day->technician_count) continue;
        put_line(frame, "%s", line);
        size = 0;
        cells = 0;
    }
}

static void measure_terminal(struct frame *frame)
{
    struct winsize size = {0};
    bool known =
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 4 && size.ws_col > 20;
    frame->rows_left = (known ? size.ws_row : ROWS_DEFAULT) - 1;
    frame->columns = known ? size.ws_col : COLUMNS_DEFAULT;
}

static void write_all(const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(STDOUT_FILENO, text, size);
        if (written <= 0) return; /* a terminal that is gone needs no board */
        text += written;
        size -= (size_t)written;
    }
}

void board_open(void)
{
    static const char other_screen_no_cursor[] = "\033[?1049h\033[?25l";
    write_all(other_screen_no_cursor, sizeof other_screen_no_cursor - 1);
}

void board_close(void)
{
    static const char cursor_own_screen[] = "\033[?25h\033[?1049l";
    write_all(cursor_own_screen, sizeof cursor_own_screen - 1);
}

static void put_hint(struct frame *frame, const char *hint)
{
    if (hint[0] != '\0') put_line(frame, " ");
    while (hint[0] != '\0') {
        size_t size = strcspn(hint, "\n");
        put_line(frame, "%.*s", (int)size, hint);
        hint += size + (hint[size] == '\n');
    }
}

void board_draw(const struct board_view *view)
{
    static const char home[] = "\033[H", clear_below[] = "\033[J";
    static struct frame frame;
    frame.size = sizeof home - 1;
    memcpy(frame.text, home, frame.size);
    measure_terminal(&frame);
    put_head(&frame, view);
    put_events(&frame, view);
    put_people(&frame, view);
    put_hint(&frame, view->hint);
    memcpy(frame.text + frame.size, clear_below, sizeof clear_below - 1);
    write_all(frame.text, frame.size + sizeof clear_below - 1);
}

void board_line(const struct board_view *view)
{
    char now[32];
    const struct tally_count *tally = view->tally;
    const struct watch_totals *totals = watch_totals(view->watch);
    printf(
        "%s  plan %llu  done %zu of %zu, %zu under way, %zu nowhere  events %llu, %llu changed a "
        "device  p50 %.0f ms, p95 %.0f ms, p99 %.0f ms\n",
        local_clock(view->now_us, now), (unsigned long long)tally->plan_version, tally->done,
        tally->appointments, tally->under_way, tally->unscheduled,
        (unsigned long long)totals->events, (unsigned long long)totals->events_with_change,
        samples_percentile_ms(&totals->latency, 50), samples_percentile_ms(&totals->latency, 95),
        samples_percentile_ms(&totals->latency, 99));
    fflush(stdout);
}
