/* `callout verify` on files: what it says, and its exit codes. */
#include "base/exit_code.h"
#include "optimizer/solve_tool.h"
#include "optimizer/verify_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char folder[64], problem[96], certificate[96], other[96];
    char text[1 << 16];
    size_t size;
};

static const char problem_text[] =
    "{\"vehicles\":[{\"id\":1,\"start_index\":0,\"end_index\":0,\"time_window\":[0,9000]},"
    "{\"id\":2,\"start_index\":3,\"end_index\":3,\"time_window\":[0,9000]}],"
    "\"jobs\":[{\"id\":11,\"location_index\":1,\"service\":600},"
    "{\"id\":12,\"location_index\":2,\"service\":900,\"time_windows\":[[0,2000]]},"
    "{\"id\":13,\"location_index\":3,\"service\":300},{\"id\":14,\"location_index\":1}],"
    "\"matrices\":{\"car\":{\"durations\":[[0,700,200,900],[700,0,500,200],[200,450,0,800],"
    "[900,250,800,0]]}}}";

static void write_file(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static int run(int (*tool)(int, char **), const char *const *words)
{
    char copies[8][96], *argv[9] = {NULL};
    int argc = 0;
    for (; argc < 8 && words[argc] != NULL; argc++) {
        snprintf(copies[argc], sizeof copies[argc], "%s", words[argc]);
        argv[argc] = copies[argc];
    }
    return tool(argc, argv);
}

static int verify(const char *path)
{
    const char *words[] = {"verify", path, NULL};
    return run(certificate_main, words);
}

/* Solves a small problem with a certificate, and takes that into memory. */
static void open_place(struct place *place)
{
    *place = (struct place){.folder = "/tmp/callout-verify-XXXXXX"};
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->problem, sizeof place->problem, "%s/problem.json", place->folder);
    snprintf(place->certificate, sizeof place->certificate, "%s/proof", place->folder);
    snprintf(place->other, sizeof place->other, "%s/other", place->folder);
    write_file(place->problem, problem_text, strlen(problem_text));
    const char *words[] = {"solve",         place->problem,     "--work", "500",
                           "--certificate", place->certificate, NULL};
    assert_int_equal(run(solve_main, words), EXIT_DONE);
    FILE *file = fopen(place->certificate, "r");
    assert_non_null(file);
    place->size = fread(place->text, 1, sizeof place->text - 1, file);
    fclose(file);
}

static void close_place(const struct place *place)
{
    unlink(place->problem);
    unlink(place->certificate);
    unlink(place->other);
    rmdir(place->folder);
}

static void good_bad_and_none(void **state)
{
    static struct place place;
    (void)state;
    open_place(&place);
    assert_true(verify_is_certificate(place.certificate));
    assert_false(verify_is_certificate(place.folder));
    assert_int_equal(verify(place.certificate), EXIT_DONE);
    const char *json[] = {"verify", place.certificate, "--json", NULL};
    assert_int_equal(run(certificate_main, json), EXIT_DONE);
    /* The objective is another one. */
    char *digit = strstr(place.text, "\nobjective ") + strlen("\nobjective ");
    *digit = *digit == '1' ? '2' : '1';
    write_file(place.other, place.text, place.size);
    assert_int_equal(verify(place.other), EXIT_VIOLATION);
    json[1] = place.other;
    assert_int_equal(run(certificate_main, json), EXIT_VIOLATION);
    write_file(place.other, place.text, place.size / 2);
    assert_int_equal(verify(place.other), EXIT_CONFIG);
    write_file(place.other, "callout-certificate 9\n", 22);
    assert_int_equal(verify(place.other), EXIT_CONFIG);
    unlink(place.other);
    assert_int_equal(verify(place.other), EXIT_CONFIG);
    const char *help[] = {"verify", "--help", NULL}, *none[] = {"verify", NULL};
    assert_int_equal(run(certificate_main, help), EXIT_DONE);
    assert_int_equal(run(certificate_main, none), EXIT_USAGE);
    close_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_bad_and_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
