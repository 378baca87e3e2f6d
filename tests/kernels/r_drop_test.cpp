#include <cmath>

#include "kernels/cross_entropy.h"
#include "kernels/matrices.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {
namespace {

constexpr double kSmoothing = 0.1;
constexpr double kRDrop = 3;

/// Inputs of one call, and its outputs with their first content.
template <class T>
struct Case {
  TestMatrix<T> first, second, weight, dfirst, dsecond, dweight;
  std::vector<int32_t> targets;

  Case(int64_t tokens, int64_t model, int64_t vocab)
      : first(TestMatrix<T>::random(tokens, model, 1, model + 3)),
        second(TestMatrix<T>::random(tokens, model, 2)),
        weight(TestMatrix<T>::random(vocab, model, 3)),
        dfirst(TestMatrix<T>::random(tokens, model, 4)),
        dsecond(TestMatrix<T>::random(tokens, model, 5, model + 2)),
        dweight(TestMatrix<T>::random(vocab, model, 6)) {
    for (int64_t t = 0; t < tokens; ++t) targets.push_back(static_cast<int32_t>(t * 7 % vocab));
  }

  CrossEntropySums run(Workspace& workspace, double r_drop = kRDrop,
                       PreparedWeights<T>* prepared = nullptr) {
    return projection_r_drop<T>({first, dfirst}, {second, dsecond}, weight, targets, kSmoothing,
                                r_drop, dweight, false, prepared, workspace);
  }
  CrossEntropySums sums_only(Workspace& workspace) const {
    return projection_r_drop<T>({first, {}}, {second, {}}, weight, targets, kSmoothing, kRDrop, {},
                                false, nullptr, workspace);
  }
  /// Of one pass alone, without R-Drop.
  CrossEntropySums single(const TestMatrix<T>& x, MatrixView<T> dx, MatrixView<T> dw,
                          bool accumulate, Workspace& workspace) const {
    return projection_cross_entropy<T>(x, weight, targets, {}, kSmoothing, dx, false, dw,
                                       accumulate, {}, nullptr, workspace);
  }
};

/// log of the softmax of row `t`.
std::vector<double> log_softmax(const TestMatrix<double>& x, const TestMatrix<double>& weight,
                                int64_t t) {
  std::vector<double> logits;
  double total = 0;
  for (int64_t v = 0; v < weight.rows(); ++v) {
    double logit = 0;
    for (int64_t i = 0; i < x.cols(); ++i) logit += x.at(t, i) * weight.at(v, i);
    total += std::exp(logit);
    logits.push_back(logit);
  }
  for (double& logit : logits) logit -= std::log(total);
  return logits;
}

/// KL(p || q) + KL(q || p) over all rows.
double divergence(const Case<double>& c) {
  double sum = 0;
  for (int64_t t = 0; t < c.first.rows(); ++t) {
    const std::vector<double> p = log_softmax(c.first, c.weight, t);
    const std::vector<double> q = log_softmax(c.second, c.weight, t);
    for (size_t v = 0; v < p.size(); ++v) {
      sum += std::exp(p[v]) * (p[v] - q[v]) + std::exp(q[v]) * (q[v] - p[v]);
    }
  }
  return sum;
}

TEST_CASE("R-Drop's loss equals its formula", "[kernels]") {
  Workspace workspace(threads());
  const int64_t sizes[][3] = {{1, 1, 1}, {1, 5, 70}, {13, 8, 33}, {300, 12, 7}, {3, 8, 9001}};
  for (const auto& [tokens, model, vocab] : sizes) {
    Case<double> wide(tokens, model, vocab);
    Case<float> narrow(tokens, model, vocab);
    const CrossEntropySums first = wide.single(wide.first, {}, {}, false, workspace);
    const CrossEntropySums second = wide.single(wide.second, {}, {}, false, workspace);
    const CrossEntropySums sums = wide.run(workspace);
    const double expected = (first.loss + second.loss) / 2 + kRDrop / 4 * divergence(wide);
    CHECK(sums.loss == Approx(expected).epsilon(1e-12).margin(1e-12));
    CHECK(sums.negative_log_likelihood ==
          Approx((first.negative_log_likelihood + second.negative_log_likelihood) / 2)
              .epsilon(1e-12)
              .margin(1e-12));
    CHECK(wide.sums_only(workspace).loss == sums.loss);
    CHECK(narrow.run(workspace).loss == Approx(sums.loss).epsilon(1e-5).margin(1e-5));
  }
}

TEST_CASE("R-Drop's gradients are those of its loss", "[kernels]") {
  Workspace workspace(threads());
  Case<double> c(9, 5, 21);
  const auto loss = [&] { return c.sums_only(workspace).loss; };
  c.run(workspace);
  CHECK(relative_difference(c.dfirst, numeric_gradient(c.first, loss)) < 1e-7);
  CHECK(relative_difference(c.dsecond, numeric_gradient(c.second, loss)) < 1e-7);
  CHECK(relative_difference(c.dweight, numeric_gradient(c.weight, loss)) < 1e-7);
}

TEST_CASE("without its weight R-Drop is the mean of two passes", "[kernels]") {
  Workspace workspace(threads());
  Case<double> both(140, 6, 131);
  Case<double> apart(140, 6, 131);
  both.run(workspace, 0);
  apart.single(apart.first, apart.dfirst, apart.dweight, false, workspace);
  apart.single(apart.second, apart.dsecond, apart.dweight, true, workspace);
  const auto halve = [](TestMatrix<double>& matrix) {
    for (int64_t r = 0; r < matrix.rows(); ++r) {
      for (int64_t c = 0; c < matrix.cols(); ++c) matrix.at(r, c) /= 2;
    }
  };
  for (auto* gradient : {&apart.dfirst, &apart.dsecond, &apart.dweight}) halve(*gradient);
  CHECK(relative_difference(both.dfirst, apart.dfirst) < 1e-13);
  CHECK(relative_difference(both.dsecond, apart.dsecond) < 1e-13);
  CHECK(relative_difference(both.dweight, apart.dweight) < 1e-13);
}

TEST_CASE("R-Drop in float agrees with double, over several chunks, in bfloat16 roughly",
          "[kernels]") {
  Workspace workspace(threads());
  Case<double> wide(290, 16, 133);
  Case<float> narrow(290, 16, 133);
  Case<float> rounded(290, 16, 133);
  wide.run(workspace);
  narrow.run(workspace);
  PreparedWeights<float> prepared(Precision::kBfloat16);
  rounded.run(workspace, kRDrop, &prepared);
  CHECK(relative_difference(narrow.dfirst, wide.dfirst) < 1e-5);
  CHECK(relative_difference(narrow.dsecond, wide.dsecond) < 1e-5);
  CHECK(relative_difference(narrow.dweight, wide.dweight) < 1e-5);
  CHECK(relative_difference(rounded.dfirst, wide.dfirst) < 0.05);
  CHECK(relative_difference(rounded.dweight, wide.dweight) < 0.05);
}

TEST_CASE("R-Drop gives the same bits with 1, 2 and 3 threads", "[kernels]") {
  std::vector<float> dfirst, dsecond, dweight;
  double loss = 0;
  for (const int count : {1, 2, 3}) {
    const test::ThreadsScope set(count);
    Workspace workspace(count);
    Case<float> c(300, 24, 901);
    const CrossEntropySums sums = c.run(workspace);
    if (count == 1) {
      loss = sums.loss;
      dfirst = c.dfirst.values();
      dsecond = c.dsecond.values();
      dweight = c.dweight.values();
    }
    CHECK(sums.loss == loss);
    CHECK(c.dfirst.values() == dfirst);
    CHECK(c.dsecond.values() == dsecond);
    CHECK(c.dweight.values() == dweight);
  }
}

}  // namespace
}  // namespace calque::kernels
