#include "dispatcher/authz.h"

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
};

static const struct right {
    const char *method;
    int roles;
} rights[] = {
    {"Ping", ANYONE | TECHNICIAN | DISPATCHER | INTEGRATOR | ADMIN | AUDITOR | INNER},
    {"Enroll", ANYONE | TECHNICIAN | DISPATCHER | INTEGRATOR | ADMIN},
    {"Hello", ANYONE | TECHNICIAN},
    {"Push", TECHNICIAN | GONE},
    {"Pull", TECHNICIAN},
    {"Snapshot", TECHNICIAN},
    {"UpsertTerritory", ADMIN},
    {"UpsertTechnician", ADMIN | DISPATCHER},
    {"UpsertWorkOrder", ADMIN | DISPATCHER | INTEGRATOR},
    {"CancelWorkOrder", ADMIN | DISPATCHER | INTEGRATOR},
    {"ReportAbsence", ADMIN | DISPATCHER},
    {"Assign", ADMIN | DISPATCHER},
    {"Unassign", ADMIN | DISPATCHER},
    {"SetPin", ADMIN | DISPATCHER},
    {"SetFreezeHorizon", ADMIN | DISPATCHER},
    {"AdvanceClock", ADMIN},
    {"Board", ADMIN | DISPATCHER | AUDITOR},
    {"Candidates", ADMIN | DISPATCHER | AUDITOR},
    {"CheckMove", ADMIN | DISPATCHER | AUDITOR},
    {"Explain", ADMIN | DISPATCHER | AUDITOR},
    {"EmergencyOptions", ADMIN | DISPATCHER | AUDITOR},
    {"Conflicts", ADMIN | DISPATCHER | AUDITOR},
    {"ResolveConflict", ADMIN | DISPATCHER},
    {"DeadLetters", ADMIN | DISPATCHER | AUDITOR},
    {"DismissDeadLetter", ADMIN | DISPATCHER},
    {"Kpis", ADMIN | DISPATCHER | AUDITOR | INNER},
    {"EventFeed", ADMIN | DISPATCHER | INTEGRATOR | AUDITOR},
    {"ResolveSession", INNER},
    {"Follow", INNER},
    {"NextProblem", INNER},
    {"ProposePlan", INNER},
    {"Admin", INNER},
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
};

static int role_bit(const char *name)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(roles[i].name, name) == 0) return roles[i].bit;
    }
    return 0;
}

int role_known(const char *role)
{
    return (role_bit(role) & (DISPATCHER | INTEGRATOR | ADMIN | AUDITOR)) != 0;
}

enum err authorize(const Callout__Principal *who, const char *method)
{
    int bit = role_bit(who->role);
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
        if (strcmp(rights[i].method, method) != 0) continue;
        if ((rights[i].roles & bit) != 0) return ERR_OK;
    }
    if (bit == GONE) return ERR_GONE;
    return bit == ANYONE ? ERR_UNAUTH : ERR_NOT_FOUND;
}

const char *authorize_text(enum err err)
{
    if (err == ERR_GONE) return "the device is not in use any more: remove its data";
    return err == ERR_UNAUTH ? "this operation needs a session or an API key"
                             : "there is no such operation for this role";
}
