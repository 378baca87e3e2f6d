#include "tensor/shape.h"

#include "base/error.h"

namespace calque {

Shape::Shape(std::initializer_list<int64_t> sizes) : rank_(static_cast<int>(sizes.size())) {
  CALQUE_CHECK(sizes.size() <= static_cast<size_t>(kMaxRank), "{} dimensions, at most {}",
               sizes.size(), kMaxRank);
  size_t i = 0;
  for (const int64_t size : sizes) {
    CALQUE_CHECK(size >= 0, "dimension {} has size {}", i, size);
    sizes_[i++] = size;
  }
}

int64_t Shape::count() const {
  int64_t product = 1;
  for (int i = 0; i < rank_; ++i) product *= sizes_[static_cast<size_t>(i)];
  return product;
}

std::string Shape::to_string() const {
  std::string text = "[";
  for (int i = 0; i < rank_; ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(sizes_[static_cast<size_t>(i)]);
  }
  return text + "]";
}

}  // namespace calque
