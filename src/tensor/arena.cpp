#include "tensor/arena.h"

#include <algorithm>

#include "base/error.h"

namespace calque {
namespace {

constexpr size_t kSmallestBlock = size_t{64} << 10;

}  // namespace

Arena::Arena(size_t bytes) {
  if (bytes > 0) blocks_.emplace_back(bytes);
}

void* Arena::allocate_bytes(size_t bytes) {
  CALQUE_CHECK(bytes <= PTRDIFF_MAX, "{} bytes asked of an arena", bytes);
  const size_t size = std::max(aligned(bytes), kAlignment);
  if (total_ == 0 && blocks_.size() > 1) merge_blocks();
  while (block_ < blocks_.size() && size > blocks_[block_].size() - used_) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    blocks_.emplace_back(std::max({size, capacity() / 2, kSmallestBlock}));
  }
  std::byte* const data = blocks_[block_].data() + used_;
  used_ += size;
  total_ += size;
  peak_ = std::max(peak_, total_);
  poison(data, size);
  return data;
}

void Arena::merge_blocks() { replace_blocks(std::max(capacity(), peak_ + peak_ / 4)); }

void Arena::replace_blocks(size_t bytes) {
  blocks_.clear();  // first, so that old and new are never there together
  blocks_.emplace_back(bytes);
}

void Arena::reserve(size_t bytes) {
  CALQUE_CHECK(total_ == 0, "an arena cannot be exchanged while {} bytes of it are in use", total_);
  if (capacity() < bytes) replace_blocks(bytes);
}

void Arena::reset() { rewind(Mark{}); }

void Arena::rewind(const Mark& mark) {
  CALQUE_CHECK(mark.total <= total_, "a mark at {} bytes of an arena that holds {}", mark.total,
               total_);
  for (size_t i = mark.block; i <= block_ && i < blocks_.size(); ++i) {
    const size_t begin = i == mark.block ? mark.used : 0;
    const size_t end = i == block_ ? used_ : blocks_[i].size();
    poison(blocks_[i].data() + begin, end - begin);
  }
  block_ = mark.block;
  used_ = mark.used;
  total_ = mark.total;
}

size_t Arena::capacity() const {
  size_t bytes = 0;
  for (const MemoryBlock& block : blocks_) bytes += block.size();
  return bytes;
}

}  // namespace calque
