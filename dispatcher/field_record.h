/* field_record.h - what belongs to a visit besides its order and its place in the plan: the
 * checklist, what technicians answered, wrote, took and need, and what was done at its site before.
 *
 * All of it is read from rows that facts left, into messages in the call's arena. */
#ifndef CALLOUT_DISPATCHER_FIELD_RECORD_H
#define CALLOUT_DISPATCHER_FIELD_RECORD_H

#include "dispatcher/engine_impl.h"

/* Notes and attachments that are told; the newest ones. */
enum { RECORD_NOTES_MAX = 50, RECORD_ATTACHMENTS_MAX = 50 };

/* The checklist of an order that has `count` items. */
MUST_USE enum err record_checklist(struct call *call, Callout__WorkOrder *order, int64_t count);
/* Answers, notes, attachments, needs, and until when it is to be accepted; *out has its appointment
 * already. */
MUST_USE enum err record_read(struct call *call, Callout__FieldAppointment *out);
/* The same, and what was done at its site before. */
MUST_USE enum err record_read_for_device(struct call *call, Callout__FieldAppointment *out);
/* Required items of its order that have no answer. */
uint32_t record_items_open(struct call *call, const char *appointment_id);
/* Makes the order that a follow-up asks for: body->upsert_work_order. ERR_NOT_FOUND: it would
 * follow what is not his and never was. */
MUST_USE enum err record_follow_up(struct call *call, const char *technician_id,
                                   const Callout__Command *command, Callout__FactBody *body,
                                   struct problem *problem);

#endif
