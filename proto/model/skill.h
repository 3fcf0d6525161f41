/* skill.h - what a technician can do and an order needs: a skill with a level from 1 to 9.
 *
 * Names are interned to small numbers by whoever holds the dictionary (the core, the optimizer).
 * A technician serves an order when he has each needed skill, and at least one of each choice, at
 * that level or above. What he has counts on a day when it is valid from the start of his shift to
 * its end, whatever day it is today.
 */
#ifndef CALLOUT_MODEL_SKILL_H
#define CALLOUT_MODEL_SKILL_H

#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct skill {
    uint16_t name;  /* index in the owner's dictionary of names */
    uint16_t level; /* 1 (least) to 9 */
};

/* At least one of these; none at all asks for nothing. */
struct skill_choice {
    uint32_t count;
    struct skill any_of[LIMIT_SKILLS_PER_CHOICE];
};

/* Does `have` cover each of `need`? */
bool skills_cover(const struct skill *have, uint32_t have_count, const struct skill *need,
                  uint32_t need_count);

/* Does it cover one of each choice? */
bool skills_cover_choices(const struct skill *have, uint32_t have_count,
                          const struct skill_choice *choices, uint32_t choice_count);

/* Does a skill that is valid from .. to (UTC microseconds; 0: always, for ever) count for a shift?
 */
bool skill_valid(int64_t from_us, int64_t to_us, int64_t shift_start_us, int64_t shift_end_us);

#endif
