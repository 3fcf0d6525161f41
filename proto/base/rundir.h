/* rundir.h - the private folder for the Unix sockets of one data folder.
 *
 * Idea: nng refuses socket paths of 108 bytes, and data folders may lie deep; so the sockets lie in
 * $XDG_RUNTIME_DIR/callout-<hash of the data folder>, or, where that is unset or too long, in
 * /tmp/callout-<uid>-<hash>; the hash is of the folder's device and inode, so that every name of
 * one data folder finds the same sockets. The folder is ours alone (mode 0700, owner checked):
 * whoever can enter it can speak as the gateway.
 *
 * A tool that looks for a running system reads DIR/endpoints instead of calling this: its own
 * environment may name another XDG_RUNTIME_DIR.
 */
#ifndef CALLOUT_BASE_RUNDIR_H
#define CALLOUT_BASE_RUNDIR_H

#include "base/err.h"

enum { RUNDIR_PATH_SIZE = 84 }; /* with "/dispatcher.sock" a path stays below 100 bytes */

/* Makes the run directory of an existing data folder, or finds it. ERR_IO or ERR_INVALID with a
 * problem when the data folder does not exist or the place is somebody else's. */
MUST_USE enum err rundir_make(const char *data_dir, char path[RUNDIR_PATH_SIZE],
                              struct problem *problem);

#endif
