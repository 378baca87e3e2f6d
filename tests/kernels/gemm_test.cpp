#include "kernels/gemm.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "kernels/gemm_case.h"
#include "kernels/matrices.h"
#include "kernels/prepared_weights.h"
#include "kernels/small_gemm.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {
namespace {

constexpr GemmForm kForms[] = {GemmForm::kNN, GemmForm::kNT, GemmForm::kTN};

template <class T>
void check_all_ways(const GemmCase<T>& c, double tolerance, Workspace& workspace) {
  CAPTURE(static_cast<int>(c.form), c.start.rows(), c.start.cols(), c.a.rows(), c.a.cols());
  CHECK(relative_difference(c.run(false, false, workspace), c.expected(false, false)) < tolerance);
  CHECK(relative_difference(c.run(true, false, workspace), c.expected(true, false)) < tolerance);
  CHECK(relative_difference(c.run(false, true, workspace), c.expected(false, true)) < tolerance);
}

template <class T>
void check_sizes(double tolerance, Workspace& workspace) {
  const int64_t sizes[][3] = {{1, 1, 1},     {1, 70, 3},   {70, 1, 17},  {2, 3, 0},
                              {5, 7, 11},    {16, 16, 16}, {33, 65, 31}, {67, 70, 129},
                              {300, 40, 65}, {7, 530, 9}};
  for (const GemmForm form : kForms) {
    for (const auto& [m, n, k] : sizes) {
      check_all_ways(GemmCase<T>(form, m, n, k), tolerance, workspace);
      check_all_ways(GemmCase<T>(form, m, n, k, 5), tolerance, workspace);
    }
  }
}

TEST_CASE("gemm equals the sums it stands for, with every engine, form, size and stride",
          "[kernels]") {
  Workspace workspace(threads());
  with_each_multiplier([&] {
    check_sizes<float>(1e-5, workspace);
    check_sizes<double>(1e-13, workspace);
  });
}

TEST_CASE("gemm with a long inner size adds its parts", "[kernels]") {
  Workspace workspace(threads());
  with_each_multiplier([&] {
    check_all_ways(GemmCase<float>(GemmForm::kTN, 40, 56, 4100), 1e-5, workspace);
    check_all_ways(GemmCase<float>(GemmForm::kNN, 17, 130, 2049), 1e-5, workspace);
    check_all_ways(GemmCase<double>(GemmForm::kTN, 40, 56, 4100), 1e-13, workspace);
  });
}

TEST_CASE("gemm with an empty result writes nothing, with an empty inner size zeros or the bias",
          "[kernels]") {
  Workspace workspace(threads());
  for (const GemmForm form : kForms) {
    const GemmCase<float> empty(form, 4, 3, 0);
    CHECK(empty.run(false, false, workspace).values() == std::vector<float>(12, 0.0f));
    CHECK(empty.run(true, false, workspace).values() == empty.start.values());
    const TestMatrix<float> biased = empty.run(false, true, workspace);
    for (int64_t r = 0; r < 4; ++r) {
      for (int64_t c = 0; c < 3; ++c) CHECK(biased.at(r, c) == empty.bias[static_cast<size_t>(c)]);
    }
    const GemmCase<float> no_rows(form, 0, 3, 4);
    CHECK(no_rows.run(false, false, workspace).values().empty());
  }
}

TEST_CASE("a prepared weight gives the bits of the plain product, and is prepared anew when told",
          "[kernels]") {
  Workspace workspace(threads());
  with_each_multiplier([&] {
    for (const GemmForm form : {GemmForm::kNT, GemmForm::kNN}) {
      const GemmCase<float> product(form, 37, 45, 300, 3);
      TestMatrix<float> weight = product.b;
      PreparedWeights<float> prepared;
      TestMatrix<float> c = product.start;
      gemm<float>(product.a, prepared.right(form, weight), c, false, workspace);
      CHECK(c.values() == product.run(false, false, workspace).values());
      weight.at(0, 0) += 1;
      prepared.forget();
      gemm<float>(product.a, prepared.right(form, weight), c, false, workspace);
      CHECK(c.values() != product.run(false, false, workspace).values());
    }
  });
}

TEST_CASE("in our own engine a row has the same bits alone and among others", "[kernels]") {
  Workspace workspace(threads());
  with_each_multiplier([&] {
    if (gemm_engine() != GemmEngine::kCalque) return;
    for (const GemmForm form : {GemmForm::kNT, GemmForm::kNN}) {
      const GemmCase<float> product(form, 67, 45, 300);
      const TestMatrix<float> all = product.run(false, true, workspace);
      for (const int64_t row : {0, 13, 14, 31, 32, 66}) {
        TestMatrix<float> alone(1, 45);
        const ConstMatrixView<float> a = product.a;
        gemm<float>(form, a.row_range(row, 1), product.b, alone, false, workspace,
                    product.bias.data());
        for (int64_t j = 0; j < 45; ++j) CHECK(alone.at(0, j) == all.at(row, j));
      }
    }
  });
}

TEST_CASE("gemm writes inside its view only", "[kernels]") {
  Workspace workspace(threads());
  with_each_multiplier([&] {
    const GemmCase<float> wide(GemmForm::kNN, 19, 21, 23, 10);
    TestMatrix<float> c(19, 21, 31);
    std::fill_n(c.view().data, 19 * 31, -7.0f);
    gemm<float>(wide.form, wide.a, wide.b, c, false, workspace);
    for (int64_t r = 0; r < 19; ++r) {
      for (int64_t gap = 21; gap < 31; ++gap) CHECK(c.view().row(r)[gap] == -7.0f);
    }
  });
}

/// The root of the mean squared difference to the sums in double, over that of their own size.
double root_mean_square_error(const GemmCase<float>& product, Workspace& workspace) {
  const TestMatrix<float> c = product.run(false, false, workspace);
  const TestMatrix<double> expected = product.expected(false, false);
  double error = 0;
  double size = 0;
  for (int64_t r = 0; r < c.rows(); ++r) {
    for (int64_t j = 0; j < c.cols(); ++j) {
      const double difference = double{c.at(r, j)} - expected.at(r, j);
      error += difference * difference;
      size += expected.at(r, j) * expected.at(r, j);
    }
  }
  return std::sqrt(error / size);
}

TEST_CASE("every float32 unit is as exact as multiply-adds of floats", "[kernels]") {
  Workspace workspace(threads());
  for (const GemmForm form : kForms) {
    for (const int64_t k : {64, 512, 2048}) {
      // Numbers of many sizes: what is lost of the large ones must not hide the small ones.
      GemmCase<float> product(form, 64, 64, k);
      for (int64_t r = 0; r < product.a.rows(); ++r) {
        for (int64_t c = 0; c < product.a.cols(); ++c) {
          product.a.at(r, c) *= std::exp2(static_cast<float>((7 * r + 3 * c) % 24 - 12));
        }
      }
      const auto error_by = [&](Float32Unit unit) {
        const Float32UnitScope scope(unit);
        return root_mean_square_error(product, workspace);
      };
      const double by_vectors = error_by(Float32Unit::kVectors);
      CHECK(by_vectors < 2e-6);
      for (const Float32Unit unit : float32_units()) {
        CAPTURE(float32_unit_name(unit), static_cast<int>(form), k);
        CHECK(error_by(unit) < 2 * by_vectors);
      }
    }
  }
}

TEST_CASE("a product of single numbers is within two units of its last place, with every unit",
          "[kernels]") {
  Workspace workspace(threads());
  with_each_multiplier([&] {
    const float numbers[] = {1.0f, -1.0f, 3.14159274f, 1e-15f,      1e15f, 16777215.0f,
                             0.1f, -0.3f, 1.00000012f, 1.99999988f, 255.5f};
    for (const float a : numbers) {
      for (const float b : numbers) {
        TestMatrix<float> left(1, 1), right(1, 1), c(1, 1);
        left.at(0, 0) = a;
        right.at(0, 0) = b;
        gemm<float>(GemmForm::kNT, left, right, c, false, workspace);
        const double product = double{a} * double{b};
        CHECK(std::abs(double{c.at(0, 0)} - product) <= 2.4e-7 * std::abs(product));
      }
    }
  });
}

TEST_CASE("what is not finite does not get lost in a product", "[kernels]") {
  Workspace workspace(threads());
  with_each_multiplier([&] {
    for (const GemmForm form : kForms) {
      GemmCase<float> product(form, 33, 21, 23);
      product.a.at(3, 4) = std::numeric_limits<float>::quiet_NaN();
      product.a.at(5, 6) = std::numeric_limits<float>::infinity();
      product.a.at(7, 8) = std::bit_cast<float>(0x7fff'ffff);  // NaN of all bits
      const TestMatrix<float> c = product.run(false, false, workspace);
      for (int64_t r = 0; r < 33; ++r) {
        const bool is_hit =
            form == GemmForm::kTN ? r == 4 || r == 6 || r == 8 : r == 3 || r == 5 || r == 7;
        CHECK(std::isfinite(c.at(r, 0)) != is_hit);
      }
    }
  });
}

TEST_CASE("there are no gradients of integers, with any unit", "[kernels]") {
  Workspace workspace(threads());
  with_each_multiplier([&] {
    TestMatrix<float> dy(40, 8), x(40, 6), dweight(8, 6);
    CHECK_THROWS_AS(
        weight_gradient<float>(dy, x, dweight, false, nullptr, false, workspace, Precision::kInt8),
        InternalError);
  });
}

TEST_CASE("a weight prepared for another unit is prepared anew", "[kernels]") {
  Workspace workspace(threads());
  const GemmEngineScope own(GemmEngine::kCalque);
  const GemmCase<float> product(GemmForm::kNT, 37, 45, 300);
  for (const Float32Unit unit : float32_units()) {
    PreparedWeights<float> prepared(Precision::kFloat32, Float32Unit::kVectors);
    prepared.right(GemmForm::kNT, product.b);
    prepared.use(unit);
    const RightOperand<float> right = prepared.right(GemmForm::kNT, product.b);
    CHECK((right.bf16_panels != nullptr) == (unit == Float32Unit::kAmx));
    CHECK((right.panels != nullptr) == (unit == Float32Unit::kVectors));
    TestMatrix<float> c = product.start;
    gemm<float>(product.a, right, c, false, workspace);
    const Float32UnitScope scope(unit);
    CHECK(c.values() == product.run(false, false, workspace).values());
  }
}

TEST_CASE("the float32 units are those of our own engine", "[kernels]") {
  CHECK(float32_units().back() == Float32Unit::kVectors);
  const GemmEngineScope library(GemmEngine::kEigen);
  CHECK(float32_unit() == Float32Unit::kVectors);
}

TEST_CASE("gemm gives the same bits with 1, 2 and 3 threads", "[kernels]") {
  with_each_multiplier([&] {
    for (const GemmForm form : kForms) {
      for (const auto& [m, n, k] : kCutSizes) check_bits_of_threads({form, m, n, k});
    }
  });
}

TEST_CASE("a task's product has the bits of the whole machine's in our own engine", "[kernels]") {
  Workspace workspace(threads());
  with_each_multiplier([&] {
    for (const GemmForm form : kForms) {
      const GemmCase<float> product(form, 67, 145, 300);
      const TestMatrix<float> all = product.run(false, true, workspace);
      for (const bool prepared : {false, true}) {
        Arena memory;
        const RightOperand<float> right =
            prepared ? prepare_right<float>(form, product.b, Precision::kFloat32, memory)
                     : RightOperand<float>{form, product.b};
        TestMatrix<float> c(67, 145);
        gemm_in_task<float>(product.a, right, c, false, workspace.worker(0), product.bias.data());
        if (gemm_engine() == GemmEngine::kCalque && form != GemmForm::kTN) {
          CHECK(c.values() == all.values());
        }
        CHECK(relative_difference(c, all) < 1e-5);
        TestMatrix<float> added = product.start;
        gemm_in_task<float>(product.a, right, added, true, workspace.worker(0));
        CHECK(relative_difference(added, product.expected(true, false)) < 1e-5);
      }
    }
  });
}

TEST_CASE("the gradients of weight and bias are the product and the column sums", "[kernels]") {
  with_each_multiplier([&] {
    // Small and large against the tokens: the small ones are summed in two halves.
    const int64_t sizes[][3] = {{0, 5, 4},     {5, 0, 4},      {5, 4, 0},      {1, 3, 2},
                                {517, 70, 33}, {300, 128, 40}, {40, 130, 257}, {257, 513, 31},
                                {40, 20, 200}, {33, 20, 2000}, {200, 1100, 40}};
    for (const auto& [tokens, out, in] : sizes) {
      const auto dy = TestMatrix<float>::random(tokens, out, 1, out + 3);
      const auto x = TestMatrix<float>::random(tokens, in, 2, in + 5);
      for (const bool accumulate : {false, true}) {
        std::vector<float> first;
        for (const int count : {1, 2, 3}) {
          const test::ThreadsScope set(count);
          Workspace workspace(count);
          auto dweight = TestMatrix<float>::random(out, in, 3);
          auto dbias = TestMatrix<float>::random(1, out, 4);
          const TestMatrix<float> weight_start = dweight;
          const TestMatrix<float> bias_start = dbias;
          weight_gradient<float>(dy, x, dweight, accumulate, dbias.view().data, accumulate,
                                 workspace);
          for (int64_t o = 0; o < out; ++o) {
            double bias = accumulate ? double{bias_start.at(0, o)} : 0;
            for (int64_t t = 0; t < tokens; ++t) bias += double{dy.at(t, o)};
            CHECK(double{dbias.at(0, o)} == Approx(bias).epsilon(1e-4).margin(1e-4));
            for (int64_t i = 0; i < in; ++i) {
              double sum = accumulate ? double{weight_start.at(o, i)} : 0;
              for (int64_t t = 0; t < tokens; ++t) sum += double{dy.at(t, o)} * double{x.at(t, i)};
              REQUIRE(double{dweight.at(o, i)} == Approx(sum).epsilon(1e-4).margin(1e-4));
            }
          }
          std::vector<float> bits = dweight.values();
          bits.insert(bits.end(), dbias.values().begin(), dbias.values().end());
          if (count == 1) first = bits;
          CHECK(bits == first);
          auto weight_alone = weight_start;
          weight_gradient<float>(dy, x, weight_alone, accumulate, nullptr, false, workspace);
          CHECK(weight_alone.values() == dweight.values());
        }
      }
    }
  });
}

TEST_CASE("gemm refuses shapes that do not fit", "[kernels]") {
  Workspace workspace(threads());
  TestMatrix<float> a(3, 4), b(5, 6), c(3, 6);
  CHECK_THROWS_AS(gemm<float>(GemmForm::kNN, a, b, c, false, workspace), InternalError);
  CHECK_THROWS_AS(gemm<float>(GemmForm::kNT, a, b, c, false, workspace), InternalError);
}

TEST_CASE("Eigen is always among the engines, and every engine tells its version", "[kernels]") {
  const std::vector<GemmEngine> engines = gemm_engines();
  CHECK(std::count(engines.begin(), engines.end(), GemmEngine::kEigen) == 1);
  for (const GemmEngine engine : engines) {
    CHECK(gemm_engine_name(engine).find_first_of("0123456789") != std::string::npos);
  }
}

template <class T>
void check_small_gemm(double tolerance) {
  const int64_t sizes[][3] = {{1, 1, 1},   {5, 3, 0},   {6, 32, 9},
                              {13, 48, 5}, {7, 70, 31}, {64, 17, 8}};
  for (const auto& [m, n, k] : sizes) {
    for (const GemmForm form : {GemmForm::kNN, GemmForm::kTN}) {
      const GemmCase<T> product(form, m, n, k, 3);
      const ConstMatrixView<T> a = product.a;
      const ConstMatrixView<T> b = product.b;
      const bool across = form == GemmForm::kTN;
      const StridedMatrix<T> left{a.data, across ? 1 : a.stride, across ? a.stride : 1};
      for (const bool accumulate : {false, true}) {
        TestMatrix<T> c = product.start;
        small_gemm<T>(m, n, k, left, b.data, b.stride, c.view().data, c.view().stride, accumulate);
        CHECK(relative_difference(c, product.expected(accumulate, false)) < tolerance);
      }
    }
  }
}

TEST_CASE("small_gemm equals the sums it stands for", "[kernels]") {
  check_small_gemm<float>(1e-5);
  check_small_gemm<double>(1e-13);
}

TEST_CASE("small_gemm gives a row the same bits alone and among others", "[kernels]") {
  const GemmCase<float> product(GemmForm::kNN, 23, 50, 40);
  const ConstMatrixView<float> a = product.a;
  const ConstMatrixView<float> b = product.b;
  TestMatrix<float> all(23, 50);
  small_gemm<float>(23, 50, 40, {a.data, a.stride, 1}, b.data, b.stride, all.view().data, 50,
                    false);
  for (int64_t r = 0; r < 23; ++r) {
    TestMatrix<float> one(1, 50);
    small_gemm<float>(1, 50, 40, {a.row(r), a.stride, 1}, b.data, b.stride, one.view().data, 50,
                      false);
    CHECK(std::memcmp(one.view().data, all.view().row(r), 50 * sizeof(float)) == 0);
  }
}

}  // namespace
}  // namespace calque::kernels
