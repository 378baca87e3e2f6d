#pragma once

#include <cstddef>
#include <string_view>

namespace calque {

/// Insertions, deletions and replacements of bytes that make `a` into `b` (Levenshtein 1966). Takes
/// time in the product of the lengths.
size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace calque
