#include "model/skill.h"

static bool skill_covered(const struct skill *have, uint32_t have_count, struct skill need)
{
    for (uint32_t i = 0; i < have_count; i++) {
        if (have[i].name == need.name && have[i].level >= need.level) return true;
    }
    return false;
}

bool skills_cover(const struct skill *have, uint32_t have_count, const struct skill *need,
                  uint32_t need_count)
{
    for (uint32_t i = 0; i < need_count; i++) {
        if (!skill_covered(have, have_count, need[i])) return false;
    }
    return true;
}

static bool choice_covered(const struct skill *have, uint32_t have_count,
                           const struct skill_choice *choice)
{
    for (uint32_t i = 0; i < choice->count; i++) {
        if (skill_covered(have, have_count, choice->any_of[i])) return true;
    }
    return choice->count == 0;
}

bool skills_cover_choices(const struct skill *have, uint32_t have_count,
                          const struct skill_choice *choices, uint32_t choice_count)
{
    for (uint32_t i = 0; i < choice_count; i++) {
        if (!choice_covered(have, have_count, &choices[i])) return false;
    }
    return true;
}

bool skill_valid(int64_t from_us, int64_t to_us, int64_t shift_start_us, int64_t shift_end_us)
{
    return from_us <= shift_start_us && (to_us == 0 || to_us >= shift_end_us);
}
