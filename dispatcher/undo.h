/* undo.h - the last edits of each person, and what takes them back.
 *
 * Idea: what an edit is about is looked at before it is applied, and what would put it back is kept
 * beside it, for whoever made it. Taking it back is a fact like any other, with the places in it;
 * so a replay needs nothing of what is kept here.
 * Owner: messages live in the call's arena.
 */
#ifndef CALLOUT_DISPATCHER_UNDO_H
#define CALLOUT_DISPATCHER_UNDO_H

#include "dispatcher/engine_impl.h"

enum { UNDO_DEPTH = 20, UNDO_BODIES_MAX = 2 };

/* What would take an edit back that is about to be applied; NULL: it cannot be, or nobody keeps it
 * for such an asker. */
Callout__EditUndo *undo_before(struct call *call, const Callout__FactBody *body);
/* The edit became fact `seq`: keeps it, and lets go of the oldest beyond UNDO_DEPTH. */
MUST_USE enum err undo_keep(struct call *call, Callout__EditUndo *undo, int64_t seq);

/* The facts that do what Undo or RollBackPlan asks, into bodies that are made; *done_seq is the
 * edit that is taken back then (0: none). ERR_NOT_FOUND, ERR_CONFLICT: why not. */
MUST_USE enum err undo_bodies(struct call *call, Callout__FactBody *bodies, uint32_t *count,
                              int64_t *done_seq);
MUST_USE enum err roll_back_body(struct call *call, Callout__FactBody *body);
/* It is taken back: nobody can do so again. */
MUST_USE enum err undo_forget(struct call *call, int64_t seq);

#endif
