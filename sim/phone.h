/* phone.h - a technician's phone in the terminal: a real client whose user is whoever types.
 *
 * `callout sim phone TECHNICIAN --data DIR [--keep] | --gateway URL --token TOKEN [--ca FILE]
 *    [--folder DIR] [--time-zone ZONE]`
 *   With --data, a virtual technician of a fleet that lives there steps back first (hands.h), and
 *   goes on at the end unless --keep is given. The folder keeps the device for another time;
 *   without it, the device is gone with the phone.
 *
 * A line on standard input is a word and whom it is about, an id or a number of the list:
 *   list, accept, decline, leave, arrive, start, pause, done, incomplete, no-access, late MINUTES,
 *   ill, help, quit; the end of input is `quit`.
 * Without whom: `leave` is about the next visit, `accept` and `decline` about the first that is
 * dispatched, the others about the visit in hand. What the system says comes as lines, too. At the
 * end all that was typed is acknowledged; exit code 1: it is not.
 */
#ifndef CALLOUT_SIM_PHONE_H
#define CALLOUT_SIM_PHONE_H

/* The verb's main; argv[0] is the verb. Returns an exit code. */
int phone_main(int argc, char **argv);

#endif
