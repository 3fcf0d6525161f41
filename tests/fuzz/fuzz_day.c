/* Two CSV files from anywhere become a day or a list of errors with line and column. A zero byte
 * parts the technicians from the orders. */
#include "base/check.h"
#include "day/day.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

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
    if (err == ERR_OK)
        day_fini(&day);
    else
        CHECK(errors.count > 0 && errors.items[0].text[0] != '\0');
    return 0;
}
