/* suspects.h - requests that may have killed the dispatcher are remembered across its death.
 *
 * Before a batch its requests' marks are written to a small file, after it they are taken out; a
 * signal handler adds that the program crashed (a kill from outside is nobody's fault). Who finds
 * marks and a crash at start lets those requests run alone from now on, and one that was alone when
 * it crashed is poison. The file needs no fsync: it has to survive the process, not the machine.
 */
#ifndef CALLOUT_DISPATCHER_SUSPECTS_H
#define CALLOUT_DISPATCHER_SUSPECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct suspects;

struct suspects *suspects_open(const char *folder);
void suspects_close(struct suspects *suspects);

uint64_t suspect_mark(const void *bytes, size_t size);
bool suspects_any(const struct suspects *suspects); /* is any request to run alone? */
/* Must it run alone? / Did it kill us when it ran alone? */
bool suspects_alone(const struct suspects *suspects, uint64_t mark);
bool suspects_poison(const struct suspects *suspects, uint64_t mark);

void suspects_begin(struct suspects *suspects, const uint64_t *marks, uint32_t count);
/* The batch is over, and everybody in it is cleared. */
void suspects_end(struct suspects *suspects);

#endif
