/* conflicts.c - what people have to look at: conflicts, which are nouns of the core, and dead
 * letters, commands of devices that led to no fact. */
#include "dispatcher/engine_impl.h"
#include "dispatcher/page_token.h"
#include "message.h"

#include <string.h>

enum { PAGE = 200 };

/* --- conflicts --- */

static enum err get_resolution(struct call *call, int64_t seq, union row *row)
{
    const struct row_conflict_resolution key = {.conflict_seq = seq};
    return store_get(call->engine->store, ROW_CONFLICT_RESOLUTION, &key, row);
}

enum err conflict_check_open(struct call *call, int64_t seq)
{
    union row row;
    const struct row_conflict key = {.seq = seq};
    enum err err = store_get(call->engine->store, ROW_CONFLICT, &key, &row);
    if (err == ERR_NOT_FOUND)
        return problem_set(&call->problem, err, "seq", "there is no conflict %lld", (long long)seq);
    if (err == ERR_OK) err = get_resolution(call, seq, &row);
    if (err == ERR_NOT_FOUND) return ERR_OK;
    if (err != ERR_OK) return err;
    return problem_set(&call->problem, ERR_CONFLICT, "seq", "\"%.64s\" has resolved it",
                       row.conflict_resolution.actor);
}

struct conflict_page {
    struct call *call;
    const Callout__ConflictsRequest *request;
    Callout__ConflictsReply *answer;
    int64_t last_seq;
    uint32_t seen;
};

static bool add_conflict(void *context, const void *visited)
{
    struct conflict_page *page = context;
    const struct row_conflict *row = visited;
    struct arena *arena = page->call->arena;
    if (page->answer->n_conflicts == PAGE || page->seen++ == 4 * PAGE) return false;
    page->last_seq = row->seq;
    if (page->request->territory_id[0] != '\0' &&
        strcmp(page->request->territory_id, row->territory_id) != 0)
        return true;
    Callout__Conflict *to = arena_need(arena, sizeof *to);
    callout__conflict__init(to);
    to->seq = (uint64_t)row->seq;
    to->kind = (Callout__ConflictKind)row->kind;
    to->territory_id = arena_text(arena, row->territory_id);
    to->appointment_id = arena_text(arena, row->appointment_id);
    to->technician_id = arena_text(arena, row->technician_id);
    to->reported = (Callout__AppointmentStatus)row->reported;
    to->other_technician_id = arena_text(arena, row->other_technician_id);
    to->status = (Callout__AppointmentStatus)row->status;
    to->other_seq = (uint64_t)row->other_seq;
    to->time_us = row->time_us;
    page->answer->conflicts[page->answer->n_conflicts++] = to;
    return true;
}

static enum err fill_resolution(struct call *call, Callout__Conflict *to)
{
    union row row;
    enum err err = get_resolution(call, (int64_t)to->seq, &row);
    if (err == ERR_NOT_FOUND) return ERR_OK;
    if (err != ERR_OK) return err;
    to->resolved = true;
    to->resolved_seq = (uint64_t)row.conflict_resolution.seq;
    to->resolved_us = row.conflict_resolution.time_us;
    to->resolved_by = arena_text(call->arena, row.conflict_resolution.actor);
    to->note = arena_text(call->arena, row.conflict_resolution.note);
    return ERR_OK;
}

/* Says who resolved what, and leaves out the resolved ones unless they are asked for. */
static enum err sift(struct call *call, bool resolved_too, Callout__ConflictsReply *answer)
{
    size_t kept = 0;
    for (size_t i = 0; i < answer->n_conflicts; i++) {
        Callout__Conflict *it = answer->conflicts[i];
        enum err err = fill_resolution(call, it);
        if (err != ERR_OK) return err;
        if (resolved_too || !it->resolved) answer->conflicts[kept++] = it;
    }
    answer->n_conflicts = kept;
    return ERR_OK;
}

/* A page is what lies between two numbers, so it may be empty and yet not the last. */
enum err handle_conflicts(struct call *call)
{
    const Callout__ConflictsRequest *request = (const Callout__ConflictsRequest *)call->message;
    Callout__ConflictsReply *answer = arena_need(call->arena, sizeof *answer);
    callout__conflicts_reply__init(answer);
    answer->conflicts = arena_need(call->arena, PAGE * sizeof *answer->conflicts);
    struct conflict_page page = {.call = call, .request = request, .answer = answer};
    struct row_conflict after = {.seq = 0};
    enum err err = page_token_number(call, request->page_token, &after.seq);
    if (err != ERR_OK) return err;
    page.last_seq = after.seq;
    err = store_each(call->engine->store, ROW_CONFLICT, &after, 0, true, add_conflict, &page);
    bool full = answer->n_conflicts == PAGE || page.seen > 4 * PAGE;
    if (err == ERR_OK) err = sift(call, request->resolved_too, answer);
    if (err != ERR_OK) return err;
    if (full) answer->next_page_token = page_token_of(call, page.last_seq);
    call->answer = &answer->base;
    return ERR_OK;
}

/* --- dead letters --- */

/* The command as it is kept: nothing of positions, and nothing longer than a command may be. */
static ProtobufCBinaryData kept_bytes(struct call *call, const Callout__Command *command)
{
    if (command->body_case == CALLOUT__COMMAND__BODY_POSITIONS)
        return (ProtobufCBinaryData){0, (uint8_t *)(uintptr_t) ""};
    ProtobufCBinaryData bytes = message_encode(&command->base, call->arena);
    if (bytes.len > LIMIT_COMMAND) bytes.len = 0;
    return bytes;
}

enum err dead_letter_put(struct call *call, struct row_device *device, Callout__Command *command,
                         const Callout__CommandResult *result)
{
    struct engine *engine = call->engine;
    union row row;
    struct core_technician technician;
    struct row_dead_letter letter = {.device_id = device->device_id,
                                     .epoch = device->epoch,
                                     .seq = (int64_t)command->seq,
                                     .outcome = result->outcome,
                                     .technician_id = device->technician_id,
                                     .received_us = engine->now_us,
                                     .times = 1};
    enum err err = store_get(engine->store, ROW_DEAD_LETTER, &letter, &row);
    if (err == ERR_OK) letter.times = row.dead_letter.times + 1;
    if (err != ERR_OK && err != ERR_NOT_FOUND) return err;
    if (err == ERR_NOT_FOUND && device->letters >= LIMIT_DEAD_LETTERS) {
        audit_failure(call, AUDIT_LETTERS_FULL, device->device_id);
        return ERR_OK;
    }
    device->letters += err == ERR_NOT_FOUND;
    if (core_technician(engine->core, device->technician_id, engine->now_us, &technician))
        letter.territory_id = technician.territory_id;
    letter.field = result->n_errors > 0 ? result->errors[0]->field : "";
    letter.problem = result->n_errors > 0 ? result->errors[0]->problem : result->text;
    ProtobufCBinaryData bytes = kept_bytes(call, command);
    letter.command = (struct blob){bytes.data, bytes.len};
    return engine_put(engine, ROW_DEAD_LETTER, &letter);
}

struct letter_page {
    struct call *call;
    const Callout__DeadLettersRequest *request;
    Callout__DeadLettersReply *answer;
    uint32_t from, seen;
    bool full;
};

static Callout__Command *read_command(struct call *call, struct blob bytes)
{
    ProtobufCMessage *message;
    if (bytes.size == 0) return NULL;
    uint8_t *copy = arena_need(call->arena, bytes.size);
    memcpy(copy, bytes.bytes, bytes.size);
    if (message_decode(&callout__command__descriptor, copy, bytes.size, call->arena, &message,
                       NULL) != ERR_OK)
        return NULL;
    return (Callout__Command *)message;
}

static bool add_letter(void *context, const void *visited)
{
    struct letter_page *page = context;
    const struct row_dead_letter *row = visited;
    struct arena *arena = page->call->arena;
    const char *territory_id = page->request->territory_id;
    if (row->dismissed_us != 0 && !page->request->dismissed_too) return true;
    if (territory_id[0] != '\0' && strcmp(territory_id, row->territory_id) != 0) return true;
    if (page->seen++ < page->from) return true;
    page->full = page->answer->n_letters == PAGE;
    if (page->full) return false;
    Callout__DeadLetter *to = arena_need(arena, sizeof *to);
    callout__dead_letter__init(to);
    to->device_id = arena_text(arena, row->device_id);
    to->epoch = (uint32_t)row->epoch;
    to->seq = (uint64_t)row->seq;
    to->outcome = (Callout__Outcome)row->outcome;
    to->technician_id = arena_text(arena, row->technician_id);
    to->territory_id = arena_text(arena, row->territory_id);
    to->received_us = row->received_us;
    to->command = read_command(page->call, row->command);
    to->field = arena_text(arena, row->field);
    to->problem = arena_text(arena, row->problem);
    to->times = (uint32_t)row->times;
    to->dismissed_us = row->dismissed_us;
    to->dismissed_by = arena_text(arena, row->dismissed_by);
    page->answer->letters[page->answer->n_letters++] = to;
    return true;
}

enum err handle_dead_letters(struct call *call)
{
    const Callout__DeadLettersRequest *request = (const Callout__DeadLettersRequest *)call->message;
    Callout__DeadLettersReply *answer = arena_need(call->arena, sizeof *answer);
    callout__dead_letters_reply__init(answer);
    answer->letters = arena_need(call->arena, PAGE * sizeof *answer->letters);
    int64_t from;
    enum err err = page_token_number(call, request->page_token, &from);
    if (err != ERR_OK) return err;
    struct letter_page page = {
        .call = call, .request = request, .answer = answer, .from = (uint32_t)from};
    err = store_each(call->engine->store, ROW_DEAD_LETTER, NULL, 0, false, add_letter, &page);
    if (err != ERR_OK) return err;
    if (page.full) answer->next_page_token = page_token_of(call, page.from + PAGE);
    call->answer = &answer->base;
    return ERR_OK;
}

enum err handle_dismiss_dead_letter(struct call *call)
{
    const Callout__DismissDeadLetterRequest *request =
        (const Callout__DismissDeadLetterRequest *)call->message;
    union row row;
    const struct row_dead_letter key = {.device_id = request->device_id,
                                        .epoch = request->epoch,
                                        .seq = (int64_t)request->seq,
                                        .outcome = request->outcome};
    Callout__DismissDeadLetterReply *answer = arena_need(call->arena, sizeof *answer);
    callout__dismiss_dead_letter_reply__init(answer);
    enum err err = store_get(call->engine->store, ROW_DEAD_LETTER, &key, &row);
    if (err == ERR_NOT_FOUND)
        return problem_set(&call->problem, err, "device_id", "there is no such dead letter");
    call->answer = &answer->base;
    if (err != ERR_OK || row.dead_letter.dismissed_us != 0) return err;
    row.dead_letter.dismissed_us = call->engine->now_us;
    row.dead_letter.dismissed_by = call->who->id;
    return engine_put(call->engine, ROW_DEAD_LETTER, &row.dead_letter);
}
