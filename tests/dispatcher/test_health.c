/* How an installation is, and when somebody should see to it. */
#include "desk.h"
#include "dispatcher/health.h"
#include "pb/people.pb-c.h"
#include "tls_init.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW_US (DESK_DAY_US + 9 * HOUR_US)
#define GIB    (UINT64_C(1) << 30)

/* One that nobody needs to look at. */
static struct health sound(void)
{
    struct health it = {.now_us = NOW_US,
                        .disk_free_bytes = 50 * GIB,
                        .disk_bytes = 100 * GIB,
                        .installed_us = NOW_US - 100 * US_PER_DAY,
                        .started_us = NOW_US - US_PER_DAY,
                        .backup_us = NOW_US - HOUR_US,
                        .certificate_end_us = NOW_US + 90 * US_PER_DAY,
                        .optimizer_asked_us = NOW_US - US_PER_SECOND,
                        .role_count = 2};
    strcpy(it.roles[0].role, "gateway");
    strcpy(it.roles[1].role, "optimizer");
    return it;
}

static void expect(const struct health *it, int warning)
{
    int warnings[HEALTH_WARNINGS_MAX];
    uint32_t count = health_judge(it, warnings);
    assert_int_equal(count, warning == 0 ? 0 : 1);
    if (count == 1) assert_int_equal(warnings[0], warning);
}

static void each_limit_is_where_it_is_said(void **state)
{
    (void)state;
    struct health it = sound();
    expect(&it, 0);
    it.writing_fails = true;
    expect(&it, CALLOUT__HEALTH_WARNING__HEALTH_WRITING_FAILS);
    it = sound();
    it.disk_free_bytes = 10 * GIB;
    expect(&it, 0);
    it.disk_free_bytes = 10 * GIB - 100;
    expect(&it, CALLOUT__HEALTH_WARNING__HEALTH_DISK_LOW);
    it.disk_bytes = 2 * GIB;
    it.disk_free_bytes = GIB;
    expect(&it, 0);
    it.disk_free_bytes = GIB - 1;
    expect(&it, CALLOUT__HEALTH_WARNING__HEALTH_DISK_LOW);
    it = sound();
    it.backup_us = NOW_US - 36 * HOUR_US;
    expect(&it, 0);
    it.backup_us--;
    expect(&it, CALLOUT__HEALTH_WARNING__HEALTH_BACKUP_OLD);
    it.backup_us = 0;
    expect(&it, CALLOUT__HEALTH_WARNING__HEALTH_BACKUP_OLD);
    it.installed_us = NOW_US - HOUR_US;
    expect(&it, 0);
    it = sound();
    it.certificate_end_us = NOW_US + 21 * US_PER_DAY;
    expect(&it, 0);
    it.certificate_end_us--;
    expect(&it, CALLOUT__HEALTH_WARNING__HEALTH_CERTIFICATE_ENDS);
    it.certificate_end_us = NOW_US - US_PER_DAY;
    expect(&it, CALLOUT__HEALTH_WARNING__HEALTH_CERTIFICATE_ENDS);
    it.certificate_end_us = 0;
    expect(&it, 0);
}

static void who_ends_again_and_again_or_is_silent_is_told(void **state)
{
    (void)state;
    struct health it = sound();
    for (uint32_t i = 0; i < 3; i++)
        it.roles[1].ended_us[i] = NOW_US - (int64_t)i * 1000;
    it.roles[1].kept = 2;
    expect(&it, 0);
    it.roles[1].kept = 3;
    expect(&it, CALLOUT__HEALTH_WARNING__HEALTH_OPTIMIZER_DIES);
    it.roles[1].ended_us[2] = NOW_US - HOUR_US;
    expect(&it, 0);
    it.roles[0] = it.roles[1];
    it.roles[0].ended_us[2] = NOW_US;
    strcpy(it.roles[0].role, "gateway");
    expect(&it, CALLOUT__HEALTH_WARNING__HEALTH_GATEWAY_DIES);
    it = sound();
    it.optimizer_asked_us = NOW_US - 2 * US_PER_MINUTE;
    expect(&it, 0);
    it.optimizer_asked_us--;
    expect(&it, CALLOUT__HEALTH_WARNING__HEALTH_OPTIMIZER_SILENT);
    it.optimizer_asked_us = 0;
    expect(&it, CALLOUT__HEALTH_WARNING__HEALTH_OPTIMIZER_SILENT);
    it.started_us = NOW_US - US_PER_MINUTE;
    expect(&it, 0);
}

static void what_serve_leaves_is_read_back(void **state)
{
    (void)state;
    char folder[] = "/tmp/callout-health-XXXXXX";
    struct role_ends ends[HEALTH_ROLES_MAX];
    struct child children[2];
    assert_non_null(mkdtemp(folder));
    assert_int_equal(role_ends_read(folder, ends, HEALTH_ROLES_MAX), 0);
    child_init(&children[0], "gateway");
    child_init(&children[1], "optimizer");
    children[1].exit_code = 139;
    for (children[1].ends = 0; children[1].ends < 11; children[1].ends++)
        children[1].ended_us[children[1].ends % CHILD_ENDS_KEPT] = children[1].ends;
    role_ends_write(folder, children, 2);
    assert_int_equal(role_ends_read(folder, ends, HEALTH_ROLES_MAX), 2);
    assert_string_equal(ends[0].role, "gateway");
    assert_int_equal(ends[0].kept, 0);
    assert_int_equal(ends[1].ends, 11);
    assert_int_equal(ends[1].exit_code, 139);
    assert_int_equal(ends[1].kept, CHILD_ENDS_KEPT);
    assert_int_equal(ends[1].ended_us[0], 10);
    assert_int_equal(ends[1].ended_us[7], 3);
    assert_int_equal(role_ends_read(folder, ends, 1), 1);
    role_ends_remove(folder);
    assert_int_equal(role_ends_read(folder, ends, HEALTH_ROLES_MAX), 0);
    assert_int_equal(rmdir(folder), 0);
    child_fini(&children[0]);
    child_fini(&children[1]);
}

static void remove_folder(const char *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static const Callout__SystemHealthReply *ask(struct desk *desk)
{
    Callout__SystemHealthRequest request;
    callout__system_health_request__init(&request);
    return desk_body(desk, desk_do(desk, "SystemHealth", &request.base),
                     &callout__system_health_reply__descriptor);
}

static void what_is_seen_is_the_folders(void **state)
{
    (void)state;
    char folder[] = "/tmp/callout-health-XXXXXX", copy[64];
    struct problem problem;
    struct desk desk;
    struct store *store;
    assert_non_null(mkdtemp(folder));
    snprintf(copy, sizeof copy, "%s/copy", folder);
    assert_int_equal(store_open_spatialite(&store, folder, &problem), ERR_OK);
    desk_open(&desk, store, folder);
    desk_furnish(&desk);
    const Callout__SystemHealthReply *before = ask(&desk);
    int64_t now_us = clock_wall_us();
    assert_true(before->disk_bytes > 0 && before->disk_free_bytes <= before->disk_bytes);
    assert_true(before->store_bytes > 4096);
    assert_true(before->now_us - before->installed_us < US_PER_DAY);
    assert_int_equal(before->backup_us, 0);
    assert_int_equal(before->certificate_end_us, 0);
    assert_int_equal(before->n_roles, 0);
    assert_int_equal(before->optimizer_asked_us, 0);

    assert_int_equal(tls_init(folder, NULL, 0, &problem), ERR_OK);
    Callout__AdminRequest backup;
    callout__admin_request__init(&backup);
    char *arguments[] = {copy};
    backup.verb = words("backup");
    backup.arguments = arguments;
    backup.n_arguments = 1;
    assert_int_equal(desk_inner(&desk, "Admin", &backup.base)->status, CALLOUT__STATUS__OK);
    Callout__NextProblemRequest work;
    callout__next_problem_request__init(&work);
    assert_int_equal(desk_inner(&desk, "NextProblem", &work.base)->status, CALLOUT__STATUS__OK);
    const Callout__SystemHealthReply *after = ask(&desk);
    assert_true(after->backup_us >= now_us && after->backup_us <= after->now_us);
    assert_true(after->optimizer_asked_us >= now_us);
    int64_t days = (after->certificate_end_us - now_us) / US_PER_DAY;
    assert_in_range(days, 823, 825);
    assert_int_equal(after->n_warnings, 0);
    desk_close(&desk);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_limit_is_where_it_is_said),
        cmocka_unit_test(who_ends_again_and_again_or_is_silent_is_told),
        cmocka_unit_test(what_serve_leaves_is_read_back),
        cmocka_unit_test(what_is_seen_is_the_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
