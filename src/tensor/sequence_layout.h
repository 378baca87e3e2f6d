#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace calque {

/// Where each sentence lies among packed rows: sentence `s` is the rows
/// [begins[s], begins[s] + lengths[s]). There is no padding; every row is a real token. In training
/// sentences follow one another without gaps; in decoding a layout may name some sentences of a
/// larger matrix. A view: the arrays belong to a SequenceLayoutBuffer.
struct SequenceLayout {
  std::span<const int32_t> begins;   // [sentences]
  std::span<const int32_t> lengths;  // [sentences]
  int64_t tokens = 0;                // sum of lengths

  int64_t sentences() const { return static_cast<int64_t>(begins.size()); }
};

/// Owns the arrays of a SequenceLayout. Cleared and filled again without new memory.
class SequenceLayoutBuffer {
 public:
  void clear();
  /// Memory for so many sentences.
  void reserve(int64_t sentences);
  /// A sentence of `length` rows right behind the last one appended.
  void append(int64_t length);
  /// A sentence that lies at `begin`.
  void append_at(int64_t begin, int64_t length);
  /// Valid until the next call that changes the buffer.
  SequenceLayout view() const { return {begins_, lengths_, tokens_}; }

 private:
  std::vector<int32_t> begins_;
  std::vector<int32_t> lengths_;
  int64_t tokens_ = 0;
};

}  // namespace calque
