/* certificate.h - a plan and the proof of how good it is, as read from a file.
 *
 * Idea: all that is needed to check a plan and its lower bound stands in one text: the instance,
 * the plan, and numbers that prove the bound by weak duality. README.md describes the text and what
 * is proved. Numbers are whole: seconds of the instance's day, price seconds, and duals in
 * 1/`fine` s.
 *
 * Ids and names are kept as the text writes them (a blank is %20), for they are only compared.
 *
 * Owner: everything lives in the arena given to certificate_read. Thread: read-only once read.
 */
#ifndef CALLOUT_OPTIMIZER_VERIFY_CERTIFICATE_H
#define CALLOUT_OPTIMIZER_VERIFY_CERTIFICATE_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CERTIFICATE_VERSION = 1,
    CERTIFICATE_BYTES_MAX = 64 << 20,
    CERTIFICATE_TECHNICIANS_MAX = 1024,
    CERTIFICATE_VISITS_MAX = 2048,
    CERTIFICATE_PLACES_MAX = 4096,
    CERTIFICATE_CUTS_MAX = 1024,
    CERTIFICATE_CUT_MEMBERS_MAX = 8,
    CERTIFICATE_LIST_MAX = 64, /* windows, skills, names of one entity */
    CERTIFICATE_ROUTE_MAX = 1024,
    CERTIFICATE_PARTS_MAX = 20000,      /* splits, too */
    CERTIFICATE_DEPTH_MAX = 200,        /* of splits */
    CERTIFICATE_MEMORY_MAX = 512 << 20, /* that reading takes */
};

#define CERTIFICATE_SECONDS_MAX INT64_C(1000000000)       /* of times */
#define CERTIFICATE_PRICE_MAX   INT64_C(1000000000000)    /* of prices, in seconds */
#define CERTIFICATE_DUAL_MAX    INT64_C(1000000000000000) /* in 1/fine s */
#define CERTIFICATE_UNLIMITED   INT64_MAX
#define CERTIFICATE_NONE        UINT32_MAX       /* no technician */
#define CERTIFICATE_STRANGER    (UINT32_MAX - 1) /* one that the instance does not have */

/* Seconds, both ends inclusive. */
struct cert_span {
    int64_t open, close;
};

struct cert_spans {
    const struct cert_span *items;
    uint32_t count;
};

struct cert_skill {
    const char *name;
    int64_t level;
};

struct cert_skills {
    const struct cert_skill *items;
    uint32_t count;
};

struct cert_names {
    const char *const *items;
    uint32_t count;
};

struct cert_policy {
    int64_t travel_percent, overtime_percent, tier_s, tier_percent, lateness_percent;
    int64_t preferred_window, preferred_technician; /* price of what is preferred and missed */
    int64_t tolerance;                              /* of a start that was told */
    int64_t frozen_until;
    int64_t route_max; /* visits of one technician */
};

/* May those who must stay with a technician change places? */
enum cert_order { CERT_ORDER_FREE, CERT_ORDER_IN_TIME, CERT_ORDER_FIXED };

struct cert_technician {
    const char *id;
    uint32_t from, to; /* places */
    int64_t available, shift_end, latest_end;
    int64_t break_earliest, break_latest, break_length; /* length 0: none */
    int64_t leg_max, travel_max, capacity;              /* CERTIFICATE_UNLIMITED */
    enum cert_order order;
    struct cert_skills skills;
    const uint32_t *frozen; /* visits that his route begins with, in order */
    uint32_t frozen_count;
    int64_t dual, sum; /* the sum of all duals up to this one, as the text says */
};

struct cert_visit {
    const char *id;
    uint32_t at;
    int64_t service, load;
    int64_t unserved;          /* price of leaving it out */
    struct cert_spans windows; /* where service may start, lateness included; at least one */
    struct cert_spans due;     /* lateness counts from their ends */
    struct cert_spans best;    /* preferred; none: any start is as good */
    struct cert_skills needs;
    const struct cert_skills *any; /* at least one of each */
    uint32_t any_count;
    struct cert_names only, not_by, rather; /* technicians */
    uint32_t with;                          /* technician that has it in the plan in force, or to
                                               whom it is pinned; NONE, STRANGER */
    bool planned, pinned, frozen, emergency;
    int64_t planned_start, position;
    int64_t told_technician, told_start; /* prices of changing what was told */
    int64_t stretched;                   /* by so much delay has lengthened its last window */
    int64_t dual, sum;
    const uint64_t *near; /* a walk that makes this visit keeps of its memory what is in here */
};

struct cert_cut {
    uint32_t members[CERTIFICATE_CUT_MEMBERS_MAX];
    uint32_t member_count;
    const uint64_t *memory; /* visits at which the count lives on; members are in it */
    int64_t dual, sum;
};

/* What the plan says of one stop; a break lies before the stop that it belongs to. */
struct cert_stop {
    uint32_t visit;
    int64_t arrival, start, departure;
    int64_t break_start; /* on the way to this stop */
    bool rests;
    uint32_t line;
};

struct cert_route {
    const struct cert_stop *stops;
    uint32_t stop_count;
    int64_t travel, overtime, cost;
    int64_t home, break_start; /* on the way home */
    bool rests;
    uint32_t line;
};

struct cert_parts {
    int64_t travel, overtime, lateness, preferred_window, preferred_technician;
    int64_t change_technician, change_start, idle, unserved;
};

/* Of plans below `below`: split in two, or a part with duals of its own. */
struct cert_part {
    bool split, with_technician;
    uint32_t visit, other;                      /* of a split: another visit, or a technician */
    const int64_t *visits, *technicians, *cuts; /* duals of a part */
    int64_t bound;                              /* their sum, in 1/fine s */
    uint32_t line;
};

struct certificate {
    int64_t fine, day;
    struct cert_policy policy;
    uint32_t technician_count, visit_count, place_count, cut_count;
    uint32_t visit_words, cut_words; /* 64-bit words of a set of them */
    const char *const *relaxed;      /* words about how the bound was found */
    uint32_t relaxed_count;
    int32_t *travel; /* [from * place_count + to] */
    struct cert_technician *technicians;
    struct cert_visit *visits;
    struct cert_cut *cuts;
    struct cert_route *routes; /* by technician */
    bool *unserved;            /* by visit */
    struct cert_parts parts;
    int64_t objective;
    int64_t visits_sum, technicians_sum, cuts_sum, bound; /* in 1/fine s */
    /* Empty, or the plans that cost less than `below`, split in parts: in preorder, those of a
     * split that hold its two together first. */
    struct cert_part *parts_of;
    uint32_t part_count;
    int64_t below;
    uint32_t (*part_cuts)[3];
    uint32_t part_cut_count;
    int64_t lower_bound, hopeless, gap; /* seconds */
    struct arena *memory;
};

/* Reads a text. ERR_INVALID, ERR_VERSION or ERR_TOO_LARGE: the problem names the line. Whether what
 * it says is true is verify.h's matter; but every place, visit and technician that it names is one
 * of the certificate. */
MUST_USE enum err certificate_read(struct certificate *certificate, const char *text, size_t size,
                                   struct arena *memory, struct problem *problem);

static inline int64_t certificate_travel(const struct certificate *certificate, uint32_t from,
                                         uint32_t to)
{
    return certificate->travel[(size_t)from * certificate->place_count + to];
}

static inline bool certificate_has(const uint64_t *set, uint32_t index)
{
    return (set[index / 64] >> (index % 64) & 1) != 0;
}

static inline void certificate_add(uint64_t *set, uint32_t index)
{
    set[index / 64] |= UINT64_C(1) << (index % 64);
}

/* Says the text that begins a certificate; what does not begin so is none. */
extern const char certificate_first_line[];

#endif
