#pragma once

#include <span>
#include <string>
#include <string_view>

namespace calque {

/// The name of `names` that `word` is most likely a slip of: the fewest characters inserted,
/// deleted, replaced (Levenshtein 1966), at most about a third of the word. Empty when none is
/// near.
std::string nearest_name(std::string_view word, std::span<const std::string> names);

}  // namespace calque
