/* `callout admin` on a path where nothing is: a typo makes no installation, and a backup of nothing
 * is none. */
#include "base/exit_code.h"
#include "sim/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void a_wrong_path_stays_empty(void **state)
{
    static const char *const verbs[] = {
        "keys",      "audit",     "person list", "backup NEW",
        "enrol T01", "revoke D1", "purge",       "key --name N --role admin"};
    char folder[SCRATCH_PATH], command[2 * SCRATCH_PATH + 200], data[SCRATCH_PATH + 16];
    (void)state;
    assert_int_equal(scratch_make(folder, NULL), ERR_OK);
    snprintf(data, sizeof data, "%s/typo", folder);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        snprintf(command, sizeof command, "cd %s && %s admin %s --data %s 2>said", folder,
                 CALLOUT_BINARY, verbs[i], data);
        int status = system(command);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), EXIT_CONFIG);
        assert_int_not_equal(access(data, F_OK), 0);
    }
    snprintf(command, sizeof command, "grep -q 'no installation' %s/said && ! test -e %s/NEW",
             folder, folder);
    assert_int_equal(system(command), 0);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_wrong_path_stays_empty)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
