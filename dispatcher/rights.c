/* rights.c - whose access changed lately, for those who remember sessions.
 *
 * A gateway asks about sessions once and remembers the answers for half a minute; with every Follow
 * it is told whom to forget. Versions start at a clock's value, so that they grow over a restart
 * too.
 */
#include "dispatcher/engine_impl.h"

#include <stdio.h>
#include <string.h>

void rights_changed(struct engine *engine, Callout__PrincipalKind kind, const char *id)
{
    struct rights_change *change = &engine->rights_recent[++engine->rights_version % RIGHTS_RECENT];
    change->kind = kind;
    snprintf(change->id, sizeof change->id, "%s", id);
}

void rights_tell(struct call *call, uint64_t since, Callout__FollowReply *answer)
{
    struct engine *engine = call->engine;
    uint64_t now = engine->rights_version;
    answer->rights_version = now;
    if (since == now) return;
    answer->rights_all = since > now || now - since > RIGHTS_RECENT || since < engine->rights_first;
    if (answer->rights_all) return;
    answer->changed = arena_need(call->arena, (now - since) * sizeof(Callout__Principal *));
    for (uint64_t version = since + 1; version <= now; version++) {
        const struct rights_change *change = &engine->rights_recent[version % RIGHTS_RECENT];
        Callout__Principal *who = arena_need(call->arena, sizeof *who);
        callout__principal__init(who);
        who->kind = change->kind;
        who->id = arena_text(call->arena, change->id);
        answer->changed[answer->n_changed++] = who;
    }
}
