#include "tensor/gap_pool.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "support/catch.h"

namespace calque {
namespace {

/// A pseudo-random number below `bound`.
int64_t draw(uint64_t index, int64_t bound) {
  return static_cast<int64_t>(random_u64({11}, index) % static_cast<uint64_t>(bound));
}

/// Allocates, shares and releases at random; returns the number of damaged elements.
int64_t play(GapPool& pool, uint64_t turns) {
  struct Held {
    Tensor tensor;
    Real mark;
    int holders;
  };
  std::vector<Held> held;
  int64_t damaged = 0;
  const auto release = [&](size_t index) {
    for (const Real value : held[index].tensor.values()) damaged += value != held[index].mark;
    pool.release(held[index].tensor);
    if (--held[index].holders == 0) held.erase(held.begin() + static_cast<std::ptrdiff_t>(index));
  };
  for (uint64_t turn = 0; turn < turns; ++turn) {
    const int64_t choice = draw(3 * turn, 10);
    if (held.empty() || (choice < 5 && held.size() < 40)) {
      const Tensor tensor = pool.allocate({draw(3 * turn + 1, 60), draw(3 * turn + 2, 600)});
      for (Real& value : tensor.values()) value = static_cast<Real>(turn);
      held.push_back({tensor, static_cast<Real>(turn), 1});
    } else {
      const auto index = static_cast<size_t>(draw(3 * turn + 1, static_cast<int64_t>(held.size())));
      if (choice == 9) {
        pool.share(held[index].tensor);
        ++held[index].holders;
      } else {
        release(index);
      }
    }
  }
  while (!held.empty()) release(held.size() - 1);
  return damaged;
}

}  // namespace

TEST_CASE("buffers in use never overlap, whatever the order of releases", "[tensor]") {
  GapPool pool;
  CHECK(play(pool, 3000) == 0);
  CHECK(pool.used() == 0);
  CHECK(pool.peak() > 0);
  CHECK(pool.capacity() >= pool.peak());
}

TEST_CASE("the same play again needs no more memory", "[tensor]") {
  GapPool pool;
  REQUIRE(play(pool, 500) == 0);
  const size_t capacity = pool.capacity();
  for (int i = 0; i < 3; ++i) REQUIRE(play(pool, 500) == 0);
  CHECK(pool.capacity() == capacity);
}

TEST_CASE("gaps grow together and the smallest that fits is taken", "[tensor]") {
  GapPool pool;
  constexpr int64_t kUnit = 64;
  std::vector<Tensor> row;
  for (int i = 0; i < 8; ++i) row.push_back(pool.allocate({kUnit}));
  pool.release(row[0]);  // a gap of one
  pool.release(row[2]);  // a gap of three, from pieces in mixed order
  pool.release(row[4]);
  pool.release(row[3]);
  CHECK(pool.allocate({3 * kUnit}).data == row[2].data);
  CHECK(pool.allocate({kUnit}).data == row[0].data);
}

TEST_CASE("a buffer is free when its last holder has released it", "[tensor]") {
  GapPool pool;
  const Tensor tensor = pool.allocate({4, 4});
  CHECK(pool.holders(tensor) == 1);
  pool.share(tensor);
  CHECK(pool.holders(tensor) == 2);
  const size_t used = pool.used();
  pool.release(tensor);
  CHECK(pool.used() == used);
  pool.release(tensor);
  CHECK(pool.used() == 0);
}

TEST_CASE("what is not the pool's cannot be released", "[tensor]") {
  GapPool pool;
  Real own[4] = {};
  CHECK_THROWS_AS(pool.release({own, {4}}), InternalError);
  const Tensor tensor = pool.allocate({8});
  CHECK_THROWS_AS(pool.release({tensor.data + 1, {7}}), InternalError);
  pool.release(tensor);
  CHECK_THROWS_AS(pool.release(tensor), InternalError);
}

TEST_CASE("the pool grows block by block and becomes one block when all is free", "[tensor]") {
  GapPool pool;
  const Shape large{1 << 20};
  const Tensor first = pool.allocate(large);
  const Tensor second = pool.allocate(large);
  const Tensor third = pool.allocate(large);
  const size_t capacity = pool.capacity();
  pool.release(first);
  pool.release(third);
  pool.release(second);
  const Tensor whole = pool.allocate({3 << 20});
  CHECK(pool.capacity() == capacity);
  CHECK(whole);
}

TEST_CASE("fresh and returned gradients are poisoned where asked for", "[tensor]") {
  set_poisoning(true);
  GapPool pool;
  const Tensor tensor = pool.allocate({5});
  CHECK(std::isnan(tensor.data[4]));
  tensor.data[4] = 1;
  pool.release(tensor);
  CHECK(std::isnan(tensor.data[4]));
#ifdef NDEBUG
  set_poisoning(false);
#endif
}

}  // namespace calque
