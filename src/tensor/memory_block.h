#pragma once

#include <cstddef>

namespace calque {

/// Bytes between the starts of any two allocations of the pools: a cache line, and the widest SIMD
/// register.
inline constexpr size_t kAlignment = 64;

/// `bytes` rounded up to kAlignment.
constexpr size_t aligned(size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// One owned piece of aligned memory; large pieces ask the kernel for huge pages. Movable. Throws
/// UserError naming the size when the system has no such memory.
class MemoryBlock {
 public:
  MemoryBlock() = default;
  explicit MemoryBlock(size_t bytes);
  ~MemoryBlock();
  MemoryBlock(MemoryBlock&& other) noexcept;
  MemoryBlock& operator=(MemoryBlock&& other) noexcept;

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// Gives memory of a block back to the system, as far as it is whole pages. What was there is lost;
/// it may be written anew.
void discard(void* data, size_t bytes);

/// In debug builds fills memory with signalling bytes (NaN as float and as double), so that
/// whatever is read before it is written, or after it was given back, fails loudly. Nothing in
/// release builds unless `set_poisoning(true)`, which tests use.
void poison(void* data, size_t bytes);
void set_poisoning(bool on);

}  // namespace calque
