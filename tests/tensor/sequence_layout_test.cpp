#include "tensor/sequence_layout.h"

#include "base/error.h"
#include "support/catch.h"

namespace calque {

TEST_CASE("appended sentences follow one another without gaps", "[tensor]") {
  SequenceLayoutBuffer buffer;
  CHECK(buffer.view().sentences() == 0);
  buffer.append(3);
  buffer.append(0);
  buffer.append(5);
  const SequenceLayout layout = buffer.view();
  CHECK(layout.sentences() == 3);
  CHECK(layout.tokens == 8);
  CHECK(std::vector<int32_t>(layout.begins.begin(), layout.begins.end()) ==
        std::vector<int32_t>{0, 3, 3});
  CHECK(std::vector<int32_t>(layout.lengths.begin(), layout.lengths.end()) ==
        std::vector<int32_t>{3, 0, 5});
}

TEST_CASE("a layout may name sentences anywhere, and starts anew when cleared", "[tensor]") {
  SequenceLayoutBuffer buffer;
  buffer.append_at(40, 2);
  buffer.append(4);
  buffer.append_at(7, 1);
  CHECK(buffer.view().begins[1] == 42);
  CHECK(buffer.view().begins[2] == 7);
  CHECK(buffer.view().tokens == 7);
  buffer.clear();
  CHECK(buffer.view().tokens == 0);
  buffer.append(2);
  CHECK(buffer.view().begins[0] == 0);
}

TEST_CASE("a layout refuses negative places and rows beyond 32 bits", "[tensor]") {
  SequenceLayoutBuffer buffer;
  CHECK_THROWS_AS(buffer.append(-1), InternalError);
  CHECK_THROWS_AS(buffer.append_at(-1, 2), InternalError);
  CHECK_THROWS_AS(buffer.append(int64_t{1} << 31), InternalError);
}

}  // namespace calque
