#include "base/check.h"
#include "base/digest.h"
#include "sim/scenario/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_item(FILE *out, struct scenario *scenario, const struct section *section,
                       size_t item)
{
    char text[FIELD_PRINTED];
    if (section->repeats)
        fprintf(out, "\n[%s %s]\n", section->name,
                (const char *)scenario + section->offset + item * section->item_size);
    else
        fprintf(out, "\n[%s]\n", section->name);
    for (size_t i = 0; i < section->field_count; i++) {
        const struct field *field = &section->fields[i];
        fprintf(out, "%s = %s\n", field->key,
                field_print(field, field_at(scenario, section, item, field), text));
    }
}

/* A day folder brings its own of these. */
static bool left_out(const struct scenario *scenario, const struct section *section)
{
    static const char *const own[] = {"town", "workforce", "skill", "shift", "demand", "work"};
    if (scenario->folder.path[0] == '\0') return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(section->name, own[i]) == 0) return true;
    return false;
}

char *scenario_print(const struct scenario *scenario)
{
    static struct scenario copy;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    CHECK(out != NULL);
    copy = *scenario;
    fprintf(out, "# callout scenario\n");
    for (size_t i = 0; i < section_count; i++) {
        const struct section *section = &sections[i];
        if (left_out(scenario, section)) continue;
        size_t count = section->repeats ? *section_items(&copy, section) : 1;
        for (size_t item = 0; item < count; item++)
            print_item(out, &copy, section, item);
    }
    CHECK(fclose(out) == 0);
    return text;
}

uint64_t scenario_digest(const struct scenario *scenario)
{
    struct digest digest = digest_start();
    char *text = scenario_print(scenario);
    digest_bytes(&digest, text, strlen(text));
    free(text);
    return digest.state;
}

static void print_section_keys(FILE *out, struct scenario *usual, const struct section *section)
{
    char range[FIELD_PRINTED], value[FIELD_PRINTED];
    fprintf(out, "\n[%s%s]  %s\n", section->name, section->repeats ? " NAME" : "", section->about);
    for (size_t i = 0; i < section->field_count; i++) {
        const struct field *field = &section->fields[i];
        fprintf(out, "%s = %s\n    %s; %s\n", field->key,
                field_print(field, field_at(usual, section, 0, field), value), field->about,
                field_range(field, range));
    }
}

char *scenario_keys(void)
{
    static struct scenario usual;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    CHECK(out != NULL);
    scenario_defaults(&usual);
    fprintf(out, "Every section and key with its default, meaning and range.\n");
    for (size_t i = 0; i < section_count; i++)
        print_section_keys(out, &usual, &sections[i]);
    CHECK(fclose(out) == 0);
    return text;
}
