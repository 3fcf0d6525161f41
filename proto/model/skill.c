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
