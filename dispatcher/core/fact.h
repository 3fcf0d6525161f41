/* fact.h - everything that comes from outside, one at a time: the only input of the core.
 *
 * A fact is what happened, already decoded and in plain C; what it means is decided in core_step.
 * Ownership: all texts and arrays are borrowed until core_step returns.
 * Times are UTC microseconds of domain time.
 */
#ifndef CALLOUT_CORE_FACT_H
#define CALLOUT_CORE_FACT_H

#include "dispatcher/core/life.h"
#include "dispatcher/core/row.h"
#include "model/geo.h"
#include "model/policy.h"
#include "model/route.h"

/* What is missing; the numbers are those of NeedKind on the wire. Open ones of an appointment are a
 * set: bits 1 << need. */
enum need { NEED_NONE, NEED_HELP, NEED_PART, NEED_UNSAFE };

enum fact_kind {
    FACT_NONE,
    FACT_TERRITORY,  /* a territory, its policy, more skill names */
    FACT_TECHNICIAN, /* a technician with skills and shifts */
    FACT_WORK_ORDER, /* a new or changed order */
    FACT_CANCEL,     /* an order is not wanted any more */
    FACT_ABSENCE,    /* a technician is away */
    FACT_ASSIGN,     /* a person moves an appointment */
    FACT_UNASSIGN,
    FACT_PIN,
    FACT_FREEZE, /* another freeze horizon */
    FACT_PLAN,   /* the optimizer's answer */
    FACT_TICK,   /* time came for something: see core_next_wake_us */
    FACT_STATUS, /* a technician reports a state of an appointment */
    FACT_DECLINE,
    FACT_LATE,        /* running late with the visit in progress */
    FACT_DRIFT,       /* a position that changes what is predicted */
    FACT_QUARANTINED, /* a request that crashed the core; nothing is applied */
    FACT_RESOLVE,     /* somebody has dealt with a conflict */
    FACT_SWAP,        /* two appointments change places */
    FACT_HOLD,        /* an order is not to be planned for now */
    FACT_RELEASE,     /* and is again */
    FACT_RESTORE,     /* what was done is taken back */
    FACT_MESSAGE,     /* a dispatcher or a technician writes */
    FACT_ENTRY,       /* an answer, a note, a photo or a signature at a visit */
    FACT_NEED,        /* help, a part or a safe site is missing */
    FACT_BREAK,       /* a technician's break begins or ends */
    FACT_CONSENT,     /* may his positions be kept? */
    FACT_KINDS
};

struct fact_skill {
    const char *name;
    int64_t level, valid_from_us, valid_to_us;
};

struct fact_shift {
    int64_t service_day, start_us, end_us, overtime_us_max;
    int64_t break_earliest_us, break_latest_us, break_us;
    bool start_given, end_given; /* else home */
    struct point start, end;
};

struct fact_territory {
    const char *territory_id, *name, *time_zone;
    bool policy_given;
    struct policy policy;
    const char *const *skill_names;
    uint32_t skill_count;
};

struct fact_technician {
    const char *technician_id, *territory_id, *name;
    struct point home;
    int64_t leg_s_max, travel_s_max; /* 0: no limit */
    const struct fact_skill *skills;
    uint32_t skill_count;
    const struct fact_shift *shifts;
    uint32_t shift_count;
    const int64_t *days_off; /* service days whose shifts are taken back */
    uint32_t day_off_count;
    uint64_t expected_version; /* 0: any */
};

struct fact_choice { /* at least one of these */
    const struct fact_skill *any_of;
    uint32_t count;
};

struct fact_named {
    const char *const *technician_ids;
    uint32_t count;
};

struct fact_work_order {
    const char *work_order_id, *territory_id, *external_id;
    const char *customer_id, *customer_name, *customer_locale, *customer_external_id;
    const char *contact_id, *contact_name, *contact_phone, *contact_email;
    const char *site_id, *address, *access_note, *site_time_zone;
    const char *asset_id, *work_type, *note;
    struct point point;
    int64_t service_us, priority, earliest_start_us, due_us, service_day;
    bool emergency;
    const struct fact_skill *skills;
    uint32_t skill_count;
    const struct fact_choice *choices;
    uint32_t choice_count;
    struct fact_named required, preferred, excluded;
    const struct window *windows;
    const bool *promised;         /* one per window */
    const bool *window_preferred; /* one per window; NULL: none is */
    uint32_t window_count;
    int64_t late_us_max;
    const struct fact_item *items;
    uint32_t item_count;
    const char *follow_up_of;  /* a work order; NULL or "": none */
    bool any_window;           /* taken when a promise did not yet outdo the other windows */
    uint64_t expected_version; /* of its appointment; 0: any */
};

struct fact_subject {          /* cancel, hold, release, unassign, assign, pin */
    const char *id;            /* work order for the first three, else appointment */
    const char *technician_id; /* assign, pin */
    const char *reason;
    int64_t start_us;
    uint64_t expected_version; /* 0: any */
    uint32_t place;            /* assign: from 1; 0: where it costs least */
    bool pin_technician, pin_time;
};

struct fact_swap {
    const char *id, *other_id, *reason; /* of an override; "" none */
    uint64_t expected_version, other_expected_version;
};

/* Where an appointment is put again; technician "": nobody has it. */
struct fact_standing {
    const char *appointment_id, *technician_id;
    int64_t start_us;
    const char *pin_technician_id; /* "": no such pin */
    int64_t pin_start_us;          /* 0: no such pin */
    bool held;
};
struct fact_absence_before {
    const char *technician_id;
    int64_t service_day, start_us, end_us;
    int64_t taken_back_us; /* start of the absence that never was */
};
struct fact_restore {
    const struct fact_standing *standings;
    uint32_t count;
    const struct fact_absence_before *absences;
    uint32_t absence_count;
};

struct fact_message {
    const char *territory_id; /* "": from the technician of the fact */
    const char *const *technician_ids;
    uint32_t count; /* 0: all of the territory */
    const char *text, *appointment_id, *from;
    uint64_t in_reply_to;
};

struct fact_item {
    const char *item_id, *text;
    bool required;
    int64_t kind;
};

struct fact_entry {
    const char *appointment_id, *item_id, *text, *sha256, *media_type; /* "" where it has none */
    enum entry_kind kind;
    int64_t size;
};

struct fact_absence {
    const char *technician_id, *reason;
    int64_t start_us, end_us;   /* 0: now; 0: to the end of the shift */
    uint64_t expected_plan_seq; /* of what gave him or took from him last; 0: any */
};

struct fact_route {
    const char *technician_id;
    const char *const *appointment_ids;
    uint32_t count;
};

struct fact_plan {
    const char *territory_id;
    int64_t service_day, cost_s, stage;
    uint64_t base_revision, cause_seq;
    const struct fact_route *routes;
    uint32_t route_count;
    const char *const *unserved_ids;
    uint32_t unserved_count;
    struct plan_bound {
        int64_t cost_s, lower_s, gap_ppm, age_s; /* all 0: none is known */
    } bound;
};

struct fact_status {
    const char *appointment_id, *reason;
    enum appointment_status status;
    bool point_given;
    struct point point;
    int64_t delay_us;          /* FACT_LATE; below 0: it is over earlier */
    enum need need;            /* FACT_NEED */
    uint32_t items_open;       /* COMPLETED: required items without an answer */
    uint64_t expected_version; /* of what a dispatcher was told; 0: any */
};

struct fact {
    int64_t seq;            /* the fact's place in the log: core's last + 1 */
    int64_t time_us;        /* domain time; never before the last fact's */
    int64_t device_time_us; /* when it happened, as the device says; 0: not from a device */
    int64_t happened_us;    /* the same with its clock put right; 0: as the device says */
    bool time_uncertain;    /* it could not be put right for certain */
    bool told; /* to a dispatcher, by or of technician_id: he may be refused, it may not */
    enum fact_kind kind;
    enum actor_role role;      /* who says so */
    const char *technician_id; /* whose device it came from; "" if from none */
    union {
        struct fact_territory territory;
        struct fact_technician technician;
        struct fact_work_order work_order;
        struct fact_subject subject;
        struct fact_swap swap;
        struct fact_message message;
        struct fact_entry entry;
        struct fact_restore restore;
        struct fact_absence absence;
        struct fact_plan plan;
        struct fact_status status;
        struct {
            const char *technician_id;
            struct point point;
            int64_t fix_time_us;
        } drift;
        struct {
            const char *territory_id; /* with service_day: the day that begins; "" none */
            int64_t service_day;
        } tick;
        struct {
            const char *territory_id;
            int64_t freeze_us;
        } freeze;
        struct {
            bool ended;
        } rest;
        struct {
            int64_t notice_version;
            bool granted;
        } consent;
        struct {
            int64_t conflict_seq; /* of one that is there and open */
            const char *actor, *note;
        } resolve;
    };
};

const char *fact_kind_name(enum fact_kind kind);
/* Does such a fact ask the optimizer for a new plan? */
bool fact_is_event(enum fact_kind kind);

#endif
