#include "base/resident_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <limits>

namespace calque {
namespace {

/// madvise of the pages that `mapped` touches; it is advice, so that failing does no harm.
void advise(std::span<const std::byte> mapped, int advice) {
  if (mapped.empty()) return;
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(mapped.data());
  const uintptr_t ahead = begin % page;
  madvise(reinterpret_cast<void*>(begin - ahead), mapped.size() + ahead, advice);
}

}  // namespace

int64_t resident_file_bytes() {
  constexpr int64_t kUnknown = std::numeric_limits<int64_t>::max();
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return kUnknown;
  std::array<char, 128> text{};
  const ssize_t got = read(file, text.data(), text.size() - 1);
  close(file);
  long long shared_pages = 0;  // the third number; those before: all of it, what is resident
  if (got <= 0 || std::sscanf(text.data(), "%*d %*d %lld", &shared_pages) != 1) return kUnknown;
  return shared_pages * sysconf(_SC_PAGESIZE);
}

void drop_pages(std::span<const std::byte> mapped) { advise(mapped, MADV_DONTNEED); }

void expect_random_reads(std::span<const std::byte> mapped) { advise(mapped, MADV_RANDOM); }

}  // namespace calque
