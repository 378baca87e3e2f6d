#include "kernels/reduce.h"

#include <limits>

#include "kernels/matrices.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {

TEMPLATE_TEST_CASE("sum_of_squares adds in double", "[kernels]", float, double) {
  for (const int64_t count : {0, 1, 15, 16, 17, 70, 16384, 300000}) {
    const auto values = TestMatrix<TestType>::random(1, count, 1).values();
    long double expected = 0;
    for (const TestType value : values) expected += static_cast<long double>(value) * value;
    CHECK(sum_of_squares<TestType>(values) == Approx(static_cast<double>(expected)).epsilon(1e-14));
  }
}

TEST_CASE("sum_of_squares shows NaN and infinity, and does not overflow", "[kernels]") {
  std::vector<float> values(20000, 1e30f);
  CHECK(sum_of_squares<float>(values) == Approx(2e64));
  values[19999] = std::numeric_limits<float>::infinity();
  CHECK(std::isinf(sum_of_squares<float>(values)));
  values[3] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(sum_of_squares<float>(values)));
}

TEMPLATE_TEST_CASE("column_sums assigns or adds, strided or not", "[kernels]", float, double) {
  Workspace workspace(threads());
  for (const int64_t rows : {0, 1, 3, 70, 2000}) {
    for (const int64_t cols : {1, 7, 33, 70}) {
      const auto x = TestMatrix<TestType>::random(rows, cols, 1, cols + 5);
      const auto start = TestMatrix<TestType>::random(1, cols, 2);
      TestMatrix<double> expected(1, cols);
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t c = 0; c < cols; ++c) expected.at(0, c) += x.at(r, c);
      }
      TestMatrix<TestType> sums(1, cols);
      column_sums<TestType>(x, sums.view().data, false, workspace);
      CHECK(relative_difference(sums, expected) < 1e-6);
      TestMatrix<TestType> added = start;
      column_sums<TestType>(x, added.view().data, true, workspace);
      for (int64_t c = 0; c < cols; ++c) expected.at(0, c) += start.at(0, c);
      CHECK(relative_difference(added, expected) < 1e-6);
    }
  }
}

TEST_CASE("sums have the same bits with any number of threads", "[kernels]") {
  const auto x = TestMatrix<float>::random(3000, 40, 1);
  const auto run = [&](int count) {
    const test::ThreadsScope scope(count);
    Workspace workspace(count);
    std::vector<double> result(41);
    TestMatrix<float> sums(1, 40);
    column_sums<float>(x, sums.view().data, false, workspace);
    std::copy_n(sums.values().begin(), 40, result.begin());
    result[40] = sum_of_squares<float>(x.values());
    return result;
  };
  const auto one = run(1);
  CHECK(run(2) == one);
  CHECK(run(3) == one);
}

TEST_CASE("a sum over rows has at most 64 parts", "[kernels]") {
  for (const int64_t rows : {0, 1, 100, 5000, 1000000}) {
    for (const int64_t cols : {1, 512, 100000}) {
      const int64_t step = rows_per_part(rows, cols);
      CHECK(step >= 1);
      CHECK((rows + step - 1) / step <= 64);
    }
  }
}

}  // namespace calque::kernels
