/* own_folder.h - a folder for a test, or for all of a binary, by cmocka's fixtures. */
#ifndef CALLOUT_TESTS_OWN_FOLDER_H
#define CALLOUT_TESTS_OWN_FOLDER_H

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

static char folder[64];

static inline int folder_make(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/callout-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    return 0;
}

static inline int folder_remove(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

#endif
