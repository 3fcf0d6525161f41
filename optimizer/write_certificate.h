/* write_certificate.h - a plan and what proves its bound, as a text that anybody can check.
 *
 * The text is described in verify/README.md; `callout verify FILE` reads it by code of its own. It
 * holds the instance as it was solved, in whole seconds of its day, what delay has stretched
 * included, the plan, and the proof (bound/proof.h).
 */
#ifndef CALLOUT_OPTIMIZER_WRITE_CERTIFICATE_H
#define CALLOUT_OPTIMIZER_WRITE_CERTIFICATE_H

#include "base/err.h"
#include "optimizer/bound/tree.h"
#include "optimizer/core/plan.h"

#include <stdio.h>

/* `plan` is one of `in`, and `in` the instance of `day`. Without a proof (NULL) all duals are 0:
 * no plan costs less than nothing. `tree`: what was made of the proof by splitting plans; NULL.
 * ERR_IO: it cannot be written. */
MUST_USE enum err write_certificate(const struct workday *day, const struct instance *in,
                                    const struct plan *plan, const struct proof *proof,
                                    const struct tree *tree, FILE *out);

#endif
