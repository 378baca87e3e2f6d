#include "kernels/cross_entropy.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/cross_entropy_chunk.h"
#include "kernels/elementwise.h"

namespace calque::kernels {

// A chunk's logits pass through memory twice, its rows share a pass of the weight's two packed
// forms and of its gradient: with model rows both are about the same.
int64_t cross_entropy_chunk_rows(int64_t model) {
  constexpr int64_t kWholeTiles = 42;
  static_assert(kWholeTiles % kTileRows == 0);
  return std::clamp<int64_t>(model, 128, 512) / kWholeTiles * kWholeTiles;
}

namespace {

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

template <class T, size_t kPasses>
void check_arguments(const std::array<DecoderPass<T>, kPasses>& passes, ConstMatrixView<T> weight,
                     std::span<const int32_t> targets, std::span<const T> row_weights,
                     std::span<T> log_probabilities) {
  const size_t tokens = targets.size();
  for (const DecoderPass<T>& pass : passes) {
    CALQUE_CHECK(pass.x.rows == static_cast<int64_t>(tokens) && pass.x.cols == weight.cols,
                 "{} targets, x [{}, {}], weight [{}, {}]", tokens, pass.x.rows, pass.x.cols,
                 weight.rows, weight.cols);
  }
  CALQUE_CHECK(row_weights.empty() || row_weights.size() == tokens, "{} row weights for {} rows",
               row_weights.size(), tokens);
  CALQUE_CHECK(log_probabilities.empty() || log_probabilities.size() == tokens,
               "room for {} log-probabilities of {} rows", log_probabilities.size(), tokens);
  for (size_t t = 0; t < tokens; ++t) {
    CALQUE_CHECK(targets[t] >= 0 && targets[t] < weight.rows, "target {} of row {}, vocab {}",
                 targets[t], t, weight.rows);
  }
}

/// The weight strip by strip, as the right operand of both products with it.
template <class T>
struct StripOperands {
  RightOperand<T>* to_logits;
  RightOperand<T>* to_dx;  // null when not wanted

  StripOperands(const Strips& strips, ConstMatrixView<T> weight, bool with_dx,
                PreparedWeights<T>* prepared, Workspace::Scope& scope)
      : to_logits(scope.allocate<RightOperand<T>>(strips.count())),
        to_dx(with_dx ? scope.allocate<RightOperand<T>>(strips.count()) : nullptr) {
    for (int64_t s = 0; s < strips.count(); ++s) {
      const ConstMatrixView<T> rows = weight.row_range(strips.begin(s), strips.cols(s));
      to_logits[s] = right_operand(prepared, GemmForm::kNT, rows);
      if (with_dx) to_dx[s] = right_operand(prepared, GemmForm::kNN, rows);
    }
  }
};

/// Everything up to the losses.
template <class T, size_t kPasses>
void go_forward(const Passes<T, kPasses>& passes, const StripOperands<T>& weight,
                Workspace& workspace) {
  const Strips& strips = passes.chunks[0].strips;
  parallel_for(strips.parts(), [&](int64_t part, int worker) {
    for (int64_t s = strips.first_of(part); s < strips.first_of(part + 1); ++s) {
      passes.exponentiate(s, weight.to_logits[s], workspace.worker(worker));
    }
  });
  parallel_rows(passes.rows(), strips.count() * 64, [&](int64_t from, int64_t to, int) {
    for (int64_t r = from; r < to; ++r) passes.finish_row(r);
  });
}

/// From the exponentials to dweight and the parts of dx.
template <class T, size_t kPasses>
void go_back(const Passes<T, kPasses>& passes, const StripOperands<T>& weight,
             MatrixView<T> dweight, bool accumulate_weight, Precision precision,
             Workspace& workspace) {
  const Strips& strips = passes.chunks[0].strips;
  Workspace::Scope scope(workspace.shared());
  std::array<RightOperand<T>, kPasses> to_dweight{};
  for (size_t i = 0; dweight.data != nullptr && i < kPasses; ++i) {
    to_dweight[i] = prepare_right(GemmForm::kTN, passes.chunks[i].x, precision, workspace.shared());
  }
  parallel_for(strips.parts(), [&](int64_t part, int worker) {
    for (int64_t s = strips.first_of(part); s < strips.first_of(part + 1); ++s) {
      passes.differentiate(s);
      for (size_t i = 0; i < kPasses; ++i) {
        passes.chunks[i].multiply_back(s, part, weight.to_dx, to_dweight[i], dweight,
                                       accumulate_weight || i > 0, workspace.worker(worker));
      }
    }
  });
}

/// The whole op, of one pass or of R-Drop's two.
template <class T, size_t kPasses>
CrossEntropySums run(const std::array<DecoderPass<T>, kPasses>& all, double r_drop,
                     ConstMatrixView<T> weight, std::span<const int32_t> targets,
                     std::span<const T> row_weights, double smoothing, MatrixView<T> dweight,
                     bool accumulate_weight, std::span<T> log_probabilities,
                     PreparedWeights<T>* prepared, Workspace& workspace) {
  check_arguments(all, weight, targets, row_weights, log_probabilities);
  const auto tokens = static_cast<int64_t>(targets.size());
  const Strips strips(weight.rows, weight.cols);
  const int64_t most_rows = std::min(cross_entropy_chunk_rows(weight.cols), tokens);
  const auto wants_dx = [](const DecoderPass<T>& pass) { return pass.dx.data != nullptr; };
  const bool with_dx = std::ranges::any_of(all, wants_dx);
  Workspace::Scope scope(workspace.shared());
  const auto make_chunks = [&]<size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::array{
        Chunk<T>(strips, smoothing, most_rows, weight.cols, wants_dx(all[kIndex]), scope)...};
  };
  Passes<T, kPasses> passes{make_chunks(std::make_index_sequence<kPasses>()), r_drop,
                            kPasses == 2 ? scope.allocate<T>(most_rows * strips.size()) : nullptr};
  const StripOperands<T> operands(strips, weight, with_dx, prepared, scope);
  if (tokens == 0 && dweight.data != nullptr && !accumulate_weight) zero_rows(dweight);
  for (const DecoderPass<T>& pass : all) {  // first: dx and dweight may be one matrix
    if (wants_dx(pass) && !pass.accumulate_x) zero_rows(pass.dx);
  }

  CrossEntropySums sums;
  for (int64_t begin = 0; begin < tokens; begin += most_rows) {
    const int64_t rows = std::min(most_rows, tokens - begin);
    for (size_t i = 0; i < kPasses; ++i) {
      passes.chunks[i].take(begin, rows, all[i].x, targets, row_weights);
    }
    go_forward(passes, operands, workspace);
    for (int64_t r = 0; r < rows; ++r) {
      passes.add_row(r, sums);
      if (!log_probabilities.empty()) {
        log_probabilities[static_cast<size_t>(begin + r)] = passes.chunks[0].log_probability(r);
      }
    }
    if (!with_dx && dweight.data == nullptr) continue;
    go_back(passes, operands, dweight, accumulate_weight || begin > 0, precision(prepared),
            workspace);
    for (size_t i = 0; i < kPasses; ++i) {
      if (!wants_dx(all[i])) continue;
      add_parts(passes.chunks[i].dx_parts, strips.parts(), all[i].dx.row_range(begin, rows));
    }
  }
  return sums;
}

}  // namespace

int64_t cross_entropy_scratch(int64_t tokens, int64_t model, int64_t vocab, bool r_drop) {
  const int64_t rows = std::min(cross_entropy_chunk_rows(model), tokens);
  const Strips strips(vocab, model);
  const int64_t of_pass = strips.size() + strips.parts() * model;
  return rows * (r_drop ? 2 * of_pass + strips.size() : of_pass);
}

template <class T>
CrossEntropySums projection_cross_entropy(ConstMatrixView<T> x, ConstMatrixView<T> weight,
                                          std::span<const int32_t> targets,
                                          std::span<const T> row_weights, double smoothing,
                                          MatrixView<T> dx, bool accumulate_x,
                                          MatrixView<T> dweight, bool accumulate_weight,
                                          std::span<T> log_probabilities,
                                          PreparedWeights<T>* prepared, Workspace& workspace) {
  return run(std::array{DecoderPass<T>{x, dx, accumulate_x}}, 0, weight, targets, row_weights,
             smoothing, dweight, accumulate_weight, log_probabilities, prepared, workspace);
}

template <class T>
CrossEntropySums projection_r_drop(const DecoderPass<T>& first, const DecoderPass<T>& second,
                                   ConstMatrixView<T> weight, std::span<const int32_t> targets,
                                   double smoothing, double r_drop, MatrixView<T> dweight,
                                   bool accumulate_weight, PreparedWeights<T>* prepared,
                                   Workspace& workspace) {
  return run<T, 2>({first, second}, r_drop, weight, targets, {}, smoothing, dweight,
                   accumulate_weight, {}, prepared, workspace);
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

template CrossEntropySums projection_r_drop(const DecoderPass<float>&, const DecoderPass<float>&,
                                            ConstMatrixView<float>, std::span<const int32_t>,
                                            double, double, MatrixView<float>, bool,
                                            PreparedWeights<float>*, Workspace&);
template CrossEntropySums projection_r_drop(const DecoderPass<double>&, const DecoderPass<double>&,
                                            ConstMatrixView<double>, std::span<const int32_t>,
                                            double, double, MatrixView<double>, bool,
                                            PreparedWeights<double>*, Workspace&);

}  // namespace calque::kernels
