#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace calque {

/// Which rows of a matrix are free: hands out ranges of neighbouring rows, the first that fits.
class RowPool {
 public:
  explicit RowPool(int64_t rows = 0);

  /// The first row of `count` free ones, or nothing when there are not so many in one place.
  std::optional<int64_t> take(int64_t count);
  /// Rows that were taken together are free again.
  void give_back(int64_t first, int64_t count);

  int64_t free_rows() const { return free_; }

 private:
  std::map<int64_t, int64_t> gaps_;  // first row -> rows; never adjacent
  int64_t free_ = 0;
};

}  // namespace calque
