#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "kernels/cross_entropy.h"
#include "kernels/micro_kernel.h"
#include "kernels/ranges.h"
#include "kernels/row_math.h"

/// What cross_entropy.cpp does with the logits of some rows, step by step.
namespace calque::kernels {

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

  /// A strip of a matrix [rows, vocab] that is stored strip by strip, in `size()` elements a row.
  template <class T>
  MatrixView<T> of(T* matrix, int64_t rows, int64_t strip) const {
    return {matrix + rows * (begin(strip) + strip * kGap), rows, cols(strip), cols(strip) + kGap};
  }
  int64_t size() const { return vocab_ + count() * kGap; }

  int64_t parts() const { return parts_.count; }
  int64_t first_of(int64_t part) const { return parts_.begin(part); }

 private:
  static constexpr int64_t kParts = 16;  // enough for any sensible number of threads
  static constexpr int64_t kUnit = 32;   // columns: whole tiles of our own products
  // Between the rows of a strip, which else could lie half pages apart and fight for cache lines.
  static constexpr int64_t kGap = 16;
  int64_t vocab_;
  Ranges strips_{};  // of units
  Ranges parts_{};   // of strips
};

/// Of a row's logits in one strip.
struct StripSums {
  double highest;
  double exponentials;  // sum of exp(logit - highest)
  double logits;        // their sum
  double differences;   // sum of exp(logit - highest) times the difference from the other pass
};

/// Of a whole row.
struct RowSums {
  double log_sum;     // log of the softmax's denominator
  double mean;        // of the logits
  double difference;  // mean of the differences from the other pass, by the softmax
};

/// One chunk of a pass's rows on its way from x to dlogits, and the memory for that.
template <class T>
struct Chunk {
  Strips strips;
  double smoothing;
  T* logits;              // strip by strip: Strips::of
  StripSums* strip_sums;  // [strips, rows]
  double* target_logits;  // [rows]
  RowSums* row_sums;      // [rows]
  T* dx_parts;            // [parts, rows, model], or null when not wanted
  ConstMatrixView<T> x{};
  std::span<const int32_t> targets{};
  std::span<const T> row_weights{};  // or empty

  Chunk(const Strips& strips_of_vocab, double label_smoothing, int64_t most_rows, int64_t model,
        bool with_dx, Workspace::Scope& scope)
      : strips(strips_of_vocab),
        smoothing(label_smoothing),
        logits(scope.allocate<T>(most_rows * strips.size())),
        strip_sums(scope.allocate<StripSums>(most_rows * strips.count())),
        target_logits(scope.allocate<double>(most_rows)),
        row_sums(scope.allocate<RowSums>(most_rows)),
        dx_parts(with_dx ? scope.allocate<T>(strips.parts() * most_rows * model) : nullptr) {}

  void take(int64_t begin, int64_t rows, ConstMatrixView<T> all_x,
            std::span<const int32_t> all_targets, std::span<const T> all_row_weights) {
    const auto first = static_cast<size_t>(begin);
    x = all_x.row_range(begin, rows);
    targets = all_targets.subspan(first, static_cast<size_t>(rows));
    row_weights = all_row_weights.empty() ? all_row_weights : all_row_weights.subspan(first);
  }

  int64_t rows() const { return x.rows; }
  int64_t vocab() const { return strips.begin(strips.count()); }
  MatrixView<T> strip_logits(int64_t strip) const { return strips.of(logits, rows(), strip); }
  MatrixView<T> dx_part(int64_t part) const {
    return {dx_parts + part * rows() * x.cols, rows(), x.cols};
  }
  double row_weight(int64_t row) const {
    return row_weights.empty() ? 1 : static_cast<double>(row_weights[static_cast<size_t>(row)]);
  }
  /// Where in the strip the row's target lies, if it does.
  std::optional<int64_t> target_in(int64_t strip, int64_t row) const {
    const int64_t col = targets[static_cast<size_t>(row)] - strips.begin(strip);
    return col >= 0 && col < strips.cols(strip) ? std::optional(col) : std::nullopt;
  }

  void multiply(int64_t strip, const RightOperand<T>& weight, Arena& scratch) const {
    gemm_in_task<T>(x, weight, strip_logits(strip), /*accumulate=*/false, scratch);
  }

  /// The strip's logits become exp(logit - the highest of row and strip).
  void exponentiate(int64_t strip) const {
    const MatrixView<T> values = strip_logits(strip);
    for (int64_t r = 0; r < rows(); ++r) {
      T* const row = values.row(r);
      if (const auto col = target_in(strip, r)) target_logits[r] = static_cast<double>(row[*col]);
      const auto [highest, sum] = max_and_sum(row, values.cols);
      const double exponentials = exp_row(row, values.cols, highest, row);
      strip_sums[strip * rows() + r] = {static_cast<double>(highest), exponentials, sum, 0};
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
    row_sums[row] = {highest + std::log(exponentials), mean, 0};
  }

  /// The same of the differences from the other pass, by the softmax.
  void finish_differences(int64_t row) const {
    for (int64_t s = 0; s < strips.count(); ++s) {
      row_sums[row].difference += strip_sums[s * rows() + row].differences * to_probability(s, row);
    }
  }

  /// What makes a strip's exponentials of a row the softmax.
  double to_probability(int64_t strip, int64_t row) const {
    return std::exp(strip_sums[strip * rows() + row].highest - row_sums[row].log_sum);
  }

  /// The exponentials of a strip become dlogits.
  void differentiate(int64_t strip) const {
    const MatrixView<T> values = strip_logits(strip);
    for (int64_t r = 0; r < rows(); ++r) {
      T* const row = values.row(r);
      const double weight = row_weight(r);
      const auto factor = static_cast<T>(weight * to_probability(strip, r));
      const auto spread = static_cast<T>(weight * smoothing / static_cast<double>(vocab()));
      for (int64_t c = 0; c < values.cols; ++c) row[c] = row[c] * factor - spread;
      if (const auto col = target_in(strip, r)) {
        row[*col] -= static_cast<T>(weight * (1 - smoothing));
      }
    }
  }

  /// What a strip adds to the part's dx, and its rows of dweight.
  void multiply_back(int64_t strip, int64_t part, const RightOperand<T>* to_dx,
                     const RightOperand<T>& to_dweight, MatrixView<T> dweight,
                     bool accumulate_weight, Arena& scratch) const {
    const ConstMatrixView<T> dlogits = strip_logits(strip);
    if (dx_parts != nullptr) {
      gemm_in_task<T>(dlogits, to_dx[strip], dx_part(part),
                      /*accumulate=*/strip > strips.first_of(part), scratch);
    }
    if (dweight.data != nullptr) {
      gemm_in_task<T>(dlogits, to_dweight,
                      dweight.row_range(strips.begin(strip), strips.cols(strip)), accumulate_weight,
                      scratch);
    }
  }

  /// Of the row's target.
  T log_probability(int64_t row) const {
    return static_cast<T>(target_logits[row] - row_sums[row].log_sum);
  }

  /// Adds a share of the row's losses.
  void add_row(int64_t row, double share, CrossEntropySums& sums) const {
    const double target_loss = row_sums[row].log_sum - target_logits[row];
    const double mean_loss = row_sums[row].log_sum - row_sums[row].mean;
    const double weight = share * row_weight(row);
    sums.loss += weight * ((1 - smoothing) * target_loss + smoothing * mean_loss);
    sums.negative_log_likelihood += weight * target_loss;
  }
};

/// A chunk, or the same rows of R-Drop's two passes.
template <class T, size_t kPasses>
struct Passes {
  static constexpr bool kAreTwo = kPasses == 2;
  std::array<Chunk<T>, kPasses> chunks;
  double r_drop;   // of two
  T* differences;  // of two: logits of the first minus those of the second, strip by strip

  int64_t rows() const { return chunks[0].rows(); }
  MatrixView<T> strip_differences(int64_t strip) const {
    return chunks[0].strips.of(differences, rows(), strip);
  }

  /// The logits of a strip, which at once become exponentials.
  void exponentiate(int64_t strip, const RightOperand<T>& weight, Arena& scratch) const {
    for (const Chunk<T>& chunk : chunks) chunk.multiply(strip, weight, scratch);
    if constexpr (kAreTwo) subtract(strip);
    for (const Chunk<T>& chunk : chunks) chunk.exponentiate(strip);
    if constexpr (kAreTwo) weigh_differences(strip);
  }

  void finish_row(int64_t row) const {
    for (const Chunk<T>& chunk : chunks) {
      chunk.finish_row(row);
      if constexpr (kAreTwo) chunk.finish_differences(row);
    }
  }

  void add_row(int64_t row, CrossEntropySums& sums) const {
    for (const Chunk<T>& chunk : chunks) {
      chunk.add_row(row, 1.0 / static_cast<double>(kPasses), sums);
    }
    if constexpr (kAreTwo) {
      sums.loss +=
          r_drop / 4 * (chunks[0].row_sums[row].difference - chunks[1].row_sums[row].difference);
    }
  }

  void differentiate(int64_t strip) const {
    if constexpr (kAreTwo) {
      differentiate_both(strip);
    } else {
      chunks[0].differentiate(strip);
    }
  }

 private:
  void subtract(int64_t strip) const {
    const MatrixView<T> result = strip_differences(strip);
    for (int64_t r = 0; r < result.rows; ++r) {
      const T* const first = chunks[0].strip_logits(strip).row(r);
      const T* const second = chunks[1].strip_logits(strip).row(r);
      T* const row = result.row(r);
      for (int64_t c = 0; c < result.cols; ++c) row[c] = first[c] - second[c];
    }
  }

  void weigh_differences(int64_t strip) const {
    const MatrixView<T> values = strip_differences(strip);
    for (const Chunk<T>& chunk : chunks) {
      for (int64_t r = 0; r < values.rows; ++r) {
        chunk.strip_sums[strip * rows() + r].differences = static_cast<double>(
            dot<T>(chunk.strip_logits(strip).row(r), values.row(r), values.cols));
      }
    }
  }

  /// The exponentials of a strip become dlogits, of both passes.
  void differentiate_both(int64_t strip) const {
    const Chunk<T>& first = chunks[0];
    const Chunk<T>& second = chunks[1];
    const auto half = static_cast<T>(0.5);
    const auto pull = static_cast<T>(r_drop / 4);
    const auto spread = static_cast<T>(first.smoothing / 2 / static_cast<double>(first.vocab()));
    const auto target_share = static_cast<T>((1 - first.smoothing) / 2);
    for (int64_t r = 0; r < rows(); ++r) {
      T* const a = first.strip_logits(strip).row(r);
      T* const b = second.strip_logits(strip).row(r);
      const T* const difference = strip_differences(strip).row(r);
      const auto to_p = static_cast<T>(first.to_probability(strip, r));
      const auto to_q = static_cast<T>(second.to_probability(strip, r));
      const auto mean_by_p = static_cast<T>(first.row_sums[r].difference);
      const auto mean_by_q = static_cast<T>(second.row_sums[r].difference);
      for (int64_t c = 0; c < first.strips.cols(strip); ++c) {
        const T p = a[c] * to_p;
        const T q = b[c] * to_q;
        const T apart = pull * (p - q);
        a[c] = p * (half + pull * (difference[c] - mean_by_p)) + apart - spread;
        b[c] = q * (half - pull * (difference[c] - mean_by_q)) - apart - spread;
      }
      if (const auto col = first.target_in(strip, r)) {
        a[*col] -= target_share;
        b[*col] -= target_share;
      }
    }
  }
};

}  // namespace calque::kernels
