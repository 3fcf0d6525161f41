/* read_parts.h - the lines of a certificate that split plans: `below`, `part_cut`, `split`, `part`;
 * README.md describes them. */
#ifndef CALLOUT_OPTIMIZER_VERIFY_READ_PARTS_H
#define CALLOUT_OPTIMIZER_VERIFY_READ_PARTS_H

#include "optimizer/verify/certificate.h"
#include "optimizer/verify/line.h"
#include "optimizer/verify/names.h"

/* Nothing, where the next line is another one. Names are sorted, all of the certificate's. */
void read_parts(struct lines *lines, struct certificate *to, const struct name *technicians,
                const struct name *visits);

#endif
