/* people_admin.c - accounts, by who administers them at a screen. */
#include "dispatcher/authz.h"
#include "dispatcher/page_token.h"
#include "dispatcher/password.h"

#include <string.h>

enum { PEOPLE_PAGE = 200 };

struct people_page {
    struct call *call;
    Callout__PeopleListReply *answer;
    bool full;
};

static void say_territories(struct arena *arena, const char *territories, Callout__Person *to)
{
    to->all_territories = strcmp(territories, GRANT_ALL) == 0;
    if (to->all_territories) return;
    char *rest = arena_text(arena, territories);
    to->territory_ids = arena_need(arena, LIMIT_TERRITORIES * sizeof *to->territory_ids);
    for (char *id; (id = strtok_r(rest, ",", &rest)) != NULL;)
        if (to->n_territory_ids < LIMIT_TERRITORIES) to->territory_ids[to->n_territory_ids++] = id;
}

static bool add_person(void *context, const void *visited)
{
    struct people_page *page = context;
    const struct row_person *row = visited;
    struct arena *arena = page->call->arena;
    page->full = page->answer->n_people == PEOPLE_PAGE;
    if (page->full) return false;
    Callout__Person *to = arena_need(arena, sizeof *to);
    callout__person__init(to);
    to->name = arena_text(arena, row->name);
    to->role = arena_text(arena, row->role);
    to->disabled = row->disabled != 0;
    say_territories(arena, row->territories, to);
    page->answer->people[page->answer->n_people++] = to;
    return true;
}

enum err handle_people_list(struct call *call)
{
    const Callout__PeopleListRequest *request = (const Callout__PeopleListRequest *)call->message;
    const char *after;
    enum err err = page_token_read(call, request->page_token, &after);
    if (err != ERR_OK) return err;
    Callout__PeopleListReply *answer = arena_need(call->arena, sizeof *answer);
    callout__people_list_reply__init(answer);
    answer->people = arena_need(call->arena, PEOPLE_PAGE * sizeof *answer->people);
    struct people_page page = {.call = call, .answer = answer};
    const struct row_person key = {.name = after};
    err = store_each(call->engine->store, ROW_PERSON, &key, 0, true, add_person, &page);
    if (page.full)
        answer->next_page_token = page_token_make(call, answer->people[PEOPLE_PAGE - 1]->name);
    call->answer = &answer->base;
    return err;
}

/* As they are stored: with commas, or GRANT_ALL. */
static enum err join_territories(struct call *call, const Callout__PutPersonRequest *request,
                                 char *out)
{
    size_t used = 0;
    out[0] = '\0';
    if (request->all_territories) {
        memcpy(out, GRANT_ALL, sizeof GRANT_ALL);
        return ERR_OK;
    }
    for (size_t i = 0; i < request->n_territory_ids; i++) {
        const char *id = request->territory_ids[i];
        size_t size = strlen(id);
        if (core_territory_zone(call->engine->core, id) == NULL)
            return problem_set(&call->problem, ERR_NOT_FOUND, "territory_ids",
                               "there is no territory \"%.64s\"", id);
        if (strchr(id, ',') != NULL || used + size + 2 > GRANT_SIZE)
            return problem_set(&call->problem, ERR_TOO_LARGE, "territory_ids",
                               "too many, or one with a comma in its name");
        if (used > 0) out[used++] = ',';
        memcpy(out + used, id, size + 1);
        used += size;
    }
    return ERR_OK;
}

static enum err check_person(struct call *call, const Callout__PutPersonRequest *request,
                             struct row_person *before, bool *there)
{
    enum err err = person_load(call, request->name, before);
    *there = err == ERR_OK;
    if (err != ERR_OK && err != ERR_NOT_FOUND) return err;
    if (!*there && request->new_password[0] == '\0')
        return problem_set(&call->problem, ERR_INVALID, "new_password",
                           "must be given: there is no such person yet");
    if (request->new_password[0] == '\0') return ERR_OK;
    return password_check_new(request->new_password, &call->problem);
}

enum err handle_put_person(struct call *call)
{
    const Callout__PutPersonRequest *request = (const Callout__PutPersonRequest *)call->message;
    char *territories = arena_need(call->arena, GRANT_SIZE);
    struct row_person person;
    bool there = false, asked = false;
    enum err err = join_territories(call, request, territories);
    if (err == ERR_OK) err = check_grant(call, false, request->name, request->role, territories);
    if (err == ERR_OK) err = check_person(call, request, &person, &there);
    if (err == ERR_OK)
        err = person_confirm(call, request->own_password, request->new_password, &asked);
    if (err != ERR_OK || asked) return err;
    struct row_person after = {.name = request->name,
                               .role = request->role,
                               .territories = territories,
                               .password_hash = there ? person.password_hash : "",
                               .epoch = there ? person.epoch : 0};
    if (request->new_password[0] != '\0') after.password_hash = call->forwarded->new_hash;
    err = person_put(call, &after);
    if (err == ERR_OK)
        err = audit(call, there ? AUDIT_PERSON_CHANGED : AUDIT_PERSON_ADDED, request->name);
    Callout__PutPersonReply *answer = arena_need(call->arena, sizeof *answer);
    callout__put_person_reply__init(answer);
    call->answer = &answer->base;
    return err;
}

enum err handle_disable_person(struct call *call)
{
    const Callout__DisablePersonRequest *request =
        (const Callout__DisablePersonRequest *)call->message;
    struct row_person person;
    if (strcmp(request->name, call->who->id) == 0)
        return problem_set(&call->problem, ERR_CONFLICT, "name", "is your own");
    enum err err = person_load(call, request->name, &person);
    if (err == ERR_NOT_FOUND)
        return problem_set(&call->problem, err, "name", "there is nobody called \"%.64s\"",
                           request->name);
    person.disabled = 1;
    if (err == ERR_OK) err = person_put(call, &person);
    if (err == ERR_OK) err = audit(call, AUDIT_REVOKED, person.name);
    Callout__DisablePersonReply *answer = arena_need(call->arena, sizeof *answer);
    callout__disable_person_reply__init(answer);
    call->answer = &answer->base;
    return err;
}
