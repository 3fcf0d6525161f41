/* chain.h - the hash chain over the fact log.
 *
 * Idea: leaf = H(salt, body) and link = H(link before, seq, time, kind, leaf), H being BLAKE2b-256.
 * A body can be erased, together with its salt, and the chain still holds: what is left, the leaf,
 * says nothing about a body whose salt is gone. The link before the first fact is all zeros.
 */
#ifndef CALLOUT_STORE_CHAIN_H
#define CALLOUT_STORE_CHAIN_H

#include "dispatcher/core/row.h"

enum { CHAIN_SALT = 16, CHAIN_HASH = 32 };

/* Where the chain ends. */
struct chain {
    int64_t seq; /* 0: no fact yet */
    uint8_t link[CHAIN_HASH];
};

/* What a fact adds to the chain; chain_seal points its row into this. */
struct chain_seal {
    uint8_t salt[CHAIN_SALT], leaf[CHAIN_HASH], link[CHAIN_HASH];
};

/* Fills salt, leaf and chain of a row whose other columns are set, as the next fact of `chain`. The
 * seal's salt is given: bytes that nobody can guess, for this row alone. */
void chain_seal(const struct chain *chain, struct row_fact *row, struct chain_seal *seal);
/* Whether the row is the next fact of the chain, unchanged since it was sealed. */
bool chain_fits(const struct chain *chain, const struct row_fact *row);
/* Goes on behind this row. */
void chain_follow(struct chain *chain, const struct row_fact *row);

#endif
