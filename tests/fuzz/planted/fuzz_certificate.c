/* A planted bug: a plan that leaves out a visit is named without its place. Found since each
 * finding has one. */
#include "optimizer/verify/verify.h"

void planted_verify(const struct certificate *certificate,
                    struct verify_report *report) __asm__("__wrap_verify_plan");
void real_verify(const struct certificate *certificate,
                 struct verify_report *report) __asm__("__real_verify_plan");

void planted_verify(const struct certificate *certificate, struct verify_report *report)
{
    real_verify(certificate, report);
    if (report->finding_count == 1) report->findings[0].place[0] = '\0';
}
