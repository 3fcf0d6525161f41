/* files.h - rows 26, 38, 88 and 82 to 92: files of strangers, and the port of those who watch. */
#ifndef CALLOUT_TESTS_HOSTILE_FILES_H
#define CALLOUT_TESTS_HOSTILE_FILES_H

#include "tests/shell.h"
#include "values.h"

enum { SAID_ROOM = 16384, COLUMNS = 1000000, LONG_HEADER = 1 << 20 };

static const char technicians_head[] =
    "technician_id,name,home_lon,home_lat,shift_start,shift_end,break_earliest,break_latest,"
    "break_minutes,skills,overtime_minutes_max\n";
static const char orders_head[] =
    "order_id,received_at,lon,lat,address,work_type,service_minutes,priority,skill,window_start,"
    "window_end,due_at\n";
static const char good_technician[] =
    "T88,Anna,9.52,47.14,2026-11-23T08:00,2026-11-23T16:30,,,0,hvac:2,30\n";
static const char good_order[] = "A88,2026-11-23T00:00,9.52,47.14,Feldweg 1,repair,30,3,hvac:1,"
                                 "2026-11-23T10:00,2026-11-23T12:00,\n";

/* Writes a file of texts in the rig's folder; NULL ends them. */
static void write_file(char path[128], const char *name, const char *const *texts)
{
    snprintf(path, 128, "%s/%s", rig.folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (; *texts != NULL; texts++)
        assert_true(fputs(*texts, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The exit code of this program with a line of arguments; what it says on both outputs. */
static int run_callout(const char *arguments, char said[SAID_ROOM])
{
    char command[1024];
    snprintf(command, sizeof command, "%s %s 2>&1", CALLOUT_BINARY, arguments);
    return shell_output(command, said, SAID_ROOM);
}

static int import_files(const char *const *technicians, const char *const *orders,
                        char said[SAID_ROOM])
{
    char technicians_path[128], orders_path[128], arguments[900];
    write_file(technicians_path, "technicians.csv", technicians);
    write_file(orders_path, "orders.csv", orders);
    snprintf(arguments, sizeof arguments, "import --data %s --territory north %s %s",
             rig.system.data_dir, technicians_path, orders_path);
    return run_callout(arguments, said);
}

/* Every place that is wrong is named, and nothing is imported. */
static void import_is_refused(const char *const *technicians, const char *const *orders,
                              const char *const *named)
{
    static char said[SAID_ROOM];
    assert_int_equal(import_files(technicians, orders, said), 5);
    for (; *named != NULL; named++)
        if (strstr(said, *named) == NULL) fail_msg("%s is not named in:\n%s", *named, said);
}

/* Rows that are wrong one by one, among good ones. */
static void import_wrong_rows(const struct row *row, struct got *got)
{
    static const char *const technicians[] = {
        technicians_head, good_technician,
        "T2,Beat,NaN,47.14,2026-11-23T08:00,2026-11-23T16:30,,,0,hvac:2,30\n",
        "T3,\xff\xfe"
        "B,9.52,47.14,2026-11-23T08:00,2026-11-23T16:30,,,0,hvac:2,30\n",
        NULL};
    static const char *const orders[] = {
        orders_head,
        good_order,
        "A2,2026-11-23T00:00,9.52,inf,Feldweg 2,repair,30,3,hvac:1,2026-11-23T10:00,"
        "2026-11-23T12:00,\n",
        "A3,2026-11-23T00:00,9.52,47.14,Feldweg 3,repair,30,3,hvac:1,2026-11-23T12:00,"
        "2026-11-23T10:00,\n",
        "A4,yesterday,9.52\n",
        "A5,2026-11-23T00:00,9.52,47.14,Stra\xdf"
        "e,repair,30,3,hvac:1,2026-11-23T10:00,"
        "2026-11-23T12:00,\n",
        NULL};
    static const char *const named[] = {"technicians.csv line 3",
                                        "home_lon",
                                        "technicians.csv line 4",
                                        "name",
                                        "orders.csv line 3",
                                        "lat",
                                        "orders.csv line 4",
                                        "window_end",
                                        "orders.csv line 5",
                                        "orders.csv line 6",
                                        "address",
                                        NULL};
    (void)row;
    import_is_refused(technicians, orders, named);
    *got = (struct got){.closed = false};
}

static void import_many_columns(const struct row *row, struct got *got)
{
    char *line = malloc(COLUMNS + 2);
    assert_non_null(line);
    memset(line, ',', COLUMNS);
    memcpy(line + COLUMNS, "\n", 2);
    const char *const technicians[] = {technicians_head, line, good_technician, NULL};
    const char *const orders[] = {line, good_order, NULL};
    static const char *const named[] = {"technicians.csv line 2", "orders.csv", NULL};
    (void)row;
    import_is_refused(technicians, orders, named);
    free(line);
    *got = (struct got){.closed = false};
}

/* NUL cannot be written by write_file: the line is put behind by hand. */
static void import_nul(const struct row *row, struct got *got)
{
    static char said[SAID_ROOM];
    char technicians_path[128], orders_path[128], arguments[900];
    write_file(technicians_path, "technicians.csv",
               (const char *const[]){technicians_head, good_technician, NULL});
    write_file(orders_path, "orders.csv", (const char *const[]){orders_head, good_order, NULL});
    FILE *file = fopen(orders_path, "a");
    assert_non_null(file);
    assert_int_equal(fwrite("A\0"
                            "2,x\n",
                            1, 6, file),
                     6);
    assert_int_equal(fclose(file), 0);
    snprintf(arguments, sizeof arguments, "import --data %s --territory north %s %s",
             rig.system.data_dir, technicians_path, orders_path);
    (void)row;
    assert_int_equal(run_callout(arguments, said), 5);
    assert_non_null(strstr(said, "orders.csv line 3"));
    *got = (struct got){.closed = false};
}

/* What looks odd and is right: a byte-order mark, minus zero, the smallest number there is. */
static void import_odd_numbers(const struct row *row, struct got *got)
{
    static char said[SAID_ROOM];
    static const char *const technicians[] = {
        "\xef\xbb\xbf", technicians_head,
        "T26,Zoe,-0.0,47.14,2026-11-23T08:00,2026-11-23T16:30,,,0,hvac:2,30\n", NULL};
    static const char *const orders[] = {
        "\xef\xbb\xbf", orders_head,
        "A26,2026-11-23T00:00,4.9e-324,47.14,Feldweg 1,repair,30,3,hvac:1,2026-11-23T10:00,"
        "2026-11-23T12:00,\n",
        NULL};
    (void)row;
    int code = import_files(technicians, orders, said);
    if (code != 0) fail_msg("exit code %d:\n%s", code, said);
    *got = (struct got){.closed = false};
}

/* So many orders at one place: planned, or refused by name. */
static void solve_one_place(const struct row *row, struct got *got)
{
    static char said[SAID_ROOM];
    char technicians_path[128], orders_path[128], arguments[900];
    write_file(technicians_path, "technicians.csv",
               (const char *const[]){technicians_head, good_technician, NULL});
    write_file(orders_path, "orders.csv", (const char *const[]){orders_head, NULL});
    FILE *file = fopen(orders_path, "a");
    assert_non_null(file);
    for (size_t i = 0; i < row->total; i++)
        fprintf(file, "B%zu,%s", i, strchr(good_order, ',') + 1);
    assert_int_equal(fclose(file), 0);
    snprintf(arguments, sizeof arguments, "solve %s --format day --work 1 --json", rig.folder);
    int code = run_callout(arguments, said);
    if (row->total < 8000 && (code != 0 || strstr(said, "\"objective\"") == NULL))
        fail_msg("exit code %d:\n%.400s", code, said);
    if (row->total > 8000) assert_int_equal(code, 5);
    *got = (struct got){.closed = false};
}

/* --- the port of those who watch --- */

/* The bytes of the row, and then perhaps a flood of header; the status of the answer, 0: none. */
static int http_status(const char *bytes, size_t size, size_t flood, char page[PAGE_ROOM])
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(rig.admin_port)};
    const struct timeval patience = {.tv_sec = 30};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    bool sent = raw_write(fd, bytes, size);
    char line[] = "X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
    for (size_t at = 0; sent && at < flood; at += sizeof line - 1)
        sent = raw_write(fd, line, sizeof line - 1);
    size_t got = 0;
    for (ssize_t more; (more = read(fd, page + got, PAGE_ROOM - 1 - got)) > 0;)
        got += (size_t)more;
    page[got] = '\0';
    close(fd);
    return strncmp(page, "HTTP/1.", 7) == 0 ? (int)strtol(page + 9, NULL, 10) : 0;
}

/* Never 200, and nothing that says what stands behind the port. */
static void watch_oddly(const struct row *row, struct got *got)
{
    static char page[PAGE_ROOM];
    int status = http_status(row->bytes.at, row->bytes.size, row->total, page);
    if (status == 200) fail_msg("%s: answered 200:\n%.200s", row->attack, page);
    static const char *const leaks[] = {"Server:", "libevent", "callout", ".c:", "0x"};
    for (size_t i = 0; i < sizeof leaks / sizeof leaks[0]; i++)
        if (strstr(page, leaks[i]) != NULL) fail_msg("%s is in:\n%s", leaks[i], page);
    *got = (struct got){.closed = false};
}

/* Beyond this machine nobody watches in plain text, unless somebody says that it is meant. */
static void watch_from_outside(const struct row *row, struct got *got)
{
    static char said[SAID_ROOM];
    (void)row;
    assert_int_equal(run_callout("gateway --dispatcher ipc:///nowhere --listen tcp://127.0.0.1:0 "
                                 "--admin 0.0.0.0:0",
                                 said),
                     5);
    assert_non_null(strstr(said, "--admin"));
    *got = (struct got){.closed = false};
}

#endif
