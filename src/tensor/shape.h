#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace calque {

/// Sizes of a tensor, outermost first; up to four dimensions. Trivially copyable.
class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  /// Throws InternalError when a size is negative or there are more than four.
  Shape(std::initializer_list<int64_t> sizes);

  int rank() const { return rank_; }
  /// Size of dimension `i`; a negative `i` counts from the end (-1 is the innermost).
  int64_t operator[](int i) const { return sizes_[static_cast<size_t>(i < 0 ? rank_ + i : i)]; }
  /// Product of all sizes; 1 for rank 0.
  int64_t count() const;

  bool operator==(const Shape& other) const = default;

  /// "[17, 128]".
  std::string to_string() const;

 private:
  std::array<int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

}  // namespace calque
