/* Requests of clients as they were, byte for byte, to the system as it is: who was released talks
 * on, and still gets the answers that he knows how to read.
 *
 * Idea: a folder holds what one client once asked in a day of its own (tap.mjs kept it), and what
 * it got: status, fields of the answer, outcomes of commands. Here that day is asked again. Only
 * what no two conversations can have in common is put in its place: the token, the key and what it
 * signs, the names of device and session, the cursor; and no poll is held. All other bytes go as
 * they were kept, whatever today's client would send.
 */
#include "tests/hostile/device.h"

#include "message.h"

enum { REQUESTS_MAX = 64, NAME_SIZE = 32 };

/* --- what was kept --- */

struct kept {
    char name[NAME_SIZE], method[NAME_SIZE];
    int status;
    char answer[512]; /* the rest of its line: fields, and of each result its outcome and fields */
};

struct corpus {
    const char *folder;
    struct kept kept[REQUESTS_MAX];
    size_t count;
};

static void corpus_path(const struct corpus *corpus, const char *name, char path[512])
{
    snprintf(path, 512, "%s/tests/golden/%s/%s", CALLOUT_SOURCE_DIR, corpus->folder, name);
}

static void corpus_read(struct corpus *corpus)
{
    char path[512], line[1024];
    corpus_path(corpus, "answers", path);
    FILE *file = fopen(path, "r");
    if (file == NULL) fail_msg("there is no %s", path);
    while (fgets(line, sizeof line, file) != NULL) {
        assert_true(corpus->count < REQUESTS_MAX);
        struct kept *kept = &corpus->kept[corpus->count++];
        int end = 0;
        assert_int_equal(sscanf(line, "%31s %d %n", kept->name, &kept->status, &end), 2);
        snprintf(kept->answer, sizeof kept->answer, "%s", line + end);
        kept->answer[strcspn(kept->answer, "\n")] = '\0';
        snprintf(kept->method, sizeof kept->method, "%s", strchr(kept->name, '-') + 1);
    }
    fclose(file);
    assert_true(corpus->count > 10);
}

static void request_read(const struct corpus *corpus, const struct kept *kept, struct bytes *to)
{
    char path[512];
    corpus_path(corpus, kept->name, path);
    FILE *file = fopen(path, "r");
    if (file == NULL) fail_msg("there is no %s", path);
    to->size = fread(to->at, 1, sizeof to->at, file);
    fclose(file);
}

/* --- fields of packed messages --- */

struct field {
    uint32_t tag, type;
    const uint8_t *from, *value; /* of the whole field, and of its value */
    size_t whole, size;
};

static uint64_t read_varint(const uint8_t **at, const uint8_t *end)
{
    uint64_t value = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
    }
    fail_msg("a kept message is broken");
    return 0;
}

static bool next_field(const uint8_t **at, const uint8_t *end, struct field *field)
{
    if (*at == end) return false;
    field->from = *at;
    uint64_t key = read_varint(at, end);
    field->tag = (uint32_t)(key >> 3);
    field->type = (uint32_t)(key & 7);
    field->value = *at;
    if (field->type == 0) {
        (void)read_varint(at, end);
    } else if (field->type == 2) {
        size_t size = (size_t)read_varint(at, end);
        field->value = *at;
        assert_true(size <= (size_t)(end - *at));
        *at += size;
    } else {
        assert_true(field->type == 1 || field->type == 5);
        *at += field->type == 1 ? 8 : 4;
    }
    field->size = (size_t)(*at - field->value);
    field->whole = (size_t)(*at - field->from);
    return true;
}

static bool find_field(const void *bytes, size_t size, uint32_t tag, struct field *out)
{
    const uint8_t *at = bytes, *end = at + size;
    while (next_field(&at, end, out))
        if (out->tag == tag) return true;
    return false;
}

/* What stands in the place of a field; bytes NULL: nothing. */
struct other {
    uint32_t tag;
    const void *bytes;
    size_t size;
};

/* Copies a message field by field, as it is, but for those that another one stands for. A field
 * that was not there is not added. */
static void copy_with(struct bytes *to, const void *bytes, size_t size, const struct other *others,
                      size_t count)
{
    const uint8_t *at = bytes, *end = at + size;
    struct field field;
    to->size = 0;
    while (next_field(&at, end, &field)) {
        const struct other *other = others;
        while (other < others + count && other->tag != field.tag)
            other++;
        if (other == others + count)
            put(to, field.from, field.whole);
        else if (other->bytes != NULL)
            put_sized(to, other->tag, other->bytes, other->size);
    }
}

/* The fields of a message as "TAG:TYPE,", once each. */
static void shape_of(const void *bytes, size_t size, char out[512])
{
    const uint8_t *at = bytes, *end = at + size;
    struct field field;
    out[0] = '\0';
    while (next_field(&at, end, &field)) {
        char word[16];
        snprintf(word, sizeof word, "%u:%u,", (unsigned)field.tag, (unsigned)field.type);
        if (strstr(out, word) == NULL && strlen(out) + strlen(word) < 512) strcat(out, word);
    }
}

/* --- a conversation --- */

struct talk {
    struct device device;
    char token[256];
    uint8_t nonce[64], cursor[256];
    size_t nonce_size, cursor_size;
    char told[4][512]; /* fields of all answers to Pull, and of all results, kept and now */
};

static void fresh_enroll(struct talk *talk, struct field body, struct bytes *to)
{
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    const struct identity *it = &talk->device.identity;
    identity_sign(it, talk->token, strlen(talk->token), signature);
    const struct other others[] = {{1, talk->token, strlen(talk->token)},
                                   {3, it->public_key, IDENTITY_PUBLIC_BYTES},
                                   {4, signature, sizeof signature}};
    copy_with(to, body.value, body.size, others, 3);
}

static void fresh_hello(struct talk *talk, struct field body, struct bytes *to)
{
    static struct bytes unsigned_yet;
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    const struct identity *it = &talk->device.identity;
    struct arena arena;
    const struct other others[] = {{1, it->device_id, strlen(it->device_id)},
                                   {5, talk->nonce, talk->nonce_size}};
    copy_with(&unsigned_yet, body.value, body.size, others, 2);
    Callout__HelloRequest *request =
        callout__hello_request__unpack(NULL, unsigned_yet.size, unsigned_yet.at);
    assert_non_null(request);
    arena_open(&arena, 1 << 16);
    ProtobufCBinaryData text = signed_hello(request, it->server_name, &arena);
    identity_sign(it, text.data, text.len, signature);
    copy_with(to, unsigned_yet.at, unsigned_yet.size,
              &(struct other){6, signature, sizeof signature}, 1);
    arena_close(&arena);
    callout__hello_request__free_unpacked(request, NULL);
}

static void fresh_pull(struct talk *talk, struct field body, struct bytes *to)
{
    const struct other others[] = {{1, talk->cursor, talk->cursor_size}, {2, NULL, 0}};
    copy_with(to, body.value, body.size, others, 2);
}

/* The kept request with what is of this conversation. */
static void freshen(struct talk *talk, const struct kept *kept, const struct bytes *was,
                    struct bytes *to)
{
    static struct bytes body;
    struct field field = {.size = 0};
    bool has_body = find_field(was->at, was->size, 8, &field);
    body.size = 0;
    if (!has_body) field.value = was->at, field.size = 0;
    if (strcmp(kept->method, "Enroll") == 0)
        fresh_enroll(talk, field, &body);
    else if (strcmp(kept->method, "Hello") == 0)
        fresh_hello(talk, field, &body);
    else if (strcmp(kept->method, "Pull") == 0)
        fresh_pull(talk, field, &body);
    else
        put(&body, field.value, field.size);
    const struct other others[] = {{4, talk->device.session, talk->device.session_size},
                                   {8, body.at, body.size}};
    copy_with(to, was->at, was->size, others, 2);
}

static void keep_field(const struct got *got, uint32_t tag, void *to, size_t *size, size_t room)
{
    struct field field;
    if (!find_field(got->body, got->size, tag, &field)) return;
    assert_true(field.size <= room);
    memcpy(to, field.value, field.size);
    *size = field.size;
}

static void keep_text(const struct got *got, uint32_t tag, char *to, size_t room)
{
    size_t size = strlen(to);
    keep_field(got, tag, to, &size, room - 1);
    to[size] = '\0';
}

/* What the client takes over from an answer. */
static void take_over(struct talk *talk, const struct kept *kept, const struct got *got)
{
    struct identity *it = &talk->device.identity;
    if (strcmp(kept->method, "Enroll") == 0) {
        keep_text(got, 1, it->device_id, sizeof it->device_id);
        keep_text(got, 5, it->server_name, sizeof it->server_name);
    } else if (strcmp(kept->method, "Hello") == 0) {
        keep_field(got, 5, talk->nonce, &talk->nonce_size, sizeof talk->nonce);
        keep_field(got, 1, talk->device.session, &talk->device.session_size,
                   sizeof talk->device.session);
    } else if (strcmp(kept->method, "Snapshot") == 0) {
        keep_field(got, 4, talk->cursor, &talk->cursor_size, sizeof talk->cursor);
    } else if (strcmp(kept->method, "Pull") == 0) {
        keep_field(got, 1, talk->cursor, &talk->cursor_size, sizeof talk->cursor);
    }
}

/* --- the answers --- */

/* Every field of `was` ("TAG:TYPE,...") is in `now`. */
static void check_shape(const char *of, const char *was, const char *now)
{
    for (const char *at = was; *at != '\0' && *at != '-';) {
        char word[18];
        size_t length = strcspn(at, ",");
        snprintf(word, sizeof word, "%.*s,", (int)length, at);
        bool there = strncmp(now, word, strlen(word)) == 0;
        for (const char *found = now; !there && (found = strstr(found, word)) != NULL; found++)
            there = found > now && found[-1] == ',';
        if (!there) fail_msg("%s: the answer has no field %s only %s", of, word, now);
        at += length + (at[length] == ',');
    }
}

static void add_shape(char told[512], const char *shape)
{
    size_t used = strlen(told);
    if (strstr(told, shape) == NULL && used + strlen(shape) + 2 < 512)
        snprintf(told + used, 512 - used, "%s%s", shape,
                 shape[0] == '\0' || shape[strlen(shape) - 1] == ',' ? "" : ",");
}

/* Each command has the outcome that it had. */
static void check_results(struct talk *talk, const struct kept *kept, const struct got *got)
{
    const uint8_t *at = got->body, *end = at + got->size;
    struct field field;
    const char *was = strchr(kept->answer, ' ');
    while (next_field(&at, end, &field)) {
        if (field.tag != 1) continue;
        char shape[512], was_shape[64];
        int outcome = -1;
        struct field its = {.size = 0};
        assert_non_null(was);
        assert_int_equal(sscanf(was, " %d/%63s", &outcome, was_shape), 2);
        assert_true(find_field(field.value, field.size, 2, &its));
        if (*its.value != outcome)
            fail_msg("%s: outcome %d, and was %d", kept->name, *its.value, outcome);
        shape_of(field.value, field.size, shape);
        add_shape(talk->told[2], was_shape);
        add_shape(talk->told[3], shape);
        was = strchr(was + 1, ' ');
    }
    assert_null(was);
}

static void check_answer(struct talk *talk, const struct kept *kept, const struct got *got)
{
    char shape[512], was[512];
    assert_false(got->closed);
    if ((int)got->status != kept->status)
        fail_msg("%s: %s, \"%s\" %s", kept->name, err_name((enum err)got->status), got->field,
                 got->text);
    shape_of(got->body, got->size, shape);
    snprintf(was, sizeof was, "%.*s", (int)strcspn(kept->answer, " "), kept->answer);
    if (strcmp(kept->method, "Pull") == 0) { /* which news come when is the optimizer's affair */
        add_shape(talk->told[0], was);
        add_shape(talk->told[1], shape);
        check_shape(kept->name, "1:2", shape);
        return;
    }
    check_shape(kept->name, was, shape);
    if (strcmp(kept->method, "Push") == 0) check_results(talk, kept, got);
}

static void talk_again(const char *folder)
{
    static struct corpus corpus;
    static struct talk talk;
    static struct bytes was, now;
    static struct got got;
    char key[80];
    corpus = (struct corpus){.folder = folder};
    talk = (struct talk){.device = {.host = 3, .identity = {.epoch = 1}}};
    corpus_read(&corpus);
    snprintf(key, sizeof key, "device-%s", folder);
    device_key(&talk.device, key);
    enrol_token("T01", talk.token);
    for (size_t i = 0; i < corpus.count; i++) {
        request_read(&corpus, &corpus.kept[i], &was);
        freshen(&talk, &corpus.kept[i], &was, &now);
        send_bytes_from(talk.device.host, now.at, now.size, &got);
        check_answer(&talk, &corpus.kept[i], &got);
        take_over(&talk, &corpus.kept[i], &got);
    }
    check_shape("Pull", talk.told[0], talk.told[1]);
    check_shape("results of Push", talk.told[2], talk.told[3]);
}

static void the_client_library_of_then_is_understood(void **state)
{
    (void)state;
    talk_again("library");
}

static void the_second_client_of_then_is_understood(void **state)
{
    (void)state;
    talk_again("second_client");
}

/* The orders of the day that was kept. */
static const char *const visits[][2] = {
    {"W001", "W001.1"}, {"W003", "W003.1"}, {"W007", "W007.1"}, {"W009", "W009.1"}};

static int start(void **state)
{
    (void)state;
    static struct got got;
    static const char *const skills[] = {skill_name};
    rig_open();
    upsert_territory("Europe/Vaduz", skills, 1, &got);
    assert_int_equal(got.status, CALLOUT__STATUS__OK);
    add_technician("T01");
    for (size_t i = 0; i < sizeof visits / sizeof visits[0]; i++)
        give_order(visits[i][0], visits[i][1], "T01");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_close();
    return 0;
}

int main(int argc, char **argv)
{
    /* system_start starts this program again: then it is the real one. */
    if (argc > 1) return execv(CALLOUT_BINARY, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_client_library_of_then_is_understood, start, stop),
        cmocka_unit_test_setup_teardown(the_second_client_of_then_is_understood, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
