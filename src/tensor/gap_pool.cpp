#include "tensor/gap_pool.h"

#include <algorithm>
#include <functional>

#include "base/error.h"

namespace calque {
namespace {

constexpr size_t kSmallestBlock = size_t{4} << 20;
constexpr size_t kBuffers = 64;  // room for more than are in use together, and gaps between them

}  // namespace

Tensor GapPool::allocate(const Shape& shape) {
  const size_t size =
      std::max(aligned(static_cast<size_t>(shape.count()) * sizeof(Real)), kAlignment);
  if (used_ == 0 && blocks_.size() > 1) {
    const size_t all = capacity();
    gaps_.clear();
    blocks_.clear();  // first, so that old and new are never there together
    add_block(all);
  }
  const auto best_gap = [&] {
    auto best = gaps_.end();
    for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap) {
      if (gap->bytes >= size && (best == gaps_.end() || gap->bytes < best->bytes)) best = gap;
    }
    return best;
  };
  auto gap = best_gap();
  if (gap == gaps_.end()) {
    add_block(std::max({size, capacity() / 2, kSmallestBlock}));
    gap = best_gap();
  }
  std::byte* const data = gap->data;
  gap->data += size;
  gap->bytes -= size;
  if (gap->bytes == 0) gaps_.erase(gap);
  buffers_.push_back({data, size, 1});
  used_ += size;
  peak_ = std::max(peak_, used_);
  poison(data, size);
  return {reinterpret_cast<Real*>(data), shape};
}

void GapPool::share(const Tensor& tensor) { ++buffers_[find(tensor)].holders; }

int GapPool::holders(const Tensor& tensor) const { return buffers_[find(tensor)].holders; }

void GapPool::release(const Tensor& tensor) {
  const size_t index = find(tensor);
  const Buffer buffer = buffers_[index];
  if (buffer.holders > 1) {
    --buffers_[index].holders;
    return;
  }
  buffers_.erase(buffers_.begin() + static_cast<std::ptrdiff_t>(index));
  used_ -= buffer.bytes;
  poison(buffer.data, buffer.bytes);
  add_gap({buffer.data, buffer.bytes});
}

size_t GapPool::capacity() const {
  size_t bytes = 0;
  for (const MemoryBlock& block : blocks_) bytes += block.size();
  return bytes;
}

size_t GapPool::find(const Tensor& tensor) const {
  const auto* const data = reinterpret_cast<const std::byte*>(tensor.data);
  for (size_t i = buffers_.size(); i > 0; --i) {
    if (buffers_[i - 1].data == data) return i - 1;
  }
  throw InternalError(fmt::format("a tensor of shape {} at {} is not a buffer of this pool",
                                  tensor.shape.to_string(), fmt::ptr(tensor.data)));
}

void GapPool::add_block(size_t bytes) {
  gaps_.reserve(kBuffers);
  buffers_.reserve(kBuffers);
  blocks_.emplace_back(bytes);
  add_gap({blocks_.back().data(), blocks_.back().size()});
}

void GapPool::add_gap(Gap gap) {
  auto next = std::lower_bound(gaps_.begin(), gaps_.end(), gap, [](const Gap& a, const Gap& b) {
    return std::less<>()(a.data, b.data);
  });
  const auto touch = [&](const Gap& low, const Gap& high) {
    return low.data + low.bytes == high.data && !starts_block(high.data);
  };
  if (next != gaps_.end() && touch(gap, *next)) {
    gap.bytes += next->bytes;
    next = gaps_.erase(next);
  }
  if (next != gaps_.begin() && touch(next[-1], gap)) {
    next[-1].bytes += gap.bytes;
  } else {
    gaps_.insert(next, gap);
  }
}

bool GapPool::starts_block(const std::byte* data) const {
  return std::any_of(blocks_.begin(), blocks_.end(),
                     [&](const MemoryBlock& block) { return block.data() == data; });
}

}  // namespace calque
