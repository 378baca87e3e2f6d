#include "base/error.h"
#include "config/run_config.h"
#include "fuzz/targets.h"

namespace calque::fuzz {
namespace {

constexpr const char kFile[] = "fuzzed.yaml";

}  // namespace

bool config(std::string_view bytes) {
  std::string written;
  try {
    written = to_yaml(parse_config(std::string(bytes), kFile));
  } catch (const UserError&) {
    return false;
  }
  std::string again;
  try {
    again = to_yaml(parse_config(written, kFile));
  } catch (const UserError& error) {
    throw InternalError(fmt::format("written but not read: {}", error.what()));
  }
  CALQUE_CHECK(again == written, "read otherwise: {} and {}", written, again);
  return true;
}

}  // namespace calque::fuzz
