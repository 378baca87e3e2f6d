#include "base/printable.h"

#include "base/file.h"

namespace calque {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Length of the control character that starts UTF-8 text, or 0: U+0000 to U+001F, U+007F to
/// U+009F.
size_t control_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first == '\t' || first == '\n') return 0;
  if (first < 0x20 || first == 0x7F) return 1;
  return first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0 ? 2 : 0;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    std::string_view valid = text.substr(0, find_invalid_utf8(text));
    text.remove_prefix(valid.size());
    while (!valid.empty()) {
      const size_t control = control_length(valid);
      shown += control > 0 ? kReplacement : valid.substr(0, 1);
      valid.remove_prefix(control > 0 ? control : 1);
    }
    if (text.empty()) break;
    shown += kReplacement;
    text.remove_prefix(1);
  }
  return shown;
}

}  // namespace calque
