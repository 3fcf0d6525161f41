/* service.h - the gateway as a process: the edge that devices, consoles and other systems reach.
 *
 * `callout gateway --dispatcher URL [OPTION]...`; options.h has them, gateway_usage tells them.
 */
#ifndef CALLOUT_GATEWAY_SERVICE_H
#define CALLOUT_GATEWAY_SERVICE_H

/* The role's main; argv[0] is the role's word. Returns an exit code. */
int gateway_main(int argc, char **argv);

#endif
