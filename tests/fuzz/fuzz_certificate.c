/* A certificate from anywhere is refused with its line, or checked. */
#include "optimizer/verify/verify.h"

#include "base/check.h"

enum { WORK_MAX = 20000, VISITS_MAX = 12 };

static void check(const struct certificate *certificate)
{
    static struct verify_report report;
    const struct verify_watch watch = {.work_max = WORK_MAX};
    report = (struct verify_report){0};
    verify_plan(certificate, &report);
    if (certificate->visit_count <= VISITS_MAX) verify_bound(certificate, &watch, &report);
    for (uint32_t i = 0; i < report.finding_count && i < VERIFY_FINDINGS_MAX; i++)
        CHECK(report.findings[i].place[0] != '\0' && report.findings[i].text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena memory;
    struct certificate certificate;
    struct problem problem = {0};
    arena_open(&memory, CERTIFICATE_MEMORY_MAX);
    if (certificate_read(&certificate, (const char *)bytes, size, &memory, &problem) == ERR_OK)
        check(&certificate);
    else
        CHECK(problem.field[0] != '\0' && problem.text[0] != '\0');
    arena_close(&memory);
    return 0;
}
