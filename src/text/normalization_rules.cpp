#include "text/normalization_rules.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace calque {
namespace {

constexpr uint64_t kBlock = 256;  // units that can go on from one, by the next byte
constexpr int kLongestKey = 32;   // bytes; SentencePiece has room for as many keys in one another
constexpr size_t kLongestText = 256;  // bytes; Unicode's own rules need 33

/// A unit of the double array.
struct Unit {
  uint32_t bits;

  uint32_t label() const { return bits & 0x8000'00FFU; }  // a byte, or more than any byte
  bool ends_key() const { return (bits >> 8 & 1) != 0; }
  uint32_t offset() const { return (bits >> 10) << ((bits & 0x200) >> 6); }
  uint32_t value() const { return bits & 0x7FFF'FFFFU; }
};

class Trie {
 public:
  Trie(std::string_view units, std::string_view texts)
      : units_(units.size() / sizeof(Unit)), texts_(texts), heights_(units_.size(), kUnknown) {
    std::ranges::copy(std::as_bytes(std::span(units)).first(units_.size() * sizeof(Unit)),
                      std::as_writable_bytes(std::span(units_)).begin());
  }

  /// Whether every walk from the root stays inside, is short, and finds texts that are there.
  bool is_sound() { return !units_.empty() && height(0, 0) >= 0; }

 private:
  static constexpr int8_t kUnknown = -1;
  static constexpr int kBroken = -1;

  std::vector<Unit> units_;
  std::string_view texts_;
  std::vector<int8_t> heights_;  // of what was walked: bytes that may follow, by the block's place

  bool has_text(uint64_t unit) const {
    const size_t begin = units_[unit].value();
    if (begin >= texts_.size()) return false;
    return texts_.substr(begin, kLongestText + 1).find('\0') != std::string_view::npos;
  }

  /// The most bytes of a key that may follow behind a unit that lies `depth` bytes behind the root;
  /// kBroken when they are too many, or lead outside.
  int height(uint64_t unit, int depth) {
    if (depth > kLongestKey) return kBroken;
    const uint64_t next = unit ^ units_[unit].offset();
    if ((next | (kBlock - 1)) >= units_.size()) return kBroken;
    if (unit != 0 && units_[unit].ends_key() && !has_text(next)) return kBroken;
    if (heights_[next] != kUnknown) return heights_[next];
    int highest = 0;
    for (uint64_t byte = 0; byte < kBlock; ++byte) {
      if (units_[next ^ byte].label() != byte) continue;
      const int below = height(next ^ byte, depth + 1);
      if (below == kBroken || below >= kLongestKey) return kBroken;
      highest = std::max(highest, below + 1);
    }
    heights_[next] = static_cast<int8_t>(highest);
    return highest;
  }
};

}  // namespace

std::optional<std::string> find_broken_rules(std::string_view rules) {
  if (rules.empty()) return std::nullopt;
  uint32_t length = 0;
  if (rules.size() < sizeof length) return "they are too short";
  std::memcpy(&length, rules.data(), sizeof length);
  rules.remove_prefix(sizeof length);
  if (length > rules.size()) return "their length is wrong";
  if (!Trie(rules.substr(0, length), rules.substr(length)).is_sound()) {
    return "they lead outside themselves";
  }
  return std::nullopt;
}

}  // namespace calque
