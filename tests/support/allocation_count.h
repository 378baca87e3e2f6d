#pragma once

#include <cstdint>

// Sanitizers have an allocator of their own, whose calls cannot be counted like this.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CALQUE_COUNTS_ALLOCATIONS 1
#else
#define CALQUE_COUNTS_ALLOCATIONS 0
#endif

namespace calque::test {

/// Counts how often memory is asked for, by any thread of the process, in as long as it lives:
/// malloc and its kin, so operator new too, and mmap. One at a time.
class AllocationCount {
 public:
  AllocationCount();
  ~AllocationCount();
  AllocationCount(const AllocationCount&) = delete;
  AllocationCount& operator=(const AllocationCount&) = delete;

  int64_t value() const;
};

}  // namespace calque::test
