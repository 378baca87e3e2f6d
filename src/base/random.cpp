#include "base/random.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace calque {

std::array<uint32_t, 4> random_words(const RandomKey& key, uint32_t row, uint32_t column) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53u;
  constexpr uint64_t kMultiplier1 = 0xCD9E8D57u;
  constexpr uint32_t kWeyl0 = 0x9E3779B9u;
  constexpr uint32_t kWeyl1 = 0xBB67AE85u;
  uint32_t c0 = column;
  uint32_t c1 = row;
  uint32_t c2 = key.stream;
  uint32_t c3 = key.micro_batch;
  auto k0 = static_cast<uint32_t>(key.seed);
  auto k1 = static_cast<uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = kMultiplier0 * c0;
    const uint64_t p1 = kMultiplier1 * c2;
    c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<uint32_t>(p1);
    c3 = static_cast<uint32_t>(p0);
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  return {c0, c1, c2, c3};
}

uint64_t random_u64(const RandomKey& key, uint64_t index) {
  const auto words =
      random_words(key, static_cast<uint32_t>(index >> 32), static_cast<uint32_t>(index));
  return (static_cast<uint64_t>(words[1]) << 32) | words[0];
}

double random_uniform(const RandomKey& key, uint64_t index) {
  return static_cast<double>(random_u64(key, index) >> 11) * 0x1p-53;
}

double random_normal(const RandomKey& key, uint64_t index) {
  const auto words =
      random_words(key, static_cast<uint32_t>(index >> 32), static_cast<uint32_t>(index));
  const uint64_t a = (static_cast<uint64_t>(words[1]) << 32) | words[0];
  const uint64_t b = (static_cast<uint64_t>(words[3]) << 32) | words[2];
  const double radius_uniform = (static_cast<double>(a >> 11) + 0.5) * 0x1p-53;  // in (0, 1]
  const double angle = 2 * std::numbers::pi * static_cast<double>(b >> 11) * 0x1p-53;
  return std::sqrt(-2 * std::log(radius_uniform)) * std::cos(angle);
}

KeyedPermutation::KeyedPermutation(uint64_t size, const RandomKey& key) : size_(size) {
  CALQUE_CHECK(size > 0, "a permutation of nothing");
  const int bits = std::bit_width(size - 1);
  half_bits_ = bits < 2 ? 1 : (bits + 1) / 2;
  for (size_t round = 0; round < round_keys_.size(); ++round) {
    round_keys_[round] = random_u64(key, round);
  }
}

uint64_t KeyedPermutation::operator()(uint64_t index) const {
  CALQUE_CHECK(index < size_, "index {} of a permutation of {}", index, size_);
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  do {
    uint64_t left = index >> half_bits_;
    uint64_t right = index & mask;
    for (const uint64_t round_key : round_keys_) {
      uint64_t mixed = (right + round_key) * 0x9E3779B97F4A7C15u;
      mixed = (mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9u;
      mixed ^= mixed >> 32;
      const uint64_t next = left ^ (mixed & mask);
      left = right;
      right = next;
    }
    index = (left << half_bits_) | right;
  } while (index >= size_);
  return index;
}

}  // namespace calque
