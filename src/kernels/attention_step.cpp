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
  int64_t slot_stride, head;
  T scale;
  MatrixView<T> output;

  /// One hypothesis and head: the head's columns begin at `column`. `weights`: scratch, [length].
  void run_head(int64_t row, int64_t length, int64_t column, T* weights) const {
    const int32_t* const slot = slots.data() + row * slot_stride;
    const T* const q = query.row(row) + column;
    for (int64_t p = 0; p < length; ++p) {
      weights[p] = scale * dot(q, keys.row(slot[p]) + column, head);
    }
    const T inverse =
        static_cast<T>(1 / exp_row(weights, length, row_max(weights, length), weights));
    T* const out = output.row(row) + column;
    std::fill_n(out, head, T(0));
    for (int64_t p = 0; p < length; ++p) {
      const T weight = weights[p] * inverse;
      const T* const value = values.row(slot[p]) + column;
      for (int64_t c = 0; c < head; ++c) out[c] += weight * value[c];
    }
  }
};

}  // namespace

template <class T>
void attention_step(ConstMatrixView<T> query, ConstMatrixView<T> keys, ConstMatrixView<T> values,
                    std::span<const int32_t> slots, int64_t slot_stride,
                    std::span<const int32_t> lengths, int64_t heads, AttentionScore score,
                    MatrixView<T> output, Workspace& workspace) {
  const int64_t rows = query.rows;
  if (rows == 0) return;
  const int64_t longest = check_steps(rows, query.cols, heads, slots, slot_stride, lengths);
  const int64_t head = query.cols / heads;
  const Step<T> step{query, keys, values, slots, slot_stride, head, score_scale<T>(score, head),
                     output};
  parallel_rows(rows, 2 * longest * query.cols, [&](int64_t begin, int64_t end, int worker) {
    Workspace::Scope scope(workspace.worker(worker));
    T* const weights = scope.allocate<T>(longest);
    for (int64_t row = begin; row < end; ++row) {
      const int64_t length = lengths[static_cast<size_t>(row)];
      for (int64_t h = 0; h < heads; ++h) step.run_head(row, length, h * step.head, weights);
    }
  });
}

template void attention_step(ConstMatrixView<float>, ConstMatrixView<float>, ConstMatrixView<float>,
                             std::span<const int32_t>, int64_t, std::span<const int32_t>, int64_t,
                             AttentionScore, MatrixView<float>, Workspace&);
template void attention_step(ConstMatrixView<double>, ConstMatrixView<double>,
                             ConstMatrixView<double>, std::span<const int32_t>, int64_t,
                             std::span<const int32_t>, int64_t, AttentionScore, MatrixView<double>,
                             Workspace&);

}  // namespace calque::kernels
