/* proposals.h - plans that wait for a person, where a territory wants that (E11).
 *
 * Idea: a plan is a fact only when it is published, so one that waits is none: it is kept here as
 * it came, the newest of each day, until a person takes it or turns it down, its time is over, or
 * this process ends; then the optimizer has another one when something happens. What it would do is
 * tried on a copy of the core, by the step that publishes plans, whenever somebody asks: so what is
 * shown is what would be done now, and what facts have overtaken since is not in it. Never waits:
 * what an event made necessary (the optimizer's repair), a day's first plan, and what brings an
 * emergency to somebody.
 *
 * Owner: the engine. Thread: the engine's.
 */
#ifndef CALLOUT_DISPATCHER_PROPOSALS_H
#define CALLOUT_DISPATCHER_PROPOSALS_H

#include "dispatcher/engine_impl.h"

/* True: it is not to be published now, as it is kept for a person, was turned down before, or
 * another one is being looked at. False: it does not wait, or changes nothing. */
bool proposal_keep(struct engine *engine, const Callout__PlanCandidate *candidate);

/* What waits of that day, onto its board. */
void proposal_brief(struct engine *engine, const struct problem_key *key, Callout__SolverState *to);

/* What AcceptProposal becomes: a plan of the routes that are wanted. ERR_CONFLICT: another plan
 * waits by now, or none does. */
MUST_USE enum err accept_proposal_body(struct call *call, Callout__FactBody *body);
/* They are published: only the others wait on. */
void proposal_accepted(struct call *call, const Callout__PlanCandidate *accepted);

void proposals_close(struct engine *engine);

#endif
