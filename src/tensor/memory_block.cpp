#include "tensor/memory_block.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace calque {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

#ifdef NDEBUG
bool poisoning = false;
#else
bool poisoning = true;
#endif

/// Address space that starts at a huge page, or null. `bytes` is a multiple of kHugePage.
std::byte* map_huge_pages(size_t bytes) {
  void* const mapped =
      mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const begin = static_cast<std::byte*>(mapped);
  const size_t head = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
  if (head > 0) munmap(begin, head);
  munmap(begin + head + bytes, kHugePage - head);
  // Advice only: without huge pages the memory is the same, merely slower to touch.
  madvise(begin + head, bytes, MADV_HUGEPAGE);
  return begin + head;
}

}  // namespace

MemoryBlock::MemoryBlock(size_t bytes) {
  CALQUE_CHECK(bytes <= size_t{PTRDIFF_MAX} - 2 * kHugePage, "a block of {} bytes", bytes);
  if (bytes == 0) return;
  size_ = aligned(bytes);  // its size tells the destructor where a block came from
  if (size_ >= kHugePage) {
    size_ = (size_ + kHugePage - 1) / kHugePage * kHugePage;
    data_ = map_huge_pages(size_);
  } else {
    data_ = static_cast<std::byte*>(std::aligned_alloc(kAlignment, size_));
  }
  if (data_ == nullptr) {
    throw UserError(
        fmt::format("the system gives no {} MB of memory: use smaller batches or a smaller model",
                    size_ >> 20));
  }
}

MemoryBlock::~MemoryBlock() {
  if (size_ >= kHugePage) {
    munmap(data_, size_);
  } else {
    std::free(data_);
  }
}

MemoryBlock::MemoryBlock(MemoryBlock&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MemoryBlock& MemoryBlock::operator=(MemoryBlock&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void discard(void* data, size_t bytes) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(data);
  const uintptr_t first = (begin + page - 1) / page * page;
  const uintptr_t last = (begin + bytes) / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  poison(data, bytes);
}

void poison(void* data, size_t bytes) {
  constexpr int kAllOnes = 0xFF;  // a NaN of either width, and an id of -1
  if (poisoning && bytes > 0) std::memset(data, kAllOnes, bytes);
}

void set_poisoning(bool on) { poisoning = on; }

}  // namespace calque
