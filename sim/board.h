/* board.h - what people see of a live run: a board on a terminal, or a line now and then. */
#ifndef CALLOUT_SIM_BOARD_H
#define CALLOUT_SIM_BOARD_H

#include "day/day.h"
#include "sim/fleet.h"
#include "sim/tally.h"
#include "sim/watch.h"

struct board_view {
    const struct day *day;
    const struct fleet *fleet;
    const struct tally_count *tally;
    const struct watch *watch;
    int64_t now_us; /* domain */
    double rate;
    const char *hint; /* the last lines; "": none */
};

void board_open(void);  /* takes the terminal's other screen */
void board_close(void); /* gives the terminal back as it was */
void board_draw(const struct board_view *view);
void board_line(const struct board_view *view); /* one line, for logs */

#endif
