#include "optimizer/write_shadow.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOWS_FROM = 300, MEMORY_MAX = 1 << 30 }; /* with more orders no windows are priced */

const char *shadow_kind_name(enum shadow_kind kind)
{
    switch (kind) {
    case SHADOW_VISIT: return "visit";
    case SHADOW_TECHNICIAN: return "technician";
    case SHADOW_HOUR: return "hour";
    case SHADOW_SKILL_HOUR: return "skill_hour";
    case SHADOW_WINDOW: return "window";
    case SHADOW_FREEZE: return "freeze";
    case SHADOW_KINDS: break;
    }
    return "unknown";
}

static json_t *id_of(const struct solve_input *input, const char *id)
{
    if (input->format != SOLVE_DAY) return json_integer(strtoll(id, NULL, 10));
    return json_string(id);
}

static json_t *word_of(const struct solve_input *input, const struct shadow_price *price)
{
    const struct workday *day = &input->solver.day;
    const struct instance *in = &input->solver.in;
    json_t *word = json_pack("{s:s, s:I}", "kind", shadow_kind_name(price->kind), "seconds",
                             (json_int_t)shadow_seconds(price->worth));
    CHECK(word != NULL);
    if (price->visit != NO_INDEX) {
        json_t *id = id_of(input, day->visits[in->nodes[price->visit].slot].id);
        CHECK(json_object_set_new(word, "order", id) == 0);
    }
    if (price->technician != NO_INDEX) {
        json_t *id = id_of(input, day->technicians[in->technicians[price->technician].slot].id);
        CHECK(json_object_set_new(word, "technician", id) == 0);
    }
    if (price->skill != NO_INDEX)
        CHECK(json_object_set_new(word, "skill", json_string(day->skill_names[price->skill])) == 0);
    return word;
}

json_t *shadow_words(const struct solve_input *input, const struct proof *proof)
{
    const struct instance *in = &input->solver.in;
    struct shadow_options options = shadow_options_default;
    struct arena arena;
    struct recall recall;
    struct shadow_list list;
    json_t *words = json_array();
    if (in->visit_count > WINDOWS_FROM) options.windows_max = options.freezes_max = 0;
    arena_open(&arena, MEMORY_MAX);
    recall_make(&recall, in, PROOF_NEAR_MAX, &arena);
    shadow_prices(&input->solver.day, in, &recall, proof, &options, &arena, &list);
    for (uint32_t i = 0; i < list.count; i++) {
        if (list.items[i].worth > 0)
            CHECK(json_array_append_new(words, word_of(input, &list.items[i])) == 0);
    }
    arena_close(&arena);
    return words;
}

/* --- for people ------------------------------------------------------------------------------ */

static void print_id(const json_t *id, FILE *out)
{
    if (json_is_string(id))
        fputs(json_string_value(id), out);
    else
        fprintf(out, "%lld", (long long)json_integer_value(id));
}

static void print_price(const json_t *word, FILE *out)
{
    const char *kind = json_string_value(json_object_get(word, "kind"));
    const json_t *skill = json_object_get(word, "skill");
    const json_t *technician = json_object_get(word, "technician");
    const json_t *order = json_object_get(word, "order");
    if (strcmp(kind, "technician") == 0) fputs("one more technician like ", out);
    if (strcmp(kind, "hour") == 0) fputs("an hour more of ", out);
    if (strcmp(kind, "skill_hour") == 0)
        fprintf(out, "an hour more of skill %s, by ", json_string_value(skill));
    if (strcmp(kind, "window") == 0) fputs("any time for order ", out);
    if (strcmp(kind, "freeze") == 0) fputs("to move frozen order ", out);
    print_id(order != NULL ? order : technician, out);
    fprintf(out, " saves at most %lld\n",
            (long long)json_integer_value(json_object_get(word, "seconds")));
}

void shadow_print(const json_t *words, FILE *out)
{
    for (int kind = SHADOW_TECHNICIAN; kind < SHADOW_KINDS; kind++) {
        const json_t *best = NULL;
        size_t i;
        json_t *word;
        json_array_foreach(words, i, word)
        {
            const char *name = json_string_value(json_object_get(word, "kind"));
            if (strcmp(name, shadow_kind_name((enum shadow_kind)kind)) != 0) continue;
            json_int_t seconds = json_integer_value(json_object_get(word, "seconds"));
            if (best == NULL || seconds > json_integer_value(json_object_get(best, "seconds")))
                best = word;
        }
        if (best != NULL) print_price(best, out);
    }
}
