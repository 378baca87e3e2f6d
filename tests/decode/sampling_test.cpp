#include "decode/sampling.h"

#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "support/catch.h"
#include "text/special_ids.h"

namespace calque {
namespace {

constexpr Real kNever = -std::numeric_limits<Real>::infinity();

/// How often each token comes in many draws, as a share.
std::map<int32_t, double> shares(const std::vector<Real>& logits, const SamplingOptions& options) {
  constexpr int kDraws = 20000;
  std::map<int32_t, double> result;
  for (int i = 0; i < kDraws; ++i) result[draw_token(logits, options, {i, 0, 1})] += 1.0 / kDraws;
  return result;
}

/// Logits of these probabilities, times any factor.
std::vector<Real> logits_of(const std::vector<double>& weights) {
  std::vector<Real> logits;
  for (const double w : weights) logits.push_back(static_cast<Real>(std::log(w)));
  return logits;
}

TEST_CASE("tokens are drawn as likely as they are", "[decode]") {
  const auto found = shares(logits_of({0.1, 0.2, 0.3, 0.4}), {});
  REQUIRE(found.size() == 4);
  CHECK(found.at(0) == Approx(0.1).margin(0.01));
  CHECK(found.at(1) == Approx(0.2).margin(0.012));
  CHECK(found.at(2) == Approx(0.3).margin(0.014));
  CHECK(found.at(3) == Approx(0.4).margin(0.015));
}

TEST_CASE("where no logit is a number the end is drawn", "[decode]") {
  const std::vector<Real> logits(5, std::numeric_limits<Real>::quiet_NaN());
  for (const SamplingOptions& options :
       {SamplingOptions{}, SamplingOptions{.top_k = 2}, SamplingOptions{.top_p = 0.5}}) {
    CHECK(draw_token(logits, options, {0, 0, 1}) == kEndId);
  }
}

TEST_CASE("a temperature sharpens and flattens", "[decode]") {
  const std::vector<Real> logits = logits_of({0.2, 0.8});
  CHECK(shares(logits, {.temperature = 0.5}).at(0) == Approx(1.0 / 17).margin(0.01));
  CHECK(shares(logits, {.temperature = 2}).at(0) == Approx(1.0 / 3).margin(0.015));
  CHECK(shares(logits, {.temperature = 1e-9}).count(0) == 0);
}

TEST_CASE("only the top_k likeliest tokens are drawn, ties by their number", "[decode]") {
  const auto found = shares(logits_of({1, 3, 2, 2, 4}), {.top_k = 3});
  REQUIRE(found.size() == 3);
  CHECK(found.at(1) == Approx(3.0 / 9).margin(0.015));
  CHECK(found.at(2) == Approx(2.0 / 9).margin(0.015));
  CHECK(found.at(4) == Approx(4.0 / 9).margin(0.015));
  CHECK(shares(logits_of({1, 3, 2}), {.top_k = 1}).count(1) == 1);
  CHECK(shares(logits_of({1, 3, 2}), {.top_k = 9}).size() == 3);
}

TEST_CASE("only the fewest tokens that have top_p of the probability are drawn", "[decode]") {
  const std::vector<Real> logits = logits_of({0.1, 0.2, 0.3, 0.4});
  CHECK(shares(logits, {.top_p = 0.3}).size() == 1);
  const auto two = shares(logits, {.top_p = 0.6});
  REQUIRE(two.size() == 2);
  CHECK(two.at(2) == Approx(3.0 / 7).margin(0.015));
  CHECK(two.at(3) == Approx(4.0 / 7).margin(0.015));
  CHECK(shares(logits, {.top_p = 0.8}).size() == 3);
  CHECK(shares(logits, {.top_p = 1e-12}).size() == 1);
  // Of the three likeliest: 4/9, 7/9, 1.
  CHECK(shares(logits, {.top_k = 3, .top_p = 0.77}).size() == 2);
}

TEST_CASE("what is ruled out is never drawn", "[decode]") {
  const std::vector<Real> logits{kNever, 1, kNever, 1, kNever};
  const auto found = shares(logits, {});
  REQUIRE(found.size() == 2);
  CHECK(found.at(1) == Approx(0.5).margin(0.015));
  CHECK(shares({kNever, 0, kNever}, {.top_k = 2, .top_p = 0.5}).at(1) == Approx(1));
}

TEST_CASE("line, sample, position, part and seed make different draws", "[decode]") {
  const std::vector<Real> logits(1000000, 0);
  const SamplingOptions options;
  const int32_t first = draw_token(logits, options, {1, 1, 1});
  CHECK(draw_token(logits, options, {1, 1, 1}) == first);
  CHECK(draw_token(logits, options, {2, 1, 1}) != first);
  CHECK(draw_token(logits, options, {1, 2, 1}) != first);
  CHECK(draw_token(logits, options, {1, 1, 2}) != first);
  CHECK(draw_token(logits, options, {1, 1, 1, 1}) != first);
  CHECK(draw_token(logits, {.seed = 2}, {1, 1, 1}) != first);
}

}  // namespace
}  // namespace calque
