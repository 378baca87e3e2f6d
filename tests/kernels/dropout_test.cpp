#include "kernels/dropout.h"

#include "base/error.h"
#include "kernels/matrices.h"
#include "kernels/weighted_sum.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {
namespace {

const RandomKey kKey{0x123456789ABCDEFu, 77, 5};

/// The factor that the documentation promises, from base/random.h.
double expected_factor(const Dropout& dropout, uint32_t row, uint32_t column) {
  const auto words = random_words(dropout.key, row, column / 8);
  const uint32_t word = words[column % 8 / 2];
  const uint32_t draw = column % 2 == 0 ? word & 0xFFFFu : word >> 16;
  const double threshold = std::round(dropout.rate * 65536);
  return draw < threshold ? 0 : 1 / (1 - threshold / 65536);
}

template <class T>
std::vector<T> factors_of(const Dropout& dropout, uint32_t row, uint32_t first, int64_t cols) {
  std::vector<T> factors(static_cast<size_t>(cols) + 1, T{-1});
  dropout_factors(dropout, row, first, cols, factors.data());
  REQUIRE(factors.back() == T{-1});  // nothing behind the last column is written
  factors.pop_back();
  return factors;
}

template <class T>
int64_t wrong_factors(const Dropout& dropout, uint32_t row, uint32_t first, int64_t cols) {
  const auto factors = factors_of<T>(dropout, row, first, cols);
  int64_t wrong = 0;
  for (size_t c = 0; c < factors.size(); ++c) {
    const double factor = expected_factor(dropout, row, first + static_cast<uint32_t>(c));
    wrong += factors[c] != static_cast<T>(factor);
  }
  return wrong;
}

}  // namespace

TEST_CASE("factors are those of random_words, bit by bit, at every width", "[kernels]") {
  const Dropout dropout{0.3, kKey};
  int64_t wrong = 0;
  for (int64_t cols = 0; cols <= 70; ++cols) {
    wrong += wrong_factors<float>(dropout, 3, 0, cols);
    wrong += wrong_factors<double>(dropout, 0xFFFFFFFFu, 16, cols);
  }
  for (const int64_t cols : {127, 128, 129, 255, 256, 257, 700}) {
    wrong += wrong_factors<float>(dropout, 12345, 7 * 65536, cols);
    wrong += wrong_factors<double>(dropout, 12345, 0xFFFFF000u, cols);
  }
  CHECK(wrong == 0);
}

TEST_CASE("a column range has the factors that it has in the whole row", "[kernels]") {
  const Dropout dropout{0.5, kKey};
  const auto whole = factors_of<float>(dropout, 9, 0, 600);
  for (const uint32_t first : {8u, 64u, 200u, 592u}) {
    const auto part = factors_of<float>(dropout, 9, first, 600 - first);
    CHECK(std::equal(part.begin(), part.end(), whole.begin() + first));
  }
  std::vector<float> factors(8);
  CHECK_THROWS_AS(dropout_factors(dropout, 0, 4, 8, factors.data()), InternalError);
}

template <class T>
int64_t wrong_in_tile(const Dropout& dropout, uint32_t row, uint32_t column, int64_t rows,
                      int64_t cols) {
  constexpr int64_t kStride = 128;
  std::vector<T> tile(static_cast<size_t>(20 * kStride), T{-1});
  dropout_tile(dropout, row, column, rows, cols, tile.data(), kStride);
  const double threshold = std::round(dropout.rate * 65536);
  int64_t wrong = 0;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) {
      const auto words = random_words(dropout.key, row + static_cast<uint32_t>(r / 4 * 4),
                                      (column + static_cast<uint32_t>(c)) / 2);
      const uint32_t word = words[static_cast<size_t>(r % 4 / 2 * 2 + c % 2)];
      const uint32_t draw = r % 2 == 0 ? word & 0xFFFFu : word >> 16;
      const double factor = draw < threshold ? 0 : 1 / (1 - threshold / 65536);
      wrong += tile[static_cast<size_t>(r * kStride + c)] != static_cast<T>(factor);
    }
  }
  return wrong;
}

TEMPLATE_TEST_CASE("the factors of a tile are those of random_words, at every size", "[kernels]",
                   float, double) {
  const Dropout dropout{0.3, kKey};
  int64_t wrong = 0;
  for (int64_t rows = 1; rows <= 17; ++rows) {
    for (const int64_t cols : {1, 2, 15, 16, 17, 64, 65, 112}) {
      wrong += wrong_in_tile<TestType>(dropout, 7, 5 * 65536 + 64, rows, cols);
    }
  }
  CHECK(wrong == 0);
  TestType tile[4 * 16];
  CHECK_THROWS_AS(dropout_tile(dropout, 0, 3, 4, 2, tile, 16), InternalError);
}

TEST_CASE("the share that is dropped is the rate, and the mean factor is one", "[kernels]") {
  constexpr int64_t kRows = 200;
  constexpr int64_t kCols = 512;
  for (const double rate : {0.1, 0.3, 0.5, 0.9}) {
    double dropped = 0;
    double sum = 0;
    for (uint32_t r = 0; r < kRows; ++r) {
      for (const double factor : factors_of<double>({rate, kKey}, r, 0, kCols)) {
        dropped += factor == 0;
        sum += factor;
      }
    }
    const double count = kRows * kCols;
    const double deviation = std::sqrt(rate * (1 - rate) / count);
    CHECK(std::abs(dropped / count - rate) < 5 * deviation);
    CHECK(std::abs(sum / count - 1) < 5 * deviation / (1 - rate));
  }
}

TEST_CASE("every part of the key changes the draws, and no rate drops nothing", "[kernels]") {
  const auto base = factors_of<float>({0.5, kKey}, 4, 0, 256);
  CHECK(factors_of<float>({0.5, {kKey.seed + 1, 77, 5}}, 4, 0, 256) != base);
  CHECK(factors_of<float>({0.5, {kKey.seed, 78, 5}}, 4, 0, 256) != base);
  CHECK(factors_of<float>({0.5, {kKey.seed, 77, 6}}, 4, 0, 256) != base);
  CHECK(factors_of<float>({0.5, kKey}, 5, 0, 256) != base);
  CHECK(factors_of<float>({0, kKey}, 4, 0, 256) == std::vector<float>(256, 1.0f));
}

TEMPLATE_TEST_CASE("add_dropout is x + factor f, strided or in place", "[kernels]", float, double) {
  const Dropout dropout{0.25, kKey};
  for (const int64_t cols : {1, 7, 70, 300}) {
    auto x = TestMatrix<TestType>::random(5, cols, 1, cols + 3);
    const auto f = TestMatrix<TestType>::random(5, cols, 2, cols + 1);
    TestMatrix<double> expected(5, cols);
    for (int64_t r = 0; r < 5; ++r) {
      for (int64_t c = 0; c < cols; ++c) {
        const double factor =
            expected_factor(dropout, static_cast<uint32_t>(r), static_cast<uint32_t>(c));
        expected.at(r, c) = static_cast<double>(x.at(r, c)) + factor * f.at(r, c);
      }
    }
    TestMatrix<TestType> y(5, cols, cols + 2);
    add_dropout<TestType>(x, f, dropout, y);
    CHECK(relative_difference(y, expected) < 1e-6);
    CHECK(y.values().back() == 0);  // between the rows
    add_dropout<TestType>(x, f, dropout, x);
    CHECK(relative_difference(x, y) == 0);
  }
}

TEMPLATE_TEST_CASE("apply_dropout assigns or adds", "[kernels]", float, double) {
  const Dropout dropout{0.25, kKey};
  const auto dy = TestMatrix<TestType>::random(6, 45, 1);
  TestMatrix<TestType> zeros(6, 45);
  TestMatrix<TestType> alone = TestMatrix<TestType>::random(6, 45, 2);
  apply_dropout<TestType>(dy, dropout, alone, false);
  TestMatrix<TestType> expected(6, 45);
  add_dropout<TestType>(zeros, dy, dropout, expected);
  CHECK(relative_difference(alone, expected) == 0);
  const auto start = TestMatrix<TestType>::random(6, 45, 3);
  TestMatrix<TestType> sum = start;
  apply_dropout<TestType>(dy, dropout, sum, true);
  add_dropout<TestType>(start, dy, dropout, expected);
  CHECK(relative_difference(sum, expected) == 0);
}

TEST_CASE("apply_dropout is the gradient of add_dropout", "[kernels]") {
  const Dropout dropout{0.4, kKey};
  const auto x = TestMatrix<double>::random(3, 21, 1);
  auto f = TestMatrix<double>::random(3, 21, 2);
  const auto dy = TestMatrix<double>::random(3, 21, 3);
  TestMatrix<double> y(3, 21);
  TestMatrix<double> df(3, 21);
  apply_dropout<double>(dy, dropout, df, false);
  const auto numeric = numeric_gradient(f, [&] {
    add_dropout<double>(x, f, dropout, y);
    return weighted_sum(y, dy);
  });
  CHECK(relative_difference(df, numeric) < 1e-7);
}

TEST_CASE("dropout has the same bits with any number of threads", "[kernels]") {
  const auto x = TestMatrix<float>::random(300, 200, 1);
  const auto f = TestMatrix<float>::random(300, 200, 2);
  const auto run = [&](int count) {
    const test::ThreadsScope scope(count);
    TestMatrix<float> y(300, 200);
    add_dropout<float>(x, f, {0.1, kKey}, y);
    return y.values();
  };
  const auto one = run(1);
  CHECK(run(2) == one);
  CHECK(run(3) == one);
}

TEST_CASE("dropout refuses shapes that differ", "[kernels]") {
  TestMatrix<float> x(2, 3);
  TestMatrix<float> f(2, 4);
  CHECK_THROWS_AS(add_dropout<float>(x, f, {}, x), InternalError);
  CHECK_THROWS_AS(apply_dropout<float>(x, {}, f, false), InternalError);
}

}  // namespace calque::kernels
