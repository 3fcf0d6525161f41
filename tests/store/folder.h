/* folder.h - a folder of a test's own, under $TMPDIR or /tmp; gone afterwards. */
#ifndef CALLOUT_TESTS_FOLDER_H
#define CALLOUT_TESTS_FOLDER_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A new, empty folder; the path is the caller's to folder_remove. */
static inline char *folder_make(void)
{
    char *path = malloc(256);
    const char *root = getenv("TMPDIR");
    if (path == NULL) abort();
    snprintf(path, 256, "%s/callout-test-XXXXXX", root != NULL ? root : "/tmp");
    if (mkdtemp(path) == NULL) abort();
    return path;
}

/* The path of a file in it; good until the next call. */
static inline const char *folder_file(const char *folder, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Removes the folder and the files in it, and frees the path. */
static inline void folder_remove(char *folder)
{
    DIR *listing = opendir(folder);
    for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        unlink(folder_file(folder, entry->d_name));
    }
    if (listing != NULL) closedir(listing);
    rmdir(folder);
    free(folder);
}

#endif
