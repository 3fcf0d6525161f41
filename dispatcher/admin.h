/* admin.h - `callout admin VERB --data DIR ...`: enrol, key, revoke, backup, restore, tls-init.
 *
 * Works on a running system through its private socket, and on an idle folder directly.
 */
#ifndef CALLOUT_DISPATCHER_ADMIN_H
#define CALLOUT_DISPATCHER_ADMIN_H

/* The role's main; argv[0] is the role's word. Returns an exit code. */
int admin_main(int argc, char **argv);

#endif
