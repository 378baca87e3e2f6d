#include "kernels/attention_distance.h"

#include <bit>

namespace calque::kernels {
namespace {

/// scores(key, query) -= slope |query - key|, counted in the sentence.
template <class T>
void lower_by_distance(const Block& block, T slope, T* scores) {
  using simd::Vec;
  for_query_vectors<T>(
      block, {0, block.keys.count}, [&](int64_t query, Range keys, const auto& /*visible*/) {
        const Vec<T> first = simd::lane_numbers<T>() +
                             static_cast<T>(block.queries.begin + query - block.keys.begin);
        for (int64_t key = 0; key < keys.count; ++key) {
          T* const at = scores + key * kBlock + query;
          const Vec<T> ahead = first - static_cast<T>(key);
          const Vec<T> distance = simd::max<T>(ahead, -ahead);
          simd::store<T>(simd::load(at) - slope * distance, at);
        }
      });
}

}  // namespace

double alibi_slope(int64_t index, int64_t heads) {
  const auto power = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(heads)));
  const int64_t of_next = 2 * (index - power) + 1;  // among the slopes of 2 power heads, from 1
  const double exponent = index < power
                              ? static_cast<double>(index + 1) / static_cast<double>(power)
                              : static_cast<double>(of_next) / static_cast<double>(2 * power);
  return std::exp2(-8 * exponent);
}

template <class T>
void score_block(const AttentionShape& shape, const DistanceTerms<T>& distances,
                 const AttentionHead& head, const Block& block, ConstMatrixView<T> keys,
                 const T* packed, T* scores) {
  multiply_keys(block, keys, packed, scores);
  if (distances.alibi) {
    lower_by_distance(block, static_cast<T>(alibi_slope(head.index, shape.heads)), scores);
  }
}

#define CALQUE_INSTANTIATE(T)                                                                \
  template void score_block(const AttentionShape&, const DistanceTerms<T>&,                  \
                            const AttentionHead&, const Block&, ConstMatrixView<T>, const T*, T*);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
