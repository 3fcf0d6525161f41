/* plants.h - the planted bugs: what each of them does, at the gateway's door or on the disk
 * (PLANT_LYING_DISK is in mishaps.c).
 *
 * Owner: net and disk outlive them. Thread: the loop's.
 */
#ifndef CALLOUT_TESTS_PLANTS_H
#define CALLOUT_TESTS_PLANTS_H

#include "oracle.h"
#include "sim/world/disk.h"
#include "sim/world/link.h"

struct plants;

struct plants *plants_open(const struct ordeal_options *options, struct link_net *net,
                           struct disk *disk);
void plants_close(struct plants *plants);

/* True: the request does not reach the gateway. */
bool plants_swallow(struct plants *plants, const struct passer *passer, struct sp_ticket from,
                    const uint8_t *bytes, size_t size);
/* May put other bytes in the place of a reply; they live until the next reply. */
void plants_spoil(struct plants *plants, const uint8_t **bytes, size_t *size);
/* A reply that went out, and whose it was. */
void plants_note(struct plants *plants, const struct passer *passer, const uint8_t *bytes,
                 size_t size);

#endif
