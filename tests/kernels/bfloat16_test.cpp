#include "kernels/bfloat16.h"

#include <cmath>
#include <limits>

#include "kernels/matrices.h"
#include "support/catch.h"

namespace calque::kernels {
namespace {

float rounded(float x) { return to_float(to_bfloat16(x)); }

TEST_CASE("bfloat16 rounds to the nearest number, of two as near to the even one", "[kernels]") {
  CHECK(rounded(1.0f) == 1.0f);
  CHECK(rounded(-2.5f) == -2.5f);
  constexpr float kUnit = 1.0f / 128;  // between neighbours from 1 to 2
  CHECK(rounded(1 + 0.49f * kUnit) == 1.0f);
  CHECK(rounded(1 + 0.51f * kUnit) == 1 + kUnit);
  CHECK(rounded(1 + 0.5f * kUnit) == 1.0f);
  CHECK(rounded(1 + 1.5f * kUnit) == 1 + 2 * kUnit);
  CHECK(rounded(-1 - 1.5f * kUnit) == -1 - 2 * kUnit);
  CHECK(rounded(1.999f) == 2.0f);
  for (const float x : {3.14159f, 1e-20f, -7e30f, 0.1f}) {
    CHECK(std::abs(rounded(x) - x) <= std::abs(x) / 256);
  }
}

TEST_CASE("bfloat16 keeps zeros, infinities and NaN, and has no subnormal numbers", "[kernels]") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kSmallest = std::numeric_limits<float>::min();
  CHECK(to_bfloat16(0.0f).bits == 0x0000);
  CHECK(to_bfloat16(-0.0f).bits == 0x8000);
  CHECK(rounded(kInfinity) == kInfinity);
  CHECK(rounded(-kInfinity) == -kInfinity);
  CHECK(rounded(std::numeric_limits<float>::max()) == kInfinity);
  CHECK(std::isnan(rounded(std::numeric_limits<float>::quiet_NaN())));
  CHECK(std::isnan(rounded(std::bit_cast<float>(0x7f80'0001u))));  // its lower half alone is not 0
  CHECK(rounded(kSmallest) == kSmallest);
  CHECK(to_bfloat16(kSmallest / 2).bits == 0x0000);
  CHECK(to_bfloat16(-kSmallest / 2).bits == 0x8000);
}

TEST_CASE("round_to_bfloat16 rounds every element of a matrix", "[kernels]") {
  const auto x = TestMatrix<double>::random(7, 33, 1, 40);
  TestMatrix<double> to(7, 33);
  round_to_bfloat16<double>(x, to);
  for (int64_t r = 0; r < x.rows(); ++r) {
    for (int64_t c = 0; c < x.cols(); ++c) {
      CHECK(to.at(r, c) == static_cast<double>(rounded(static_cast<float>(x.at(r, c)))));
    }
  }
}

}  // namespace
}  // namespace calque::kernels
