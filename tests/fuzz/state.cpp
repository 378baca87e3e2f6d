#include "checkpoint/state.h"

#include "base/error.h"
#include "fuzz/targets.h"

namespace calque::fuzz {
namespace {

/// The text, with its last lines, of the checksum, written anew.
std::string with_right_checksum(std::string_view text) {
  const std::string_view body = text.substr(0, text.rfind(",\n  \"checksum\": \""));
  return fmt::format("{},\n  \"checksum\": \"{:016x}\"\n}}\n", body, hash_bytes(body));
}

bool accepts(std::string_view text) {
  try {
    CheckpointState state = state_from_json(text, "state.json");
    state.format = kCheckpointFormat;  // as it is written again
    CALQUE_CHECK(state_from_json(to_json(state), "state.json") == state, "read otherwise: {}",
                 to_json(state));
    return true;
  } catch (const UserError&) {
    return false;
  }
}

}  // namespace

bool state(std::string_view bytes) { return accepts(bytes) || accepts(with_right_checksum(bytes)); }

}  // namespace calque::fuzz
