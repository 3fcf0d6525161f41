/* A planted bug: the second file is read on when it ends within quotes. Found by the sanitizer. */
#include "day/day.h"

enum err planted_parse(struct day *out, const char *technicians, size_t technicians_size,
                       const char *orders, size_t orders_size, const char *time_zone,
                       struct day_errors *errors) __asm__("__wrap_day_parse");
enum err real_parse(struct day *out, const char *technicians, size_t technicians_size,
                    const char *orders, size_t orders_size, const char *time_zone,
                    struct day_errors *errors) __asm__("__real_day_parse");

enum err planted_parse(struct day *out, const char *technicians, size_t technicians_size,
                       const char *orders, size_t orders_size, const char *time_zone,
                       struct day_errors *errors)
{
    const volatile char *end = orders + orders_size;
    if (orders_size > 0 && end[-1] == '"' && end[0] == '"') orders_size--;
    return real_parse(out, technicians, technicians_size, orders, orders_size, time_zone, errors);
}
