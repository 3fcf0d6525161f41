/* authz_impl.h - what the table of rights (authz.c) and the search for objects (authz_objects.c)
 * have in common. */
#ifndef CALLOUT_DISPATCHER_AUTHZ_IMPL_H
#define CALLOUT_DISPATCHER_AUTHZ_IMPL_H

#include "dispatcher/authz.h"

/* Where a request's object lies: whose territory has to be granted. */
enum authz_at {
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
    /* What is its orders': one that no order named, or one that one of his did. */
    AT_SITE,
    AT_CUSTOMER,
    AT_CONTACT,
    AT_ASSET,
    AT_NAMED_TECHNICIANS, /* a list; one that the order named before may be anywhere by now */
    AT_APPOINTMENT,
    AT_DEVICE,   /* its technician's territory */
    AT_CONFLICT, /* by its number */
};

enum { AUTHZ_OBJECTS_MAX = 9 };

struct authz_object {
    enum authz_at at;
    const char *path; /* of the field that names it */
};

/* The objects of a method's request, AUTHZ_OBJECTS_MAX of them; the first may be AT_UNSAID, any
 * other one that is ends the list. */
const struct authz_object *authz_objects(const char *method);

#endif
