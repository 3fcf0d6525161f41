/* A planted bug: the matrix of a text that ends in it is read on. Found by the sanitizer. */
#include "optimizer/solve_input.h"

enum err planted_read(struct solve_input *input, const char *text, size_t size,
                      struct problem *problem) __asm__("__wrap_read_vroom");
enum err real_read(struct solve_input *input, const char *text, size_t size,
                   struct problem *problem) __asm__("__real_read_vroom");

enum err planted_read(struct solve_input *input, const char *text, size_t size,
                      struct problem *problem)
{
    const volatile char *end = text + size;
    if (size > 8 && end[-1] == '[' && end[0] == '[') size--;
    return real_read(input, text, size, problem);
}
