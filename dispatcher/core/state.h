/* state.h - what the core remembers; private to this folder.
 *
 * Invariants
 *   I1  an appointment with a shift stands exactly once in that shift's route, and in no other,
 *       while it is plannable; one in progress stands in no route, and its shift says who does it
 *   I2  a route is in the order of service; its frozen visits come first
 *   I3  touch_seq <= changed_seq <= the core's seq; a plan computed on revision r may move only
 *       what has touch_seq <= r
 *   I4  entities are never removed, so their numbers are stable; ids are unique per pool
 */
#ifndef CALLOUT_CORE_STATE_H
#define CALLOUT_CORE_STATE_H

#include "dispatcher/core/core.h"
#include "dispatcher/core/id_index.h"
#include "model/skill.h"

enum { EXCLUDED_MAX = 4, FORMER_MAX = 4, BOARDS_MAX = LIMIT_SERVICE_DAYS };

struct territory {
    char id[LIMIT_ID + 1];
    char zone[LIMIT_ID + 1];
    struct policy policy;
    int64_t today; /* service day that began last; 0: none yet */
};

struct skill_entry {
    char name[LIMIT_NAME + 1];
};

struct technician {
    char id[LIMIT_ID + 1];
    uint32_t territory;
    struct point home;
    uint32_t skill_count;
    struct skill skills[LIMIT_SKILLS_PER_ENTITY];
    int64_t skill_from_us[LIMIT_SKILLS_PER_ENTITY], skill_to_us[LIMIT_SKILLS_PER_ENTITY];
    int32_t leg_s_max, travel_s_max; /* of a day; 0: no limit */
    uint32_t current;                /* appointment in progress; NONE */
    struct point place;              /* where he was last for certain */
    int64_t place_us;                /* since when; 0: not known */
    uint32_t first_shift;
    int64_t changed_seq; /* the last fact that gave him, took from him or moved a visit */
    int64_t version;     /* the last one that made or changed him */
    int64_t roster_seq;  /* that changed who he is, his shifts, absences, breaks or consent */
    bool unseen;         /* he refused that his positions are kept */
};

/* A technician's day. */
struct shift {
    uint32_t technician, board, next_of_technician, next_of_board;
    int64_t start_us, end_us, overtime_us_max;
    int64_t break_earliest_us, break_latest_us, break_us;
    int64_t absent_start_us, absent_end_us; /* both 0: present */
    struct point start, end;
    bool break_done;
    int64_t rest_until_us; /* his break, as he said; 0: he said nothing */
    uint32_t changes;      /* that plans made to it (stability.c) */
    int64_t travelled_us;  /* what he set out for, as the travel times say */
    uint32_t route_count;
    uint32_t route[LIMIT_VISITS_PER_ROUTE]; /* plannable appointments in order */
    int64_t touch_seq;
};

/* Technicians whom an order names. */
struct named {
    uint32_t count;
    uint32_t technicians[LIMIT_TECHNICIANS_PER_ORDER];
};

struct work_order {
    char id[LIMIT_ID + 1];
    uint32_t territory, appointment; /* one for now; the tables and the wire allow several */
};

struct appointment {
    char id[LIMIT_ID + 8];
    uint32_t order, board, next_of_board;
    enum appointment_status status;
    struct point point;
    int64_t service_us, priority;
    bool emergency, late;
    bool held;          /* its order is on hold: nobody plans it */
    bool changed_hands; /* a plan of its day took it from who had it (stability.c) */
    uint32_t needs;     /* that are open: bits 1 << enum need */
    uint32_t entries;   /* what technicians wrote about it; 0: there is no row to look for */
    uint32_t skill_count, window_count;
    struct skill skills[LIMIT_SKILLS_PER_ENTITY];
    struct window windows[LIMIT_WINDOWS_PER_ORDER];
    uint32_t choice_count, preferred_count;
    struct skill_choice choices[LIMIT_SKILL_CHOICES_PER_ORDER];
    struct window preferred[LIMIT_WINDOWS_PER_ORDER];
    int64_t late_us_max;
    struct named required, preferred_technicians, forbidden; /* by the order */
    uint32_t shift;                                          /* NONE: unscheduled */
    int64_t planned_start_us, planned_end_us;
    uint32_t position; /* ascending along a route; with gaps where somebody left */
    bool pin_technician;
    uint32_t pin_to;      /* technician; with pin_technician */
    int64_t pin_start_us; /* 0: no time pin */
    int64_t dispatched_us, offers;
    int64_t departed_us, begun_us, delay_us;
    struct point departed_from;
    uint32_t former_count, excluded_count;
    uint32_t former[FORMER_MAX];     /* technicians who had it: their reports still count */
    uint32_t excluded[EXCLUDED_MAX]; /* technicians who declined it */
    int64_t created_us;              /* when its order came in */
    int64_t day_seq;                 /* the fact that brought it to its day */
    int64_t promised_us;  /* since when the customer has the promise of a window; 0: he has none */
    int64_t disputed_seq; /* the last conflict about it that is open, what it is */
    uint32_t disputed_kind, disputed_by; /* about and whose report made it; 0: none */
    int64_t version, changed_seq, touch_seq;
    uint32_t mark; /* scratch of one step; 0 between steps */
};

/* A territory's service day: the unit that is planned and published. */
struct board {
    uint32_t territory, first_shift, first_appointment;
    struct core_stability stability;
    int64_t service_day;
    int64_t plan_version, revision, event_seq;
    int64_t reset_seq; /* a visit left, or the policy changed: who knows less is told everything */
};

struct core {
    const struct travel *travel;
    int64_t seq, now_us;
    uint32_t territory_count, skill_count, technician_count, shift_count, order_count;
    uint32_t appointment_count, board_count;
    struct territory *territories;
    struct skill_entry *skills;
    struct technician *technicians;
    struct shift *shifts;
    struct work_order *orders;
    struct appointment *appointments;
    struct board *boards;
    struct id_index territory_ids, skill_ids, technician_ids, order_ids, appointment_ids;
    uint32_t check_in_number, change_number; /* within the step */
    bool step_is_event;
};

/* --- finding (core.c) ----------------------------------------------------------------------------
 */
enum err find_territory(const struct core *core, const char *id, uint32_t *out,
                        struct problem *problem);
enum err find_technician(const struct core *core, const char *id, uint32_t *out,
                         struct problem *problem);
enum err find_appointment(const struct core *core, const char *id, uint32_t *out,
                          struct problem *problem);
uint32_t find_board(const struct core *core, uint32_t territory, int64_t service_day); /* NONE */
uint32_t board_need(struct core *core, uint32_t territory, int64_t service_day); /* NONE: full */
/* A shift that was taken back keeps its place, with no time in it: find_shift passes it over,
 * shift_slot does not. */
static inline bool shift_is_off(const struct shift *shift)
{
    return shift->end_us <= shift->start_us;
}
uint32_t shift_slot(const struct core *core, uint32_t technician, uint32_t board); /* NONE */
uint32_t find_shift(const struct core *core, uint32_t technician, uint32_t board); /* NONE */
uint32_t find_shift_of(const struct core *core, const char *technician_id, int64_t service_day);
bool id_valid(const char *text); /* 1 to LIMIT_ID bytes, no control characters */

/* --- what the parts of the core do with an appointment (board.c)
 * ------------------------------------ */
/* The problem changed here; `stale`: plans computed before may not move it. */
void touch_appointment(struct core *core, uint32_t appointment, bool stale);
void touch_shift(struct core *core, uint32_t shift);
void touch_board(struct core *core, uint32_t board);
void emit_appointment(struct core *core, uint32_t appointment, struct acts *acts);
void emit_assignment(struct core *core, uint32_t appointment, struct acts *acts);
void emit_pin(const struct core *core, uint32_t appointment, struct acts *acts);
/* Nobody holds him to it any more: he declined it, let it lie, or is away. */
void pin_release(struct core *core, uint32_t appointment, uint32_t technician, struct acts *acts);
/* A row of the change log: what its technician (before, after) has to be told. */
void emit_change(struct core *core, uint32_t appointment, const char *owner_before,
                 int64_t start_before_us, struct acts *acts);
const char *owner_id(const struct core *core, uint32_t appointment); /* "" nobody */
/* Takes it off its route; status and rows are the caller's. */
void route_leave(struct core *core, uint32_t appointment);
/* Back to UNSCHEDULED, with rows and change. */
void unassign(struct core *core, uint32_t appointment, struct acts *acts);
/* The same by a person's word: no pin holds it either, and plans for that shift are stale. */
void take_away(struct core *core, uint32_t appointment, struct acts *acts);
void exclude(struct core *core, uint32_t appointment, uint32_t technician);
/* Puts it at `place` of a shift's route; status, position and rows are the caller's. */
void route_enter(struct core *core, uint32_t appointment, uint32_t shift, uint32_t place);
/* Gives the visit at `place` its position, and those behind it theirs as far as they have to make
 * room; returns the place of the first that keeps its own. */
uint32_t route_number(struct core *core, uint32_t shift, uint32_t place);

/* --- what technicians report (field.c)
 * ------------------------------------------------------------------ */
/* The appointment and the technician of a report; ERR_NOT_FOUND: it is not his and never was. */
enum err find_own(struct core *core, const struct fact *fact, const char *appointment_id,
                  uint32_t *index, uint32_t *technician, struct problem *problem);
/* When it really happened, but not before what cannot have been later. */
int64_t happened_us(const struct core *core, const struct fact *fact, int64_t not_before_us);
/* A row of what was reported. `moved`: the report moved the appointment on; else its times are not
 * held against it. */
void journal(struct core *core, const struct fact *fact, uint32_t index,
             enum appointment_status status, bool inferred, bool moved, struct acts *acts);
/* His appointment comes to this state (FACT_STATUS, FACT_NEED), with what is to be inferred. */
void report_state(struct core *core, const struct fact *fact, uint32_t index,
                  enum appointment_status to, struct acts *acts);

/* --- what does not fit (conflict.c)
 * ------------------------------------------------------------------ */
/* The report of `technician` is not what the plan knew; to be called before anything is changed by
 * it. While such a conflict of his is open, his further reports belong to it. */
void dispute(struct core *core, const struct fact *fact, uint32_t appointment, uint32_t technician,
             enum conflict_kind kind, struct acts *acts);

/* --- what is left of a day (rest.c)
 * ------------------------------------------------------------------ */
struct rest {
    struct route_day day; /* with the end stretched as far as delay has already made it late */
    bool off;             /* serves nobody any more */
    /* His own limits had to be stretched for the pinned ones in this order, so in this order they
     * stay: in another one less might do. Where only windows were, another order is welcome if it
     * is in time. */
    bool keeps_order;
    uint32_t pinned_count;
    uint32_t pinned[LIMIT_VISITS_PER_ROUTE];         /* appointments, in route order */
    int64_t pinned_start_us[LIMIT_VISITS_PER_ROUTE]; /* when they start at best */
};
void rest_of_day(const struct core *core, uint32_t shift, int64_t now_us, struct rest *rest);
/* The visit as rules see it: windows stretched for a pinned one that is already late. */
struct route_visit rest_visit(const struct core *core, const struct rest *rest,
                              uint32_t appointment, int64_t now_us);
enum mobility appointment_mobility(const struct core *core, uint32_t appointment, int64_t now_us);
/* Would that start be later than what was promised, or than a person's pin? */
bool appointment_late(const struct core *core, uint32_t appointment, int64_t start_us);
bool appointment_serves(const struct core *core, uint32_t appointment, uint32_t shift);
bool named_has(const struct named *named, uint32_t technician);
/* The skills that count for that shift; returns how many. */
uint32_t valid_skills(const struct technician *technician, const struct shift *shift,
                      struct skill *out);

/* --- how much of the plan may change (stability.c)
 * ------------------------------------------------------------------ */
#define UNLIMITED_CHANGES UINT32_MAX
struct hands_left hands_left(const struct core *core, uint32_t board);
uint32_t changes_left(const struct core *core, uint32_t shift);
/* What another route, timed, changes for its technician; nothing is applied yet. */
struct changes {
    uint32_t gone, come, moved;
    uint32_t promised; /* of those gone and moved, whose customers had a promise */
    bool emergency;    /* one comes to him */
    bool broken;       /* his route as it stood does not hold any more */
};
struct changes route_changes(const struct core *core, uint32_t shift, const uint32_t *visits,
                             const struct route_stop *stops, uint32_t count);

/* --- one function per kind of fact
 * ------------------------------------------------------------------- */
enum err step_territory(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_technician(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_absence(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_drift(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_work_order(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_cancel(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_assign(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_swap(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_hold(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_restore(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_message(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_entry(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_need(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_break(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_consent(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_release(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_unassign(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_pin(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_freeze(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_status(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_decline(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_late(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_plan(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_tick(struct core *, const struct fact *, struct acts *, struct problem *);
enum err step_resolve(struct core *, const struct fact *, struct acts *, struct problem *);

#endif
