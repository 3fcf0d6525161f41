/* The contract keeps its promises: no tag changes its meaning, and nothing that protobuf-c cannot
 * take safely (recursion, maps, `optional`).
 *
 * Idea: protoc writes the descriptors of all .proto files; each field, enum value and method
 * becomes one line. proto/contract.lock holds the lines that were ever promised. A new line is
 * added to the lock by hand (`test_contract --print` shows all of them); a line is never taken out:
 * that of a field that is gone gets the word "removed" at its end, so that its tag is not used
 * again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINES_MAX = 4000, LINE_SIZE = 200, MESSAGES_MAX = 400, USES_MAX = 2000, FILE_MAX = 1 << 20 };

struct lines {
    char text[LINES_MAX][LINE_SIZE];
    int count;
};

/* Which message has a field of which other message: what a recursion would run along. */
struct use {
    char from[LINE_SIZE], to[LINE_SIZE];
};

static struct lines contract, lock;
static struct use uses[USES_MAX];
static int use_count;
static int map_count, optional_count;

/* --- the wire format, as far as descriptors need it --- */

struct reader {
    const uint8_t *at, *end;
};

static uint64_t read_varint(struct reader *reader)
{
    uint64_t value = 0;
    for (int shift = 0; reader->at < reader->end && shift < 64; shift += 7) {
        uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) break;
    }
    return value;
}

/* The next field: a number in *value, or bytes in *bytes. descriptor.proto has no other wire types.
 */
static bool read_field(struct reader *reader, unsigned *tag, uint64_t *value, struct reader *bytes)
{
    if (reader->at >= reader->end) return false;
    uint64_t key = read_varint(reader);
    *tag = (unsigned)(key >> 3);
    *value = read_varint(reader);
    if ((key & 7) == 0) return true;
    assert_int_equal(key & 7, 2);
    assert_true(*value <= (uint64_t)(reader->end - reader->at));
    *bytes = (struct reader){reader->at, reader->at + *value};
    reader->at = bytes->end;
    return true;
}

static void read_text(const struct reader *bytes, char text[LINE_SIZE])
{
    snprintf(text, LINE_SIZE, "%.*s", (int)(bytes->end - bytes->at), (const char *)bytes->at);
}

/* ".callout.WorkOrder" is WorkOrder to us. */
static void read_type_name(const struct reader *bytes, char text[LINE_SIZE])
{
    static const char package[] = ".callout.";
    read_text(bytes, text);
    size_t skip = sizeof package - 1;
    if (strncmp(text, package, skip) == 0) memmove(text, text + skip, strlen(text + skip) + 1);
}

static void add_line(struct lines *lines, const char *text)
{
    size_t length = strlen(text);
    assert_true(lines->count < LINES_MAX && length < LINE_SIZE);
    memcpy(lines->text[lines->count++], text, length + 1);
}

/* --- descriptors to lines --- */

static void take_field(struct reader bytes, const char *message)
{
    static const char *const types[] = {"?",        "double",   "float",   "int64",  "uint64",
                                        "int32",    "fixed64",  "fixed32", "bool",   "string",
                                        "group",    "message",  "bytes",   "uint32", "enum",
                                        "sfixed32", "sfixed64", "sint32",  "sint64"};
    char name[LINE_SIZE] = "", type_name[LINE_SIZE] = "", line[3 * LINE_SIZE];
    uint64_t number = 0, label = 0, type = 0, value;
    struct reader text;
    for (unsigned tag; read_field(&bytes, &tag, &value, &text);) {
        if (tag == 1) read_text(&text, name);
        if (tag == 3) number = value;
        if (tag == 4) label = value;
        if (tag == 5) type = value;
        if (tag == 6) read_type_name(&text, type_name);
        if (tag == 17 && value != 0) optional_count++;
    }
    assert_true(type > 0 && type < sizeof types / sizeof types[0]);
    if (types[type][0] == 'm') {
        assert_true(use_count < USES_MAX);
        snprintf(uses[use_count].from, LINE_SIZE, "%s", message);
        snprintf(uses[use_count++].to, LINE_SIZE, "%s", type_name);
    }
    snprintf(line, sizeof line, "%s.%s = %u %s%s", message, name, (unsigned)number,
             label == 3 ? "repeated " : "", type_name[0] != '\0' ? type_name : types[type]);
    add_line(&contract, line);
}

/* Both an enum and a service are a name (1) and a list of members (2). */
static void take_members(struct reader bytes, bool is_enum)
{
    char owner[LINE_SIZE] = "", name[LINE_SIZE], from[LINE_SIZE], to[LINE_SIZE],
         line[5 * LINE_SIZE];
    uint64_t number, value;
    struct reader part, text;
    for (unsigned tag; read_field(&bytes, &tag, &value, &part);) {
        if (tag == 1) read_text(&part, owner);
        if (tag != 2) continue;
        number = 0;
        name[0] = from[0] = to[0] = '\0';
        for (unsigned inner; read_field(&part, &inner, &value, &text);) {
            if (inner == 1) read_text(&text, name);
            if (inner == 2 && is_enum) number = value;
            if (inner == 2 && !is_enum) read_type_name(&text, from);
            if (inner == 3 && !is_enum) read_type_name(&text, to);
        }
        if (is_enum)
            snprintf(line, sizeof line, "%s.%s = %u", owner, name, (unsigned)number);
        else
            snprintf(line, sizeof line, "%s.%s(%s) %s", owner, name, from, to);
        add_line(&contract, line);
    }
}

static void take_message(struct reader bytes)
{
    char name[LINE_SIZE] = "";
    uint64_t value;
    struct reader part;
    for (unsigned tag; read_field(&bytes, &tag, &value, &part);) {
        if (tag == 1) read_text(&part, name);
        if (tag == 2) take_field(part, name);
        if (tag == 3) map_count++; /* nested messages are only ever a map's entries with us */
        if (tag == 4) take_members(part, true);
    }
}

static void take_file(struct reader bytes)
{
    uint64_t value;
    struct reader part;
    for (unsigned tag; read_field(&bytes, &tag, &value, &part);) {
        if (tag == 4) take_message(part);
        if (tag == 5) take_members(part, true);
        if (tag == 6) take_members(part, false);
    }
}

static void read_contract(void)
{
    static uint8_t bytes[FILE_MAX];
    FILE *file = fopen(CALLOUT_CONTRACT, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(size > 0 && size < sizeof bytes);
    struct reader set = {bytes, bytes + size}, part;
    uint64_t value;
    for (unsigned tag; read_field(&set, &tag, &value, &part);)
        if (tag == 1) take_file(part);
}

static void read_lock(void)
{
    FILE *file = fopen(CALLOUT_SOURCE_DIR "/proto/contract.lock", "r");
    assert_non_null(file);
    for (char line[LINE_SIZE]; fgets(line, sizeof line, file) != NULL;) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '#' && line[0] != '\0') add_line(&lock, line);
    }
    fclose(file);
}

/* --- the tests --- */

static bool has_line(const struct lines *lines, const char *text)
{
    for (int i = 0; i < lines->count; i++)
        if (strcmp(lines->text[i], text) == 0) return true;
    return false;
}

static bool is_removed(const char *line)
{
    const char *word = strrchr(line, ' ');
    return word != NULL && strcmp(word, " removed") == 0;
}

static void what_was_promised_is_still_there(void **state)
{
    (void)state;
    int broken = 0;
    for (int i = 0; i < lock.count; i++) {
        if (is_removed(lock.text[i]) || has_line(&contract, lock.text[i])) continue;
        print_error("changed or gone: %s\n", lock.text[i]);
        broken++;
    }
    assert_int_equal(broken, 0);
}

static void what_is_new_is_in_the_lock(void **state)
{
    (void)state;
    int fresh = 0;
    for (int i = 0; i < contract.count; i++) {
        if (has_line(&lock, contract.text[i])) continue;
        print_error("add this line to proto/contract.lock: %s\n", contract.text[i]);
        fresh++;
    }
    assert_int_equal(fresh, 0);
}

/* "Message.field = 3 ..." to "Message" and 3; false for methods. */
static bool split_line(const char *line, char owner[LINE_SIZE], int *number)
{
    const char *dot = strchr(line, '.'), *equal = strstr(line, " = ");
    if (dot == NULL || equal == NULL) return false;
    snprintf(owner, LINE_SIZE, "%.*s", (int)(dot - line), line);
    *number = (int)strtol(equal + 3, NULL, 10);
    return true;
}

static void no_tag_is_used_twice(void **state)
{
    (void)state;
    char owner[LINE_SIZE], other[LINE_SIZE];
    int number, other_number, twice = 0;
    for (int i = 0; i < lock.count; i++) {
        if (!split_line(lock.text[i], owner, &number)) continue;
        for (int j = i + 1; j < lock.count; j++) {
            if (!split_line(lock.text[j], other, &other_number)) continue;
            if (number != other_number || strcmp(owner, other) != 0) continue;
            print_error("the same tag: %s, %s\n", lock.text[i], lock.text[j]);
            twice++;
        }
    }
    assert_int_equal(twice, 0);
}

static void nothing_that_protobuf_c_cannot_take(void **state)
{
    (void)state;
    assert_int_equal(map_count, 0);
    assert_int_equal(optional_count, 0);
}

/* Whether a path of fields leads from `from` to `to`; depth bounds a walk through a cycle. */
static bool leads_to(const char *from, const char *to, int depth)
{
    if (depth == 0) return true;
    for (int i = 0; i < use_count; i++) {
        if (strcmp(uses[i].from, from) != 0) continue;
        if (strcmp(uses[i].to, to) == 0 || leads_to(uses[i].to, to, depth - 1)) return true;
    }
    return false;
}

static void no_message_holds_itself(void **state)
{
    (void)state;
    for (int i = 0; i < use_count; i++)
        if (leads_to(uses[i].from, uses[i].from, 16)) fail_msg("%s is recursive", uses[i].from);
}

int main(int argc, char **argv)
{
    read_contract();
    if (argc > 1 && strcmp(argv[1], "--print") == 0) {
        for (int i = 0; i < contract.count; i++)
            printf("%s\n", contract.text[i]);
        return 0;
    }
    read_lock();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_promised_is_still_there),
        cmocka_unit_test(what_is_new_is_in_the_lock),
        cmocka_unit_test(no_tag_is_used_twice),
        cmocka_unit_test(nothing_that_protobuf_c_cannot_take),
        cmocka_unit_test(no_message_holds_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
