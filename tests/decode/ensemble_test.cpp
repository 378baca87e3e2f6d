#include "decode/ensemble.h"

#include <cmath>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/example_batch.h"

namespace calque {
namespace {

TEST_CASE("log-probabilities are mixed as probabilities", "[decode]") {
  // Probabilities (1/4, 3/4) and (4/5, 1/5); (1/2, 1/2) and (1, 0).
  std::vector<Real> first{0, std::log(Real(3)), 5, 5};
  std::vector<Real> second{std::log(Real(4)), 0, 500, -500};
  const std::vector<MatrixView<Real>> logits{{first.data(), 2, 2}, {second.data(), 2, 2}};
  const std::vector<double> weights{0.75, 0.25};
  mix_log_probabilities(logits, weights);
  CHECK(std::exp(first[0]) == Approx(0.75 * 0.25 + 0.25 * 0.8));
  CHECK(std::exp(first[1]) == Approx(0.75 * 0.75 + 0.25 * 0.2));
  CHECK(std::exp(first[2]) == Approx(0.75 * 0.5 + 0.25));
  CHECK(std::exp(first[3]) == Approx(0.75 * 0.5));
}

TEST_CASE("the weights of models count as shares, however large or small they are", "[decode]") {
  Transformer model = test::random_model(test::tiny_options(), 20, 20);
  const auto shares = [&](double first, double second) {
    const Ensemble ensemble({{&model, first}, {&model, second}});
    return std::pair(ensemble.members()[0].weight, ensemble.members()[1].weight);
  };
  CHECK(shares(3, 1) == std::pair(0.75, 0.25));
  CHECK(shares(1e308, 1e308) == std::pair(0.5, 0.5));
  CHECK(shares(5e-324, 5e-324) == std::pair(0.5, 0.5));
  CHECK(shares(5e-324, 1e308) == std::pair(0.0, 1.0));
}

TEST_CASE("what no model finds possible stays a finite number", "[decode]") {
  std::vector<Real> first{0, -1000};
  std::vector<Real> second{0, -1000};
  const std::vector<MatrixView<Real>> logits{{first.data(), 1, 2}, {second.data(), 1, 2}};
  mix_log_probabilities(logits, std::vector<double>{0.5, 0.5});
  CHECK(first[0] == Approx(0).margin(1e-6));
  CHECK(std::isfinite(first[1]));
  CHECK(first[1] < -80);
}

}  // namespace
}  // namespace calque
