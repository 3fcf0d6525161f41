#include "optimizer/verify/read_parts.h"

struct reader {
    struct lines *lines;
    struct certificate *to;
    const struct name *technicians, *visits;
};

static uint32_t named(struct reader *in, const struct name *names, uint32_t count, const char *what)
{
    const char *id = line_word(in->lines, what);
    uint32_t index = id == NULL ? CERTIFICATE_NONE : names_find(names, count, id);
    if (id != NULL && index == CERTIFICATE_NONE)
        line_wrong(in->lines, ERR_INVALID, "there is no %s %s", what, id);
    return index == CERTIFICATE_NONE ? 0 : index;
}

static uint32_t visit_named(struct reader *in)
{
    return named(in, in->visits, in->to->visit_count, "visit");
}

static void read_cuts(struct reader *in)
{
    struct certificate *to = in->to;
    to->part_cuts = line_memory(in->lines, sizeof *to->part_cuts * (to->part_cut_count + 1));
    for (uint32_t c = 0; c < to->part_cut_count && in->lines->err == ERR_OK; c++) {
        uint32_t *cut = to->part_cuts[c];
        line_begin(in->lines, "part_cut");
        for (uint32_t i = 0; i < 3; i++)
            cut[i] = visit_named(in);
        line_over(in->lines);
        if (cut[0] == cut[1] || cut[0] == cut[2] || cut[1] == cut[2])
            line_wrong(in->lines, ERR_INVALID, "names a member twice");
    }
}

/* "KEY DUAL...", so many of them. */
static const int64_t *read_duals(struct reader *in, const char *key, uint32_t count)
{
    int64_t *duals = line_memory(in->lines, sizeof *duals * (count + 1));
    line_begin(in->lines, key);
    for (uint32_t i = 0; i < count && in->lines->err == ERR_OK; i++)
        duals[i] = line_number(in->lines, "a dual", -CERTIFICATE_DUAL_MAX, CERTIFICATE_DUAL_MAX);
    line_over(in->lines);
    return duals;
}

static void read_split(struct reader *in, struct cert_part *part)
{
    part->split = true;
    part->visit = visit_named(in);
    part->with_technician = line_takes(in->lines, "technician");
    if (part->with_technician) {
        part->other = named(in, in->technicians, in->to->technician_count, "technician");
    } else {
        line_expect(in->lines, "visit");
        part->other = visit_named(in);
        if (part->other == part->visit) line_wrong(in->lines, ERR_INVALID, "names a visit twice");
    }
    line_over(in->lines);
}

static void read_part(struct reader *in, struct cert_part *part)
{
    const int64_t most = 100 * CERTIFICATE_DUAL_MAX;
    if (line_begins(in->lines, "split")) {
        part->line = in->lines->number;
        read_split(in, part);
        return;
    }
    line_begin(in->lines, "part");
    part->line = in->lines->number;
    line_expect(in->lines, "bound");
    part->bound = line_number(in->lines, "the bound", -most, most);
    line_over(in->lines);
    part->visits = read_duals(in, "of_visits", in->to->visit_count);
    part->technicians = read_duals(in, "of_technicians", in->to->technician_count);
    part->cuts = read_duals(in, "of_cuts", in->to->part_cut_count);
}

/* A split has two parts behind it; each of them may be one. */
static void read_tree(struct reader *in, uint32_t said)
{
    struct certificate *to = in->to;
    to->parts_of = line_memory(in->lines, sizeof *to->parts_of * (said + 1));
    uint32_t open = 1;
    for (uint32_t i = 0; i < said && in->lines->err == ERR_OK; i++) {
        if (open == 0) {
            line_wrong(in->lines, ERR_INVALID, "there is no split left for a part behind this");
            return;
        }
        read_part(in, &to->parts_of[i]);
        open = to->parts_of[i].split ? open + 1 : open - 1;
        to->part_count = i + 1;
    }
    if (in->lines->err == ERR_OK && open != 0)
        line_wrong(in->lines, ERR_INVALID, "a split has not two parts behind it");
}

void read_parts(struct lines *lines, struct certificate *to, const struct name *technicians,
                const struct name *visits)
{
    struct reader in = {lines, to, technicians, visits};
    if (!line_begins(lines, "below")) return;
    to->below = line_number(lines, "below", -CERTIFICATE_PRICE_MAX, CERTIFICATE_PRICE_MAX);
    line_expect(lines, "parts");
    uint32_t said = (uint32_t)line_number(lines, "parts", 1, CERTIFICATE_PARTS_MAX);
    line_expect(lines, "cuts");
    to->part_cut_count = (uint32_t)line_number(lines, "cuts", 0, CERTIFICATE_CUTS_MAX);
    line_over(lines);
    if (lines->err != ERR_OK) return;
    read_cuts(&in);
    if (lines->err == ERR_OK) read_tree(&in, said);
}
