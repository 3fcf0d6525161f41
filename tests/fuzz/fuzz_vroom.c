/* VROOM's JSON from anywhere: the scan of its matrix, and the tree of the rest. */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_reader(read_vroom, bytes, size);
    return 0;
}
