#include "config/known_keys.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "base/edit_distance.h"
#include "config/visit.h"

namespace calque {
namespace {

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

std::string_view last_part(std::string_view key) {
  const size_t dot = key.rfind('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

/// All keys, and the blocks that hold them.
std::vector<std::string> keys_and_blocks() {
  std::vector<std::string> names;
  for (const KnownKey& known : known_keys()) {
    for (size_t dot = known.key.find('.'); dot != std::string::npos;
         dot = known.key.find('.', dot + 1)) {
      const std::string block = known.key.substr(0, dot);
      if (std::find(names.begin(), names.end(), block) == names.end()) names.push_back(block);
    }
    names.push_back(known.key);
  }
  return names;
}

/// Whether one is the beginning of the other, as of `vocab` and `vocabulary`.
bool is_abbreviation(std::string_view a, std::string_view b) {
  constexpr size_t kShortest = 4;
  const size_t common = std::min(a.size(), b.size());
  return common >= kShortest && a.substr(0, common) == b.substr(0, common);
}

/// How far an unknown key is from a known name, in half letters: letters of the last part, and one
/// more for another block; or letters of the whole, which comes first where both are equal.
size_t key_distance(const std::string& key, const std::string& name) {
  const std::string_view part = last_part(key);
  const std::string_view known = last_part(name);
  const size_t letters =
      is_abbreviation(part, known) && part != known ? 1 : edit_distance(part, known);
  return std::min(2 * (letters + 1), 2 * edit_distance(key, name) - 1);
}

}  // namespace

const std::vector<KnownKey>& known_keys() {
  static const std::vector<KnownKey> keys = [] {
    std::vector<KnownKey> all;
    const RunConfig defaults;
    visit_fields(defaults, [&](const Field& field, const auto& value, const auto& kind) {
      all.push_back(
          {field.key, kind.expected(), field.unit, kind.write(value), field.help, field.at_resume});
    });
    return all;
  }();
  return keys;
}

bool is_known_key(const std::string& key) {
  const auto& keys = known_keys();
  return std::any_of(keys.begin(), keys.end(),
                     [&](const KnownKey& known) { return known.key == key; });
}

bool is_block(const std::string& name) { return !keys_of_block(name).empty(); }

std::vector<std::string> keys_of_block(const std::string& name) {
  std::vector<std::string> parts;
  const std::string prefix = name + ".";
  for (const KnownKey& known : known_keys()) {
    if (!starts_with(known.key, prefix)) continue;
    const std::string rest = known.key.substr(prefix.size());
    const std::string part = rest.substr(0, rest.find('.'));
    if (parts.empty() || parts.back() != part) parts.push_back(part);
  }
  return parts;
}

std::vector<std::string> nearest_keys(const std::string& key) {
  constexpr size_t kLongestKey = 100;  // beyond, it is no misspelt key; the distance takes n^2
  if (key.size() > kLongestKey) return {};
  std::vector<std::string> nearest;
  size_t best = 2 * (1 + std::max<size_t>(1, last_part(key).size() / 3));
  for (const std::string& name : keys_and_blocks()) {
    if (starts_with(key, name + ".")) continue;  // the block around it is right already
    const size_t distance = key_distance(key, name);
    if (distance < best) nearest.clear();
    best = std::min(best, distance);
    if (distance == best) nearest.push_back(name);
  }
  constexpr size_t kMostNames = 3;
  return nearest.size() > kMostNames ? std::vector<std::string>{} : nearest;
}

}  // namespace calque
