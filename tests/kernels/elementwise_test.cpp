#include "kernels/elementwise.h"

#include <vector>

#include "base/error.h"
#include "kernels/matrices.h"
#include "support/catch.h"

namespace calque::kernels {
namespace {

template <class T>
std::vector<T> numbers(int64_t count, uint64_t seed) {
  return TestMatrix<T>::random(1, count, seed).values();
}

}  // namespace

TEMPLATE_TEST_CASE("elementwise kernels do what their formulas say", "[kernels]", float, double) {
  using Values = std::vector<TestType>;
  for (const int64_t count : {0, 1, 7, 64, 70, 40000}) {
    const Values source = numbers<TestType>(count, 1);
    const Values start = numbers<TestType>(count, 2);
    Values filled = start;
    fill<TestType>(filled, TestType{3});
    Values copied = start;
    copy<TestType>(source, copied);
    Values sum = start;
    add_to<TestType>(source, sum);
    Values moved = start;
    move_towards<TestType>(source, TestType{0.25}, moved);
    CHECK(filled == Values(static_cast<size_t>(count), TestType{3}));
    CHECK(copied == source);
    double worst = 0;
    for (size_t i = 0; i < source.size(); ++i) {
      const double s = source[i];
      const double t = start[i];
      worst =
          std::max({worst, std::abs(sum[i] - (s + t)), std::abs(moved[i] - (t + 0.25 * (s - t)))});
    }
    CHECK(worst < 1e-6);
  }
}

TEST_CASE("elementwise kernels refuse spans of two sizes", "[kernels]") {
  std::vector<float> three(3);
  std::vector<float> four(4);
  CHECK_THROWS_AS(copy<float>(three, four), InternalError);
  CHECK_THROWS_AS(add_to<float>(three, four), InternalError);
  CHECK_THROWS_AS(move_towards<float>(three, 0.5f, four), InternalError);
}

}  // namespace calque::kernels
