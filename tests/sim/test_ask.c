/* `callout ask` as a whole, against a running system; and messages as JSON. */
#include "base/check.h"
#include "message.h"
#include "message_json.h"
#include "own_folder.h"
#include "pb/dispatch.pb-c.h"
#include "tests/shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Also the system that a failed test left behind. */
static int all_remove(void **state)
{
    char command[256];
    snprintf(command, sizeof command, "[ ! -f %s/pid ] || kill $(cat %s/pid) 2>/dev/null", folder,
             folder);
    if (system(command) < 0) return -1;
    return folder_remove(state);
}

/* Runs `callout ARGUMENTS` and returns its exit code; what it said is in `text`. */
static int run(const char *arguments, char *text, size_t size)
{
    char command[1024];
    snprintf(command, sizeof command, "cd %s && %s %s 2>&1", folder, CALLOUT_BINARY, arguments);
    return shell_output(command, text, size);
}

static void says(const char *arguments, int code, const char *what)
{
    char text[16384];
    int is = run(arguments, text, sizeof text);
    if (is != code || strstr(text, what) == NULL)
        fail_msg("callout %s: exit code %d, not %d; no \"%s\" in: %s", arguments, is, code, what,
                 text);
}

static void the_tool_asks_a_running_system(void **state)
{
    (void)state;
    char command[1024];
    says("ask candidates W001.1 --data data", 4, "no system runs on this folder");
    snprintf(command, sizeof command,
             "cd %s && { %s serve --data data --listen ipc://%s/g.sock --admin 127.0.0.1:0"
             " --clock 2026-11-23T05:00:00Z,0 --lab >out 2>log & echo $! >pid; } &&"
             " until grep -q ready out; do kill -0 $(cat pid) || exit 1; sleep 0.05; done",
             folder, CALLOUT_BINARY, folder);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command,
             "import --data data %s/sim/day/technicians.csv %s/sim/day/orders.csv",
             CALLOUT_SOURCE_DIR, CALLOUT_SOURCE_DIR);
    says(command, 0, "imported 8 technicians and 50 orders");
    says("ask candidates W001.1 --data data --count 3", 0, "technicians could do it");
    says("ask check W002.1 T01 --data data", 3, "lacks 1 level of plumbing that W002.1 needs");
    says("ask check W002.1 T01 --data data --json", 0, "\"rule\": \"RULE_SKILL\"");
    says("ask why W002.1 T01 --data data", 0, "T01 cannot: lacks 1 level of plumbing");
    says("ask emergency W001.1 --data data", 5, "not of the emergency class");
    says("ask conflicts --data data", 0, "0 open");
    says("ask dead-letters nowhere --data data", 0, "0 open");
    says("ask kpis --data data", 0, "50: 0 completed, 0 incomplete, 0 no access, 0 running");
    says("ask kpis nowhere --data data", 5, "there is no territory \"nowhere\"");
    says("ask kpis main --day 2026-11-23 --legs --data data", 0, "8 technician-days");
    says("ask kpis main --data data --json", 0, "\"onTimePermille\": \"-1\"");
    says("ask why W999.1 --data data", 5, "there is no appointment \"W999.1\"");
    snprintf(command, sizeof command, "kill $(cat %s/pid)", folder);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command,
             "while kill -0 $(cat %s/pid) 2>/dev/null; do sleep 0.05; done", folder);
    assert_int_equal(system(command), 0);
}

static void a_wrong_command_line_is_answered_with_how_it_goes(void **state)
{
    (void)state;
    says("ask --help", 0, "callout ask candidates O017.1 --data");
    says("ask candidates --data x", 2, "usage: callout ask");
    says("ask candidates W1.1", 2, "usage: callout ask");
    says("ask kpis --legs --data x", 2, "usage: callout ask");
    says("ask kpis --day soon --data x", 2, "usage: callout ask");
    says("ask why W1.1 --legs --data x", 2, "usage: callout ask");
    says("ask why --data x", 2, "usage: callout ask");
    says("ask check W1.1 --data x", 2, "usage: callout ask");
    says("ask candidates W1.1 T1 --data x", 2, "usage: callout ask");
    says("ask check W1.1 T1 --data x --start soon", 2, "usage: callout ask");
    says("ask candidates W1.1 --data x --count -1", 2, "usage: callout ask");
}

static void a_message_is_json_as_proto3_has_it(void **state)
{
    (void)state;
    Callout__CandidatesReply reply;
    Callout__Move move, *moves[] = {&move};
    Callout__Violation violation, *violations[] = {&violation};
    Callout__AnswerBasis basis;
    char technician[] = "T\"1";
    callout__candidates_reply__init(&reply);
    callout__move__init(&move);
    callout__violation__init(&violation);
    callout__answer_basis__init(&basis);
    basis.log_seq = UINT64_MAX;
    basis.settled = true;
    reply.basis = &basis;
    reply.candidates = moves;
    reply.n_candidates = 1;
    move.technician_id = technician;
    move.start_us = -1;
    move.violations = violations;
    move.n_violations = 1;
    violation.rule = CALLOUT__RULE__RULE_LEG;
    json_t *json = message_json(&reply.base);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text, "{\"basis\":{\"logSeq\":\"18446744073709551615\",\"settled\":true},"
                              "\"candidates\":[{\"technicianId\":\"T\\\"1\",\"startUs\":\"-1\","
                              "\"violations\":[{\"rule\":\"RULE_LEG\"}]}]}");
    free(text);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tool_asks_a_running_system),
        cmocka_unit_test(a_wrong_command_line_is_answered_with_how_it_goes),
        cmocka_unit_test(a_message_is_json_as_proto3_has_it),
    };
    return cmocka_run_group_tests(tests, folder_make, all_remove);
}
