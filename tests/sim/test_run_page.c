/* A run's page says what the run came to, and the same run makes the same page. */
#include "sim/world/run.h"
#include "sim/world/run_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct run_result result;
static struct scenario scenario;

static void live(const char *const *sets, size_t set_count)
{
    static struct day_errors errors;
    const struct run_options options = {.scenario = &scenario, .seed = 3};
    if (scenario_read(&scenario, "town-small", sets, set_count, &errors) != ERR_OK ||
        run_with_cost(&result, &options, &errors) != ERR_OK)
        fail_msg("%s: %s", errors.items[0].field, errors.items[0].text);
}

static char *html(void)
{
    char *text = NULL;
    size_t size;
    const struct run_page_about about = {"callout sim run town-small", "1.2.3", &scenario};
    struct page *page = run_page(&result, &about);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    page_write_html(page, out);
    assert_int_equal(fclose(out), 0);
    page_close(page);
    return text;
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        count++;
    return count;
}

static void a_page_says_what_the_run_came_to(void **state)
{
    static const char *const sets[] = {"workforce.technicians=3", "demand.orders=12",
                                       "optimizer.rounds=100"};
    static const char *const figures[] = {
        "utilisation", "on_time", "lateness", "backlog", "response", "journeys", "planned",
        "stability",   "latency", "reach",    "paid",    "demand",   "days",     "wire"};
    char text[64];
    (void)state;
    live(sets, sizeof sets / sizeof *sets);
    char *page = html(), *again = html();
    assert_string_equal(page, again);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        snprintf(text, sizeof text, "<figure id=\"%s\"", figures[i]);
        assert_int_equal(count_of(page, text), 1);
    }
    assert_int_equal(count_of(page, "<figure"), sizeof figures / sizeof *figures);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)result.digest);
    assert_non_null(strstr(page, text));
    snprintf(text, sizeof text, "Visits completed<b>%lld ", (long long)result.kpi.completed);
    assert_non_null(strstr(page, text));
    free(page);
    free(again);
    run_result_fini(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_says_what_the_run_came_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
