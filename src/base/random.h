#pragma once

#include <array>
#include <cstdint>

namespace calque {

/// Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as
/// easy as 1, 2, 3"). A number is a pure function of a key and a counter; nothing is stored, so a
/// resumed run and any number of threads see the same numbers.
///
/// The key is the run's seed. Of the counter's four words, two say which draw it is (micro-batch
/// and stream), two are the logical index: for dropout, the row and the group of eight columns.
struct RandomKey {
  uint64_t seed = 0;
  uint32_t micro_batch = 0;  // counts forward passes of the whole run
  uint32_t stream = 0;       // one dropout site and pass, or one purpose (init, shuffle)
};

/// The four random words at (key, row, column).
std::array<uint32_t, 4> random_words(const RandomKey& key, uint32_t row, uint32_t column);

/// One 64-bit random word at (key, index).
uint64_t random_u64(const RandomKey& key, uint64_t index);

/// Uniform in [0, 1), 53 bits.
double random_uniform(const RandomKey& key, uint64_t index);

/// Standard normal (Box-Muller).
double random_normal(const RandomKey& key, uint64_t index);

/// A keyed permutation of [0, size): a Feistel network over the next even power of two, walked
/// until it lands inside. Gives the image of `index` without storing the permutation.
class KeyedPermutation {
 public:
  KeyedPermutation(uint64_t size, const RandomKey& key);
  uint64_t operator()(uint64_t index) const;

 private:
  uint64_t size_;
  int half_bits_;
  std::array<uint64_t, 6> round_keys_;
};

/// The streams that are not dropout sites. Dropout sites count up from 0.
namespace streams {
inline constexpr uint32_t kInit = 0xFFFFFF00u;
inline constexpr uint32_t kEpochOrder = 0xFFFFFF01u;
inline constexpr uint32_t kVocabulary = 0xFFFFFF03u;
inline constexpr uint32_t kRandomCorpus = 0xFFFFFF04u;
inline constexpr uint32_t kBenchmark = 0xFFFFFF05u;
inline constexpr uint32_t kBootstrap = 0xFFFFFF06u;
inline constexpr uint32_t kSampling = 0xFFFFFF07u;
inline constexpr uint32_t kFaithfulness = 0xFFFFFF08u;
inline constexpr uint32_t kLayerDrop = 0xFFFFFF09u;
inline constexpr uint32_t kSourcePieces = 0xFFFFFF0Au;
inline constexpr uint32_t kTargetPieces = 0xFFFFFF0Bu;
inline constexpr uint32_t kAttack = 0xFFFFFF0Cu;
inline constexpr uint32_t kDirection = 0xFFFFFF0Du;
inline constexpr uint32_t kNoise = 0xFFFFFE00u;  // whether; behind it the stream of each kind
}  // namespace streams

}  // namespace calque
