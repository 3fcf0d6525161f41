/* Requests from anywhere through the engine, as whoever may ask: every operation, every cursor and
 * page token. Each gets a reply that can be read; one that is refused says why and changes nothing;
 * and the log that came of it replays to the same digest. A request is the number of its method,
 * who asks, the length of its body (2 bytes), the body. */
#include "base/check.h"
#include "tests/dispatcher/desk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { REQUESTS_MAX = 24, HEAD = 4, ASKERS = 5, MEMORY_MAX = 16 << 20 };

static struct desk desk;
static bool open, touched; /* an office that nothing was done in is used again */
static Callout__Principal askers[ASKERS];

static void office_open(void)
{
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    askers[0] = device.who;
    askers[1] = a_key("admin", "admin");
    askers[2] = a_key("desk", "dispatcher");
    askers[3] = a_key("crm", "integrator");
    askers[4] = *nobody_yet();
    open = true;
    touched = false;
}

static bool only_asks(const char *method)
{
    static const char *const queries[] = {
        "Pull",    "Snapshot",         "Ping", "Board", "EventFeed", "Candidates", "CheckMove",
        "Explain", "EmergencyOptions", "Kpis"};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        if (strcmp(queries[i], method) == 0) return true;
    return false;
}

static const char *choose_method(uint8_t byte)
{
    const ProtobufCServiceDescriptor *field = &callout__field__descriptor,
                                     *dispatch = &callout__dispatch__descriptor;
    unsigned index = byte % (field->n_methods + dispatch->n_methods);
    if (index < field->n_methods) return field->methods[index].name;
    return dispatch->methods[index - field->n_methods].name;
}

static void ask_one(const char *method, uint8_t who, const uint8_t *body, size_t size)
{
    Callout__Request request;
    Callout__ForwardRequest forward;
    char id[32];
    callout__request__init(&request);
    callout__forward_request__init(&forward);
    snprintf(id, sizeof id, "fuzz-%u", desk.asked++);
    uint8_t *copy = arena_need(&desk.arena, size + 1);
    if (size > 0) memcpy(copy, body, size);
    forward.principal = &askers[who % ASKERS];
    forward.method = words(method);
    forward.request_id = id;
    forward.body = (ProtobufCBinaryData){size, copy};
    request.proto_major = 1;
    request.method = words("Forward");
    request.body = message_encode(&forward.base, &desk.arena);
    ProtobufCBinaryData bytes = message_encode(&request.base, &desk.arena);
    struct engine_item item = {.bytes = bytes.data, .size = bytes.len};
    uint64_t digest = desk_digest(&desk);
    CHECK(engine_batch(desk.engine, &item, 1, desk.now_us) == 1);
    if (item.held != HELD_NOT) return;
    const Callout__Reply *reply = desk_reply(&desk, &item, true);
    CHECK(reply->status != CALLOUT__STATUS__INTERNAL && reply->status != CALLOUT__STATUS__RETRY);
    bool done = reply->status == CALLOUT__STATUS__OK;
    CHECK(done || reply->text[0] != '\0');
    CHECK((done && !only_asks(method)) || desk_digest(&desk) == digest);
    touched = touched || (done && !only_asks(method)) || desk.arena.used > MEMORY_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!open) office_open();
    for (size_t at = 0, count = 0; at + HEAD <= size && count < REQUESTS_MAX; count++) {
        size_t length = bytes[at + 2] | (size_t)bytes[at + 3] << 8, left = size - at - HEAD;
        if (length > left) length = left;
        ask_one(choose_method(bytes[at]), bytes[at + 1], bytes + at + HEAD, length);
        at += HEAD + length;
    }
    if (!touched) return 0;
    uint64_t digest = desk_digest(&desk);
    desk_reopen(&desk, NULL);
    CHECK(desk_digest(&desk) == digest);
    desk_close(&desk);
    open = false;
    return 0;
}
