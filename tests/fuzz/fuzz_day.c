/* Two CSV files from anywhere become a day with a plan, or a list of errors with line and column. A
 * zero byte parts the technicians from the orders. */
#include "day/day.h"
#include "fuzz_reader.h"

static void plan_day(const struct day *day)
{
    static struct solve_input input;
    struct problem problem = {0};
    solve_input_open(&input);
    if (read_day(&input, day, true, &problem) == ERR_OK)
        fuzz_plan(&input);
    else
        CHECK(problem.text[0] != '\0');
    solve_input_close(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct day_errors errors;
    const char *text = (const char *)bytes;
    const char *zero = size == 0 ? NULL : memchr(text, '\0', size);
    size_t first = zero == NULL ? size : (size_t)(zero - text);
    size_t skip = zero == NULL ? size : first + 1;
    struct day day;
    errors.count = 0;
    enum err err = day_parse(&day, text, first, text + skip, size - skip, "Europe/Vaduz", &errors);
    if (err != ERR_OK) {
        CHECK(errors.count > 0 && errors.items[0].text[0] != '\0');
        return 0;
    }
    plan_day(&day);
    day_fini(&day);
    return 0;
}
