/* setup.h - what a run needs before its devices can speak: territories, a technician for each
 * device with a shift now, a work order that he has, and an enrolment token.
 *
 * Everything is made through the front door by the folder's own API key; tokens come from the
 * dispatcher's private socket, as `callout admin enrol` gets them. Technicians are the same in
 * every run on a folder, work orders are new ones.
 */
#ifndef CALLOUT_SIM_LOAD_SETUP_H
#define CALLOUT_SIM_LOAD_SETUP_H

#include "sim/load/load.h"

/* Fills load->tokens, which are the caller's to free (each, and the list). */
MUST_USE enum err setup_make(struct load *load, struct problem *problem);

#endif
