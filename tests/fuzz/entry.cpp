#include <cstddef>
#include <cstdint>

#include "fuzz/targets.h"

/// libFuzzer's door to the function that CALQUE_FUZZ_TARGET names.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  calque::fuzz::CALQUE_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
