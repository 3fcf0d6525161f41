#include "sim/world/seeded.h"

#include "base/check.h"
#include "base/rng.h"

#include <sodium.h>
#include <string.h>

static struct rng rng;

static const char *name(void)
{
    return "seeded";
}

static uint32_t word(void)
{
    return (uint32_t)(rng_next(&rng) >> 32);
}

static void fill(void *const bytes, const size_t size)
{
    uint8_t *at = bytes;
    for (size_t left = size; left > 0;) {
        uint64_t next = rng_next(&rng);
        size_t part = left < sizeof next ? left : sizeof next;
        memcpy(at, &next, part);
        at += part;
        left -= part;
    }
}

/* libsodium asks for uniform numbers and for stirring only where these are given. */
static struct randombytes_implementation implementation = {
    .implementation_name = name, .random = word, .buf = fill};

void seeded_begin(uint64_t seed)
{
    CHECK(sodium_init() >= 0);
    rng = (struct rng){seed};
    CHECK(randombytes_set_implementation(&implementation) == 0);
}

void seeded_end(void)
{
    CHECK(randombytes_set_implementation(&randombytes_sysrandom_implementation) == 0);
}
