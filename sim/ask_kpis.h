/* ask_kpis.h - the figures of a day in people's words, for `callout ask kpis`. */
#ifndef CALLOUT_SIM_ASK_KPIS_H
#define CALLOUT_SIM_ASK_KPIS_H

#include "pb/dispatch.pb-c.h"

/* To standard output. What a figure means: model/kpi.h. */
void ask_print_kpis(const Callout__KpisReply *reply);

#endif
