#include "kernels/row_block.h"

#include <algorithm>
#include <cmath>

#include "kernels/attention_normalizer.h"
#include "kernels/attention_selection.h"
#include "kernels/small_gemm.h"

namespace calque::kernels {

using simd::kLanes;
using simd::Vec;

namespace {

template <class T>
void scale_rows(T factor, MatrixView<T> x) {
  for (int64_t r = 0; r < x.rows; ++r) {
    for (int64_t c = 0; c < x.cols; ++c) x.row(r)[c] *= factor;
  }
}

}  // namespace

template <class T>
RowBlock<T>::RowBlock(const AttentionShape& shape, const QueryBlock& block, const HeadRows<T>& rows,
                      int64_t keys, uint32_t random_row, uint32_t random_column, Arena& arena)
    : shape_(shape),
      block_(block),
      rows_(rows),
      keys_(keys),
      random_row_(random_row),
      random_column_(random_column + static_cast<uint32_t>(block.rank)),
      arena_(arena),
      memory_(arena),
      scale_(score_scale<T>(shape.options.score, rows.query.cols)) {
  score_rows_.queries = gather_queries(rows.query, scale_);
  score_rows_.packed = pack(score_rows_.queries);
  score_rows_.keys = gather_keys(rows.key);
  score_rows_.energy = rows.energy;
  values_ = gather_keys(rows.value);
}

template <class T>
ConstMatrixView<T> RowBlock<T>::gather_queries(ConstMatrixView<T> x, T scale) const {
  T* const to = arena_.allocate<T>(block_.queries.count * x.cols);
  for (int64_t r = 0; r < block_.queries.count; ++r) {
    const T* const from = x.row(block_.queries.at(r) - rows_.first_query);
    for (int64_t c = 0; c < x.cols; ++c) to[r * x.cols + c] = scale * from[c];
  }
  return {to, block_.queries.count, x.cols};
}

template <class T>
ConstMatrixView<T> RowBlock<T>::gather_keys(ConstMatrixView<T> x) const {
  T* const to = arena_.allocate<T>(block_.rows() * x.cols);
  for (int64_t r = 0; r < block_.rows(); ++r) {
    const int64_t key = block_.key(r);
    std::copy_n(x.row(rows_.slots != nullptr ? rows_.slots[key] : key), x.cols, to + r * x.cols);
  }
  return {to, block_.rows(), x.cols};
}

template <class T>
const T* RowBlock<T>::pack(ConstMatrixView<T> x) const {
  T* const packed = arena_.allocate<T>(x.cols * kBlock);
  pack_transposed(x, T(1), packed);
  return packed;
}

template <class T>
T* RowBlock<T>::weigh(T* thresholds, bool find) const {
  const AttentionNormalizer normalizer = shape_.options.normalizer;
  T* const weights = allocate();
  fill_scores(shape_.options.score, block_, score_rows_, weights);
  if (rows_.slope > 0) lower(weights);
  if (draws_by_noise()) add_noise(shape_.draw, block_, random_row_, random_column_, weights);
  if (find) {
    Workspace::Scope near(arena_);
    find_thresholds(normalizer, block_, weights, thresholds, near.allocate<T>(block_.rows()));
  }
  weigh_scores(normalizer, block_, thresholds, weights);
  return weights;
}

template <class T>
void RowBlock<T>::lower(T* scores) const {
  for (int64_t row = 0; row < block_.rows(); ++row) {
    for (int64_t r = 0; r < block_.queries.count; ++r) {
      const int64_t distance = std::abs(block_.queries.at(r) - block_.key(row));
      scores[row * kBlock + r] -= rows_.slope * static_cast<T>(distance);
    }
  }
}

template <class T>
void RowBlock<T>::take(T* weights) const {
  if (shape_.options.selection == AttentionSelection::kHard) select(weights);
  spread(weights);
}

template <class T>
void RowBlock<T>::select(T* weights) const {
  if (draws_by_race()) race(shape_.draw, block_, random_row_, random_column_, weights);
  select_highest(block_, weights);
}

template <class T>
void RowBlock<T>::reinforce(const T* weights, T* dweights) const {
  std::copy_n(weights, block_.rows() * kBlock, dweights);
  select(dweights);
  const auto weight = static_cast<T>(shape_.options.reinforce_weight);
  for (int64_t row = 0; row < block_.rows(); ++row) {
    T* const at = dweights + row * kBlock;
    for (int64_t i = 0; i < block_.queries.count; ++i) {
      if (at[i] == 0) continue;
      at[i] *= weight * rows_.advantages[block_.queries.at(i)] / weights[row * kBlock + i];
    }
    std::fill(at + block_.queries.count, at + kBlock, T(0));
  }
}

template <class T>
T RowBlock<T>::center(int64_t query) const {
  const int64_t number = block_.queries.at(std::min(query, block_.queries.count - 1));
  return predicted_center(rows_.places.centers[number * rows_.places.center_step], keys_);
}

template <class T>
void RowBlock<T>::spread(T* weights) const {
  if (shape_.options.scope != AttentionScope::kPredictive) return;
  const auto window = static_cast<T>(shape_.options.window);
  for (int64_t query = 0; query < block_.queries.count; query += kLanes<T>) {
    Vec<T> centers;
    for (int64_t lane = 0; lane < kLanes<T>; ++lane) centers[lane] = center(query + lane);
    for (int64_t row = 0; row < block_.rows(); ++row) {
      const Vec<T> distance = (static_cast<T>(block_.key(row)) - centers) / window;
      T* const at = weights + row * kBlock + query;
      simd::store<T>(simd::load(at) * simd::exp(T(-2) * distance * distance), at);
    }
  }
}

template <class T>
T RowBlock<T>::center_gradient(int64_t query, const T* weights, const T* dweights) const {
  const auto window = static_cast<double>(shape_.options.window);
  const auto at = static_cast<double>(center(query));
  double sum = 0;
  for (int64_t row = 0; row < block_.rows(); ++row) {
    const int64_t place = row * kBlock + query;
    sum += static_cast<double>(dweights[place]) * static_cast<double>(weights[place]) *
           (static_cast<double>(block_.key(row)) - at);
  }
  const double slope = at * (1 - at / static_cast<double>(keys_));  // of the center, by its logit
  return static_cast<T>(sum * 4 / (window * window) * slope);
}

template <class T>
void RowBlock<T>::drop(T* weights) const {
  if (!shape_.dropout.active()) return;
  Workspace::Scope near(arena_);
  T* const factors = near.allocate<T>(kBand * kBlock);
  for_bands(block_.rows(), [&](Range band) {
    dropout_tile(shape_.dropout, random_row_ + static_cast<uint32_t>(band.begin), random_column_,
                 band.count, block_.queries.count, factors, kBlock);
    for (int64_t row = 0; row < band.count; ++row) {
      T* const at = weights + (band.begin + row) * kBlock;
      for (int64_t i = 0; i < block_.queries.count; ++i) at[i] *= factors[row * kBlock + i];
    }
  });
}

template <class T>
void RowBlock<T>::sum_values(const T* weights, MatrixView<T> sums) const {
  small_gemm<T>(sums.rows, sums.cols, block_.rows(), {weights, 1, kBlock}, values_.data,
                values_.stride, sums.data, sums.stride, false);
}

template <class T>
void RowBlock<T>::multiply_values(ConstMatrixView<T> doutput, T* dweights) const {
  small_gemm<T>(block_.rows(), simd::padded<T>(block_.queries.count), values_.cols,
                {values_.data, values_.stride, 1}, pack(doutput), kBlock, dweights, kBlock, false);
}

template <class T>
void RowBlock<T>::differentiate(const T* weights, T* dweights, MatrixView<T> dqueries,
                                MatrixView<T> dkeys, T* denergy) const {
  Workspace::Scope near(arena_);
  if (draws_by_race()) {
    reinforce(weights, dweights);
  } else {
    drop(dweights);
    spread(dweights);
  }
  differentiate_weights(shape_.options.normalizer, block_, weights, dweights);
  if (draws_by_noise()) {  // what was weighed are (score + noise) / temperature
    const T cooling = T(1) / static_cast<T>(shape_.draw.temperature);
    for (int64_t row = 0; row < block_.rows(); ++row) {
      for (int64_t i = 0; i < block_.queries.count; ++i) dweights[row * kBlock + i] *= cooling;
    }
  }
  differentiate_scores(shape_.options.score, block_, score_rows_, dweights, dqueries, dkeys,
                       denergy, near.allocate<T>(dqueries.cols * kBlock));
  scale_rows(scale_, dqueries);
}

template class RowBlock<float>;
template class RowBlock<double>;

}  // namespace calque::kernels
