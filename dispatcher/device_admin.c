/* device_admin.c - technicians' devices, by who looks after them at a screen. */
#include "dispatcher/page_token.h"

#include <string.h>

enum { DEVICES_PAGE = 200 };

struct device_page {
    struct call *call;
    const char *territory_id;
    Callout__DevicesReply *answer;
    bool full;
};

static bool add_device(void *context, const void *visited)
{
    struct device_page *page = context;
    const struct row_device *row = visited;
    struct arena *arena = page->call->arena;
    struct core_technician technician;
    page->full = page->answer->n_devices == DEVICES_PAGE;
    if (page->full) return false;
    if (!core_technician(page->call->engine->core, row->technician_id, page->call->engine->now_us,
                         &technician) ||
        strcmp(technician.territory_id, page->territory_id) != 0)
        return true;
    Callout__Device *to = arena_need(arena, sizeof *to);
    callout__device__init(to);
    to->device_id = arena_text(arena, row->device_id);
    to->technician_id = arena_text(arena, row->technician_id);
    to->name = arena_text(arena, row->name);
    to->epoch = (uint32_t)row->epoch;
    to->revoked = row->revoked != 0;
    to->ended_us = row->ended_us;
    to->commands = (uint64_t)row->last_seq;
    to->seen_us = row->seen_us;
    to->mismatches = (uint32_t)row->mismatches;
    page->answer->devices[page->answer->n_devices++] = to;
    return true;
}

/* His is the one that enrolled last. */
static void say_in_use(struct call *call, Callout__Device *it)
{
    union row row;
    const struct row_device_of key = {.technician_id = it->technician_id};
    it->in_use = !it->revoked &&
                 store_get(call->engine->store, ROW_DEVICE_OF, &key, &row) == ERR_OK &&
                 strcmp(row.device_of.device_id, it->device_id) == 0;
}

enum err handle_devices(struct call *call)
{
    const Callout__DevicesRequest *request = (const Callout__DevicesRequest *)call->message;
    const char *after;
    enum err err = page_token_read(call, request->page_token, &after);
    if (err != ERR_OK) return err;
    Callout__DevicesReply *answer = arena_need(call->arena, sizeof *answer);
    callout__devices_reply__init(answer);
    answer->devices = arena_need(call->arena, DEVICES_PAGE * sizeof *answer->devices);
    struct device_page page = {call, request->territory_id, answer, false};
    const struct row_device key = {.device_id = after};
    err = store_each(call->engine->store, ROW_DEVICE, &key, 0, true, add_device, &page);
    for (size_t i = 0; i < answer->n_devices; i++)
        say_in_use(call, answer->devices[i]);
    if (page.full)
        answer->next_page_token =
            page_token_make(call, answer->devices[DEVICES_PAGE - 1]->device_id);
    call->answer = &answer->base;
    return err;
}

enum err handle_make_enrol_token(struct call *call)
{
    const Callout__MakeEnrolTokenRequest *request =
        (const Callout__MakeEnrolTokenRequest *)call->message;
    Callout__MakeEnrolTokenReply *answer = arena_need(call->arena, sizeof *answer);
    callout__make_enrol_token_reply__init(answer);
    answer->server_name = call->engine->server_name;
    call->answer = &answer->base;
    return enrol_token_make(call, request->technician_id, &answer->enrol_token,
                            &answer->expires_us);
}

enum err handle_revoke_device(struct call *call)
{
    const Callout__RevokeDeviceRequest *request =
        (const Callout__RevokeDeviceRequest *)call->message;
    struct row_device device;
    enum err err = device_load(call, request->device_id, &device);
    if (err == ERR_NOT_FOUND)
        return problem_set(&call->problem, err, "device_id", "there is no such thing");
    if (err == ERR_OK) err = device_end(call, &device);
    if (err == ERR_OK) err = audit(call, AUDIT_REVOKED, request->device_id);
    Callout__RevokeDeviceReply *answer = arena_need(call->arena, sizeof *answer);
    callout__revoke_device_reply__init(answer);
    call->answer = &answer->base;
    return err;
}
