#include "kernels/cross_entropy.h"

#include <cstring>

#include "base/error.h"
#include "kernels/matrices.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {
namespace {

/// Inputs of one call, and its outputs with their first content.
template <class T>
struct Case {
  TestMatrix<T> x, weight, dx, dweight;
  std::vector<int32_t> targets;
  std::vector<T> row_weights;
  std::vector<T> log_probabilities;
  double smoothing = 0.1;

  Case(int64_t tokens, int64_t model, int64_t vocab, bool weighted)
      : x(TestMatrix<T>::random(tokens, model, 1, model + 3)),
        weight(TestMatrix<T>::random(vocab, model, 2)),
        dx(TestMatrix<T>::random(tokens, model, 3, model + 2)),
        dweight(TestMatrix<T>::random(vocab, model, 4)),
        log_probabilities(static_cast<size_t>(tokens)) {
    for (int64_t t = 0; t < tokens; ++t) {
      targets.push_back(static_cast<int32_t>(t * 7 % vocab));
      if (weighted) row_weights.push_back(static_cast<T>(t % 3) / 2);
    }
  }

  CrossEntropySums run(bool accumulate, Workspace& workspace) {
    return projection_cross_entropy<T>(x, weight, targets, row_weights, smoothing, dx, accumulate,
                                       dweight, accumulate, log_probabilities, nullptr, workspace);
  }
  CrossEntropySums sums_only(Workspace& workspace) const {
    return projection_cross_entropy<T>(x, weight, targets, row_weights, smoothing, {}, false, {},
                                       false, {}, nullptr, workspace);
  }
};

/// The sums by their formula, the whole [tokens, vocab] table in double.
CrossEntropySums naive(const Case<double>& c) {
  CrossEntropySums sums;
  for (int64_t t = 0; t < c.x.rows(); ++t) {
    std::vector<double> logits;
    for (int64_t v = 0; v < c.weight.rows(); ++v) {
      double logit = 0;
      for (int64_t i = 0; i < c.x.cols(); ++i) logit += c.x.at(t, i) * c.weight.at(v, i);
      logits.push_back(logit);
    }
    double total = 0;
    for (const double logit : logits) total += std::exp(logit);
    const auto index = static_cast<size_t>(t);
    const double target = logits[static_cast<size_t>(c.targets[index])];
    const double row_weight = c.row_weights.empty() ? 1 : c.row_weights[index];
    double mean = 0;
    for (const double logit : logits) {
      mean += (std::log(total) - logit) / static_cast<double>(logits.size());
    }
    const double loss = std::log(total) - target;
    sums.loss += row_weight * ((1 - c.smoothing) * loss + c.smoothing * mean);
    sums.negative_log_likelihood += row_weight * loss;
  }
  return sums;
}

TEST_CASE("cross entropy equals its formula, with and without row weights", "[kernels]") {
  Workspace workspace(threads());
  // The last have more strips of the vocabulary than tasks, some with columns left over.
  const int64_t sizes[][3] = {{1, 1, 1}, {1, 5, 70}, {13, 8, 33}, {300, 12, 7}, {3, 8, 9001}};
  for (const bool weighted : {false, true}) {
    for (const auto& [tokens, model, vocab] : sizes) {
      Case<double> wide(tokens, model, vocab, weighted);
      Case<float> narrow(tokens, model, vocab, weighted);
      const CrossEntropySums expected = naive(wide);
      const CrossEntropySums sums = wide.run(false, workspace);
      CHECK(sums.loss == Approx(expected.loss).epsilon(1e-12).margin(1e-12));
      CHECK(sums.negative_log_likelihood ==
            Approx(expected.negative_log_likelihood).epsilon(1e-12).margin(1e-12));
      CHECK(narrow.run(false, workspace).loss == Approx(sums.loss).epsilon(1e-5).margin(1e-5));
      CHECK(wide.sums_only(workspace).loss == sums.loss);
    }
  }
}

TEST_CASE("cross entropy's gradients are those of its loss", "[kernels]") {
  Workspace workspace(threads());
  for (const bool weighted : {false, true}) {
    Case<double> c(9, 5, 21, weighted);
    const auto loss = [&] { return c.sums_only(workspace).loss; };
    c.run(false, workspace);
    CHECK(relative_difference(c.dx, numeric_gradient(c.x, loss)) < 1e-7);
    CHECK(relative_difference(c.dweight, numeric_gradient(c.weight, loss)) < 1e-7);
  }
}

TEST_CASE("cross entropy in float agrees with double, over several chunks", "[kernels]") {
  Workspace workspace(threads());
  Case<double> wide(290, 16, 133, true);
  Case<float> narrow(290, 16, 133, true);
  wide.run(false, workspace);
  narrow.run(false, workspace);
  CHECK(relative_difference(narrow.dx, wide.dx) < 1e-5);
  CHECK(relative_difference(narrow.dweight, wide.dweight) < 1e-5);
  for (size_t t = 0; t < wide.targets.size(); ++t) {
    CHECK(static_cast<double>(narrow.log_probabilities[t]) ==
          Approx(wide.log_probabilities[t]).margin(1e-4));
  }
}

TEST_CASE("cross entropy adds its gradients to what is there where asked", "[kernels]") {
  Workspace workspace(threads());
  Case<double> fresh(140, 6, 31, false);
  Case<double> added(140, 6, 31, false);
  const TestMatrix<double> dx = added.dx;
  const TestMatrix<double> dweight = added.dweight;
  fresh.run(false, workspace);
  added.run(true, workspace);
  for (int64_t r = 0; r < dx.rows(); ++r) {
    for (int64_t c = 0; c < dx.cols(); ++c) fresh.dx.at(r, c) += dx.at(r, c);
  }
  for (int64_t r = 0; r < dweight.rows(); ++r) {
    for (int64_t c = 0; c < dweight.cols(); ++c) fresh.dweight.at(r, c) += dweight.at(r, c);
  }
  CHECK(relative_difference(added.dx, fresh.dx) < 1e-13);
  CHECK(relative_difference(added.dweight, fresh.dweight) < 1e-13);
}

TEST_CASE("cross entropy gives each row's log-probability of its target", "[kernels]") {
  Workspace workspace(threads());
  Case<double> c(11, 4, 17, false);
  const CrossEntropySums sums = c.run(false, workspace);
  double total = 0;
  for (const double value : c.log_probabilities) total -= value;
  CHECK(total == Approx(sums.negative_log_likelihood).epsilon(1e-13));
}

TEST_CASE("cross entropy of no rows is zero and clears the weight's gradient", "[kernels]") {
  Workspace workspace(threads());
  Case<float> c(0, 4, 5, false);
  const CrossEntropySums sums = c.run(false, workspace);
  CHECK(sums.loss == 0);
  CHECK(c.dweight.values() == std::vector<float>(20, 0.0f));
}

TEST_CASE("cross entropy refuses targets outside the vocabulary", "[kernels]") {
  Workspace workspace(threads());
  for (const int32_t wrong : {-1, 5}) {
    Case<float> c(3, 4, 5, false);
    c.targets[1] = wrong;
    CHECK_THROWS_AS(c.run(false, workspace), InternalError);
  }
}

TEST_CASE("cross entropy gives the same bits with 1, 2 and 3 threads", "[kernels]") {
  std::vector<float> dx, dweight;
  double loss = 0;
  for (const int count : {1, 2, 3}) {
    const test::ThreadsScope set(count);
    Workspace workspace(count);
    Case<float> c(300, 24, 901, true);
    const CrossEntropySums sums = c.run(false, workspace);
    if (count == 1) {
      loss = sums.loss;
      dx = c.dx.values();
      dweight = c.dweight.values();
    }
    CHECK(sums.loss == loss);
    CHECK(c.dx.values() == dx);
    CHECK(c.dweight.values() == dweight);
  }
}

}  // namespace
}  // namespace calque::kernels
