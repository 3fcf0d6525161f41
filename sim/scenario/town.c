/* town.c - see town.h.
 *
 * T1 Node (column, row) stands at index row * columns + column, whether it can be reached or not.
 * T2 A street is held at both of its ends, in one of four places: east, west, north, south.
 * T3 Main streets have no gaps, so all that is alive is connected through them.
 */
#include "sim/scenario/town.h"

#include "base/check.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum { EAST, WEST, NORTH, SOUTH, WAYS, NOWHERE = -1, FAR = INT32_MAX, AREAS = 17 };

struct node {
    int32_t x_m, y_m;
    int32_t way_ms[WAYS]; /* 0: no street */
    bool main_column, main_row, alive;
};

struct area {
    int32_t x_m, y_m, radius_m;
    const char *name;
};

/* The scratch of one search; apart, so that who asks does not change the town. */
struct search {
    int32_t *reached_ms;
    int32_t *heap, *place; /* nodes as a binary heap by reached_ms; where each stands */
    int32_t heap_count;
};

struct town {
    struct scenario_town options;
    int32_t columns, rows, count;
    int32_t cosine_e4; /* of the centre's latitude */
    struct node *nodes;
    struct area areas[AREAS]; /* the inner town, then the suburbs */
    size_t area_count;
    struct travel roads;
    struct search *search;
};

static const char *const area_names[] = {
    "Aarfeld",   "Birkwil", "Dornach",  "Eschenau",  "Felsberg", "Grünau",   "Hochrain", "Imfeld",
    "Kaltbrunn", "Lindach", "Mühletal", "Neuwiesen", "Oberried", "Rosenegg", "Steinach", "Talheim",
};
static const char *const street_names[] = {
    "Mill",   "Station",  "Church", "Orchard", "Tannery",  "Vineyard", "School", "Bridge",
    "Garden", "Meadow",   "Market", "Castle",  "Forest",   "River",    "Hill",   "Lime",
    "Poplar", "Smith",    "Weaver", "Potter",  "Cherry",   "Walnut",   "Quarry", "Harbour",
    "Chapel", "Fountain", "Gate",   "Sunny",   "Shepherd", "Baker",    "Cooper", "Rose",
};
enum { STREET_NAMES = sizeof street_names / sizeof *street_names };

/* --- whole-number geometry ------------------------------------------------------------------- */

static int64_t root(int64_t square)
{
    int64_t low = 0, high = 3037000499;
    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        if (middle * middle <= square)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static int32_t length_m(int32_t x_m, int32_t y_m)
{
    return (int32_t)root((int64_t)x_m * x_m + (int64_t)y_m * y_m);
}

/* Cosine of a latitude in 1e-4, by Bhaskara's formula; within 0.2 %, which only bends the map. */
static int32_t cosine_e4(int32_t lat_e7)
{
    int64_t d_e3 = lat_e7 / 10000, square = d_e3 * d_e3 / 1000000; /* of whole degrees */
    return (int32_t)((32400 - 4 * square) * 10000 / (32400 + square));
}

enum { E7_PER_KM = 89932 }; /* of latitude, on the sphere of geo.h */

static struct point point_of(const struct town *town, int32_t x_m, int32_t y_m)
{
    const struct point *center = &town->options.center;
    int64_t north = (int64_t)y_m * E7_PER_KM / 1000;
    int64_t east = (int64_t)x_m * E7_PER_KM * 10 / town->cosine_e4;
    return (struct point){(int32_t)(center->lat_e7 + north), (int32_t)(center->lon_e7 + east)};
}

/* A place far outside is taken to the edge, so that no sum overflows. */
static int32_t metres_of(int64_t e7, int64_t per_km)
{
    int64_t metres = e7 * 1000 / per_km;
    return (int32_t)(metres > 1000000 ? 1000000 : metres < -1000000 ? -1000000 : metres);
}

static void map_of(const struct town *town, struct point at, int32_t *x_m, int32_t *y_m)
{
    int64_t east = (int64_t)at.lon_e7 - town->options.center.lon_e7;
    int64_t north = (int64_t)at.lat_e7 - town->options.center.lat_e7;
    *x_m = metres_of(east * town->cosine_e4 / 10000, E7_PER_KM);
    *y_m = metres_of(north, E7_PER_KM);
}

/* Rounded up; never 0, which would mean that there is no street. */
static int32_t drive_ms(int32_t way_m, int32_t speed_kmh)
{
    return (int32_t)((int64_t)way_m * 3600 / speed_kmh) + 1;
}

/* --- making the town ------------------------------------------------------------------------- */

static bool is_main(int32_t index, int32_t count, int32_t every)
{
    return (index - count / 2) % every == 0;
}

static void place_nodes(struct town *town, struct rng *rng)
{
    const struct scenario_town *options = &town->options;
    int32_t off_m = options->block_m * options->noise_percent / 200;
    for (int32_t row = 0; row < town->rows; row++)
        for (int32_t column = 0; column < town->columns; column++) {
            struct node *node = &town->nodes[row * town->columns + column];
            node->x_m = (column - town->columns / 2) * options->block_m;
            node->y_m = (row - town->rows / 2) * options->block_m;
            node->x_m += chance_between(rng, -off_m, off_m);
            node->y_m += chance_between(rng, -off_m, off_m);
            node->main_column = is_main(column, town->columns, options->main_every);
            node->main_row = is_main(row, town->rows, options->main_every);
        }
}

static void place_areas(struct town *town, struct rng *rng)
{
    const struct scenario_town *options = &town->options;
    int32_t least_m = options->suburb_radius_m / 2;
    town->areas[0] = (struct area){0, 0, options->centre_radius_m, area_names[0]};
    town->area_count = 1;
    for (int32_t i = 1; i <= options->suburbs; i++) {
        struct area *area = &town->areas[town->area_count++];
        area->radius_m = chance_between(rng, least_m, options->suburb_radius_m);
        area->x_m = chance_between(rng, -options->width_m * 9 / 20, options->width_m * 9 / 20);
        area->y_m = chance_between(rng, -options->height_m * 9 / 20, options->height_m * 9 / 20);
        area->name = area_names[i];
    }
}

static bool within(const struct area *area, const struct node *node)
{
    return length_m(node->x_m - area->x_m, node->y_m - area->y_m) <= area->radius_m;
}

static bool built_up(const struct town *town, const struct node *node)
{
    for (size_t i = 0; i < town->area_count; i++)
        if (within(&town->areas[i], node)) return true;
    return false;
}

static void join(struct town *town, int32_t a, int32_t b, int way, int back, int32_t speed_kmh)
{
    struct node *from = &town->nodes[a], *to = &town->nodes[b];
    int32_t ms = drive_ms(length_m(to->x_m - from->x_m, to->y_m - from->y_m), speed_kmh);
    from->way_ms[way] = to->way_ms[back] = ms;
}

/* A street between two neighbours, if the chance of the place has none missing. */
static void lay_street(struct town *town, struct rng *rng, int32_t a, int32_t b, int way, int back)
{
    const struct node *from = &town->nodes[a], *to = &town->nodes[b];
    bool along = way == EAST ? from->main_row : from->main_column;
    bool gap = (int32_t)rng_below(rng, 100) < town->options.gaps_percent;
    if (along)
        join(town, a, b, way, back, town->options.main_kmh);
    else if (!gap && built_up(town, from) && built_up(town, to))
        join(town, a, b, way, back, town->options.side_kmh);
}

static int32_t neighbour(const struct town *town, int32_t index, int way)
{
    static const int32_t steps[WAYS] = {1, -1, 0, 0};
    if (way == EAST || way == WEST) return index + steps[way];
    return way == NORTH ? index + town->columns : index - town->columns;
}

static void lay_streets(struct town *town, struct rng *rng)
{
    for (int32_t row = 0; row < town->rows; row++)
        for (int32_t column = 0; column < town->columns; column++) {
            int32_t at = row * town->columns + column;
            if (column + 1 < town->columns) lay_street(town, rng, at, at + 1, EAST, WEST);
            if (row + 1 < town->rows) lay_street(town, rng, at, at + town->columns, NORTH, SOUTH);
        }
}

/* What can be reached from the crossing of the two middle main streets is alive. */
static void find_alive(struct town *town)
{
    int32_t *stack = town->search->heap, depth = 0;
    int32_t middle = town->rows / 2 * town->columns + town->columns / 2;
    town->nodes[middle].alive = true;
    stack[depth++] = middle;
    while (depth > 0) {
        int32_t at = stack[--depth];
        for (int way = 0; way < WAYS; way++) {
            if (town->nodes[at].way_ms[way] == 0) continue;
            int32_t next = neighbour(town, at, way);
            if (town->nodes[next].alive) continue;
            town->nodes[next].alive = true;
            stack[depth++] = next;
        }
    }
}

static struct search *search_open(size_t count)
{
    struct search *search = calloc(1, sizeof *search);
    CHECK(search != NULL);
    search->reached_ms = calloc(count, sizeof *search->reached_ms);
    search->heap = calloc(count, sizeof *search->heap);
    search->place = calloc(count, sizeof *search->place);
    CHECK(search->reached_ms != NULL && search->heap != NULL && search->place != NULL);
    return search;
}

static int32_t roads_seconds(const struct travel *travel, struct point from, struct point to);

struct town *town_open(const struct scenario_town *options, uint64_t seed)
{
    struct rng rng = chance_of(seed, CHANCE_TOWN, 0, 0);
    struct town *town = calloc(1, sizeof *town);
    CHECK(town != NULL && options->suburbs < AREAS);
    town->options = *options;
    town->columns = options->width_m / options->block_m + 1;
    town->rows = options->height_m / options->block_m + 1;
    town->count = town->columns * town->rows;
    CHECK(town->count <= SCENARIO_NODES_MAX);
    town->cosine_e4 = cosine_e4(options->center.lat_e7);
    town->nodes = calloc((size_t)town->count, sizeof *town->nodes);
    CHECK(town->nodes != NULL);
    town->search = search_open((size_t)town->count);
    town->roads.seconds = roads_seconds;
    place_areas(town, &rng);
    place_nodes(town, &rng);
    lay_streets(town, &rng);
    find_alive(town);
    return town;
}

void town_close(struct town *town)
{
    if (town == NULL) return;
    free(town->nodes);
    free(town->search->reached_ms);
    free(town->search->heap);
    free(town->search->place);
    free(town->search);
    free(town);
}

struct town_size town_size(const struct town *town)
{
    struct town_size size = {0};
    for (int32_t i = 0; i < town->count; i++) {
        const struct node *node = &town->nodes[i];
        if (!node->alive) continue;
        size.crossings++;
        for (int way = EAST; way <= NORTH; way += NORTH) {
            if (node->way_ms[way] == 0) continue;
            const struct node *next = &town->nodes[neighbour(town, i, way)];
            size.streets++;
            size.length_m += length_m(next->x_m - node->x_m, next->y_m - node->y_m);
        }
    }
    return size;
}

/* --- places ---------------------------------------------------------------------------------- */

static int32_t clamp(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* The nearest alive node among those `ring` columns or rows away. */
static void look_on_ring(const struct town *town, int32_t x_m, int32_t y_m, int32_t column,
                         int32_t row, int32_t ring, int32_t *best, int32_t *best_m)
{
    for (int32_t r = row - ring; r <= row + ring; r++) {
        if (r < 0 || r >= town->rows) continue;
        bool edge = r == row - ring || r == row + ring;
        for (int32_t c = column - ring; c <= column + ring; c += edge || ring == 0 ? 1 : 2 * ring) {
            if (c < 0 || c >= town->columns) continue;
            const struct node *node = &town->nodes[r * town->columns + c];
            if (!node->alive) continue;
            int32_t away_m = length_m(node->x_m - x_m, node->y_m - y_m);
            if (away_m >= *best_m) continue;
            *best_m = away_m;
            *best = r * town->columns + c;
        }
    }
}

/* Noise moves a crossing by less than half a block, so two rings behind the first hit nothing
 * nearer is left. */
static int32_t nearest_node(const struct town *town, int32_t x_m, int32_t y_m, int32_t *away_m)
{
    int32_t block_m = town->options.block_m, best = NOWHERE, last = FAR;
    int32_t column = clamp(x_m / block_m + town->columns / 2, 0, town->columns - 1);
    int32_t row = clamp(y_m / block_m + town->rows / 2, 0, town->rows - 1);
    *away_m = FAR;
    for (int32_t ring = 0; ring <= last && ring <= town->columns + town->rows; ring++) {
        look_on_ring(town, x_m, y_m, column, row, ring, &best, away_m);
        if (best != NOWHERE && last == FAR) last = ring + ring / 2 + 2;
    }
    CHECK(best != NOWHERE);
    return best;
}

static const struct area *draw_area(const struct town *town, struct rng *rng)
{
    const struct scenario_town *options = &town->options;
    int32_t lot = (int32_t)rng_below(rng, 100);
    uint32_t which = rng_below(rng, options->suburbs > 0 ? (uint32_t)options->suburbs : 1);
    if (lot < options->centre_percent) return &town->areas[0];
    if (lot < options->centre_percent + options->country_percent) return NULL;
    return options->suburbs > 0 ? &town->areas[1 + which] : &town->areas[0];
}

/* Streets of one line of the grid have one name within an area. */
static void name_address(const struct town *town, int32_t index, int way, const struct area *area,
                         int32_t number, struct town_address *out)
{
    int32_t column = index % town->columns, row = index / town->columns;
    bool across = way == EAST || way == WEST;
    int32_t line = across ? row * 7 : column * 5 + 11;
    const char *kind = across ? "Street" : "Lane";
    if (across ? town->nodes[index].main_row : town->nodes[index].main_column) kind = "Road";
    snprintf(out->text, sizeof out->text, "%s %s %d, %s", street_names[line % STREET_NAMES], kind,
             number, area->name);
}

static const struct area *nearest_area(const struct town *town, const struct node *node)
{
    const struct area *best = &town->areas[0];
    int32_t best_m = FAR;
    for (size_t i = 0; i < town->area_count; i++) {
        const struct area *area = &town->areas[i];
        int32_t away_m = length_m(node->x_m - area->x_m, node->y_m - area->y_m);
        if (away_m >= best_m) continue;
        best_m = away_m;
        best = area;
    }
    return best;
}

void town_address(const struct town *town, struct rng *rng, struct town_address *out)
{
    const struct scenario_town *options = &town->options;
    const struct area *area = draw_area(town, rng);
    int32_t x_m = 0, y_m = 0, away_m;
    if (area == NULL) {
        x_m = chance_between(rng, -options->width_m / 2, options->width_m / 2);
        y_m = chance_between(rng, -options->height_m / 2, options->height_m / 2);
    } else { /* denser towards the middle: the mean of two */
        int32_t radius_m = area->radius_m;
        x_m = area->x_m + (chance_between(rng, -radius_m, radius_m) +
                           chance_between(rng, -radius_m, radius_m)) /
                              2;
        y_m = area->y_m + (chance_between(rng, -radius_m, radius_m) +
                           chance_between(rng, -radius_m, radius_m)) /
                              2;
    }
    int32_t index = nearest_node(town, x_m, y_m, &away_m);
    int way = (int)rng_below(rng, WAYS);
    int32_t part = chance_between(rng, 0, 99);
    const struct node *node = &town->nodes[index];
    while (node->way_ms[way] == 0)
        way = (way + 1) % WAYS;
    const struct node *next = &town->nodes[neighbour(town, index, way)];
    out->at = point_of(town, node->x_m + (next->x_m - node->x_m) * part / 100,
                       node->y_m + (next->y_m - node->y_m) * part / 100);
    name_address(town, index, way, nearest_area(town, node), 1 + part * 6 / 10, out);
}

/* --- the shortest way (Dijkstra with a heap that lowers keys) -------------------------------- */

static void heap_put(struct search *search, int32_t at, int32_t node)
{
    search->heap[at] = node;
    search->place[node] = at;
}

static void heap_rise(struct search *search, int32_t at)
{
    int32_t node = search->heap[at];
    while (at > 0) {
        int32_t parent = (at - 1) / 2;
        if (search->reached_ms[search->heap[parent]] <= search->reached_ms[node]) break;
        heap_put(search, at, search->heap[parent]);
        at = parent;
    }
    heap_put(search, at, node);
}

static void heap_sink(struct search *search, int32_t at)
{
    int32_t node = search->heap[at];
    for (;;) {
        int32_t child = 2 * at + 1;
        if (child >= search->heap_count) break;
        if (child + 1 < search->heap_count &&
            search->reached_ms[search->heap[child + 1]] < search->reached_ms[search->heap[child]])
            child++;
        if (search->reached_ms[search->heap[child]] >= search->reached_ms[node]) break;
        heap_put(search, at, search->heap[child]);
        at = child;
    }
    heap_put(search, at, node);
}

static void reach(struct search *search, int32_t node, int32_t ms)
{
    if (ms >= search->reached_ms[node]) return;
    bool fresh = search->reached_ms[node] == FAR;
    search->reached_ms[node] = ms;
    if (fresh) {
        search->heap[search->heap_count] = node;
        search->place[node] = search->heap_count++;
    }
    heap_rise(search, search->place[node]);
}

static int32_t take_nearest(struct search *search)
{
    int32_t node = search->heap[0];
    if (--search->heap_count > 0) {
        heap_put(search, 0, search->heap[search->heap_count]);
        heap_sink(search, 0);
    }
    return node;
}

static int32_t shortest_ms(const struct town *town, int32_t from, int32_t to)
{
    struct search *search = town->search;
    for (int32_t i = 0; i < town->count; i++)
        search->reached_ms[i] = FAR;
    search->heap_count = 0;
    reach(search, from, 0);
    while (search->heap_count > 0) {
        int32_t at = take_nearest(search);
        if (at == to) return search->reached_ms[to];
        for (int way = 0; way < WAYS; way++)
            if (town->nodes[at].way_ms[way] > 0)
                reach(search, neighbour(town, at, way),
                      search->reached_ms[at] + town->nodes[at].way_ms[way]);
    }
    CHECK(false); /* T3: all that is alive is connected */
    return 0;
}

int32_t town_seconds(const struct town *town, struct point from, struct point to)
{
    int32_t from_x, from_y, to_x, to_y, from_m, to_m;
    if (point_same(from, to)) return 0;
    map_of(town, from, &from_x, &from_y);
    map_of(town, to, &to_x, &to_y);
    int32_t a = nearest_node(town, from_x, from_y, &from_m);
    int32_t b = nearest_node(town, to_x, to_y, &to_m);
    int32_t speed_kmh = town->options.side_kmh;
    int64_t ms = (int64_t)drive_ms(from_m, speed_kmh) + drive_ms(to_m, speed_kmh);
    if (a != b) ms += shortest_ms(town, a, b);
    int64_t straight_ms = drive_ms(length_m(to_x - from_x, to_y - from_y), speed_kmh);
    if (a == b && straight_ms < ms) ms = straight_ms;
    return (int32_t)((ms + 999) / 1000);
}

static int32_t roads_seconds(const struct travel *travel, struct point from, struct point to)
{
    const char *member = (const char *)travel;
    return town_seconds((const struct town *)(const void *)(member - offsetof(struct town, roads)),
                        from, to);
}

const struct travel *town_roads(const struct town *town)
{
    CHECK(town->roads.seconds == roads_seconds);
    return &town->roads;
}
