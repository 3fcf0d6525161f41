/* gateway_memory.h - the gateway's resident memory, as its /metrics says. */
#ifndef CALLOUT_SIM_LOAD_GATEWAY_MEMORY_H
#define CALLOUT_SIM_LOAD_GATEWAY_MEMORY_H

#include <stdint.h>

/* Bytes; 0: nobody answers on HOST:PORT within a second, or does not say. */
uint64_t gateway_memory(const char *address);

#endif
