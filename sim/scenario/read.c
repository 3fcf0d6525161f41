#include "base/check.h"
#include "base/nearest.h"
#include "sim/scenario/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 2048, WORDS_MAX = 32, NAME_SHOWN = 48 };

/* --- what is wrong --------------------------------------------------------------------------- */

static void complain(struct reader *reader, unsigned line, const char *section, const char *key,
                     const char *format, va_list args) __attribute__((format(printf, 5, 0)));

static void complain(struct reader *reader, unsigned line, const char *section, const char *key,
                     const char *format, va_list args)
{
    struct day_errors *errors = reader->errors;
    if (errors->count++ >= DAY_ERRORS_MAX) return;
    struct problem *problem = &errors->items[errors->count - 1];
    size_t length = strlen(reader->name);
    const char *name = reader->name + (length > NAME_SHOWN ? length - NAME_SHOWN : 0);
    char place[24] = "override";
    if (line > 0) snprintf(place, sizeof place, "line %u", line);
    snprintf(problem->field, sizeof problem->field, "%s %s%s%.16s%s%.36s", name, place,
             section[0] == '\0' ? "" : ", ", section, key[0] == '\0' ? "" : ".", key);
    vsnprintf(problem->text, sizeof problem->text, format, args);
}

void reader_complain(struct reader *reader, const char *section, const char *key,
                     const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(reader, reader->line, section, key, format, args);
    va_end(args);
}

const struct seen *reader_seen(const struct reader *reader, const char *section, size_t item,
                               const char *key)
{
    for (size_t i = reader->seen_count; i-- > 0;) {
        const struct seen *seen = &reader->seen[i];
        if (strcmp(seen->section->name, section) != 0) continue;
        if (key == NULL) return seen;
        if (seen->item == item && seen->field != NULL && strcmp(seen->field->key, key) == 0)
            return seen;
    }
    return NULL;
}

/* The line of the head of the item's section; 1 if the text has none. */
static unsigned head_line(const struct reader *reader, const char *section, size_t item)
{
    for (size_t i = 0; i < reader->seen_count; i++) {
        const struct seen *seen = &reader->seen[i];
        if (seen->field == NULL && seen->item == item && strcmp(seen->section->name, section) == 0)
            return seen->line;
    }
    return 1;
}

void reader_complain_at(struct reader *reader, const char *section, size_t item, const char *key,
                        const char *format, ...)
{
    const struct seen *seen = reader_seen(reader, section, item, key);
    va_list args;
    va_start(args, format);
    complain(reader, seen != NULL ? seen->line : head_line(reader, section, item), section, key,
             format, args);
    va_end(args);
}

static void note_seen(struct reader *reader, const struct field *field)
{
    CHECK(reader->seen_count < SCENARIO_LINES_MAX + SCENARIO_SETS_MAX);
    reader->seen[reader->seen_count++] =
        (struct seen){reader->section, field, reader->item, reader->line, false};
}

/* --- sections -------------------------------------------------------------------------------- */

static const struct section *find_section(const char *name)
{
    for (size_t i = 0; i < section_count; i++)
        if (strcmp(sections[i].name, name) == 0) return &sections[i];
    return NULL;
}

static void complain_section(struct reader *reader, const char *name)
{
    const char *words[WORDS_MAX];
    CHECK(section_count <= WORDS_MAX);
    for (size_t i = 0; i < section_count; i++)
        words[i] = sections[i].name;
    const char *nearest = nearest_word(name, words, section_count);
    reader_complain(reader, "", "", "there is no section [%.40s]%s%s%s", name,
                    nearest == NULL ? "; --keys lists them" : "; did you mean [",
                    nearest == NULL ? "" : nearest, nearest == NULL ? "" : "]?");
}

static bool label_sound(const char *label)
{
    size_t sound = strspn(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_-");
    return sound > 0 && label[sound] == '\0' && sound < SCENARIO_NAME;
}

static char *item_at(struct reader *reader, const struct section *section, size_t item)
{
    return (char *)reader->scenario + section->offset + item * section->item_size;
}

/* The item of that label; as many as there are if none has it. */
static size_t find_item(struct reader *reader, const struct section *section, const char *label)
{
    size_t item = 0, count = *section_items(reader->scenario, section);
    while (item < count && strcmp(item_at(reader, section, item), label) != 0)
        item++;
    return item;
}

/* A new item of a section that repeats, as the first default of its kind is. The first one of a
 * text takes the place of all defaults. */
static bool begin_item(struct reader *reader, const struct section *section, const char *label)
{
    static struct scenario usual;
    size_t *count = section_items(reader->scenario, section);
    if (reader_seen(reader, section->name, 0, NULL) == NULL) *count = 0;
    if (!label_sound(label)) {
        reader_complain(reader, section->name, "",
                        "write [%s NAME]; a name has letters, digits, - and _, at most %d",
                        section->name, SCENARIO_NAME - 1);
        return false;
    }
    if (find_item(reader, section, label) < *count) {
        reader_complain(reader, section->name, label, "comes twice; take one of them out");
        return false;
    }
    if (*count == section->items_max) {
        reader_complain(reader, section->name, label, "at most %zu of them", section->items_max);
        return false;
    }
    scenario_defaults(&usual);
    reader->item = (*count)++;
    char *item = item_at(reader, section, reader->item);
    memcpy(item, (const char *)&usual + section->offset, section->item_size);
    snprintf(item, SCENARIO_NAME, "%s", label);
    return true;
}

static void read_head(struct reader *reader, char *text)
{
    char *end = strchr(text, ']');
    reader->section = NULL;
    if (end == NULL || end[1] != '\0') {
        reader_complain(reader, "", "",
                        "a section is [name] or [name label] and nothing behind it");
        return;
    }
    *end = '\0';
    char *label = text + 1 + strcspn(text + 1, " \t");
    if (*label != '\0') {
        *label++ = '\0';
        label += strspn(label, " \t");
    }
    const struct section *section = find_section(text + 1);
    if (section == NULL) {
        complain_section(reader, text + 1);
        return;
    }
    reader->item = 0;
    if (section->repeats ? !begin_item(reader, section, label) : *label != '\0') {
        if (!section->repeats)
            reader_complain(reader, section->name, "", "there is one only: it has no label");
        return;
    }
    reader->section = section;
    note_seen(reader, NULL);
}

/* --- keys ------------------------------------------------------------------------------------ */

static const struct field *find_field(const struct section *section, const char *key)
{
    for (size_t i = 0; i < section->field_count; i++)
        if (strcmp(section->fields[i].key, key) == 0) return &section->fields[i];
    return NULL;
}

static void complain_key(struct reader *reader, const char *key)
{
    const char *words[WORDS_MAX];
    const struct section *section = reader->section;
    CHECK(section->field_count <= WORDS_MAX);
    for (size_t i = 0; i < section->field_count; i++)
        words[i] = section->fields[i].key;
    const char *nearest = nearest_word(key, words, section->field_count);
    reader_complain(reader, section->name, key, "there is no such key%s%s%s",
                    nearest == NULL ? "; --keys lists them" : "; did you mean ",
                    nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
}

static void set_key(struct reader *reader, const char *key, const char *value)
{
    char why[200];
    const struct section *section = reader->section;
    const struct field *field = find_field(section, key);
    if (field == NULL) {
        complain_key(reader, key);
        return;
    }
    for (size_t i = 0; reader->line > 0 && i < reader->seen_count; i++) {
        const struct seen *seen = &reader->seen[i];
        if (seen->section != section || seen->item != reader->item || seen->field != field)
            continue;
        reader_complain(reader, section->name, key, "comes twice, first on line %u", seen->line);
        return;
    }
    note_seen(reader, field);
    if (field_read(field, value, field_at(reader->scenario, section, reader->item, field), why,
                   sizeof why))
        return;
    reader->seen[reader->seen_count - 1].failed = true;
    reader_complain(reader, section->name, key, "%s", why);
}

/* --- lines ----------------------------------------------------------------------------------- */

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size > 0 && strchr(" \t\r", text[size - 1]) != NULL)
        text[--size] = '\0';
    return text;
}

/* Cuts "key = value" in two; false: there is no "=". */
static bool cut(char *text, char **key, char **value)
{
    char *equals = strchr(text, '=');
    if (equals == NULL) return false;
    *equals = '\0';
    *key = trim(text);
    *value = trim(equals + 1);
    return true;
}

static void read_line(struct reader *reader, char *text)
{
    char *key, *value, *comment = strstr(text, " #");
    if (comment != NULL) *comment = '\0';
    text = trim(text);
    if (text[0] == '\0' || text[0] == '#') return;
    if (text[0] == '[') {
        read_head(reader, text);
        return;
    }
    if (!cut(text, &key, &value)) {
        reader_complain(reader, "", "", "\"%.40s\" is neither [section] nor key = value", text);
        return;
    }
    if (reader->section != NULL)
        set_key(reader, key, value);
    else if (reader->seen_count == 0 && reader->errors->count == 0)
        reader_complain(reader, "", "", "a [section] must come before the first key");
}

static void read_lines(struct reader *reader, const char *text, size_t size)
{
    char line[LINE_BYTES];
    const char *end = text + size;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline == NULL ? end : newline) - text);
        if (++reader->line > SCENARIO_LINES_MAX) {
            reader_complain(reader, "", "", "at most %d lines", SCENARIO_LINES_MAX);
            return;
        }
        if (length >= sizeof line)
            reader_complain(reader, "", "", "at most %d bytes in a line", LINE_BYTES - 1);
        else if (memchr(text, '\0', length) != NULL)
            reader_complain(reader, "", "", "a zero byte; this is not a text");
        else {
            memcpy(line, text, length);
            line[length] = '\0';
            read_line(reader, line);
        }
        text += length + 1;
    }
}

/* "section.key=value", "section label.key=value". */
static void read_set(struct reader *reader, const char *set)
{
    char line[LINE_BYTES];
    char *name, *value;
    if (strlen(set) >= sizeof line) {
        reader_complain(reader, "", "", "at most %d bytes", LINE_BYTES - 1);
        return;
    }
    snprintf(line, sizeof line, "%s", set);
    char *dot = strchr(line, '.'), *equals = strchr(line, '=');
    if (dot == NULL || equals == NULL || dot > equals || !cut(line, &name, &value)) {
        reader_complain(reader, "", "", "\"%.60s\" is not section.key=value", set);
        return;
    }
    *dot = '\0';
    char *label = name + strcspn(name, " ");
    if (*label != '\0') *label++ = '\0';
    reader->section = find_section(name);
    reader->item = 0;
    if (reader->section == NULL) {
        complain_section(reader, name);
        return;
    }
    if (reader->section->repeats) {
        reader->item = find_item(reader, reader->section, label);
        if (reader->item == *section_items(reader->scenario, reader->section)) {
            reader_complain(reader, name, label, "the scenario has no such one");
            return;
        }
    }
    set_key(reader, dot + 1, value);
}

enum err scenario_parse(struct scenario *out, const struct scenario_source *source,
                        struct day_errors *errors)
{
    static struct scenario scenario;
    errors->count = 0;
    scenario_defaults(&scenario);
    struct reader *reader = calloc(1, sizeof *reader);
    CHECK(reader != NULL);
    *reader = (struct reader){.scenario = &scenario, .name = source->name, .errors = errors};
    if (source->size > SCENARIO_BYTES_MAX)
        reader_complain(reader, "", "", "at most %d bytes", SCENARIO_BYTES_MAX);
    else
        read_lines(reader, source->text, source->size);
    reader->line = 0;
    if (source->set_count > SCENARIO_SETS_MAX)
        reader_complain(reader, "", "", "at most %d overrides", SCENARIO_SETS_MAX);
    for (size_t i = 0; i < source->set_count && i < SCENARIO_SETS_MAX; i++)
        read_set(reader, source->sets[i]);
    reader_check(reader);
    free(reader);
    if (errors->count > 0) return ERR_INVALID;
    *out = scenario;
    return ERR_OK;
}
