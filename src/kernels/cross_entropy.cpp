#include "kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/elementwise.h"
#include "kernels/micro_kernel.h"
#include "kernels/ranges.h"
#include "kernels/row_math.h"

namespace calque::kernels {

// A chunk's logits pass through memory twice, its rows share a pass of the weight's two packed
// forms and of its gradient: with model rows both are about the same.
int64_t cross_entropy_chunk_rows(int64_t model) {
  constexpr int64_t kWholeTiles = 42;
  static_assert(kWholeTiles % kTileRows == 0);
  return std::clamp<int64_t>(model, 128, 512) / kWholeTiles * kWholeTiles;
}

namespace {

/// The vocabulary in strips, so narrow that a chunk's logits of one stay in the second cache, and
/// the strips in parts, one for a task. A function of the sizes alone, as sums over the vocabulary
/// are added strip by strip and part by part.
class Strips {
 public:
  Strips(int64_t vocab, int64_t model) : vocab_(vocab) {
    const int64_t most_cols = std::clamp<int64_t>((1 << 16) / model, 128, 512);
    const int64_t units = pieces(vocab, kUnit);
    strips_ = {units, std::min(units, kParts * pieces(vocab, kParts * most_cols))};
    parts_ = {strips_.count, std::min(strips_.count, kParts)};
  }

  int64_t count() const { return strips_.count; }
  int64_t begin(int64_t strip) const { return std::min(vocab_, strips_.begin(strip) * kUnit); }
  int64_t cols(int64_t strip) const { return begin(strip + 1) - begin(strip); }

  int64_t parts() const { return parts_.count; }
  int64_t first_of(int64_t part) const { return parts_.begin(part); }

 private:
  static constexpr int64_t kParts = 16;  // enough for any sensible number of threads
  static constexpr int64_t kUnit = 32;   // columns: whole tiles of our own products
  int64_t vocab_;
  Ranges strips_{};  // of units
  Ranges parts_{};   // of strips
};

/// Of a row's logits in one strip.
struct StripSums {
  double highest;
  double exponentials;  // sum of exp(logit - highest)
  double logits;        // their sum
};

/// Of a whole row.
struct RowSums {
  double log_sum;  // log of the softmax's denominator
  double mean;     // of the logits
};

/// One chunk of rows on its way from x to dlogits.
template <class T>
struct Chunk {
  const Strips& strips;
  ConstMatrixView<T> x;
  std::span<const int32_t> targets;
  std::span<const T> row_weights;  // or empty
  double smoothing;
  T* logits;              // strip by strip, each [rows, its columns]
  StripSums* strip_sums;  // [strips, rows]
  double* target_logits;  // [rows]
  RowSums* row_sums;      // [rows]

  int64_t rows() const { return x.rows; }
  int64_t vocab() const { return strips.begin(strips.count()); }
  MatrixView<T> strip_logits(int64_t strip) const {
    return {logits + rows() * strips.begin(strip), rows(), strips.cols(strip)};
  }
  double row_weight(int64_t row) const {
    return row_weights.empty() ? 1 : static_cast<double>(row_weights[static_cast<size_t>(row)]);
  }
  /// Where in the strip the row's target lies, if it does.
  std::optional<int64_t> target_in(int64_t strip, int64_t row) const {
    const int64_t col = targets[static_cast<size_t>(row)] - strips.begin(strip);
    return col >= 0 && col < strips.cols(strip) ? std::optional(col) : std::nullopt;
  }

  /// The strip's logits, which at once become exp(logit - the highest of row and strip).
  void exponentiate(int64_t strip, const RightOperand<T>& weight, Arena& scratch) const {
    const MatrixView<T> values = strip_logits(strip);
    gemm_in_task<T>(x, weight, values, /*accumulate=*/false, scratch);
    for (int64_t r = 0; r < rows(); ++r) {
      T* const row = values.row(r);
      if (const auto col = target_in(strip, r)) target_logits[r] = static_cast<double>(row[*col]);
      const auto [highest, sum] = max_and_sum(row, values.cols);
      const double exponentials = exp_row(row, values.cols, highest, row);
      strip_sums[strip * rows() + r] = {static_cast<double>(highest), exponentials, sum};
    }
  }

  /// A row's sums over all strips, in their order.
  void finish_row(int64_t row) const {
    double highest = -std::numeric_limits<double>::infinity();
    for (int64_t s = 0; s < strips.count(); ++s) {
      highest = std::max(highest, strip_sums[s * rows() + row].highest);
    }
    double exponentials = 0;
    double mean = 0;
    for (int64_t s = 0; s < strips.count(); ++s) {
      const StripSums& strip = strip_sums[s * rows() + row];
      exponentials += strip.exponentials * std::exp(strip.highest - highest);
      mean += strip.logits / static_cast<double>(vocab());
    }
    row_sums[row] = {highest + std::log(exponentials), mean};
  }

  /// The exponentials of a strip become dlogits.
  void differentiate(int64_t strip) const {
    const MatrixView<T> values = strip_logits(strip);
    for (int64_t r = 0; r < rows(); ++r) {
      T* const row = values.row(r);
      const double weight = row_weight(r);
      const double highest = strip_sums[strip * rows() + r].highest;
      const auto factor = static_cast<T>(weight * std::exp(highest - row_sums[r].log_sum));
      const auto spread = static_cast<T>(weight * smoothing / static_cast<double>(vocab()));
      for (int64_t c = 0; c < values.cols; ++c) row[c] = row[c] * factor - spread;
      if (const auto col = target_in(strip, r)) {
        row[*col] -= static_cast<T>(weight * (1 - smoothing));
      }
    }
  }

  /// Adds the row's losses.
  void add_row(int64_t row, CrossEntropySums& sums) const {
    const double target_loss = row_sums[row].log_sum - target_logits[row];
    const double mean_loss = row_sums[row].log_sum - row_sums[row].mean;
    const double weight = row_weight(row);
    sums.loss += weight * ((1 - smoothing) * target_loss + smoothing * mean_loss);
    sums.negative_log_likelihood += weight * target_loss;
  }
};

/// dx += the parts' [rows, model], in their order.
template <class T>
void add_parts(const T* parts, int64_t count, MatrixView<T> dx) {
  parallel_rows(dx.rows, dx.cols * count, [&](int64_t begin, int64_t end, int) {
    for (int64_t part = 0; part < count; ++part) {
      for (int64_t r = begin; r < end; ++r) {
        const T* const term = parts + (part * dx.rows + r) * dx.cols;
        T* const sum = dx.row(r);
        for (int64_t c = 0; c < dx.cols; ++c) sum[c] += term[c];
      }
    }
  });
}

template <class T>
void check_arguments(ConstMatrixView<T> x, ConstMatrixView<T> weight,
                     std::span<const int32_t> targets, std::span<const T> row_weights,
                     std::span<T> log_probabilities) {
  const size_t tokens = targets.size();
  CALQUE_CHECK(x.rows == static_cast<int64_t>(tokens) && x.cols == weight.cols,
               "{} targets, x [{}, {}], weight [{}, {}]", tokens, x.rows, x.cols, weight.rows,
               weight.cols);
  CALQUE_CHECK(row_weights.empty() || row_weights.size() == tokens, "{} row weights for {} rows",
               row_weights.size(), tokens);
  CALQUE_CHECK(log_probabilities.empty() || log_probabilities.size() == tokens,
               "room for {} log-probabilities of {} rows", log_probabilities.size(), tokens);
  for (size_t t = 0; t < tokens; ++t) {
    CALQUE_CHECK(targets[t] >= 0 && targets[t] < weight.rows, "target {} of row {}, vocab {}",
                 targets[t], t, weight.rows);
  }
}

}  // namespace

int64_t cross_entropy_scratch(int64_t tokens, int64_t model, int64_t vocab) {
  const int64_t rows = std::min(cross_entropy_chunk_rows(model), tokens);
  return rows * (vocab + Strips(vocab, model).parts() * model);
}

template <class T>
CrossEntropySums projection_cross_entropy(ConstMatrixView<T> x, ConstMatrixView<T> weight,
                                          std::span<const int32_t> targets,
                                          std::span<const T> row_weights, double smoothing,
                                          MatrixView<T> dx, bool accumulate_x,
                                          MatrixView<T> dweight, bool accumulate_weight,
                                          std::span<T> log_probabilities,
                                          PreparedWeights<T>* prepared, Workspace& workspace) {
  check_arguments(x, weight, targets, row_weights, log_probabilities);
  const Strips strips(weight.rows, x.cols);
  const int64_t most_rows = std::min(cross_entropy_chunk_rows(x.cols), x.rows);
  Workspace::Scope scope(workspace.shared());
  T* const logits = scope.allocate<T>(most_rows * weight.rows);
  StripSums* const strip_sums = scope.allocate<StripSums>(most_rows * strips.count());
  double* const target_logits = scope.allocate<double>(most_rows);
  RowSums* const row_sums = scope.allocate<RowSums>(most_rows);
  T* const dx_parts =
      dx.data == nullptr ? nullptr : scope.allocate<T>(strips.parts() * most_rows * x.cols);
  RightOperand<T>* const to_logits = scope.allocate<RightOperand<T>>(strips.count());
  RightOperand<T>* const to_dx = scope.allocate<RightOperand<T>>(strips.count());
  for (int64_t s = 0; s < strips.count(); ++s) {
    const ConstMatrixView<T> rows = weight.row_range(strips.begin(s), strips.cols(s));
    to_logits[s] = right_operand(prepared, GemmForm::kNT, rows);
    if (dx.data != nullptr) to_dx[s] = right_operand(prepared, GemmForm::kNN, rows);
  }
  if (x.rows == 0 && dweight.data != nullptr && !accumulate_weight) zero_rows(dweight);
  if (dx.data != nullptr && !accumulate_x) zero_rows(dx);  // first: both may be one matrix

  CrossEntropySums sums;
  for (int64_t begin = 0; begin < x.rows; begin += most_rows) {
    const int64_t rows = std::min(most_rows, x.rows - begin);
    const auto first = static_cast<size_t>(begin);
    const Chunk<T> chunk{strips,
                         x.row_range(begin, rows),
                         targets.subspan(first, static_cast<size_t>(rows)),
                         row_weights.empty() ? row_weights : row_weights.subspan(first),
                         smoothing,
                         logits,
                         strip_sums,
                         target_logits,
                         row_sums};
    parallel_for(strips.parts(), [&](int64_t part, int worker) {
      for (int64_t s = strips.first_of(part); s < strips.first_of(part + 1); ++s) {
        chunk.exponentiate(s, to_logits[s], workspace.worker(worker));
      }
    });
    parallel_rows(rows, strips.count() * 64, [&](int64_t from, int64_t to, int) {
      for (int64_t r = from; r < to; ++r) chunk.finish_row(r);
    });
    for (int64_t r = 0; r < rows; ++r) {
      chunk.add_row(r, sums);
      if (!log_probabilities.empty()) {
        log_probabilities[first + static_cast<size_t>(r)] =
            static_cast<T>(target_logits[r] - row_sums[r].log_sum);
      }
    }
    if (dx.data == nullptr && dweight.data == nullptr) continue;
    Workspace::Scope chunk_scope(workspace.shared());
    const RightOperand<T> to_dweight =
        dweight.data == nullptr
            ? RightOperand<T>{}
            : prepare_right(GemmForm::kTN, chunk.x, precision(prepared), workspace.shared());
    parallel_for(strips.parts(), [&](int64_t part, int worker) {
      Arena& scratch = workspace.worker(worker);
      for (int64_t s = strips.first_of(part); s < strips.first_of(part + 1); ++s) {
        chunk.differentiate(s);
        const ConstMatrixView<T> dlogits = chunk.strip_logits(s);
        if (dx.data != nullptr) {
          gemm_in_task<T>(dlogits, to_dx[s], {dx_parts + part * rows * x.cols, rows, x.cols},
                          /*accumulate=*/s > strips.first_of(part), scratch);
        }
        if (dweight.data != nullptr) {
          gemm_in_task<T>(dlogits, to_dweight, dweight.row_range(strips.begin(s), strips.cols(s)),
                          accumulate_weight || begin > 0, scratch);
        }
      }
    });
    if (dx.data != nullptr) {
      add_parts(dx_parts, strips.parts(), dx.row_range(begin, rows));
    }
  }
  return sums;
}

template CrossEntropySums projection_cross_entropy(ConstMatrixView<float>, ConstMatrixView<float>,
                                                   std::span<const int32_t>, std::span<const float>,
                                                   double, MatrixView<float>, bool,
                                                   MatrixView<float>, bool, std::span<float>,
                                                   PreparedWeights<float>*, Workspace&);
template CrossEntropySums projection_cross_entropy(ConstMatrixView<double>, ConstMatrixView<double>,
                                                   std::span<const int32_t>,
                                                   std::span<const double>, double,
                                                   MatrixView<double>, bool, MatrixView<double>,
                                                   bool, std::span<double>,
                                                   PreparedWeights<double>*, Workspace&);

}  // namespace calque::kernels
