#include "dispatcher/authz.h"

#include "base/check.h"
#include "dispatcher/authz_impl.h"
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

static const struct right {
    const char *method;
    int roles;
    struct authz_object objects[AUTHZ_OBJECTS_MAX];
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
    {"AuditLog", AUDITOR | ADMIN, {{AT_UNSAID, ""}}},
    {"PeopleList", ADMIN, {{AT_UNSAID, ""}}},
    {"PutPerson", ADMIN, {{AT_UNSAID, ""}}},
    {"DisablePerson", ADMIN, {{AT_UNSAID, ""}}},
    {"Devices", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"MakeEnrolToken", ADMIN | DISPATCHER, {{AT_TECHNICIAN, "technician_id"}}},
    {"RevokeDevice", ADMIN | DISPATCHER, {{AT_DEVICE, "device_id"}}},
    {"SystemHealth", ADMIN | DISPATCHER, {{AT_FILTERED, ""}}},
    {"UpsertTerritory", ADMIN, {{AT_TERRITORY, "territory.territory_id"}}},
    {"UpsertTechnician",
     ADMIN | DISPATCHER,
     {{AT_TERRITORY, "technician.territory_id"},
      {AT_TECHNICIAN_OR_NEW, "technician.technician_id"}}},
    {"UpsertWorkOrder",
     ADMIN | DISPATCHER | INTEGRATOR,
     {{AT_TERRITORY, "work_order.territory_id"},
      {AT_WORK_ORDER_OR_NEW, "work_order.work_order_id"},
      {AT_SITE, "work_order.site.site_id"},
      {AT_CUSTOMER, "work_order.customer.customer_id"},
      {AT_CONTACT, "work_order.contact.contact_id"},
      {AT_ASSET, "work_order.asset_id"},
      {AT_NAMED_TECHNICIANS, "work_order.required_technician_ids"},
      {AT_NAMED_TECHNICIANS, "work_order.preferred_technician_ids"},
      {AT_NAMED_TECHNICIANS, "work_order.excluded_technician_ids"}}},
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
    {"Proposal", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"AcceptProposal", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"DiscardProposal", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
    {"SetReview", ADMIN | DISPATCHER, {{AT_TERRITORY, "territory_id"}}},
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

const char *authorize_path(const char *method, int index)
{
    const struct right *right = right_of(method);
    if (right == NULL || index >= AUTHZ_OBJECTS_MAX) return "";
    return right->objects[index].path == NULL ? "" : right->objects[index].path;
}

const struct authz_object *authz_objects(const char *method)
{
    const struct right *right = right_of(method);
    CHECK(right != NULL); /* authorize() was asked first */
    return right->objects;
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
