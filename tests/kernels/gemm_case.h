#pragma once

#include <cstring>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/matrices.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {

/// Our own engine, and one of its float32 units, for as long as it lives.
class Float32UnitScope {
 public:
  explicit Float32UnitScope(Float32Unit unit)
      : engine_(GemmEngine::kCalque), before_(float32_unit()) {
    set_float32_unit(unit);
  }
  ~Float32UnitScope() { set_float32_unit(before_); }
  Float32UnitScope(const Float32UnitScope&) = delete;
  Float32UnitScope& operator=(const Float32UnitScope&) = delete;

 private:
  GemmEngineScope engine_;
  Float32Unit before_;
};

/// Runs `body` with every engine, our own with each of its float32 units, then puts back what was
/// in use.
template <class Body>
void with_each_multiplier(const Body& body) {
  for (const Float32Unit unit : float32_units()) {
    const Float32UnitScope scope(unit);
    INFO(float32_unit_name(unit));
    body();
  }
  for (const GemmEngine engine : gemm_engines()) {
    if (engine == GemmEngine::kCalque) continue;
    const GemmEngineScope scope(engine);
    INFO(gemm_engine_name(engine));
    body();
  }
}

/// One product: operands, the result's first content, and what must come out, in double; with
/// `precision` kBfloat16, of the rounded operands.
template <class T>
struct GemmCase {
  GemmForm form;
  TestMatrix<T> a, b, start;
  std::vector<T> bias;
  Precision precision = Precision::kFloat32;

  GemmCase(GemmForm f, int64_t m, int64_t n, int64_t k, int64_t gap = 0)
      : form(f),
        a(f == GemmForm::kTN ? TestMatrix<T>::random(k, m, 1, m + gap)
                             : TestMatrix<T>::random(m, k, 1, k + gap)),
        b(f == GemmForm::kNT ? TestMatrix<T>::random(n, k, 2, k + gap)
                             : TestMatrix<T>::random(k, n, 2, n + gap)),
        start(TestMatrix<T>::random(m, n, 3, n + gap)) {
    const auto row = TestMatrix<T>::random(1, n, 4);
    bias = row.values();
  }

  TestMatrix<double> expected(bool accumulate, bool with_bias) const {
    TestMatrix<double> c(start.rows(), start.cols());
    const int64_t k = form == GemmForm::kTN ? a.rows() : a.cols();
    for (int64_t i = 0; i < c.rows(); ++i) {
      for (int64_t j = 0; j < c.cols(); ++j) {
        double sum = accumulate ? static_cast<double>(start.at(i, j)) : 0.0;
        if (with_bias) sum += static_cast<double>(bias[static_cast<size_t>(j)]);
        for (int64_t p = 0; p < k; ++p) {
          const T left = form == GemmForm::kTN ? a.at(p, i) : a.at(i, p);
          const T right = form == GemmForm::kNT ? b.at(j, p) : b.at(p, j);
          sum += operand(left) * operand(right);
        }
        c.at(i, j) = sum;
      }
    }
    return c;
  }

  TestMatrix<T> run(bool accumulate, bool with_bias, Workspace& workspace) const {
    TestMatrix<T> c = start;
    gemm<T>(a, RightOperand<T>{form, b, precision}, c, accumulate, workspace,
            with_bias ? bias.data() : nullptr);
    return c;
  }

 private:
  double operand(T value) const {
    if (precision == Precision::kFloat32) return static_cast<double>(value);
    return static_cast<double>(to_float(to_bfloat16(static_cast<float>(value))));
  }
};

/// Fails where `product` has other bits with 2 or 3 threads than with one.
inline void check_bits_of_threads(const GemmCase<float>& product) {
  std::vector<float> first;
  for (const int count : {1, 2, 3}) {
    const test::ThreadsScope set(count);
    Workspace workspace(count);
    const TestMatrix<float> c = product.run(true, false, workspace);
    if (count == 1) first = c.values();
    CHECK(std::memcmp(c.values().data(), first.data(), first.size() * sizeof(float)) == 0);
  }
}

/// Sizes [m, n, k] that are cut along each of them.
inline constexpr int64_t kCutSizes[][3] = {
    {301, 290, 65}, {40, 300, 1500}, {130, 129, 2100}, {600, 300, 520}};

}  // namespace calque::kernels
