/* replay.h - two tools that read a data folder: what happened, and is it sound?
 *
 * `callout replay DIR [--until SEQ] [--json]`
 *      rebuilds core and tables from the fact log, and compares their digests with the folder's
 * `callout verify DIR [--json]`
 *      checks the file's own structure, the hash chain, and that replay leads to the tables
 */
#ifndef CALLOUT_DISPATCHER_REPLAY_H
#define CALLOUT_DISPATCHER_REPLAY_H

/* The roles' mains. 0: all well, 3: a difference was found, 5: no such folder. */
int replay_main(int argc, char **argv);
int verify_main(int argc, char **argv);

#endif
