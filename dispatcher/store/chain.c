#include "dispatcher/store/chain.h"

#include "base/check.h"

#include <sodium.h>
#include <string.h>

static void hash_number(crypto_generichash_state *state, int64_t number)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)((uint64_t)number >> (8 * i));
    }
    crypto_generichash_update(state, bytes, sizeof bytes);
}

static void make_leaf(const struct row_fact *row, uint8_t leaf[CHAIN_HASH])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, CHAIN_HASH);
    crypto_generichash_update(&state, row->salt.bytes, row->salt.size);
    crypto_generichash_update(&state, row->body.bytes, row->body.size);
    crypto_generichash_final(&state, leaf, CHAIN_HASH);
}

static void make_link(const struct chain *chain, const struct row_fact *row,
                      uint8_t link[CHAIN_HASH])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, CHAIN_HASH);
    crypto_generichash_update(&state, chain->link, CHAIN_HASH);
    hash_number(&state, row->seq);
    hash_number(&state, row->time_us);
    hash_number(&state, row->kind);
    crypto_generichash_update(&state, row->leaf.bytes, row->leaf.size);
    crypto_generichash_final(&state, link, CHAIN_HASH);
}

void chain_seal(const struct chain *chain, struct row_fact *row, struct chain_seal *seal)
{
    CHECK(row->seq == chain->seq + 1);
    row->salt = (struct blob){seal->salt, CHAIN_SALT};
    make_leaf(row, seal->leaf);
    row->leaf = (struct blob){seal->leaf, CHAIN_HASH};
    make_link(chain, row, seal->link);
    row->chain = (struct blob){seal->link, CHAIN_HASH};
}

static bool same(struct blob blob, const uint8_t hash[CHAIN_HASH])
{
    return blob.size == CHAIN_HASH && memcmp(blob.bytes, hash, CHAIN_HASH) == 0;
}

bool chain_fits(const struct chain *chain, const struct row_fact *row)
{
    uint8_t hash[CHAIN_HASH];
    bool erased = row->salt.size == 0 && row->body.size == 0;
    if (row->leaf.size != CHAIN_HASH) return false;
    if (!erased) {
        make_leaf(row, hash);
        if (row->salt.size != CHAIN_SALT || !same(row->leaf, hash)) return false;
    }
    make_link(chain, row, hash);
    return same(row->chain, hash);
}

void chain_follow(struct chain *chain, const struct row_fact *row)
{
    CHECK(row->chain.size == CHAIN_HASH);
    chain->seq = row->seq;
    memcpy(chain->link, row->chain.bytes, CHAIN_HASH);
}
