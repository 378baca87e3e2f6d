// Stands in for the C library's allocating functions in the test programs, and hands on to them.
#include "support/allocation_count.h"

#if CALQUE_COUNTS_ALLOCATIONS

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

namespace calque::test {
namespace {

std::atomic<bool> counting{false};
std::atomic<int64_t> calls{0};

void note_call() {
  if (counting.load(std::memory_order_relaxed)) calls.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

AllocationCount::AllocationCount() {
  calls = 0;
  counting = true;
}

AllocationCount::~AllocationCount() { counting = false; }

int64_t AllocationCount::value() const { return calls; }

}  // namespace calque::test

using calque::test::note_call;

extern "C" {

// What the C library's functions are called inside of it.
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* data, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) {
  note_call();
  return __libc_malloc(bytes);
}

void* calloc(size_t count, size_t bytes) {
  note_call();
  return __libc_calloc(count, bytes);
}

void* realloc(void* data, size_t bytes) {
  note_call();
  return __libc_realloc(data, bytes);
}

void* memalign(size_t alignment, size_t bytes) {
  note_call();
  return __libc_memalign(alignment, bytes);
}

void* aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }

int posix_memalign(void** data, size_t alignment, size_t bytes) {
  void* const found = memalign(alignment, bytes);
  if (found == nullptr) return ENOMEM;
  *data = found;
  return 0;
}

void* mmap(void* address, size_t bytes, int protection, int flags, int file, off_t offset) {
  note_call();
  const long mapped = syscall(SYS_mmap, address, bytes, protection, flags, file, offset);
  return reinterpret_cast<void*>(mapped);
}

}  // extern "C"

#endif
