#include "tensor/arena.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "support/catch.h"

namespace calque {
namespace {

/// Poisoning on while it lives, then back to the build's own setting.
struct PoisonScope {
  PoisonScope() { set_poisoning(true); }
  ~PoisonScope() {
#ifdef NDEBUG
    set_poisoning(false);
#endif
  }
};

}  // namespace

TEST_CASE("arena memory is aligned, separate, and keeps what is written", "[tensor]") {
  Arena arena;
  std::vector<int32_t*> pieces;
  std::vector<int64_t> counts;
  for (int64_t i = 0; i < 300; ++i) {
    counts.push_back(static_cast<int64_t>(random_u64({5}, static_cast<uint64_t>(i)) % 5000));
    pieces.push_back(arena.allocate<int32_t>(counts.back()));
    REQUIRE(reinterpret_cast<uintptr_t>(pieces.back()) % kAlignment == 0);
    std::fill_n(pieces.back(), counts.back(), static_cast<int32_t>(i));
  }
  int64_t wrong = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    for (int64_t j = 0; j < counts[i]; ++j) wrong += pieces[i][j] != static_cast<int32_t>(i);
  }
  CHECK(wrong == 0);
}

TEST_CASE("an arena that grew becomes one block after a reset, with some room", "[tensor]") {
  Arena arena(1000);
  const auto step = [&] {
    for (int i = 0; i < 50; ++i) arena.allocate<float>(40000);
    arena.reset();
  };
  step();
  CHECK(arena.used() == 0);
  CHECK(arena.peak() == 50 * 160000);
  step();
  const size_t settled = arena.capacity();
  CHECK(settled >= arena.peak() + arena.peak() / 4);
  CHECK(settled < 2 * arena.peak());
  const float* const first = arena.allocate<float>(1);
  arena.reset();
  for (int i = 0; i < 3; ++i) step();
  CHECK(arena.capacity() == settled);
  CHECK(arena.allocate<float>(1) == first);
}

TEST_CASE("an arena makes room ahead, but not while it is in use", "[tensor]") {
  Arena arena;
  arena.reserve(1000000);
  const size_t capacity = arena.capacity();
  CHECK(capacity >= 1000000);
  CHECK(arena.peak() == 0);
  const auto* const first = arena.allocate<char>(600000);
  CHECK(arena.allocate<char>(300000) > first);
  CHECK(arena.capacity() == capacity);
  CHECK_THROWS_AS(arena.reserve(2000000), InternalError);
  arena.reset();
  arena.reserve(900000);
  CHECK(arena.capacity() == capacity);
  CHECK(arena.allocate<char>(1) == first);
}

TEST_CASE("rewind takes back what came after the mark and nothing before", "[tensor]") {
  Arena arena;
  int32_t* const kept = arena.allocate<int32_t>(10);
  std::fill_n(kept, 10, 42);
  const Arena::Mark mark = arena.mark();
  const size_t used = arena.used();
  int32_t* const first = arena.allocate<int32_t>(100);
  arena.allocate<int32_t>(1 << 20);
  arena.rewind(mark);
  CHECK(arena.used() == used);
  CHECK(arena.allocate<int32_t>(100) == first);
  CHECK(std::vector<int32_t>(kept, kept + 10) == std::vector<int32_t>(10, 42));
}

TEST_CASE("an arena that is only rewound to its start merges its blocks too", "[tensor]") {
  Arena arena;
  const Arena::Mark start = arena.mark();
  for (int i = 0; i < 20; ++i) arena.allocate<double>(100000);
  arena.rewind(start);
  const double* const first = arena.allocate<double>(100000);
  const double* last = first;
  for (int i = 1; i < 20; ++i) last = arena.allocate<double>(100000);
  CHECK(last == first + 19 * 100000);
}

TEST_CASE("blocks behind a mark are filled again", "[tensor]") {
  Arena arena;
  arena.allocate<char>(10);
  const Arena::Mark mark = arena.mark();
  arena.allocate<char>(1 << 20);
  arena.allocate<char>(1 << 22);
  const size_t capacity = arena.capacity();
  for (int i = 0; i < 5; ++i) {
    arena.rewind(mark);
    arena.allocate<char>(1 << 20);
    arena.allocate<char>(1 << 22);
  }
  CHECK(arena.capacity() == capacity);
}

TEST_CASE("a count of zero still gives a place of its own", "[tensor]") {
  Arena arena;
  const Tensor none = arena.tensor({0, 4});
  const Tensor other = arena.tensor({0});
  CHECK(none);
  CHECK(none.data != other.data);
}

TEST_CASE("fresh and returned arena memory is poisoned where asked for", "[tensor]") {
  const PoisonScope scope;
  Arena arena(4096);
  const Tensor first = arena.tensor({3});
  CHECK(std::isnan(first.data[0]));
  first.data[0] = 1;
  const Arena::Mark mark = arena.mark();
  const Tensor second = arena.tensor({3});
  second.data[2] = 1;
  arena.rewind(mark);
  CHECK(std::isnan(second.data[2]));
  CHECK(first.data[0] == 1);
  arena.reset();
  CHECK(std::isnan(first.data[0]));
}

TEST_CASE("an arena refuses negative counts and marks from its future", "[tensor]") {
  Arena arena;
  CHECK_THROWS_AS(arena.allocate<float>(-1), InternalError);
  arena.allocate<float>(10);
  const Arena::Mark mark = arena.mark();
  arena.reset();
  CHECK_THROWS_AS(arena.rewind(mark), InternalError);
}

}  // namespace calque
