/* A text of VRPLIB from anywhere. */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_reader(read_vrplib, bytes, size);
    return 0;
}
