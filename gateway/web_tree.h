/* web_tree.h - the files that the HTTP door gives away: all of them are read when it opens.
 *
 * Idea: a request's path is only ever compared with the paths of this table, so no path that a
 * stranger writes reaches the file system. What is there is what was there at the start; a tree
 * that was built anew is read as a new table (SIGHUP).
 *
 *      index.html        also answers for its folder: "/console/", and "/console" leads there
 *      NAME.gz           is what NAME looks like compressed, and has no path of its own
 *      NAME-3F7QX2KA.js  a name with a hash of eight of A-Z and 2-7 never changes its bytes
 *
 * Names of other letters than A-Z a-z 0-9 . _ - or with a dot in front are left out, and so is what
 * is no plain file, such as a link.
 *
 * Owner: web_tree_open's caller has one hold of it; bytes on their way to a reader have one too.
 * Thread: one.
 */
#ifndef CALLOUT_GATEWAY_WEB_TREE_H
#define CALLOUT_GATEWAY_WEB_TREE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WEB_FILES_MAX = 4096,
    WEB_BYTES_MAX = 64 << 20, /* of all files together, the paths included */
    WEB_DEPTH_MAX = 8,
    WEB_PATH_MAX = 256,
    WEB_ETAG_SIZE = 40,
};

struct web_body {
    const uint8_t *bytes; /* NULL: there is none */
    size_t size;
    char etag[WEB_ETAG_SIZE]; /* with its quotation marks */
};

struct web_file {
    const char *path;     /* begins with a slash */
    const char *moved_to; /* not NULL: a folder without its slash; nothing else is set */
    const char *type;
    struct web_body plain, packed; /* packed: gzip */
    bool lasting;
};

struct web_tree;

/* ERR_IO, ERR_TOO_LARGE: the problem's field names the file or folder. */
MUST_USE enum err web_tree_open(struct web_tree **out, const char *folder, struct problem *problem);
void web_tree_keep(struct web_tree *tree);  /* one hold more */
void web_tree_leave(struct web_tree *tree); /* one hold less: the last one frees it; may be NULL */

/* NULL: there is no such path. */
const struct web_file *web_tree_find(const struct web_tree *tree, const char *path, size_t size);
unsigned web_tree_count(const struct web_tree *tree); /* of files */

#endif
