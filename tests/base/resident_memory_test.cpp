#include "base/resident_memory.h"

#include <numeric>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/catch.h"

using namespace calque;

TEST_CASE("pages of a mapped file are counted when read, until they are dropped", "[base]") {
  const test::TemporaryFolder folder;
  constexpr int64_t kBytes = int64_t{32} << 20;
  constexpr int64_t kSlack = kBytes / 4;  // the system counts in lots, and maps other files
  write_file_atomically(folder / "x", std::string(kBytes, '\1'));
  const MappedFile file(folder / "x");
  expect_random_reads(file.bytes());
  const auto sum = [&] {
    return std::accumulate(file.bytes().begin(), file.bytes().end(), int64_t{0},
                           [](int64_t sum, std::byte byte) { return sum + int64_t(byte); });
  };
  const int64_t before = resident_file_bytes();
  CHECK(before > 0);
  CHECK(sum() == kBytes);
  const int64_t mapped = resident_file_bytes() - before;
  CHECK(mapped > kBytes - kSlack);
  drop_pages(file.bytes().subspan(kBytes / 2 + 1));  // need not begin with a page
  CHECK(resident_file_bytes() - before < kBytes / 2 + kSlack);
  drop_pages(file.bytes());
  CHECK(resident_file_bytes() - before < kSlack);
  CHECK(sum() == kBytes);
  drop_pages({});
}
