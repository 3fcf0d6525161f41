/* A planted bug: a text that ends without a line end is refused without a word. Found since what is
 * refused says why. */
#include "optimizer/solve_input.h"

enum err planted_read(struct solve_input *input, const char *text, size_t size,
                      struct problem *problem) __asm__("__wrap_read_solomon");
enum err real_read(struct solve_input *input, const char *text, size_t size,
                   struct problem *problem) __asm__("__real_read_solomon");

enum err planted_read(struct solve_input *input, const char *text, size_t size,
                      struct problem *problem)
{
    enum err err = real_read(input, text, size, problem);
    if (err != ERR_OK && size > 0 && text[size - 1] != '\n') problem->text[0] = '\0';
    return err;
}
