/* A planted bug: a cancellation that is refused leaves its time in the core. Found since nothing
 * that is refused may leave a trace. */
#include "dispatcher/core/state.h"

enum err planted_step(struct core *core, const struct fact *fact, struct acts *acts,
                      struct problem *problem) __asm__("__wrap_core_step");
enum err real_step(struct core *core, const struct fact *fact, struct acts *acts,
                   struct problem *problem) __asm__("__real_core_step");

enum err planted_step(struct core *core, const struct fact *fact, struct acts *acts,
                      struct problem *problem)
{
    enum err err = real_step(core, fact, acts, problem);
    if (err != ERR_OK && fact->kind == FACT_CANCEL) core->seq++;
    return err;
}
