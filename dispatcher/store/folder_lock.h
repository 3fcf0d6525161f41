/* folder_lock.h - one writer per data folder: a lock that ends with its process, however it ends.
 *
 * The lock is flock() on the file "lock" in the folder; the file itself stays, and names the
 * process that holds the lock or held it last.
 */
#ifndef CALLOUT_STORE_FOLDER_LOCK_H
#define CALLOUT_STORE_FOLDER_LOCK_H

#include "base/err.h"

/* ERR_BUSY with the holder's process id in *problem when another open holds it, of this process or
 * of another one. */
MUST_USE enum err folder_lock(const char *folder, int *fd, struct problem *problem);
void folder_unlock(int fd);

#endif
