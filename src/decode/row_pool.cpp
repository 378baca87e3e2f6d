#include "decode/row_pool.h"

#include <algorithm>
#include <iterator>

namespace calque {

RowPool::RowPool(int64_t rows) {
  if (rows > 0) give_back(0, rows);
}

std::optional<int64_t> RowPool::take(int64_t count) {
  const auto gap =
      std::ranges::find_if(gaps_, [&](const auto& candidate) { return candidate.second >= count; });
  if (gap == gaps_.end()) return std::nullopt;
  const auto [first, rows] = *gap;
  gaps_.erase(gap);
  if (rows > count) gaps_.emplace(first + count, rows - count);
  free_ -= count;
  return first;
}

void RowPool::give_back(int64_t first, int64_t count) {
  free_ += count;
  auto next = gaps_.lower_bound(first);
  if (next != gaps_.end() && next->first == first + count) {
    count += next->second;
    next = gaps_.erase(next);
  }
  if (next != gaps_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == first) {
      previous->second += count;
      return;
    }
  }
  gaps_.emplace_hint(next, first, count);
}

}  // namespace calque
