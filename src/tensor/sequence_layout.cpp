#include "tensor/sequence_layout.h"

#include <limits>

#include "base/error.h"

namespace calque {

void SequenceLayoutBuffer::clear() {
  begins_.clear();
  lengths_.clear();
  tokens_ = 0;
}

void SequenceLayoutBuffer::reserve(int64_t sentences) {
  begins_.reserve(static_cast<size_t>(sentences));
  lengths_.reserve(static_cast<size_t>(sentences));
}

void SequenceLayoutBuffer::append(int64_t length) {
  append_at(begins_.empty() ? 0 : int64_t{begins_.back()} + lengths_.back(), length);
}

void SequenceLayoutBuffer::append_at(int64_t begin, int64_t length) {
  CALQUE_CHECK(begin >= 0 && length >= 0 && begin + length <= std::numeric_limits<int32_t>::max(),
               "a sentence of {} rows at row {}", length, begin);
  begins_.push_back(static_cast<int32_t>(begin));
  lengths_.push_back(static_cast<int32_t>(length));
  tokens_ += length;
}

}  // namespace calque
