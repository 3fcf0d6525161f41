#include "dispatcher/authz.h"

#include "base/check.h"
#include "dispatcher/engine_impl.h"

#include <stddef.h>
#include <string.h>

enum {
    ANYONE = 1,
    TECHNICIAN = 2,
    DISPATCHER = 4,
    INTEGRATOR = 8,
    ADMIN = 16,
    AUDITOR = 32,
    INNER = 64,
    GONE = 128, /* a device that was ended */
    PLANNER = 256,
    PEOPLE = DISPATCHER | INTEGRATOR | ADMIN | AUDITOR | PLANNER, /* and keys */
};

/* Where a request's object lies: whose territory has to be granted. */
enum at {
    AT_UNSAID,   /* nothing was said of it: only who has every territory may */
    AT_NOTHING,  /* it has no object */
    AT_OWN,      /* the asker's own, by construction */
    AT_FILTERED, /* the operation leaves out what is not granted */
    AT_TERRITORY,
    AT_TECHNICIAN,
    AT_TECHNICIAN_OR_NEW,  /* one that there is not yet is as good */
    AT_TECHNICIAN_OR_NONE, /* "" names nobody */
    AT_WORK_ORDER,
    AT_WORK_ORDER_OR_NEW,
    AT_SITE, /* one that no order was at, or one of his: a site is its orders' */
    AT_APPOINTMENT,
    AT_DEVICE,   /* its technician's territory */
    AT_CONFLICT, /* by its number */
};

enum { OBJECTS_MAX = 3 };

static const struct right {
    const char *method;
    int roles;
    struct object {
        enum at at;
        const char *path; /* of the field that names it */
    } objects[OBJECTS_MAX];
} rights[] = {
    {"Ping", ANYONE | TECHNICIAN | GONE | PEOPLE | INNER, {{AT_NOTHING, ""}}},
    {"Enroll", ANYONE | TECHNICIAN | PEOPLE, {{AT_NOTHING, ""}}},
    {"Hello", ANYONE | TECHNICIAN | GONE, {{AT_NOTHING, ""}}},
    {"Push", TECHNICIAN | GONE, {{AT_OWN, ""}}},
    {"Pull", TECHNICIAN, {{AT_OWN, ""}}},
    {"Snapshot", TECHNICIAN, {{AT_OWN, ""}}},
    {"PutBlob", TECHNICIAN, {{AT_OWN, ""}}},
    {"GetBlob", TECHNICIAN | DISPATCHER | ADMIN, {{AT_FILTERED, ""}}},
    {"Login", ANYONE | PEOPLE, {{AT_NOTHING, ""}}},
    {"Logout", PEOPLE, {{AT_OWN, ""}}},
    {"WhoAmI", TECHNICIAN | PEOPLE, {{AT_OWN, ""}}},
    {"ChangePassword", PEOPLE, {{AT_OWN, ""}}},
    {"AuditLog", AUDITOR | ADMIN, {{AT_NOTHING, ""}}},
    {"PeopleList", ADMIN, {{AT_UNSAID, ""}}},
    {"PutPerson", ADMIN, {{AT_UNSAID, ""}}},
    {"DisablePerson", ADMIN, {{AT_UNSAID, ""}}},
    {"Devices", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"MakeEnrolToken", ADMIN | DISPATCHER, {{AT_TECHNICIAN, "technician_id"}}},
    {"RevokeDevice", ADMIN | DISPATCHER, {{AT_DEVICE, "device_id"}}},
    {"UpsertTerritory", ADMIN, {{AT_TERRITORY, "territory.territory_id"}}},
    {"UpsertTechnician",
     ADMIN | DISPATCHER,
     {{AT_TERRITORY, "technician.territory_id"},
      {AT_TECHNICIAN_OR_NEW, "technician.technician_id"}}},
    {"UpsertWorkOrder",
     ADMIN | DISPATCHER | INTEGRATOR,
     {{AT_TERRITORY, "work_order.territory_id"},
      {AT_WORK_ORDER_OR_NEW, "work_order.work_order_id"},
      {AT_SITE, "work_order.site.site_id"}}},
    {"CancelWorkOrder", ADMIN | DISPATCHER | INTEGRATOR, {{AT_WORK_ORDER, "work_order_id"}}},
    {"ReportAbsence", ADMIN | DISPATCHER, {{AT_TECHNICIAN, "absence.technician_id"}}},
    {"CancelAbsence", ADMIN | DISPATCHER, {{AT_TECHNICIAN, "technician_id"}}},
    {"Technicians", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"Territories", ADMIN | DISPATCHER, {{AT_FILTERED, ""}}},
    {"CheckImport", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"PutAddresses", ADMIN, {{AT_UNSAID, ""}}},
    {"FindAddress", ADMIN | DISPATCHER, {{AT_NOTHING, ""}}},
    {"Assign",
     ADMIN | DISPATCHER,
     {{AT_APPOINTMENT, "appointment_id"}, {AT_TECHNICIAN, "technician_id"}}},
    {"Unassign", ADMIN | DISPATCHER, {{AT_APPOINTMENT, "appointment_id"}}},
    {"SetPin",
     ADMIN | DISPATCHER,
     {{AT_APPOINTMENT, "appointment_id"}, {AT_TECHNICIAN_OR_NONE, "pin.technician_id"}}},
    {"Swap",
     ADMIN | DISPATCHER,
     {{AT_APPOINTMENT, "appointment_id"}, {AT_APPOINTMENT, "other_appointment_id"}}},
    {"HoldWorkOrder", ADMIN | DISPATCHER, {{AT_WORK_ORDER, "work_order_id"}}},
    {"ReleaseWorkOrder", ADMIN | DISPATCHER, {{AT_WORK_ORDER, "work_order_id"}}},
    {"ReportStatus",
     ADMIN | DISPATCHER,
     {{AT_APPOINTMENT, "appointment_id"}, {AT_TECHNICIAN, "technician_id"}}},
    {"Undo", ADMIN | DISPATCHER, {{AT_OWN, ""}}},
    {"UndoList", ADMIN | DISPATCHER, {{AT_OWN, ""}}},
    {"PlanDiffs", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"RollBackPlan", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"SendMessage", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"Messages",
     ADMIN | DISPATCHER,
     {{AT_TERRITORY, "territory_id"}, {AT_TECHNICIAN_OR_NONE, "technician_id"}}},
    {"SetFreezeHorizon", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"AdvanceClock", ADMIN, {{AT_NOTHING, ""}}},
    {"Board", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"WorkOrderDetail", ADMIN | DISPATCHER, {{AT_APPOINTMENT, "appointment_id"}}},
    {"Candidates", ADMIN | DISPATCHER, {{AT_APPOINTMENT, "appointment_id"}}},
    {"CheckMove",
     ADMIN | DISPATCHER,
     {{AT_APPOINTMENT, "appointment_id"}, {AT_TECHNICIAN, "technician_id"}}},
    {"Explain",
     ADMIN | DISPATCHER,
     {{AT_APPOINTMENT, "appointment_id"}, {AT_TECHNICIAN_OR_NONE, "technician_id"}}},
    {"EmergencyOptions", ADMIN | DISPATCHER, {{AT_APPOINTMENT, "appointment_id"}}},
    {"ShadowPrices", ADMIN | DISPATCHER | PLANNER, {{AT_TERRITORY, "territory_id"}}},
    {"Conflicts", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"ResolveConflict", ADMIN | DISPATCHER, {{AT_CONFLICT, "seq"}}},
    {"PlanAcks", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"DeadLetters", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"DismissDeadLetter", ADMIN | DISPATCHER, {{AT_DEVICE, "device_id"}}},
    {"Kpis", ADMIN | DISPATCHER | PLANNER | INNER, {{AT_TERRITORY, "territory_id"}}},
    {"EventFeed", ADMIN | DISPATCHER | INTEGRATOR, {{AT_FILTERED, ""}}},
    {"ResolveSession", INNER, {{AT_NOTHING, ""}}},
    {"Follow", INNER, {{AT_NOTHING, ""}}},
    {"NextProblem", INNER, {{AT_NOTHING, ""}}},
    {"ProposePlan", INNER, {{AT_NOTHING, ""}}},
    {"ReportBound", INNER, {{AT_NOTHING, ""}}},
    {"Admin", INNER, {{AT_NOTHING, ""}}},
};

static const struct role {
    const char *name;
    int bit;
} roles[] = {
    {"", ANYONE},
    {"technician", TECHNICIAN},
    {"dispatcher", DISPATCHER},
    {"integrator", INTEGRATOR},
    {"admin", ADMIN},
    {"auditor", AUDITOR},
    {"inner", INNER},
    {"gone", GONE},
    {"planner", PLANNER},
};

static int role_bit(const char *name)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(roles[i].name, name) == 0) return roles[i].bit;
    }
    return 0;
}

/* Is it a role that a key or a person may have? */
static bool role_known(const char *role)
{
    return (role_bit(role) & PEOPLE) != 0;
}

static const struct right *right_of(const char *method)
{
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        if (strcmp(rights[i].method, method) == 0) return &rights[i];
    return NULL;
}

enum err authorize(const Callout__Principal *who, const char *method)
{
    int bit = role_bit(who->role);
    const struct right *right = right_of(method);
    if (right != NULL && (right->roles & bit) != 0) return ERR_OK;
    if (bit == GONE) return ERR_GONE;
    return bit == ANYONE ? ERR_UNAUTH : ERR_NOT_FOUND;
}

const char *authorize_text(enum err err)
{
    if (err == ERR_GONE) return "the device is not in use any more: remove its data";
    return err == ERR_UNAUTH ? "this operation needs a session or an API key"
                             : "there is no such operation for this role";
}

/* --- objects --- */

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

/* The member at a path of a message: the id of an object, a text or (AT_CONFLICT) a number. NULL: a
 * message on the way is absent. */
static const void *member_at(const ProtobufCMessage *message, const char *path)
{
    char name[64];
    for (;;) {
        size_t length = strcspn(path, ".");
        CHECK(length < sizeof name);
        memcpy(name, path, length);
        name[length] = '\0';
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
        CHECK(field != NULL);
        const void *member = (const char *)message + field->offset;
        if (path[length] == '\0') return member;
        message = *(const ProtobufCMessage *const *)member;
        if (message == NULL) return NULL;
        path += length + 1;
    }
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

struct site_search {
    const struct call *call;
    enum found found;
};

static bool see_order_at(void *context, const void *visited)
{
    struct site_search *search = context;
    const struct row_work_order *row = visited;
    search->found = granted(search->call, row->territory_id) ? FOUND : FOUND_FOREIGN;
    return search->found != FOUND;
}

/* An order comes with its site, and what it says of that is written: whoever named somebody else's
 * site would move it, and be told what was done there. Without an id the order's is the site's. */
static enum found find_site(const struct call *call, const char *id)
{
    struct site_search search = {call, FOUND_NOT};
    if (id[0] == '\0')
        id = *(const char *const *)member_at(call->message, "work_order.work_order_id");
    enum err err = store_orders_at(call->engine->store, id, see_order_at, &search);
    return err == ERR_OK ? search.found : FOUND_FOREIGN;
}

static enum found find_object(const struct call *call, enum at at, const char *id)
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
    case AT_SITE: return find_site(call, id);
    case AT_APPOINTMENT:
        err = store_get(store, ROW_APPOINTMENT, &(struct row_appointment){.appointment_id = id},
                        &row);
        return found_in(call, err, err == ERR_OK ? row.appointment.territory_id : "");
    case AT_UNSAID:
    case AT_CONFLICT: return FOUND_NOT;
    case AT_NOTHING:
    case AT_OWN:
    case AT_FILTERED: return FOUND;
    }
    return FOUND_NOT;
}

/* One answer for what does not exist and for what he may not know of: to the byte. */
static enum err no_object(struct call *call, const struct object *object)
{
    return problem_set(&call->problem, ERR_NOT_FOUND, object->path == NULL ? "" : object->path,
                       "there is no such thing");
}

static enum err check_object(struct call *call, const struct object *object)
{
    bool named = object->path != NULL && object->path[0] != '\0';
    const void *member = named ? member_at(call->message, object->path) : NULL;
    bool numbered = object->at == AT_CONFLICT;
    const char *id = member == NULL || numbered ? "" : *(const char *const *)member;
    bool none = object->at == AT_TECHNICIAN_OR_NONE && id[0] == '\0';
    enum found found = none       ? FOUND
                       : numbered ? find_conflict(call, *(const uint64_t *)member)
                                  : find_object(call, object->at, id);
    bool fresh = object->at == AT_TECHNICIAN_OR_NEW || object->at == AT_WORK_ORDER_OR_NEW ||
                 object->at == AT_SITE;
    if (found == FOUND || (found == FOUND_NOT && fresh)) return ERR_OK;
    if (found == FOUND_FOREIGN) audit_failure(call, AUDIT_REFUSED, id);
    return no_object(call, object);
}

enum err authorize_objects(struct call *call)
{
    const struct right *right = right_of(call->method);
    if (strcmp(call->territories, GRANT_ALL) == 0) return ERR_OK;
    CHECK(right != NULL); /* authorize() was asked first */
    enum err err = check_object(call, &right->objects[0]);
    for (int i = 1; i < OBJECTS_MAX && err == ERR_OK; i++)
        if (right->objects[i].at != AT_UNSAID) err = check_object(call, &right->objects[i]);
    return err;
}

const char *authorize_path(const char *method, int index)
{
    const struct right *right = right_of(method);
    if (right == NULL || index >= OBJECTS_MAX) return "";
    return right->objects[index].path == NULL ? "" : right->objects[index].path;
}

enum err check_grant(struct call *call, bool for_key, const char *name, const char *role,
                     const char *territories)
{
    union row row;
    size_t size = strlen(name);
    if (size == 0 || size > LIMIT_ID || strpbrk(name, " \t\r\n,") != NULL)
        return problem_set(&call->problem, ERR_INVALID, "name", "1 to %d bytes without spaces",
                           LIMIT_ID);
    if (!role_known(role))
        return problem_set(&call->problem, ERR_INVALID, "role",
                           "must be dispatcher, planner, integrator, auditor or admin");
    if (territories[0] == '\0' || strlen(territories) >= GRANT_SIZE)
        return problem_set(&call->problem, ERR_INVALID, "territories",
                           "name them with commas, or %s for all of them", GRANT_ALL);
    enum err key =
        store_get(call->engine->store, ROW_API_KEY, &(struct row_api_key){.name = name}, &row);
    enum err person =
        store_get(call->engine->store, ROW_PERSON, &(struct row_person){.name = name}, &row);
    if ((for_key ? person : key) == ERR_NOT_FOUND) return ERR_OK;
    return problem_set(&call->problem, ERR_CONFLICT, "name", "is %s's name already",
                       for_key ? "a person" : "a key");
}
