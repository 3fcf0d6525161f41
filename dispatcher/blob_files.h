/* blob_files.h - the files behind blobs.h: DIR/blobs/HH/HASH, and what is not whole yet,
 * DIR/blobs/parts/HASH-WHOSE: each technician's own, since who knows a hash need not have the
 * bytes.
 */
#ifndef CALLOUT_DISPATCHER_BLOB_FILES_H
#define CALLOUT_DISPATCHER_BLOB_FILES_H

#include "dispatcher/blobs.h"

#include <limits.h>

enum { BLOB_HEX = 2 * BLOB_HASH + 1, BLOB_PATH = PATH_MAX };

void blob_part_path(const char *folder, const char *hash, const char *technician_id,
                    char out[BLOB_PATH]);
void blob_path(const char *folder, const char *hash, char out[BLOB_PATH]);
void blob_make_folders(const char *folder, const char *hash);
/* -1: there is no such file. */
int64_t blob_file_size(const char *path);
/* A new name is there for good only when its folder is synced, and the folder's in its own: the
 * folder `up` levels above the path's own. */
MUST_USE bool blob_sync_folder(const char *path, unsigned up);
MUST_USE bool blob_hash_of_file(const char *path, char out[BLOB_HEX]);

#endif
