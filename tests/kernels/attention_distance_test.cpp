// Relative positions in attention's kernels, against attention whose keys and values are written
// out for each query.

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "kernels/attention.h"
#include "kernels/matrices.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {
namespace {

/// Self-attention with tables of relative positions, and its gradients.
template <class T>
struct Case {
  SequenceLayoutBuffer layout;
  int64_t heads;
  AttentionShape shape;
  TestMatrix<T> query, key, value, key_table, value_table;
  TestMatrix<T> output, doutput, dquery, dkey, dvalue, dkey_table, dvalue_table, log_sums;

  Case(const std::vector<int64_t>& lengths, int64_t model, int64_t head_count, int64_t farthest,
       bool causal, double rate)
      : layout(sentences_of(lengths)),
        heads(head_count),
        shape{layout.view(), layout.view(), heads, causal, {rate, {11, 2, 3}}},
        query(TestMatrix<T>::random(layout.view().tokens, model, 1, 3 * model)),
        key(TestMatrix<T>::random(query.rows(), model, 2, 3 * model)),
        value(TestMatrix<T>::random(query.rows(), model, 3)),
        key_table(TestMatrix<T>::random(2 * farthest + 1, model / heads, 8)),
        value_table(TestMatrix<T>::random(2 * farthest + 1, model / heads, 9)),
        output(query.rows(), model),
        doutput(TestMatrix<T>::random(query.rows(), model, 4)),
        dquery(query.rows(), model),
        dkey(query.rows(), model),
        dvalue(query.rows(), model),
        dkey_table(key_table.rows(), key_table.cols()),
        dvalue_table(key_table.rows(), key_table.cols()),
        log_sums(query.rows(), heads) {}

  DistanceTerms<T> terms() const { return {false, key_table, value_table}; }
  void forward(Workspace& workspace) {
    attention_forward<T>(shape, query, key, value, output, log_sums.view().data, nullptr, workspace,
                         terms());
  }
  void backward(Workspace& workspace, bool accumulate_tables = false) {
    attention_backward<T>(
        shape, query, key, value, output, log_sums.view().data, doutput, dquery, false, dkey, false,
        dvalue, false, workspace, terms(),
        {dkey_table.view(), dvalue_table.view(), accumulate_tables, accumulate_tables});
  }
};

/// The output by the formula, without dropout.
TestMatrix<double> naive(const Case<double>& c) {
  TestMatrix<double> output(c.query.rows(), c.query.cols());
  const int64_t head = c.key_table.cols();
  const int64_t farthest = c.key_table.rows() / 2;
  for (int64_t s = 0; s < c.shape.queries.sentences(); ++s) {
    const int64_t begin = c.shape.queries.begins[static_cast<size_t>(s)];
    const int64_t length = c.shape.queries.lengths[static_cast<size_t>(s)];
    for (int64_t task = 0; task < c.heads * length; ++task) {
      const int64_t column = task / length * head;
      const int64_t i = task % length;
      double sum = 0;
      for (int64_t j = 0; j < (c.shape.causal ? i + 1 : length); ++j) {
        const int64_t row = std::clamp(j - i, -farthest, farthest) + farthest;
        double score = 0;
        for (int64_t d = 0; d < head; ++d) {
          score += c.query.at(begin + i, column + d) *
                   (c.key.at(begin + j, column + d) + c.key_table.at(row, d));
        }
        const double weight = std::exp(score / std::sqrt(static_cast<double>(head)));
        sum += weight;
        for (int64_t d = 0; d < head; ++d) {
          output.at(begin + i, column + d) +=
              weight * (c.value.at(begin + j, column + d) + c.value_table.at(row, d));
        }
      }
      for (int64_t d = 0; d < head; ++d) output.at(begin + i, column + d) /= sum;
    }
  }
  return output;
}

const std::vector<int64_t> kLengths{3, 130, 1, 97, 250};  // a block has 96

TEST_CASE("attention with relative positions equals its formula", "[kernels]") {
  const bool causal = GENERATE(false, true);
  const int64_t farthest = GENERATE(1, 20, 300);
  Workspace workspace(threads());
  Case<double> wide(kLengths, 12, 2, farthest, causal, 0);
  Case<float> narrow(kLengths, 12, 2, farthest, causal, 0);
  wide.forward(workspace);
  narrow.forward(workspace);
  CHECK(relative_difference(wide.output, naive(wide)) < 1e-13);
  CHECK(relative_difference(narrow.output, wide.output) < 1e-5);
}

TEST_CASE("the gradients of attention with relative positions are those of its output",
          "[kernels]") {
  Workspace workspace(threads());
  const bool causal = GENERATE(false, true);
  const double rate = GENERATE(0.0, 0.25);
  const int64_t longest = GENERATE(6, 98);  // a block has 96
  Case<double> c({4, 1, longest}, 6, 2, 2, causal, rate);
  const auto loss = [&] {
    c.forward(workspace);
    double sum = 0;
    for (int64_t r = 0; r < c.output.rows(); ++r) {
      for (int64_t k = 0; k < c.output.cols(); ++k) sum += c.output.at(r, k) * c.doutput.at(r, k);
    }
    return sum;
  };
  c.forward(workspace);
  c.backward(workspace);
  CHECK(relative_difference(c.dquery, numeric_gradient(c.query, loss)) < 1e-7);
  CHECK(relative_difference(c.dkey, numeric_gradient(c.key, loss)) < 1e-7);
  CHECK(relative_difference(c.dvalue, numeric_gradient(c.value, loss)) < 1e-7);
  CHECK(relative_difference(c.dkey_table, numeric_gradient(c.key_table, loss)) < 1e-7);
  CHECK(relative_difference(c.dvalue_table, numeric_gradient(c.value_table, loss)) < 1e-7);
}

TEST_CASE("gradients of tables over blocks and chunks have no thread's order, and add up",
          "[kernels]") {
  const std::vector<int64_t> lengths{700, 5, 130};
  std::vector<float> first;
  for (const int count : {1, 3}) {
    const test::ThreadsScope set(count);
    Workspace workspace(count);
    Case<float> c(lengths, 12, 2, 16, false, 0.2);
    Case<double> wide(lengths, 12, 2, 16, false, 0.2);
    c.forward(workspace);
    c.backward(workspace);
    wide.forward(workspace);
    wide.backward(workspace);
    CHECK(relative_difference(c.dkey_table, wide.dkey_table) < 2e-5);
    CHECK(relative_difference(c.dvalue_table, wide.dvalue_table) < 2e-5);
    if (count == 1) first = c.dkey_table.values();
    CHECK(c.dkey_table.values() == first);
    TestMatrix<double> twice = wide.dkey_table;
    for (int64_t r = 0; r < twice.rows(); ++r) {
      for (int64_t d = 0; d < twice.cols(); ++d) twice.at(r, d) *= 2;
    }
    wide.backward(workspace, /*accumulate_tables=*/true);
    CHECK(relative_difference(wide.dkey_table, twice) < 1e-13);
  }
}

TEST_CASE("a step with relative positions equals the last row of causal attention", "[kernels]") {
  Workspace workspace(threads());
  constexpr int64_t kLength = 9;
  Case<float> full({kLength}, 12, 2, 3, true, 0);
  full.forward(workspace);
  std::vector<int32_t> slots;
  for (int32_t p = 0; p < kLength; ++p) slots.push_back(p);
  const std::vector<int32_t> lengths{kLength};
  TestMatrix<float> one(1, 12), last(1, 12);
  attention_step<float>(full.query.view().row_range(kLength - 1, 1), full.key, full.value, slots,
                        kLength, lengths, 2, AttentionScore::kScaledDot, one, workspace,
                        full.terms());
  for (int64_t c = 0; c < 12; ++c) last.at(0, c) = full.output.at(kLength - 1, c);
  CHECK(relative_difference(one, last) < 1e-5);
}

}  // namespace
}  // namespace calque::kernels
