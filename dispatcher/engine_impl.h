/* engine_impl.h - what the files of the engine share; private to this folder. */
#ifndef CALLOUT_DISPATCHER_ENGINE_IMPL_H
#define CALLOUT_DISPATCHER_ENGINE_IMPL_H

#include "dispatcher/audit.h"
#include "dispatcher/engine.h"
#include "dispatcher/suspects.h"
#include "model/policy.h"
#include "pb/fact.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/people.pb-c.h"
#include "pb/roster.pb-c.h"

enum {
    RECENT_MAX = 8192,
    RECENT_TECHNICIANS_MAX = 8,
    SECRET_SIZE = 32,
    PULLED_MAX = 2 * LIMIT_TECHNICIANS,
    SERVER_NAME_SIZE = 25,
    RIGHTS_RECENT = 64,
    READINGS_MAX = 4096,
    LOGIN_DELAYS = 1024,
    ADMIN_LINES_MAX = 1000,
    SNAPSHOT_EVERY = 50000,
    BOARD_NOTES_MAX = LIMIT_SERVICE_DAYS
};

/* Since the start; /metrics shows them. */
struct counts {
    uint64_t fixes_refused, fixes_flagged;
    uint64_t conflicts, dead_letters, payload_mismatches;
};

/* Where the round of erasing what is old stands (purge.c). */
struct purge {
    enum { PURGE_CHANGES, PURGE_FIXES, PURGE_RESULTS, PURGE_LETTERS, PURGE_SESSIONS } stage;
    char holder[LIMIT_ID + 1]; /* whose rows are next; "": the first one's */
    int64_t due_us;
    bool erased; /* and it still lies in the write-ahead log */
    int64_t scrub_due_us;
};
#define META_COMPACTED "compacted_seq" /* of ROW_META: 8 bytes, the last change that is gone */

/* What happened lately, for those who follow: a ring by seq. Lost at a restart, rebuilt from the
 * log. */
struct recent {
    int64_t seq, committed_mono_us, cause_seq;
    uint64_t plan_version; /* that it published; 0: none */
    enum fact_kind kind;
    bool device; /* a technician's said it */
    uint32_t changes;
    uint32_t technician_count;
    char technicians[RECENT_TECHNICIANS_MAX][LIMIT_ID + 1]; /* whose assignments changed; more set
                                                               `everyone` */
    bool everyone;
};

struct engine {
    struct store *store;
    struct engine_options options;
    struct core *core;
    struct arena core_arena;  /* thrown away with the core */
    struct arena batch_arena; /* one batch */
    struct arena fact_arena;  /* the fact that is applied, and what the core wants done for it */
    struct arena reply_arena; /* held answers */
    uint64_t log_epoch;
    uint8_t secret[SECRET_SIZE];        /* signs cursors and nonces */
    char server_name[SERVER_NAME_SIZE]; /* of this installation, made by chance */
    struct rights_change {
        Callout__PrincipalKind kind;
        char id[LIMIT_ID + 1];
    } rights_recent[RIGHTS_RECENT];        /* by version */
    uint64_t rights_version, rights_first; /* the first one of this life */
    struct login_delay {
        uint64_t key; /* of account and neighbourhood; 0: free */
        uint32_t failures;
        int64_t until_mono_us;
    } login_delays[LOGIN_DELAYS];
    struct audit_reading { /* of customers' data, that is in the audit log (audit_read) */
        uint64_t key;
        int64_t until_mono_us;
    } readings[READINGS_MAX];
    int64_t audit_minute; /* in which audit_failures were written */
    uint32_t audit_failures, audit_unsaid;
    struct recent recent[RECENT_MAX];
    int64_t since_snapshot;        /* facts */
    uint64_t snapshot_rows_digest; /* of the tables, in the last snapshot; 0: it does not say */
    int64_t settled_seq[BOARD_NOTES_MAX]; /* per problem key in order: the revision with nothing
                                             better */
    char settled_key[BOARD_NOTES_MAX][LIMIT_ID + 24];
    uint32_t settled_count;
    struct bounds *bounds; /* what is known of each day's plan (bounds.c); NULL: of none */
    struct proposals
        *proposals;            /* plans that wait for a person (proposals.c); NULL: none ever did */
    struct suspects *suspects; /* NULL: memory only */
    int64_t now_us;
    int64_t hand_us;          /* where AdvanceClock moved the clock; 0: nowhere */
    bool began;               /* a transaction is open */
    bool wrote;               /* it has something in it */
    enum err poisoned;        /* ERR_OK, or why the batch must be undone */
    bool disk_fails;          /* the last batch could not be stored, and nothing could since (F4) */
    bool quarantine;          /* the current request is to be quarantined, not done */
    uint64_t refused_command; /* then: only this command of it, if it is known (not 0) */
    int64_t
        drift_us[LIMIT_TECHNICIANS]; /* when each technician's last drift became a fact, by hash */
    struct counts counts;
    struct purge purge;
    struct pulled { /* the last Pull or Snapshot of a device, by hash of its id */
        char device_id[LIMIT_ID + 1];
        int64_t sent_seq, sent_us, back_seq, back_us, heard_us;
    } pulled[PULLED_MAX];
    int64_t compacted_seq; /* changes up to here are gone */
    /* By the machine's clock, for SystemHealth; 0: not since the start. */
    int64_t started_wall_us, optimizer_asked_wall_us, optimizer_planned_wall_us;
};

/* One request on its way through. */
struct call {
    struct engine *engine;
    struct arena *arena; /* of the batch */
    const Callout__Principal *who;
    const char *method, *request_id;
    const char *peer; /* address of the client; NULL: one of our own processes asks */
    const struct row_device *device; /* who asks, if it is one; as stored */
    const char *territories;         /* granted to whoever asks: with commas, or GRANT_ALL */
    ProtobufCBinaryData session;     /* its token, where the method is Logout; else empty */
    struct engine_item *forwarded;   /* of a request from outside; NULL: it is none */
    ProtobufCBinaryData body;        /* as it came */
    const ProtobufCMessage *message; /* decoded body */
    ProtobufCMessage *answer;        /* the method's reply message; NULL with an error */
    char text[256];
    uint32_t retry_after_ms;
    struct problem problem;
    struct engine_item *item; /* for holds; NULL when forwarded */
};

#define CORE_ARENA_CAP ((size_t)1 << 30)

/* Throws the core away and builds it from snapshot and log: at start, and after a failed commit. */
enum err engine_rebuild(struct engine *engine);
/* Are the tables what the snapshot says? Only known when no fact came after it. */
enum err engine_check_tables(struct engine *engine);
/* Writes a snapshot and lets go of what is too old; a transaction of its own. Only at the end, when
 * the next start may find no fact after it, does it say what the tables were: that takes reading
 * all of them. */
enum err engine_put_snapshot(struct engine *engine, bool at_end);
/* Runs one request; the packed Reply lies in `arena`, and is empty when the request is held. */
ProtobufCBinaryData engine_answer(struct engine *engine, struct engine_item *item,
                                  struct arena *arena);
/* The answer of a request whose batch was not stored. */
ProtobufCBinaryData engine_retry_answer(struct engine *engine, struct engine_item *item);

/* Opens the batch's transaction if it is not open. */
enum err engine_begin(struct engine *engine);
enum err engine_put(struct engine *engine, enum row_kind kind, const void *row);
enum err engine_erase(struct engine *engine, enum row_kind kind, const void *key,
                      uint32_t key_columns);
/* Applies a fact: core, log and rows. *seq is its place. acts may be NULL; what is in them lives
 * until the next fact. */
enum err engine_apply(struct engine *engine, const Callout__FactBody *body, int64_t *seq,
                      struct acts *acts, struct problem *problem);
const struct recent *engine_recent(const struct engine *engine,
                                   int64_t seq); /* NULL: not known any more */

int64_t engine_mono_us(const struct engine *engine);
int64_t engine_wall_us(const struct engine *engine);

/* A fact from its body; ERR_INVALID names the field (facts.c). `stored`: it comes from the log, so
 * its values were judged before, by the rules of their day. */
enum err fact_from_body(const Callout__FactBody *body, int64_t seq, int64_t time_us, bool stored,
                        struct arena *arena, struct fact *out, struct problem *problem);
/* The body of a fact of the log, NULL if it is none; the caller's. */
Callout__FactBody *fact_body(const struct row_fact *row);
/* Steps the core by a fact of the log, whose body (NULL: an error) the acts borrow. One that was
 * taken by the rules of another core and does not fit today's is passed over with a warning: a log
 * never keeps a dispatcher from starting. */
enum err fact_again(struct core *core, const struct row_fact *row, const Callout__FactBody *body,
                    struct arena *arena, struct acts *acts, struct problem *problem);

/* The operations (one file per kind of asker). */
typedef enum err handler(struct call *call);
handler handle_enroll, handle_hello;                          /* devices.c */
handler handle_ping, handle_resolve_session;                  /* people.c */
handler handle_login, handle_logout, handle_who_am_i;         /* accounts.c */
handler handle_change_password;                               /* accounts.c */
handler handle_audit_log;                                     /* audit.c */
handler handle_push;                                          /* push.c */
handler handle_pull, handle_snapshot;                         /* follow.c */
handler handle_put_blob, handle_get_blob;                     /* blobs.c */
handler handle_mutation;                                      /* mutations.c */
handler handle_undo_list;                                     /* undo.c */
handler handle_people_list, handle_put_person;                /* people_admin.c */
handler handle_disable_person;                                /* people_admin.c */
handler handle_devices, handle_make_enrol_token;              /* device_admin.c */
handler handle_revoke_device;                                 /* device_admin.c */
handler handle_system_health;                                 /* health.c */
handler handle_technicians, handle_territories;               /* roster.c */
handler handle_check_import;                                  /* import_check.c */
handler handle_put_addresses, handle_find_address;            /* addresses.c */
handler handle_messages;                                      /* messages.c */
handler handle_plan_diffs;                                    /* plan_diffs.c */
handler handle_proposal, handle_discard_proposal;             /* proposals.c */
handler handle_set_review;                                    /* proposals.c */
handler handle_board;                                         /* boards.c */
handler handle_event_feed, handle_advance_clock;              /* views.c */
handler handle_work_order_detail;                             /* views.c */
handler handle_candidates, handle_check_move, handle_explain; /* answers.c */
handler handle_emergency_options;                             /* answers.c */
handler handle_shadow_prices, handle_report_bound;            /* bounds.c */
handler handle_conflicts, handle_dead_letters;                /* conflicts.c */
handler handle_dismiss_dead_letter;                           /* conflicts.c */
handler handle_kpis;                                          /* figures.c */
handler handle_next_problem, handle_propose_plan;             /* problems.c */
handler handle_follow;                                        /* follow.c */
handler handle_admin;                                         /* people.c */

/* What a device that was ended is to the table of rights: it may only hand over its commands. */
#define ROLE_GONE "gone"

/* Devices (devices.c). What is loaded lives in the call's arena. */
enum err device_load(struct call *call, const char *device_id, struct row_device *out);
enum err device_end(struct call *call, struct row_device *device); /* revoked for good */
enum err device_of_session(struct call *call, const char *hash, Callout__Principal *who);
/* A token with which a device of that technician enrols; it stands in the audit log. */
enum err enrol_token_make(struct call *call, const char *technician_id, char **token,
                          int64_t *expires_us);
enum err admin_enrol(struct call *call, const Callout__AdminRequest *request,
                     Callout__AdminReply *answer);

/* People (accounts.c). What is loaded lives in the call's arena. */
enum err person_load(struct call *call, const char *name, struct row_person *out);
/* All sessions of before end: they are of an older epoch. */
enum err person_put(struct call *call, struct row_person *person);
/* Is it the password of who asks? The first time it says ERR_OK with *asked, and the request comes
 * back with the verdict, and with the hash of new_password ("": none). */
enum err person_confirm(struct call *call, const char *password, const char *new_password,
                        bool *asked);
enum err person_of_session(struct call *call, const char *hash, Callout__Principal *who);
enum err admin_person(struct call *call, const Callout__AdminRequest *request,
                      Callout__AdminReply *answer);
/* Store and photos into a new folder; when that was, is kept in ours (health.c). */
enum err admin_backup(struct call *call, const Callout__AdminRequest *request);
/* The audit log as lines, from the entry after the one named on. */
enum err admin_audit(struct call *call, const Callout__AdminRequest *request,
                     Callout__AdminReply *answer);

/* Somebody's access ended or changed: gateways that follow forget what they know of him (rights.c).
 */
void rights_changed(struct engine *engine, Callout__PrincipalKind kind, const char *id);
void rights_tell(struct call *call, uint64_t since, Callout__FollowReply *answer);

/* Does what is due at now_us, within the batch's transaction. False: nothing was. */
bool engine_tick_in_batch(struct engine *engine);

/* Reading rows into messages (views.c, follow.c). */
Callout__Technician *read_technician_message(struct call *call, const char *technician_id);
Callout__FieldAppointment *read_field_appointment(struct call *call, const char *appointment_id);
/* As a board shows it, but for what only the board knows (boards.c). */
Callout__FeedAppointment *read_feed_appointment(struct call *call, const char *appointment_id);
/* A technician's shift of a day; NULL: he has none (roster.c). */
Callout__Shift *read_shift_message(struct call *call, const char *technician_id,
                                   int64_t service_day);
Callout__Point *new_point(struct arena *arena, int64_t lat_e7, int64_t lon_e7);
Callout__Policy *policy_message(struct arena *arena, const struct policy *policy);
/* What a plan gained, as its row says (answers.c). */
Callout__CostParts *plan_gain(struct arena *arena, const struct row_plan *plan);

/* His device, and up to which fact it is known to have the plan; ERR_NOT_FOUND: he has none. */
enum err plan_ack_heard(struct call *call, const char *technician_id, int64_t *delivered_seq,
                        int64_t *heard_us);
/* How far a plan has come (plan_acks.c): what a device acknowledges goes into its row, which the
 * caller stores; what was answered to it, and with which cursor it came back, is only remembered.
 */
void plan_ack_take(struct engine *engine, struct row_device *device, const Callout__AckPlan *ack);
void plan_ack_pulled(struct engine *engine, const char *device_id, int64_t came_with_seq,
                     int64_t sent_seq);
handler handle_plan_acks;
/* Up to which fact his device has got, and he has seen, what there is; 0: nothing, or no device. */
enum err plan_ack_reach(struct call *call, const char *technician_id, int64_t *delivered_seq,
                        int64_t *seen_seq);
/* What dispatchers wrote to the asking technician in (after, *until]; *until comes back lower, and
 * *more true, when it is too much for one answer (messages.c). */
enum err messages_for(struct call *call, int64_t after_seq, int64_t *until_seq, bool *more,
                      Callout__PullReply *answer);

/* What CancelAbsence becomes; ERR_NOT_FOUND: there is no such absence (roster.c). */
enum err cancel_absence_body(struct call *call, Callout__FactBody *body);
/* Absences of before that meet shifts which are new with this request: each is told again, behind
 * it. Returns how many, at most `max` (roster.c). */
uint32_t absences_again(struct call *call, const Callout__UpsertTechnicianRequest *request,
                        Callout__FactBody *bodies, uint32_t max);

/* The last ones of three days, to and from him (messages.c). */
enum err messages_lately(struct call *call, Callout__SnapshotReply *answer);

/* The id of an order's appointment. */
char *order_appointment_id(struct arena *arena, const char *work_order_id);
/* What a refused edit was meant for, and what there is (clash.c). NULL: it was refused for
 * something else. */
Callout__Clash *read_clash(struct call *call, const Callout__FactBody *body);
/* A fact as people hear of it, and the reason that was given for it; NULL: its body was erased. */
Callout__FeedEvent *read_event(struct call *call, int64_t seq, const char **reason);
struct violation;
Callout__Violation *violation_message(struct arena *arena, const struct violation *violation);
/* What Assign would do, as CheckMove says it; NULL: that cannot be said (answers.c). */
Callout__Move *assign_move(struct call *call, const Callout__AssignRequest *request);

/* ERR_NOT_FOUND: there is no such conflict; ERR_CONFLICT: somebody has dealt with it. */
enum err conflict_check_open(struct call *call, int64_t seq);
/* Keeps a command that was rejected, or came under a used number, for people; once for each number,
 * however often it comes. Positions are never kept. */
enum err dead_letter_put(struct call *call, struct row_device *device, Callout__Command *command,
                         const Callout__CommandResult *result);

/* A backup was made there: notes with each device which of its commands are in it. */
enum err note_safe_commands(struct call *call, const char *backup_folder);

/* What a fact is about, so that it can be told in which territory that lies. */
struct fact_about {
    enum { ABOUT_TERRITORY, ABOUT_TECHNICIAN, ABOUT_WORK_ORDER, ABOUT_APPOINTMENT } what;
    const char *id;
};

struct fact_about fact_about(const Callout__FactBody *body);
/* The day on which an order is planned: that of its first window, else of its earliest start, else
 * today (mutations.c). */
int64_t order_day(struct call *call, const Callout__WorkOrder *order);
/* A fact in one line for people, and who said so (fact_words.c). */
void fact_text(const Callout__FactBody *body, const struct row_fact *row, char *text, size_t size);
const char *fact_actor(const Callout__FactBody *body);
const char *fact_subject(const Callout__FactBody *body); /* the id of what it is about */
const char *fact_reason(const Callout__FactBody *body);  /* that was given for it; "" none */
const char *plan_stage_name(int64_t stage);

/* `size` random bytes (at most 64) in hexadecimal digits. */
char *random_hex(struct arena *arena, size_t size);
/* Hash of bytes as 64 hexadecimal digits (BLAKE2b-256). */
void hash_hex(const void *bytes, size_t size, char out[65]);
/* The service day of a moment in a zone (days since 1970-01-01 there). */
int64_t zone_service_day(const char *zone, int64_t time_us);
bool zone_known(const char *zone);
/* When the service day after that moment's begins, in UTC. */
int64_t zone_next_day_us(const char *zone, int64_t time_us);
/* When a service day begins, in UTC. */
int64_t zone_day_begin_us(const char *zone, int64_t service_day);

int64_t settled_revision(const struct engine *engine, const char *territory_id,
                         int64_t service_day);

#endif
