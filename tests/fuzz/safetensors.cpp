#include "checkpoint/safetensors.h"

#include <cstring>

#include "base/error.h"
#include "fuzz/targets.h"

namespace calque::fuzz {
namespace {

/// Reads every value of every tensor.
bool accepts(std::string_view bytes) {
  try {
    const SafetensorsFile file(std::as_bytes(std::span(bytes)), "fuzzed.safetensors");
    for (const StoredTensor& tensor : file.tensors()) {
      CALQUE_CHECK(file.find(tensor.name) == &tensor, "{} is not found", tensor.name);
      const size_t count = tensor.type == StoredType::kF32 ? file.floats(tensor.name).size()
                                                           : file.integers(tensor.name).size();
      CALQUE_CHECK(count * sizeof(float) == tensor.bytes.size(), "{} values of {} bytes", count,
                   tensor.bytes.size());
    }
    return true;
  } catch (const UserError&) {
    return false;
  }
}

/// The header begins behind its length and is taken to end with the last brace.
std::string with_right_length(std::string_view bytes) {
  uint64_t length = bytes.rfind('}');
  if (length == std::string_view::npos || length < sizeof length) return {};
  length -= sizeof length - 1;
  std::string right(bytes);
  std::memcpy(right.data(), &length, sizeof length);
  return right;
}

}  // namespace

bool safetensors(std::string_view bytes) {
  return accepts(bytes) || accepts(with_right_length(bytes));
}

}  // namespace calque::fuzz
