/* peer_words.h - what is open of a problem in VROOM's JSON, and the plan that an answer means.
 *
 * Ids of vehicles and jobs are ranks in the instance, so they mean something to one call only.
 */
#ifndef CALLOUT_SIM_PEER_PEER_WORDS_H
#define CALLOUT_SIM_PEER_PEER_WORDS_H

#include "optimizer/solve.h"

/* The problem as text, to be freed. */
char *peer_words_write(const struct solver *solver, size_t *size);

/* Makes `plan` what the answer says, as far as the rules allow; `left_out` counts what they do not.
 * ERR_INVALID: it is no answer to this problem; then `plan` means nothing any more. */
MUST_USE enum err peer_words_read(const char *text, size_t size, struct plan *plan,
                                  struct arena *memory, uint32_t *left_out,
                                  struct problem *problem);

#endif
