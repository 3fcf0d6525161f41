/* ask.h - `callout ask`: the answers that a console gets, at the command line. */
#ifndef CALLOUT_SIM_ASK_H
#define CALLOUT_SIM_ASK_H

int ask_main(int argc, char **argv);

#endif
