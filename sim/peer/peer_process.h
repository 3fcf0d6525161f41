/* peer_process.h - a shell command that gets all of its input and is waited for, but not for ever.
 *
 * Thread: one. Its process group is gone when the call returns, whatever became of it.
 */
#ifndef CALLOUT_SIM_PEER_PEER_PROCESS_H
#define CALLOUT_SIM_PEER_PEER_PROCESS_H

#include "base/arena.h"
#include "sim/peer/peer.h"

enum { PEER_OUTPUT_MAX = 64 << 20 };

/* PEER_ANSWERED: *output is what it wrote before it ended with exit code 0, in `memory`. More than
 * PEER_OUTPUT_MAX is PEER_NONSENSE. */
enum peer_end peer_process_run(const char *command, const char *input, size_t input_size,
                               double seconds_max, struct arena *memory, const char **output,
                               size_t *output_size, struct problem *problem);

#endif
