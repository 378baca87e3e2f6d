#include "tensor/memory_block.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "support/catch.h"

namespace calque {

TEST_CASE("a block is aligned, writable to its end, and at least as large as asked", "[tensor]") {
  for (const size_t bytes :
       {size_t{1}, size_t{64}, size_t{1000}, (size_t{2} << 20) - 4, size_t{5} << 20}) {
    const MemoryBlock block(bytes);
    REQUIRE(block.data() != nullptr);
    CHECK(block.size() >= bytes);
    CHECK(reinterpret_cast<uintptr_t>(block.data()) % kAlignment == 0);
    std::memset(block.data(), 7, block.size());
    CHECK(block.data()[block.size() - 1] == std::byte{7});
  }
  CHECK(MemoryBlock(0).data() == nullptr);
}

TEST_CASE("a block moves with its memory", "[tensor]") {
  MemoryBlock first(100);
  std::byte* const data = first.data();
  MemoryBlock second(std::move(first));
  CHECK(second.data() == data);
  MemoryBlock third;
  third = std::move(second);
  CHECK(third.data() == data);
  CHECK(third.size() == 128);
}

TEST_CASE("memory that the system has not got is the user's error, with its size", "[tensor]") {
  std::string message;
  try {
    const MemoryBlock block(size_t{1} << 60);
  } catch (const UserError& error) {
    message = error.what();
  }
  CHECK(message.find("1099511627776 MB") != std::string::npos);
}

TEST_CASE("memory that is discarded goes back to the system, and can be written anew", "[tensor]") {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const MemoryBlock block(size_t{5} << 20);
  std::memset(block.data(), 7, block.size());
  const size_t begin = page + 1;  // inside a page
  discard(block.data() + begin, 10 * page);
  CHECK(block.data()[begin - 1] == std::byte{7});
  CHECK(block.data()[begin + 10 * page] == std::byte{7});
#ifdef NDEBUG  // else it is poisoned, and so there again
  unsigned char is_resident[10];
  REQUIRE(mincore(block.data() + 2 * page, 9 * page, is_resident) == 0);
  for (size_t i = 0; i < 9; ++i) CHECK((is_resident[i] & 1) == 0);
#endif
  std::memset(block.data() + begin, 8, 10 * page);
  CHECK(block.data()[begin + 5 * page] == std::byte{8});
}

TEST_CASE("poisoned memory reads as NaN in either width", "[tensor]") {
  alignas(double) std::byte memory[64] = {};
  set_poisoning(true);
  poison(memory, sizeof(memory));
#ifdef NDEBUG
  set_poisoning(false);
#endif
  float narrow = 0;
  double wide = 0;
  std::memcpy(&narrow, memory, sizeof(narrow));
  std::memcpy(&wide, memory + 8, sizeof(wide));
  CHECK(std::isnan(narrow));
  CHECK(std::isnan(wide));
}

}  // namespace calque
