/* A planted bug: what was read of a file that is refused stays in memory. Found by the search for
 * leaks. */
#include "optimizer/solve_input.h"
#include <stdlib.h>
#include <string.h>

static void *volatile kept; /* what a compiler cannot leave out */

enum err planted_read(struct solve_input *input, const char *text, size_t size,
                      struct problem *problem) __asm__("__wrap_read_vrplib");
enum err real_read(struct solve_input *input, const char *text, size_t size,
                   struct problem *problem) __asm__("__real_read_vrplib");

enum err planted_read(struct solve_input *input, const char *text, size_t size,
                      struct problem *problem)
{
    enum err err = real_read(input, text, size, problem);
    if (err == ERR_OK || size < 9 || memcmp(text, "DIMENSION", 9) != 0) return err;
    kept = malloc(size);
    kept = NULL;
    return err;
}
