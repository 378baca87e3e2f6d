#pragma once

#include <string>
#include <string_view>

namespace calque {

/// The text with what a terminal might obey instead of showing it (control characters but '\t' and
/// '\n', and bytes that are not UTF-8) replaced by U+FFFD. For text that came out of a file.
std::string printable(std::string_view text);

}  // namespace calque
