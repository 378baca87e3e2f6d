#include "cli/suggestion.h"

#include <algorithm>

#include "base/edit_distance.h"

namespace calque {

std::string nearest_name(std::string_view word, std::span<const std::string> names) {
  constexpr size_t kLongestWord = 100;  // beyond, it is no misspelt name
  if (word.size() > kLongestWord) return "";
  std::string nearest;
  size_t least = std::max<size_t>((word.size() + 1) / 3, 1) + 1;
  for (const std::string& name : names) {
    const size_t distance = edit_distance(word, name);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace calque
