#include "dispatcher/store/sorted.h"

#include "base/check.h"
#include "dispatcher/store/row_copy.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_ROWS = 256 };

struct sorted_page {
    uint32_t count;
    void *rows[PAGE_ROWS];
};

void sorted_init(struct sorted *sorted, const struct row_table *table)
{
    *sorted = (struct sorted){.table = table};
}

void sorted_fini(struct sorted *sorted)
{
    for (uint32_t i = 0; i < sorted->page_count; i++) {
        free(sorted->pages[i]);
    }
    free(sorted->pages);
    *sorted = (struct sorted){.table = sorted->table};
}

/* What is looked for: the first row that does not lie before it. */
struct seek {
    const struct row_table *table;
    const void *key;
    uint32_t columns;
    bool after;
};

static bool lies_before(const struct seek *seek, const void *row)
{
    int order = row_compare(seek->table, row, seek->key, seek->columns);
    return seek->after ? order <= 0 : order < 0;
}

static uint32_t seek_page(const struct sorted *sorted, const struct seek *seek)
{
    uint32_t low = 0, high = sorted->page_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct sorted_page *page = sorted->pages[middle];
        if (lies_before(seek, page->rows[page->count - 1])) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint32_t seek_index(const struct sorted_page *page, const struct seek *seek)
{
    uint32_t low = 0, high = page->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (lies_before(seek, page->rows[middle])) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct sorted_place sorted_seek(const struct sorted *sorted, const void *key, uint32_t columns,
                                bool after)
{
    struct seek seek = {sorted->table, key, columns, after};
    struct sorted_place place = {seek_page(sorted, &seek), 0};
    if (place.page < sorted->page_count) {
        place.index = seek_index(sorted->pages[place.page], &seek);
    }
    return place;
}

void *sorted_at(const struct sorted *sorted, struct sorted_place place)
{
    if (place.page == sorted->page_count) return NULL;
    CHECK(place.index < sorted->pages[place.page]->count);
    return sorted->pages[place.page]->rows[place.index];
}

void *sorted_last(const struct sorted *sorted)
{
    if (sorted->page_count == 0) return NULL;
    const struct sorted_page *page = sorted->pages[sorted->page_count - 1];
    return page->rows[page->count - 1];
}

struct sorted_place sorted_next(const struct sorted *sorted, struct sorted_place place)
{
    place.index++;
    if (place.index < sorted->pages[place.page]->count) return place;
    return (struct sorted_place){place.page + 1, 0};
}

static void pages_grow(struct sorted *sorted)
{
    if (sorted->page_count < sorted->page_room) return;
    uint32_t room = sorted->page_room == 0 ? 8 : 2 * sorted->page_room;
    struct sorted_page **pages = realloc(sorted->pages, room * sizeof(struct sorted_page *));
    CHECK(pages != NULL);
    sorted->pages = pages;
    sorted->page_room = room;
}

static struct sorted_page *page_add(struct sorted *sorted, uint32_t at)
{
    pages_grow(sorted);
    struct sorted_page *page = malloc(sizeof *page);
    CHECK(page != NULL);
    page->count = 0;
    memmove(&sorted->pages[at + 1], &sorted->pages[at],
            (sorted->page_count - at) * sizeof(struct sorted_page *));
    sorted->pages[at] = page;
    sorted->page_count++;
    return page;
}

/* Makes room in a full page: a row behind the very last one opens a new page, any other halves its
 * page. Returns where the row now belongs. */
static struct sorted_place page_split(struct sorted *sorted, struct sorted_place place)
{
    struct sorted_page *next = page_add(sorted, place.page + 1);
    struct sorted_page *page = sorted->pages[place.page];
    bool last = place.page + 2 == sorted->page_count && place.index == PAGE_ROWS;
    page->count = last ? PAGE_ROWS : PAGE_ROWS / 2;
    next->count = PAGE_ROWS - page->count;
    memcpy(next->rows, &page->rows[page->count], next->count * sizeof(void *));
    if (place.index < page->count || (place.index == page->count && !last)) return place;
    return (struct sorted_place){place.page + 1, place.index - page->count};
}

void sorted_insert(struct sorted *sorted, struct sorted_place place, void *row)
{
    if (sorted->page_count == 0) page_add(sorted, 0);
    if (place.page == sorted->page_count) {
        place.page--;
        place.index = sorted->pages[place.page]->count;
    }
    if (sorted->pages[place.page]->count == PAGE_ROWS) place = page_split(sorted, place);
    struct sorted_page *page = sorted->pages[place.page];
    memmove(&page->rows[place.index + 1], &page->rows[place.index],
            (page->count - place.index) * sizeof(void *));
    page->rows[place.index] = row;
    page->count++;
    sorted->row_count++;
}

void *sorted_replace(struct sorted *sorted, struct sorted_place place, void *row)
{
    void *former = sorted_at(sorted, place);
    CHECK(former != NULL);
    sorted->pages[place.page]->rows[place.index] = row;
    return former;
}

void *sorted_remove(struct sorted *sorted, struct sorted_place place)
{
    void *row = sorted_at(sorted, place);
    CHECK(row != NULL);
    struct sorted_page *page = sorted->pages[place.page];
    page->count--;
    sorted->row_count--;
    memmove(&page->rows[place.index], &page->rows[place.index + 1],
            (page->count - place.index) * sizeof(void *));
    if (page->count > 0) return row;
    free(page);
    sorted->page_count--;
    memmove(&sorted->pages[place.page], &sorted->pages[place.page + 1],
            (sorted->page_count - place.page) * sizeof(struct sorted_page *));
    return row;
}
