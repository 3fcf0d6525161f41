/* skill.h - what a technician can do and an order needs: a skill with a level from 1 to 9.
 *
 * Names are interned to small numbers by whoever holds the dictionary (the core, the optimizer);
 * a technician serves an order when, for each needed skill, he has it at that level or above.
 */
#ifndef CALLOUT_MODEL_SKILL_H
#define CALLOUT_MODEL_SKILL_H

#include <stdbool.h>
#include <stdint.h>

struct skill {
    uint16_t name;  /* index in the owner's dictionary of names */
    uint16_t level; /* 1 (least) to 9 */
};

/* Does `have` cover each of `need`? */
bool skills_cover(const struct skill *have, uint32_t have_count, const struct skill *need,
                  uint32_t need_count);

#endif
