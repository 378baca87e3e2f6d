// Products of precision bfloat16, by every unit that this binary and processor have.
#include <cstring>
#include <limits>

#include "kernels/gemm_case.h"
#include "kernels/prepared_weights.h"
#include "support/catch.h"

namespace calque::kernels {
namespace {

constexpr GemmForm kForms[] = {GemmForm::kNN, GemmForm::kNT, GemmForm::kTN};

/// Our own engine, and runs `body` with each of its units, then puts back what was in use.
template <class Body>
void with_each_unit(const Body& body) {
  const GemmEngineScope engine(GemmEngine::kCalque);
  const Bfloat16Unit before = bfloat16_unit();
  for (const Bfloat16Unit unit : bfloat16_units()) {
    INFO(bfloat16_unit_name(unit));
    set_bfloat16_unit(unit);
    body();
  }
  set_bfloat16_unit(before);
}

GemmCase<float> bf16_case(GemmForm form, int64_t m, int64_t n, int64_t k, int64_t gap = 0) {
  GemmCase<float> product(form, m, n, k, gap);
  product.precision = Precision::kBfloat16;
  return product;
}

void check_all_ways(const GemmCase<float>& c, double tolerance, Workspace& workspace) {
  CAPTURE(static_cast<int>(c.form), c.start.rows(), c.start.cols(), c.a.rows(), c.a.cols());
  for (const bool accumulate : {false, true}) {
    for (const bool with_bias : {false, !accumulate}) {
      CHECK(relative_difference(c.run(accumulate, with_bias, workspace),
                                c.expected(accumulate, with_bias)) < tolerance);
    }
  }
}

/// Around the sizes of squares, tiles and blocks.
constexpr int64_t kSizes[][3] = {{1, 1, 1},     {1, 70, 3},   {70, 1, 17},   {2, 3, 0},
                                 {5, 7, 11},    {16, 16, 32}, {17, 33, 31},  {32, 32, 64},
                                 {33, 65, 513}, {48, 40, 65}, {67, 70, 129}, {7, 530, 9}};

TEST_CASE(
    "a bfloat16 product is the float sum of its rounded operands, with every unit, form and "
    "size",
    "[kernels]") {
  Workspace workspace(threads());
  with_each_unit([&] {
    for (const GemmForm form : kForms) {
      for (const auto& [m, n, k] : kSizes) {
        check_all_ways(bf16_case(form, m, n, k), 1e-5, workspace);
        check_all_ways(bf16_case(form, m, n, k, 5), 1e-5, workspace);
      }
      check_all_ways(bf16_case(form, 40, 56, 4100), 1e-5, workspace);
    }
  });
}

TEST_CASE("a bfloat16 product by a library, or of doubles, has the same operands", "[kernels]") {
  Workspace workspace(threads());
  for (const GemmEngine engine : gemm_engines()) {
    const GemmEngineScope scope(engine);
    for (const GemmForm form : kForms) {
      check_all_ways(bf16_case(form, 33, 65, 131), 1e-5, workspace);
      GemmCase<double> product(form, 33, 65, 131);
      product.precision = Precision::kBfloat16;
      CHECK(relative_difference(product.run(true, false, workspace),
                                product.expected(true, false)) < 1e-13);
    }
  }
}

TEST_CASE("a prepared weight gives the bits of the plain bfloat16 product", "[kernels]") {
  Workspace workspace(threads());
  with_each_unit([&] {
    for (const GemmForm form : kForms) {
      const auto product = bf16_case(form, 37, 45, 700, 3);
      PreparedWeights<float> prepared(Precision::kBfloat16);
      TestMatrix<float> c = product.start;
      const RightOperand<float> right = prepared.right(form, product.b);
      CHECK(right.precision == Precision::kBfloat16);
      gemm<float>(product.a, right, c, false, workspace);
      CHECK(c.values() == product.run(false, false, workspace).values());
    }
  });
}

TEST_CASE("in a bfloat16 product a row has the same bits alone and among others", "[kernels]") {
  Workspace workspace(threads());
  with_each_unit([&] {
    for (const GemmForm form : {GemmForm::kNT, GemmForm::kNN}) {
      const auto product = bf16_case(form, 67, 45, 1100);
      const TestMatrix<float> all = product.run(false, true, workspace);
      for (const int64_t row : {0, 15, 31, 32, 66}) {
        TestMatrix<float> alone(1, 45);
        const ConstMatrixView<float> a = product.a;
        gemm<float>(a.row_range(row, 1), {form, product.b, Precision::kBfloat16}, alone, false,
                    workspace, product.bias.data());
        for (int64_t j = 0; j < 45; ++j) CHECK(alone.at(0, j) == all.at(row, j));
      }
    }
  });
}

TEST_CASE("bfloat16 products have the same bits with 1, 2 and 3 threads", "[kernels]") {
  with_each_unit([&] {
    for (const GemmForm form : kForms) {
      for (const auto& [m, n, k] : kCutSizes) check_bits_of_threads(bf16_case(form, m, n, k));
    }
  });
}

TEST_CASE("a bfloat16 weight gradient is the product and the column sums, with any threads",
          "[kernels]") {
  with_each_unit([&] {
    // Small and large against the tokens: the small ones are summed in two halves.
    const int64_t sizes[][3] = {{0, 5, 4}, {1, 3, 2}, {517, 70, 33}, {257, 513, 31}, {40, 20, 200}};
    for (const auto& [tokens, out, in] : sizes) {
      const auto product = bf16_case(GemmForm::kTN, out, in, tokens);
      std::vector<float> first;
      for (const int count : {1, 2, 3}) {
        const test::ThreadsScope set(count);
        Workspace workspace(count);
        TestMatrix<float> dweight = product.start;
        TestMatrix<float> dbias(1, out);
        weight_gradient<float>(product.a, product.b, dweight, true, dbias.view().data, false,
                               workspace, Precision::kBfloat16);
        CHECK(relative_difference(dweight, product.expected(true, false)) < 1e-5);
        for (int64_t o = 0; o < out; ++o) {
          double bias = 0;
          for (int64_t t = 0; t < tokens; ++t) bias += double{product.a.at(t, o)};
          CHECK(double{dbias.at(0, o)} == Approx(bias).epsilon(1e-4).margin(1e-4));
        }
        std::vector<float> bits = dweight.values();
        bits.insert(bits.end(), dbias.values().begin(), dbias.values().end());
        if (count == 1) first = bits;
        CHECK(bits == first);
      }
    }
  });
}

TEST_CASE("a bfloat16 product writes inside its view only, and passes on what is not finite",
          "[kernels]") {
  Workspace workspace(threads());
  with_each_unit([&] {
    for (const GemmForm form : kForms) {
      auto wide = bf16_case(form, 33, 21, 23, 10);
      wide.a.at(3, 4) = std::numeric_limits<float>::quiet_NaN();
      wide.a.at(5, 6) = std::numeric_limits<float>::infinity();
      TestMatrix<float> c(33, 21, 31);
      std::fill_n(c.view().data, 33 * 31, -7.0f);
      gemm<float>(wide.a, {form, wide.b, Precision::kBfloat16}, c, false, workspace);
      for (int64_t r = 0; r < 33; ++r) {
        for (int64_t gap = 21; gap < 31; ++gap) CHECK(c.view().row(r)[gap] == -7.0f);
        const bool is_nan_row = r == (form == GemmForm::kTN ? 4 : 3);
        const bool is_infinite_row = r == (form == GemmForm::kTN ? 6 : 5);
        CHECK(std::isnan(c.at(r, 0)) == is_nan_row);
        CHECK(std::isinf(c.at(r, 0)) == is_infinite_row);
      }
    }
  });
}

TEST_CASE("the units are those of our own engine, and a library rounds for itself", "[kernels]") {
  CHECK(bfloat16_units().back() == Bfloat16Unit::kFloat32);
  const GemmEngineScope library(GemmEngine::kEigen);
  CHECK(bfloat16_unit() == Bfloat16Unit::kFloat32);
  const GemmEngineScope own(GemmEngine::kCalque);
  CHECK(bfloat16_unit() == bfloat16_units().front());
}

}  // namespace
}  // namespace calque::kernels
