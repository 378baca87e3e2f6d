// Products of precision int8, by every unit that this binary has.
#include "kernels/gemm_int8.h"

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "kernels/matrices.h"
#include "kernels/prepared_weights.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {
namespace {

/// Runs `body` with each unit, then puts back what was in use.
template <class Body>
void with_each_unit(const Body& body) {
  const Int8Unit before = int8_unit();
  for (const Int8Unit unit : int8_units()) {
    CAPTURE(static_cast<int>(unit));
    set_int8_unit(unit);
    body();
  }
  set_int8_unit(before);
}

struct Quantised {
  float scale = 0;
  std::vector<int64_t> values;
};

/// A row as the header says.
Quantised quantised(const TestMatrix<float>& x, int64_t row) {
  float largest = 0;
  for (int64_t c = 0; c < x.cols(); ++c) largest = std::max(largest, std::abs(x.at(row, c)));
  Quantised result{largest / 127, {}};
  const float inverse = largest > 0 ? 127 / largest : 0;
  for (int64_t c = 0; c < x.cols(); ++c) {
    result.values.push_back(std::llrint(x.at(row, c) * inverse));
  }
  return result;
}

struct Product {
  TestMatrix<float> a, b;
  std::vector<float> bias;

  Product(int64_t m, int64_t n, int64_t k, int64_t gap = 0)
      : a(TestMatrix<float>::random(m, k, 1, k + gap)),
        b(TestMatrix<float>::random(n, k, 2, k + gap)),
        bias(TestMatrix<float>::random(1, n, 4).values()) {}

  TestMatrix<float> expected(bool with_bias) const {
    TestMatrix<float> c(a.rows(), b.rows());
    for (int64_t i = 0; i < c.rows(); ++i) {
      const Quantised left = quantised(a, i);
      for (int64_t j = 0; j < c.cols(); ++j) {
        const Quantised right = quantised(b, j);
        int64_t sum = 0;
        for (size_t p = 0; p < left.values.size(); ++p) sum += left.values[p] * right.values[p];
        c.at(i, j) = static_cast<float>(sum) * (left.scale * right.scale) +
                     (with_bias ? bias[static_cast<size_t>(j)] : 0);
      }
    }
    return c;
  }

  TestMatrix<float> run(bool with_bias) const {
    Workspace workspace(threads());
    PreparedWeights<float> weights(Precision::kInt8);
    TestMatrix<float> c(a.rows(), b.rows());
    gemm<float>(a, weights.right(GemmForm::kNT, b), c, false, workspace,
                with_bias ? bias.data() : nullptr);
    return c;
  }

  TestMatrix<float> run_in_task() const {
    Arena arena;
    PreparedWeights<float> weights(Precision::kInt8);
    TestMatrix<float> c(a.rows(), b.rows());
    gemm_in_task<float>(a, weights.right(GemmForm::kNT, b), c, false, arena, bias.data());
    return c;
  }
};

bool same_bits(const TestMatrix<float>& x, const TestMatrix<float>& y) {
  return x.values().size() == y.values().size() &&
         std::memcmp(x.values().data(), y.values().data(), x.values().size() * sizeof(float)) == 0;
}

constexpr int64_t kSizes[][3] = {{1, 1, 1},    {1, 70, 3},    {70, 1, 17},   {5, 7, 11},
                                 {14, 32, 64}, {6, 16, 32},   {15, 33, 130}, {67, 70, 129},
                                 {7, 530, 9},  {300, 40, 256}};

TEST_CASE("an int8 product is the sum of its quantised operands, with every unit and size",
          "[kernels]") {
  with_each_unit([&] {
    for (const auto& [m, n, k] : kSizes) {
      for (const int64_t gap : {0, 5}) {
        const Product product(m, n, k, gap);
        CAPTURE(m, n, k, gap);
        CHECK(relative_difference(product.run(false), product.expected(false)) < 1e-6);
        CHECK(relative_difference(product.run(true), product.expected(true)) < 1e-6);
      }
    }
  });
}

TEST_CASE("units, threads and tasks of an int8 product give the same bits", "[kernels]") {
  const Product product(45, 333, 200);
  const TestMatrix<float> first = product.run(true);
  with_each_unit([&] {
    for (const int count : {1, 2, 3}) {
      const test::ThreadsScope set(count);
      CHECK(same_bits(product.run(true), first));
    }
    CHECK(same_bits(product.run_in_task(), first));
  });
}

TEST_CASE("a row of an int8 product has the same bits alone and among others", "[kernels]") {
  const Product product(30, 50, 77);
  const TestMatrix<float> all = product.run(true);
  for (const int64_t r : {0, 13, 14, 29}) {
    Product one(1, 50, 77);
    std::memcpy(one.a.view().row(0), product.a.view().row(r), 77 * sizeof(float));
    CHECK(std::memcmp(one.run(true).view().row(0), all.view().row(r), 50 * sizeof(float)) == 0);
  }
}

TEST_CASE("int8 products of the largest operands do not overflow", "[kernels]") {
  constexpr int64_t kInner = 4096;
  with_each_unit([&] {
    for (const float sign : {1.0F, -1.0F}) {
      Product product(3, 40, kInner);
      for (int64_t p = 0; p < kInner; ++p) {
        for (int64_t r = 0; r < 3; ++r) product.a.at(r, p) = 5;
        for (int64_t r = 0; r < 40; ++r) product.b.at(r, p) = sign * 3;
      }
      const TestMatrix<float> c = product.run(false);
      for (int64_t r = 0; r < 3; ++r) {
        for (int64_t j = 0; j < 40; ++j) CHECK(c.at(r, j) == Approx(sign * 15 * kInner));
      }
    }
  });
}

TEST_CASE("rows of zeros and of tiny numbers are multiplied too", "[kernels]") {
  with_each_unit([&] {
    Product product(2, 3, 8);
    for (int64_t p = 0; p < 8; ++p) {
      product.a.at(0, p) = 0;
      product.a.at(1, p) = 1e-30F;
      product.b.at(0, p) = 0;
      product.b.at(1, p) = -2e-5F;
    }
    const TestMatrix<float> c = product.run(true);
    for (int64_t j = 0; j < 3; ++j) CHECK(c.at(0, j) == product.bias[static_cast<size_t>(j)]);
    CHECK(c.at(1, 0) == product.bias[0]);
    CHECK(product.run(false).at(1, 1) == Approx(-8 * 2e-35).epsilon(0.01));
  });
}

TEST_CASE("an int8 product is close to the product of floats", "[kernels]") {
  const Product product(20, 30, 512);
  Workspace workspace(threads());
  TestMatrix<float> exact(20, 30);
  gemm<float>(GemmForm::kNT, product.a, product.b, exact, false, workspace);
  CHECK(relative_difference(product.run(false), exact) < 0.02);
}

TEST_CASE("an int8 product needs a prepared weight, and adds to nothing", "[kernels]") {
  const Product product(2, 3, 4);
  Workspace workspace(threads());
  TestMatrix<float> c(2, 3);
  const RightOperand<float> bare{GemmForm::kNT, product.b, Precision::kInt8};
  CHECK_THROWS_AS(gemm<float>(product.a, bare, c, false, workspace), InternalError);
  PreparedWeights<float> weights(Precision::kInt8);
  CHECK_THROWS_AS(
      gemm<float>(product.a, weights.right(GemmForm::kNT, product.b), c, true, workspace),
      InternalError);
  CHECK_THROWS_AS(weights.right(GemmForm::kNN, product.b), InternalError);
}

}  // namespace
}  // namespace calque::kernels
