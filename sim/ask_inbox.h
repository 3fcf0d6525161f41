/* ask_inbox.h - `callout ask conflicts` and `dead-letters` as text. */
#ifndef CALLOUT_SIM_ASK_INBOX_H
#define CALLOUT_SIM_ASK_INBOX_H

#include "pb/dispatch.pb-c.h"

/* Print a ConflictsReply, a DeadLettersReply; the exit code. */
int ask_print_conflicts(const ProtobufCMessage *message);
int ask_print_dead_letters(const ProtobufCMessage *message);

#endif
