/* A text of Solomon from anywhere. */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_reader(read_solomon, bytes, size);
    return 0;
}
