#include "optimizer/bound/proof.h"

static bool bit_of(const uint8_t *bits, uint32_t rank)
{
    return (bits[rank / 8] >> (rank % 8) & 1) != 0;
}

static bool is_of(const struct proof_cut *cut, uint32_t visit)
{
    return cut->visits[0] == visit || cut->visits[1] == visit || cut->visits[2] == visit;
}

uint32_t proof_cut_counts(const struct proof_cut *cut, const uint16_t *visits, uint32_t count)
{
    uint32_t held = 0, counts = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (is_of(cut, visits[i])) {
            if (++held < 2) continue;
            counts++;
            held = 0;
        } else if (!bit_of(cut->memory, visits[i])) {
            held = 0;
        }
    }
    return counts;
}

int64_t proof_reduced(const struct proof *proof, uint32_t technician, const uint16_t *visits,
                      uint32_t count, int64_t cost)
{
    int64_t reduced = cost * PROOF_FINE - proof->technician_dual[technician];
    for (uint32_t i = 0; i < count; i++)
        reduced -= proof->visit_dual[visits[i]];
    for (uint32_t c = 0; c < proof->cut_count; c++)
        reduced -= proof->cuts[c].dual * proof_cut_counts(&proof->cuts[c], visits, count);
    return reduced;
}

int64_t proof_sum(const struct proof *proof)
{
    int64_t sum = 0;
    for (uint32_t v = 0; v < proof->visit_count; v++)
        sum += proof->visit_dual[v];
    for (uint32_t t = 0; t < proof->technician_count; t++)
        sum += proof->technician_dual[t];
    for (uint32_t c = 0; c < proof->cut_count; c++)
        sum += proof->cuts[c].dual;
    return sum;
}
