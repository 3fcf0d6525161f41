/* json_cases - our JSON mapping, held against somebody else's by way of text.
 *
 *   json_cases make SEED COUNT   prints COUNT lines: type, the message in base64, our JSON of it
 *   json_cases read              reads such lines, whose JSON is the other's: each must say the
 *                                message that stands beside it
 *
 * compare.mjs stands between the two.
 */
#include "base/exit_code.h"
#include "message_json.h"
#include "pb/dispatch.pb-c.h"
#include "pb/fact.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/inner.pb-c.h"
#include "pb/people.pb-c.h"
#include "pb/roster.pb-c.h"

#include "../proto/random_message.h"

#include <sodium.h>
#include <stdio.h>

enum { ARENA_CAP = 64 << 20, TEXT_SIZE = 2 << 20, TYPES_MAX = 512 };

static const ProtobufCMessageDescriptor *types[TYPES_MAX];
static unsigned type_count;

static void add_service(const ProtobufCServiceDescriptor *service)
{
    for (unsigned i = 0; i < service->n_methods; i++) {
        CHECK(type_count + 2 <= TYPES_MAX);
        types[type_count++] = service->methods[i].input;
        types[type_count++] = service->methods[i].output;
    }
}

static void find_types(void)
{
    types[type_count++] = &callout__request__descriptor;
    types[type_count++] = &callout__reply__descriptor;
    types[type_count++] = &callout__fact_body__descriptor;
    add_service(&callout__dispatch__descriptor);
    add_service(&callout__field__descriptor);
    add_service(&callout__people__descriptor);
    add_service(&callout__roster__descriptor);
    add_service(&callout__inner__descriptor);
}

static char base64[TEXT_SIZE];

static void print_case(const ProtobufCMessageDescriptor *type, ProtobufCBinaryData bytes,
                       const ProtobufCMessage *message)
{
    json_t *json = message_json(message);
    char *text = json_dumps(json, JSON_COMPACT);
    CHECK(text != NULL);
    sodium_bin2base64(base64, sizeof base64, bytes.data, bytes.len, sodium_base64_VARIANT_ORIGINAL);
    printf("%s\t%s\t%s\n", type->name, base64, text);
    free(text);
    json_decref(json);
}

static int make(uint64_t seed, unsigned long count)
{
    static struct random_message random;
    struct arena arena;
    arena_open(&arena, ARENA_CAP);
    random.rng = (struct rng){seed};
    for (unsigned long i = 0; i < count; i++) {
        const ProtobufCMessageDescriptor *type = types[i % type_count];
        ProtobufCMessage *message;
        random.size = 0;
        put_message(&random, type, 0);
        arena_rewind(&arena);
        if (message_decode(type, random.bytes, random.size, &arena, &message, NULL) != ERR_OK)
            return EXIT_FAILED;
        print_case(type, (ProtobufCBinaryData){random.size, random.bytes}, message);
    }
    arena_close(&arena);
    return EXIT_DONE;
}

/* NULL: there is no such type. */
static const ProtobufCMessageDescriptor *type_of(const char *name)
{
    for (unsigned i = 0; i < type_count; i++)
        if (strcmp(types[i]->name, name) == 0) return types[i];
    return NULL;
}

/* What these bytes say, packed in our own way. */
static ProtobufCBinaryData packed(const ProtobufCMessageDescriptor *type, ProtobufCBinaryData bytes,
                                  struct arena *arena)
{
    ProtobufCMessage *message;
    CHECK(message_decode(type, bytes.data, bytes.len, arena, &message, NULL) == ERR_OK);
    return message_encode(message, arena);
}

static bool is_same(const char *name, const char *text, const char *json, struct arena *arena)
{
    static uint8_t bytes[LIMIT_MESSAGE];
    struct problem problem = {{0}, {0}};
    ProtobufCBinaryData read, before = {0, bytes};
    const ProtobufCMessageDescriptor *type = type_of(name);
    CHECK(type != NULL &&
          sodium_base642bin(bytes, sizeof bytes, text, strlen(text), NULL, &before.len, NULL,
                            sodium_base64_VARIANT_ORIGINAL) == 0);
    if (message_from_json(type, json, strlen(json), arena, &read, &problem) != ERR_OK) {
        printf("%s: %s: %s\n%s\n", name, problem.field, problem.text, json);
        return false;
    }
    before = packed(type, before, arena);
    read = packed(type, read, arena);
    bool same = read.len == before.len && memcmp(read.data, before.data, read.len) == 0;
    if (!same) printf("%s: other bytes than %s from\n%s\n", name, text, json);
    return same;
}

static int read_cases(void)
{
    static char line[2 * TEXT_SIZE];
    struct arena arena;
    unsigned long count = 0, wrong = 0;
    arena_open(&arena, ARENA_CAP);
    for (; fgets(line, sizeof line, stdin) != NULL && wrong < 10; count++) {
        char *rest = line;
        const char *name = strtok_r(rest, "\t", &rest);
        char *text = rest, *json = strchr(rest, '\t');
        CHECK(name != NULL && json != NULL);
        *json++ = '\0';
        arena_rewind(&arena);
        wrong += !is_same(name, text, json, &arena);
    }
    arena_close(&arena);
    printf("%lu read, %lu wrong\n", count, wrong);
    return wrong == 0 && count > 0 ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    find_types();
    if (argc == 4 && strcmp(argv[1], "make") == 0)
        return make(strtoull(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
    if (argc == 2 && strcmp(argv[1], "read") == 0) return read_cases();
    fprintf(stderr, "usage: json_cases make SEED COUNT | read\n");
    return EXIT_USAGE;
}
