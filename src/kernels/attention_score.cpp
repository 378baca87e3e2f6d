#include "kernels/attention_score.h"

#include <algorithm>

#include "kernels/small_gemm.h"

namespace calque::kernels {
namespace {

using simd::kLanes;
using simd::Vec;

template <class T>
void fill_additive(const QueryBlock& block, const ScoreRows<T>& rows, T* scores) {
  for (int64_t row = 0; row < block.rows(); ++row) {
    const T* const key = rows.keys.row(row);
    for (int64_t query = 0; query < block.queries.count; query += kLanes<T>) {
      Vec<T> sum{};
      for (int64_t c = 0; c < rows.keys.cols; ++c) {
        sum += simd::tanh(simd::load(rows.packed + c * kBlock + query) + key[c]) * rows.energy[c];
      }
      simd::store<T>(sum, scores + row * kBlock + query);
    }
  }
}

/// A row's gradients by the block's queries, 0 behind the last one.
template <class T>
Vec<T> load_gradients(const T* gradients, int64_t query, int64_t queries) {
  return simd::load_part(gradients + query, std::min(kLanes<T>, queries - query), T(0));
}

template <class T>
void differentiate_additive(const QueryBlock& block, const ScoreRows<T>& rows, const T* dscores,
                            MatrixView<T> dqueries, MatrixView<T> dkeys, T* denergy, T* dpacked) {
  const int64_t queries = block.queries.count;
  std::fill_n(dpacked, rows.keys.cols * kBlock, T(0));
  for (int64_t row = 0; row < block.rows(); ++row) {
    const T* const key = rows.keys.row(row);
    for (int64_t c = 0; c < rows.keys.cols; ++c) {
      Vec<T> of_key{};
      Vec<T> of_energy{};
      for (int64_t query = 0; query < queries; query += kLanes<T>) {
        T* const to = dpacked + c * kBlock + query;
        const Vec<T> dscore = load_gradients(dscores + row * kBlock, query, queries);
        const Vec<T> t = simd::tanh(simd::load(rows.packed + c * kBlock + query) + key[c]);
        const Vec<T> dsum = dscore * (T(1) - t * t) * rows.energy[c];
        of_key += dsum;
        of_energy += dscore * t;
        simd::store<T>(simd::load(to) + dsum, to);
      }
      dkeys.row(row)[c] = simd::sum_lanes<T>(of_key);
      denergy[c] += simd::sum_lanes<T>(of_energy);
    }
  }
  for (int64_t query = 0; query < queries; ++query) {
    T* const to = dqueries.row(query);
    for (int64_t c = 0; c < dqueries.cols; ++c) to[c] = dpacked[c * kBlock + query];
  }
}

}  // namespace

template <class T>
void fill_scores(AttentionScore score, const QueryBlock& block, const ScoreRows<T>& rows,
                 T* scores) {
  if (score == AttentionScore::kAdditive) return fill_additive(block, rows, scores);
  small_gemm<T>(block.rows(), simd::padded<T>(block.queries.count), rows.keys.cols,
                {rows.keys.data, rows.keys.stride, 1}, rows.packed, kBlock, scores, kBlock, false);
}

template <class T>
void differentiate_scores(AttentionScore score, const QueryBlock& block, const ScoreRows<T>& rows,
                          const T* dscores, MatrixView<T> dqueries, MatrixView<T> dkeys, T* denergy,
                          T* scratch) {
  if (score == AttentionScore::kAdditive) {
    return differentiate_additive(block, rows, dscores, dqueries, dkeys, denergy, scratch);
  }
  small_gemm<T>(dqueries.rows, dqueries.cols, block.rows(), {dscores, 1, kBlock}, rows.keys.data,
                rows.keys.stride, dqueries.data, dqueries.stride, false);
  small_gemm<T>(dkeys.rows, dkeys.cols, block.queries.count, {dscores, kBlock, 1},
                rows.queries.data, rows.queries.stride, dkeys.data, dkeys.stride, false);
}

#define CALQUE_INSTANTIATE(T)                                                                \
  template void fill_scores(AttentionScore, const QueryBlock&, const ScoreRows<T>&, T*);     \
  template void differentiate_scores(AttentionScore, const QueryBlock&, const ScoreRows<T>&, \
                                     const T*, MatrixView<T>, MatrixView<T>, T*, T*);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
