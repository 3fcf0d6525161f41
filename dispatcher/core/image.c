/* image.c - the core's state as bytes. One function per struct serves saving, loading and digest,
 * so that the three cannot drift apart. Numbers are 8 bytes little endian, texts are length and
 * bytes. */
#include "base/check.h"
#include "base/digest.h"
#include "dispatcher/core/state.h"

#include <string.h>

struct io {
    enum { IO_SIZE, IO_SAVE, IO_LOAD, IO_DIGEST } mode;
    unsigned char *bytes;
    size_t at, size;
    struct digest digest;
    bool bad; /* loading: the image ended early or holds nonsense */
};

static void io_number(struct io *io, int64_t *value)
{
    if (io->mode == IO_DIGEST) {
        digest_u64(&io->digest, (uint64_t)*value);
    } else if (io->mode == IO_SAVE) {
        for (int i = 0; i < 8; i++)
            io->bytes[io->at + (size_t)i] = (unsigned char)((uint64_t)*value >> (8 * i));
    } else if (io->mode == IO_LOAD) {
        uint64_t loaded = 0;
        if (io->at + 8 > io->size) io->bad = true;
        for (int i = 0; i < 8 && !io->bad; i++)
            loaded |= (uint64_t)io->bytes[io->at + (size_t)i] << (8 * i);
        *value = (int64_t)loaded;
    }
    io->at += 8;
}

static void io_u32(struct io *io, uint32_t *value)
{
    int64_t wide = *value;
    io_number(io, &wide);
    if (wide < 0 || wide > UINT32_MAX) io->bad = true;
    *value = (uint32_t)wide;
}

static void io_count(struct io *io, uint32_t *value, uint32_t max)
{
    io_u32(io, value);
    if (*value <= max) return;
    io->bad = true;
    *value = 0;
}

static void io_i32(struct io *io, int32_t *value)
{
    int64_t wide = *value;
    io_number(io, &wide);
    *value = (int32_t)wide;
}

static void io_bool(struct io *io, bool *value)
{
    int64_t wide = *value;
    io_number(io, &wide);
    *value = wide != 0;
}

static void io_text(struct io *io, char *text, size_t size)
{
    int64_t length = (int64_t)strlen(text);
    io_number(io, &length);
    if (length < 0 || (size_t)length >= size) io->bad = true;
    if (io->bad) return;
    for (int64_t i = 0; i < length; i++) {
        if (io->mode == IO_DIGEST) digest_u64(&io->digest, (unsigned char)text[i]);
        if (io->mode == IO_SAVE) io->bytes[io->at] = (unsigned char)text[i];
        if (io->mode == IO_LOAD && io->at < io->size) text[i] = (char)io->bytes[io->at];
        io->at++;
    }
    if (io->mode == IO_LOAD) text[length] = '\0';
}

static void io_point(struct io *io, struct point *it)
{
    io_i32(io, &it->lat_e7);
    io_i32(io, &it->lon_e7);
}

static void io_skills(struct io *io, struct skill *skills, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t name = skills[i].name, level = skills[i].level;
        io_number(io, &name);
        io_number(io, &level);
        skills[i] = (struct skill){(uint16_t)name, (uint16_t)level};
    }
}

static void io_policy(struct io *io, struct policy *it)
{
    io_u32(io, &it->version);
    io_number(io, &it->freeze_us);
    io_number(io, &it->dispatch_ahead_us);
    io_number(io, &it->accept_timeout_us);
    io_i32(io, &it->overtime_price_percent);
    io_i32(io, &it->unserved_s_per_priority);
    io_i32(io, &it->change_technician_s);
    io_i32(io, &it->change_start_s);
    io_number(io, &it->change_start_tolerance_us);
    io_number(io, &it->overtime_tier_us);
    io_i32(io, &it->overtime_tier_price_percent);
    io_i32(io, &it->travel_price_percent);
    io_i32(io, &it->lateness_price_percent);
    io_i32(io, &it->preferred_window_missed_s);
    io_i32(io, &it->preferred_technician_missed_s);
    io_i32(io, &it->changes_per_technician_day_max);
    io_i32(io, &it->changed_visits_percent_max);
    io_i32(io, &it->position_moving_s);
    io_i32(io, &it->position_resting_s);
}

static void io_territory(struct io *io, struct territory *it)
{
    io_text(io, it->id, sizeof it->id);
    io_text(io, it->zone, sizeof it->zone);
    io_policy(io, &it->policy);
    io_number(io, &it->today);
}

static void io_technician(struct io *io, struct technician *it)
{
    io_text(io, it->id, sizeof it->id);
    io_u32(io, &it->territory);
    io_point(io, &it->home);
    io_count(io, &it->skill_count, LIMIT_SKILLS_PER_ENTITY);
    io_skills(io, it->skills, it->skill_count);
    for (uint32_t i = 0; i < it->skill_count; i++) {
        io_number(io, &it->skill_from_us[i]);
        io_number(io, &it->skill_to_us[i]);
    }
    io_i32(io, &it->leg_s_max);
    io_i32(io, &it->travel_s_max);
    io_u32(io, &it->current);
    io_point(io, &it->place);
    io_number(io, &it->place_us);
    io_u32(io, &it->first_shift);
    io_number(io, &it->changed_seq);
    io_number(io, &it->version);
    io_number(io, &it->roster_seq);
    io_bool(io, &it->unseen);
}

static void io_shift(struct io *io, struct shift *it)
{
    io_u32(io, &it->technician);
    io_u32(io, &it->board);
    io_u32(io, &it->next_of_technician);
    io_u32(io, &it->next_of_board);
    io_number(io, &it->start_us);
    io_number(io, &it->end_us);
    io_number(io, &it->overtime_us_max);
    io_number(io, &it->break_earliest_us);
    io_number(io, &it->break_latest_us);
    io_number(io, &it->break_us);
    io_number(io, &it->absent_start_us);
    io_number(io, &it->absent_end_us);
    io_point(io, &it->start);
    io_point(io, &it->end);
    io_bool(io, &it->break_done);
    io_number(io, &it->rest_until_us);
    io_u32(io, &it->changes);
    io_number(io, &it->travelled_us);
    io_count(io, &it->route_count, LIMIT_VISITS_PER_ROUTE);
    for (uint32_t i = 0; i < it->route_count; i++)
        io_u32(io, &it->route[i]);
    io_number(io, &it->touch_seq);
}

static void io_order(struct io *io, struct work_order *it)
{
    io_text(io, it->id, sizeof it->id);
    io_u32(io, &it->territory);
    io_u32(io, &it->appointment);
}

static void io_windows(struct io *io, struct window *windows, uint32_t *count)
{
    io_count(io, count, LIMIT_WINDOWS_PER_ORDER);
    for (uint32_t i = 0; i < *count; i++) {
        io_number(io, &windows[i].start_us);
        io_number(io, &windows[i].end_us);
    }
}

static void io_named(struct io *io, struct named *it)
{
    io_count(io, &it->count, LIMIT_TECHNICIANS_PER_ORDER);
    for (uint32_t i = 0; i < it->count; i++)
        io_u32(io, &it->technicians[i]);
}

static void io_demand(struct io *io, struct appointment *it)
{
    io_point(io, &it->point);
    io_number(io, &it->service_us);
    io_number(io, &it->priority);
    io_bool(io, &it->emergency);
    io_bool(io, &it->late);
    io_count(io, &it->skill_count, LIMIT_SKILLS_PER_ENTITY);
    io_skills(io, it->skills, it->skill_count);
    io_count(io, &it->choice_count, LIMIT_SKILL_CHOICES_PER_ORDER);
    for (uint32_t i = 0; i < it->choice_count; i++) {
        io_count(io, &it->choices[i].count, LIMIT_SKILLS_PER_CHOICE);
        io_skills(io, it->choices[i].any_of, it->choices[i].count);
    }
    io_windows(io, it->windows, &it->window_count);
    io_windows(io, it->preferred, &it->preferred_count);
    io_number(io, &it->late_us_max);
    io_named(io, &it->required);
    io_named(io, &it->preferred_technicians);
    io_named(io, &it->forbidden);
}

static void io_appointment(struct io *io, struct appointment *it)
{
    io_text(io, it->id, sizeof it->id);
    io_u32(io, &it->order);
    io_u32(io, &it->board);
    io_u32(io, &it->next_of_board);
    int64_t status = it->status;
    io_number(io, &status);
    it->status = (enum appointment_status)status;
    io_demand(io, it);
    io_u32(io, &it->shift);
    io_number(io, &it->planned_start_us);
    io_number(io, &it->planned_end_us);
    io_u32(io, &it->position);
    io_bool(io, &it->pin_technician);
    io_u32(io, &it->pin_to);
    io_number(io, &it->pin_start_us);
    io_number(io, &it->dispatched_us);
    io_number(io, &it->offers);
    io_number(io, &it->departed_us);
    io_number(io, &it->begun_us);
    io_number(io, &it->delay_us);
    io_point(io, &it->departed_from);
    io_count(io, &it->former_count, FORMER_MAX);
    for (uint32_t i = 0; i < it->former_count; i++)
        io_u32(io, &it->former[i]);
    io_count(io, &it->excluded_count, EXCLUDED_MAX);
    for (uint32_t i = 0; i < it->excluded_count; i++)
        io_u32(io, &it->excluded[i]);
    io_number(io, &it->created_us);
    io_number(io, &it->day_seq);
    io_number(io, &it->promised_us);
    io_number(io, &it->disputed_seq);
    io_u32(io, &it->disputed_kind);
    io_u32(io, &it->disputed_by);
    io_bool(io, &it->held);
    io_bool(io, &it->changed_hands);
    io_u32(io, &it->needs);
    io_u32(io, &it->entries);
    io_number(io, &it->version);
    io_number(io, &it->changed_seq);
    io_number(io, &it->touch_seq);
}

static void io_board(struct io *io, struct board *it)
{
    io_u32(io, &it->territory);
    io_u32(io, &it->first_shift);
    io_u32(io, &it->first_appointment);
    io_number(io, &it->service_day);
    io_number(io, &it->plan_version);
    io_number(io, &it->revision);
    io_number(io, &it->event_seq);
    io_number(io, &it->reset_seq);
    io_u32(io, &it->stability.technician_changes);
    io_u32(io, &it->stability.start_changes);
    io_u32(io, &it->stability.overrides);
    io_u32(io, &it->stability.moves_after_promise);
}

static void io_core(struct io *io, struct core *core)
{
    int64_t version = CORE_VERSION;
    io_number(io, &version);
    if (version != CORE_VERSION) io->bad = true;
    io_number(io, &core->seq);
    io_number(io, &core->now_us);
    io_count(io, &core->territory_count, LIMIT_TERRITORIES);
    io_count(io, &core->skill_count, LIMIT_SKILLS);
    io_count(io, &core->technician_count, LIMIT_TECHNICIANS);
    io_count(io, &core->shift_count, LIMIT_SHIFTS);
    io_count(io, &core->order_count, LIMIT_APPOINTMENTS);
    io_count(io, &core->appointment_count, LIMIT_APPOINTMENTS);
    io_count(io, &core->board_count, BOARDS_MAX);
    for (uint32_t i = 0; i < core->territory_count && !io->bad; i++)
        io_territory(io, &core->territories[i]);
    for (uint32_t i = 0; i < core->skill_count && !io->bad; i++)
        io_text(io, core->skills[i].name, sizeof core->skills[i].name);
    for (uint32_t i = 0; i < core->technician_count && !io->bad; i++)
        io_technician(io, &core->technicians[i]);
    for (uint32_t i = 0; i < core->shift_count && !io->bad; i++)
        io_shift(io, &core->shifts[i]);
    for (uint32_t i = 0; i < core->order_count && !io->bad; i++)
        io_order(io, &core->orders[i]);
    for (uint32_t i = 0; i < core->appointment_count && !io->bad; i++)
        io_appointment(io, &core->appointments[i]);
    for (uint32_t i = 0; i < core->board_count && !io->bad; i++)
        io_board(io, &core->boards[i]);
}

/* Saving and digest only read; the walk is shared with loading, hence the cast. */
static struct core *walkable(const struct core *core)
{
    union {
        const struct core *in;
        struct core *out;
    } same = {.in = core};
    return same.out;
}

uint64_t core_digest(const struct core *core)
{
    struct io io = {.mode = IO_DIGEST, .digest = digest_start()};
    io_core(&io, walkable(core));
    return io.digest.state;
}

struct blob core_save(const struct core *core, struct arena *arena)
{
    struct io io = {.mode = IO_SIZE};
    io_core(&io, walkable(core));
    unsigned char *bytes = arena_need(arena, io.at);
    struct io save = {.mode = IO_SAVE, .bytes = bytes, .size = io.at};
    io_core(&save, walkable(core));
    CHECK(save.at == io.at);
    return (struct blob){bytes, io.at};
}

static void index_all(struct core *core)
{
    for (uint32_t i = 0; i < core->territory_count; i++)
        id_index_add(&core->territory_ids, i);
    for (uint32_t i = 0; i < core->skill_count; i++)
        id_index_add(&core->skill_ids, i);
    for (uint32_t i = 0; i < core->technician_count; i++)
        id_index_add(&core->technician_ids, i);
    for (uint32_t i = 0; i < core->order_count; i++)
        id_index_add(&core->order_ids, i);
    for (uint32_t i = 0; i < core->appointment_count; i++)
        id_index_add(&core->appointment_ids, i);
}

enum err core_load(struct core *core, struct blob image)
{
    CHECK(core->seq == 0);
    unsigned char *bytes;
    memcpy(&bytes, &image.bytes, sizeof bytes); /* loading only reads them */
    struct io io = {.mode = IO_LOAD, .bytes = bytes, .size = image.size};
    io_core(&io, core);
    if (io.bad || io.at != image.size) return ERR_INVALID;
    index_all(core);
    return ERR_OK;
}
