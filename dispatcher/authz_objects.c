/* authz_objects.c - does what a request names lie where its sender may look? */
#include "base/check.h"
#include "dispatcher/authz_impl.h"
#include "dispatcher/engine_impl.h"

#include <string.h>

bool granted(const struct call *call, const char *territory_id)
{
    size_t size = strlen(territory_id);
    if (strcmp(call->territories, GRANT_ALL) == 0) return true;
    for (const char *at = call->territories; *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (length == size && memcmp(at, territory_id, size) == 0) return true;
        at += length + (at[length] == ',');
    }
    return false;
}

/* The field at a path of a message, and the message that has it. NULL: one on the way is absent. */
static const ProtobufCFieldDescriptor *field_at(const ProtobufCMessage **message, const char *path)
{
    char name[64];
    for (;;) {
        size_t length = strcspn(path, ".");
        CHECK(length < sizeof name);
        memcpy(name, path, length);
        name[length] = '\0';
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name((*message)->descriptor, name);
        CHECK(field != NULL);
        if (path[length] == '\0') return field;
        const void *member = (const char *)*message + field->offset;
        *message = *(const ProtobufCMessage *const *)member;
        if (*message == NULL) return NULL;
        path += length + 1;
    }
}

/* The id of an object, a list of ids, or (AT_CONFLICT) a number. */
static const void *member_at(const ProtobufCMessage *message, const char *path)
{
    const ProtobufCFieldDescriptor *field = field_at(&message, path);
    return field == NULL ? NULL : (const char *)message + field->offset;
}

static const size_t *count_at(const ProtobufCMessage *message, const char *path)
{
    const ProtobufCFieldDescriptor *field = field_at(&message, path);
    return field == NULL ? NULL : (const void *)((const char *)message + field->quantifier_offset);
}

enum found { FOUND, FOUND_NOT, FOUND_FOREIGN };

static enum found found_in(const struct call *call, enum err err, const char *territory_id)
{
    if (err != ERR_OK) return FOUND_NOT;
    return granted(call, territory_id) ? FOUND : FOUND_FOREIGN;
}

static enum found find_technician(const struct call *call, const char *id)
{
    union row row;
    enum err err = store_get(call->engine->store, ROW_TECHNICIAN,
                             &(struct row_technician){.technician_id = id}, &row);
    return found_in(call, err, err == ERR_OK ? row.technician.territory_id : "");
}

static enum found find_device(const struct call *call, const char *id)
{
    union row row;
    enum err err =
        store_get(call->engine->store, ROW_DEVICE, &(struct row_device){.device_id = id}, &row);
    if (err != ERR_OK) return FOUND_NOT;
    return find_technician(call, arena_text(call->arena, row.device.technician_id));
}

static enum found find_conflict(const struct call *call, uint64_t number)
{
    union row row;
    enum err err = store_get(call->engine->store, ROW_CONFLICT,
                             &(struct row_conflict){.seq = (int64_t)number}, &row);
    return found_in(call, err, err == ERR_OK ? row.conflict.territory_id : "");
}

struct link_search {
    const struct call *call;
    enum found found;
};

static bool see_order_of(void *context, const void *visited)
{
    struct link_search *search = context;
    const struct row_work_order *row = visited;
    search->found = granted(search->call, row->territory_id) ? FOUND : FOUND_FOREIGN;
    return search->found != FOUND;
}

/* An order comes with its site, customer, contact and asset, and what it says of them is written:
 * whoever named somebody else's would change it, and be told what was done there. Without an id the
 * order's is the site's; the others it does not have then. */
static enum found find_link(const struct call *call, enum order_link link, const char *id)
{
    struct link_search search = {call, FOUND_NOT};
    if (id[0] == '\0' && link != ORDER_SITE) return FOUND_NOT;
    if (id[0] == '\0')
        id = *(const char *const *)member_at(call->message, "work_order.work_order_id");
    enum err err = store_orders_of(call->engine->store, link, id, see_order_of, &search);
    return err == ERR_OK ? search.found : FOUND_FOREIGN;
}

static enum found find_object(const struct call *call, enum authz_at at, const char *id)
{
    struct store *store = call->engine->store;
    union row row;
    enum err err;
    switch (at) {
    case AT_TERRITORY:
        err = core_territory_zone(call->engine->core, id) != NULL ? ERR_OK : ERR_NOT_FOUND;
        return found_in(call, err, id);
    case AT_TECHNICIAN:
    case AT_TECHNICIAN_OR_NEW:
    case AT_TECHNICIAN_OR_NONE: return find_technician(call, id);
    case AT_DEVICE: return find_device(call, id);
    case AT_WORK_ORDER:
    case AT_WORK_ORDER_OR_NEW:
        err = store_get(store, ROW_WORK_ORDER, &(struct row_work_order){.work_order_id = id}, &row);
        return found_in(call, err, err == ERR_OK ? row.work_order.territory_id : "");
    case AT_SITE: return find_link(call, ORDER_SITE, id);
    case AT_CUSTOMER: return find_link(call, ORDER_CUSTOMER, id);
    case AT_CONTACT: return find_link(call, ORDER_CONTACT, id);
    case AT_ASSET: return find_link(call, ORDER_ASSET, id);
    case AT_APPOINTMENT:
        err = store_get(store, ROW_APPOINTMENT, &(struct row_appointment){.appointment_id = id},
                        &row);
        return found_in(call, err, err == ERR_OK ? row.appointment.territory_id : "");
    case AT_UNSAID:
    case AT_CONFLICT:
    case AT_NAMED_TECHNICIANS: return FOUND_NOT;
    case AT_NOTHING:
    case AT_OWN:
    case AT_FILTERED: return FOUND;
    }
    return FOUND_NOT;
}

/* One answer for what does not exist and for what he may not know of: to the byte. */
static enum err no_object(struct call *call, const struct authz_object *object)
{
    return problem_set(&call->problem, ERR_NOT_FOUND, object->path == NULL ? "" : object->path,
                       "there is no such thing");
}

static bool may_be_new(enum authz_at at)
{
    return at == AT_TECHNICIAN_OR_NEW || at == AT_WORK_ORDER_OR_NEW || at == AT_SITE ||
           at == AT_CUSTOMER || at == AT_CONTACT || at == AT_ASSET;
}

static bool take_any(void *context, const void *row)
{
    (void)row;
    *(bool *)context = true;
    return false;
}

/* Does the order name him as it is stored? */
static bool named_before(const struct call *call, const char *technician_id)
{
    const char *const *id = member_at(call->message, "work_order.work_order_id");
    const struct row_work_order_technician key = {*id, technician_id, 0};
    bool found = false;
    enum err err = store_each(call->engine->store, ROW_WORK_ORDER_TECHNICIAN, &key, 2, false,
                              take_any, &found);
    return err == ERR_OK && found;
}

static enum err check_named_technicians(struct call *call, const struct authz_object *object)
{
    const size_t *count = count_at(call->message, object->path);
    const char *const *const *ids = member_at(call->message, object->path);
    for (size_t i = 0; count != NULL && i < *count && i < LIMIT_TECHNICIANS_PER_ORDER; i++) {
        enum found found = find_technician(call, (*ids)[i]);
        if (found == FOUND || named_before(call, (*ids)[i])) continue;
        audit_failure(call, AUDIT_REFUSED, (*ids)[i]);
        return no_object(call, object);
    }
    return ERR_OK;
}

static enum err check_object(struct call *call, const struct authz_object *object)
{
    if (object->at == AT_NAMED_TECHNICIANS) return check_named_technicians(call, object);
    bool named = object->path != NULL && object->path[0] != '\0';
    const void *member = named ? member_at(call->message, object->path) : NULL;
    bool numbered = object->at == AT_CONFLICT;
    const char *id = member == NULL || numbered ? "" : *(const char *const *)member;
    bool none = object->at == AT_TECHNICIAN_OR_NONE && id[0] == '\0';
    enum found found = none       ? FOUND
                       : numbered ? find_conflict(call, *(const uint64_t *)member)
                                  : find_object(call, object->at, id);
    if (found == FOUND || (found == FOUND_NOT && may_be_new(object->at))) return ERR_OK;
    if (named) audit_failure(call, AUDIT_REFUSED, id);
    return no_object(call, object);
}

enum err authorize_objects(struct call *call)
{
    if (strcmp(call->territories, GRANT_ALL) == 0) return ERR_OK;
    const struct authz_object *objects = authz_objects(call->method);
    enum err err = check_object(call, &objects[0]);
    for (int i = 1; i < AUTHZ_OBJECTS_MAX && objects[i].at != AT_UNSAID && err == ERR_OK; i++)
        err = check_object(call, &objects[i]);
    return err;
}
