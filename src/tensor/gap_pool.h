#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tensor/memory_block.h"
#include "tensor/tensor.h"

namespace calque {

/// Memory for gradients: given back piece by piece in any order, and reused best fit. A buffer may
/// have several holders (`share`); it is free when the last one has released it. When everything is
/// free again and the pool has grown, the next allocation makes one block out of all, so a steady
/// state allocates nothing.
class GapPool {
 public:
  /// Uninitialised, 64-byte aligned, one holder.
  Tensor allocate(const Shape& shape);
  /// One more holder of the buffer that starts at `tensor.data`.
  void share(const Tensor& tensor);
  /// Number of holders.
  int holders(const Tensor& tensor) const;
  /// One holder less; the last one frees. Throws InternalError for memory that is not the pool's.
  void release(const Tensor& tensor);

  size_t used() const { return used_; }
  size_t peak() const { return peak_; }
  size_t capacity() const;

 private:
  struct Gap {
    std::byte* data;
    size_t bytes;
  };
  struct Buffer {
    std::byte* data;
    size_t bytes;
    int holders;
  };
  std::vector<MemoryBlock> blocks_;
  std::vector<Gap> gaps_;        // sorted by address, never adjacent within a block
  std::vector<Buffer> buffers_;  // in use; few, searched from the newest
  size_t used_ = 0;
  size_t peak_ = 0;

  size_t find(const Tensor& tensor) const;
  void add_block(size_t bytes);
  void add_gap(Gap gap);
  bool starts_block(const std::byte* data) const;
};

}  // namespace calque
