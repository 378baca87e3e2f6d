#include "base/random.h"

#include <cmath>
#include <set>
#include <vector>

#include "base/error.h"
#include "support/catch.h"

using namespace calque;

namespace {

using Words = std::array<uint32_t, 4>;

Words philox(const Words& counter, uint64_t key) {
  return random_words({key, counter[3], counter[2]}, counter[1], counter[0]);
}

std::vector<uint64_t> images(uint64_t size, const RandomKey& key) {
  const KeyedPermutation permutation(size, key);
  std::vector<uint64_t> result;
  for (uint64_t i = 0; i < size; ++i) result.push_back(permutation(i));
  return result;
}

}  // namespace

// The known answers of Random123 (examples/kat_vectors, "philox4x32 10").
TEST_CASE("random_words is Philox4x32-10", "[base]") {
  CHECK(philox({0, 0, 0, 0}, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({~0u, ~0u, ~0u, ~0u}, ~uint64_t{0}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random_u64 depends on every part of key and index", "[base]") {
  const RandomKey key{1, 2, 3};
  std::set<uint64_t> values{random_u64(key, 7)};
  values.insert(random_u64({2, 2, 3}, 7));
  values.insert(random_u64({uint64_t{1} << 32 | 1, 2, 3}, 7));
  values.insert(random_u64({1, 3, 3}, 7));
  values.insert(random_u64({1, 2, 4}, 7));
  values.insert(random_u64(key, 8));
  values.insert(random_u64(key, uint64_t{1} << 32 | 7));
  CHECK(values.size() == 7);
  CHECK(random_u64(key, 7) == random_u64(key, 7));
}

TEST_CASE("uniform numbers are at least 0, below 1, and have the right moments", "[base]") {
  constexpr int kCount = 100000;
  double sum = 0;
  double squares = 0;
  bool inside = true;
  for (uint64_t i = 0; i < kCount; ++i) {
    const double x = random_uniform({5, 0, 0}, i);
    inside = inside && x >= 0 && x < 1;
    sum += x;
    squares += x * x;
  }
  CHECK(inside);
  CHECK(std::abs(sum / kCount - 0.5) < 0.005);
  CHECK(std::abs(squares / kCount - 1.0 / 3) < 0.005);
}

TEST_CASE("normal numbers have the moments of the normal distribution", "[base]") {
  constexpr int kCount = 100000;
  double power[5] = {};
  for (uint64_t i = 0; i < kCount; ++i) {
    const double x = random_normal({5, 0, 0}, i);
    REQUIRE(std::isfinite(x));
    for (int p = 1; p <= 4; ++p) power[p] += std::pow(x, p) / kCount;
  }
  CHECK(std::abs(power[1]) < 0.02);
  CHECK(std::abs(power[2] - 1) < 0.03);
  CHECK(std::abs(power[3]) < 0.06);
  CHECK(std::abs(power[4] - 3) < 0.2);
}

TEST_CASE("a keyed permutation is a bijection", "[base]") {
  for (uint64_t size = 1; size <= 300; ++size) {
    std::vector<bool> seen(size, false);
    for (const uint64_t image : images(size, {size * 31, 0, streams::kEpochOrder})) {
      REQUIRE(image < size);
      REQUIRE_FALSE(seen[image]);
      seen[image] = true;
    }
  }
}

TEST_CASE("a keyed permutation differs by seed, epoch and stream", "[base]") {
  const auto base = images(300, {1, 0, streams::kEpochOrder});
  CHECK(base == images(300, {1, 0, streams::kEpochOrder}));
  CHECK(base != images(300, {2, 0, streams::kEpochOrder}));
  CHECK(base != images(300, {1, 1, streams::kEpochOrder}));
  CHECK(base != images(300, {1, 0, streams::kInit}));
}

TEST_CASE("a keyed permutation reaches all places from each index", "[base]") {
  // Over 4000 keys each of 10 images of index 3 is expected 400 times, give or take 19.
  std::vector<int> counts(10, 0);
  for (uint64_t seed = 0; seed < 4000; ++seed) ++counts[KeyedPermutation(10, {seed, 0, 0})(3)];
  for (const int count : counts) CHECK(std::abs(count - 400) < 100);
}

TEST_CASE("a keyed permutation works at the largest sizes", "[base]") {
  constexpr uint64_t kSize = ~uint64_t{0};
  const KeyedPermutation permutation(kSize, {1, 0, 0});
  CHECK(permutation(0) != permutation(kSize - 1));
  CHECK(permutation(0) < kSize);
}

TEST_CASE("each purpose has a stream of its own", "[base]") {
  using namespace streams;
  const std::set<uint32_t> all{
      kInit,      kEpochOrder,   kVocabulary,   kRandomCorpus, kBenchmark, kBootstrap, kSampling,
      kLayerDrop, kFaithfulness, kSourcePieces, kTargetPieces, kAttack,    kDirection, kNoise};
  CHECK(all.size() == 14);
  CHECK(kNoise == *all.begin());  // those of its kinds lie behind it, below all others
  CHECK(*std::next(all.begin()) - kNoise == 0x100);
}

TEST_CASE("a permutation refuses what it cannot map", "[base]") {
  CHECK_THROWS_AS(KeyedPermutation(0, RandomKey{}), InternalError);
  CHECK_THROWS_AS(KeyedPermutation(5, RandomKey{})(5), InternalError);
}
