#include <algorithm>

#include "base/parallel.h"
#include "kernels/attention_head.h"
#include "kernels/row_math.h"

namespace calque::kernels {
namespace {

template <class T>
struct Step {
  ConstMatrixView<T> query, keys, values;
  std::span<const int32_t> slots;
  int64_t slot_stride, heads;
  T scale;
  MatrixView<T> output;
  const DistanceTerms<T>& distances;

  /// One hypothesis and head. `weights`: scratch, [length].
  void run_head(int64_t row, int64_t length, int64_t index, T* weights) const {
    const int64_t head = query.cols / heads;
    const int64_t column = index * head;
    const int64_t key_column = index / (query.cols / keys.cols) * head;
    const int32_t* const slot = slots.data() + row * slot_stride;
    const T* const q = query.row(row) + column;
    for (int64_t p = 0; p < length; ++p) {
      weights[p] = scale * dot(q, keys.row(slot[p]) + key_column, head);
      if (const T* const more = row_of(distances.keys, length - 1 - p)) {
        weights[p] += scale * dot(q, more, head);
      }
    }
    if (distances.alibi) {
      const T slope = static_cast<T>(alibi_slope(index, heads));
      for (int64_t p = 0; p < length; ++p) weights[p] -= slope * static_cast<T>(length - 1 - p);
    }
    const T inverse =
        static_cast<T>(1 / exp_row(weights, length, row_max(weights, length), weights));
    T* const out = output.row(row) + column;
    std::fill_n(out, head, T(0));
    for (int64_t p = 0; p < length; ++p) {
      const T weight = weights[p] * inverse;
      const T* const value = values.row(slot[p]) + key_column;
      for (int64_t c = 0; c < head; ++c) out[c] += weight * value[c];
      if (const T* const more = row_of(distances.values, length - 1 - p)) {
        for (int64_t c = 0; c < head; ++c) out[c] += weight * more[c];
      }
    }
  }

  /// The row of a table of relative positions for a key so far back; null without a table.
  static const T* row_of(ConstMatrixView<T> table, int64_t back) {
    const int64_t farthest = table.rows / 2;
    return table.data == nullptr ? nullptr : table.row(farthest - std::min(back, farthest));
  }
};

}  // namespace

template <class T>
void attention_step(ConstMatrixView<T> query, ConstMatrixView<T> keys, ConstMatrixView<T> values,
                    std::span<const int32_t> slots, int64_t slot_stride,
                    std::span<const int32_t> lengths, int64_t heads, AttentionScore score,
                    MatrixView<T> output, Workspace& workspace, const DistanceTerms<T>& distances) {
  const int64_t rows = query.rows;
  if (rows == 0) return;
  const int64_t longest =
      check_steps(rows, query.cols, keys.cols, heads, slots, slot_stride, lengths);
  const T scale = score_scale<T>(score, query.cols / heads);
  const Step<T> step{query, keys, values, slots, slot_stride, heads, scale, output, distances};
  parallel_rows(rows, 2 * longest * query.cols, [&](int64_t begin, int64_t end, int worker) {
    Workspace::Scope scope(workspace.worker(worker));
    T* const weights = scope.allocate<T>(longest);
    for (int64_t row = begin; row < end; ++row) {
      const int64_t length = lengths[static_cast<size_t>(row)];
      for (int64_t h = 0; h < heads; ++h) step.run_head(row, length, h, weights);
    }
  });
}

template void attention_step(ConstMatrixView<float>, ConstMatrixView<float>, ConstMatrixView<float>,
                             std::span<const int32_t>, int64_t, std::span<const int32_t>, int64_t,
                             AttentionScore, MatrixView<float>, Workspace&,
                             const DistanceTerms<float>&);
template void attention_step(ConstMatrixView<double>, ConstMatrixView<double>,
                             ConstMatrixView<double>, std::span<const int32_t>, int64_t,
                             std::span<const int32_t>, int64_t, AttentionScore, MatrixView<double>,
                             Workspace&, const DistanceTerms<double>&);

}  // namespace calque::kernels
