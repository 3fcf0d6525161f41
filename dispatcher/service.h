/* service.h - the dispatcher as a process: the only writer of a data folder.
 *
 * `callout dispatcher --data DIR --socket ipc://PATH [--clock wall | START,RATE] [--lab]`
 */
#ifndef CALLOUT_DISPATCHER_SERVICE_H
#define CALLOUT_DISPATCHER_SERVICE_H

/* The role's main; argv[0] is the role's word. Returns an exit code. */
int dispatcher_main(int argc, char **argv);

#endif
