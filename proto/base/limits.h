/* limits.h - every size that comes from outside has its limit here, and is refused beyond it.
 *
 * Bytes unless the name says otherwise. A limit is a promise to users (README, Limits) and a bound
 * on memory: change it here only.
 */
#ifndef CALLOUT_BASE_LIMITS_H
#define CALLOUT_BASE_LIMITS_H

enum {
    LIMIT_MESSAGE = 256 * 1024,    /* a request on the wire */
    LIMIT_COMMAND = 16 * 1024,     /* one command inside Push */
    LIMIT_REPLY = 1024 * 1024,     /* a reply; what does not fit is paged */
    LIMIT_BATCH_COMMANDS = 200,    /* commands in one Push */
    LIMIT_BATCH_SIGNED = 50,       /* signatures of commands that are checked for one Push */
    LIMIT_DEAD_LETTERS = 5000,     /* rejected commands of one device that are kept */
    LIMIT_REQUEST_ARENA = 4 << 20, /* memory one decoded request may take */

    LIMIT_ID = 64,            /* an id of an order, technician, ...; UTF-8, no control characters */
    LIMIT_WORK_ORDER_ID = 62, /* its appointment's id is two bytes longer, and an id too */
    LIMIT_NAME = 128,         /* a person's or skill's name */
    LIMIT_TEXT = 1024,        /* an address, a note, a reason */
    LIMIT_SKILLS_PER_ENTITY = 32,
    LIMIT_SKILL_CHOICES_PER_ORDER = 4,
    LIMIT_SKILLS_PER_CHOICE = 8,
    LIMIT_TECHNICIANS_PER_ORDER = 8, /* required, preferred and excluded ones: so many of each */
    LIMIT_WINDOWS_PER_ORDER = 4,
    LIMIT_ITEMS_PER_ORDER = 32, /* of a checklist */
    LIMIT_ITEM_TEXT = 256,      /* one of them */
    LIMIT_ANSWERS = 64,         /* to different items of one appointment */
    LIMIT_SERVICE_SECONDS = 24 * 3600,
    LIMIT_PRIORITY = 9, /* 1 is the least, 9 the most urgent */
    LIMIT_SKILL_LEVEL = 9,

    LIMIT_TERRITORIES = 64,
    LIMIT_SERVICE_DAYS = 1024, /* counted for each territory, past ones included */
    LIMIT_SKILLS = 1024,       /* distinct skill names of one installation */
    LIMIT_TECHNICIANS = 16384,
    LIMIT_SHIFTS = 32768,
    LIMIT_APPOINTMENTS = 65536,   /* open and closed ones of the horizon */
    LIMIT_VISITS_PER_ROUTE = 64,  /* of the running system */
    LIMIT_STOPS_PER_ROUTE = 256,  /* of a problem that is solved from a file */
    LIMIT_ROUTES_PER_PLAN = 1024, /* technicians of one territory and day */
    LIMIT_VISITS_PER_PLAN = 8192, /* appointments of one territory and day */

    LIMIT_FACTS_PER_COMMIT = 500,
    LIMIT_HOLD_MS = 25000, /* how long a poll may be held */
    LIMIT_REQUEST_DEADLINE_MS = 10000,
    LIMIT_GREETING_MS = 10000, /* from accept to a finished greeting (and TLS handshake) */
    LIMIT_FRAME_MS = 10000,    /* from the first byte of a message to its last */
    LIMIT_CONNECTIONS = 20000,
    LIMIT_CONNECTIONS_PER_IP = 64,
    LIMIT_OUTBOX = 2 * 1024 * 1024, /* unsent reply bytes before a reader counts as dead */
    LIMIT_UNREAD_MS = 60000, /* a peer that takes nothing of its replies for so long is closed */
    LIMIT_DRAIN = 16 << 20,  /* a longer message closes the connection; one between
                                LIMIT_MESSAGE and this is read past and answered TOO_LARGE */
    LIMIT_INNER_MESSAGE = 8 << 20, /* the same as LIMIT_MESSAGE, between our own processes */
    LIMIT_INNER_OUTBOX = 64 << 20,
};

#endif
