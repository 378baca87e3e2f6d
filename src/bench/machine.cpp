#include "bench/machine.h"

#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"
#include "bench/measure.h"
#include "kernels/simd.h"

namespace calque::bench {
namespace {

using kernels::Float32Unit;
using kernels::GemmEngine;
using kernels::GemmForm;
using kernels::Precision;
namespace simd = kernels::simd;

constexpr double kBudget = 0.3;

/// As many sums as hide the latency of two multiply-adds a cycle, and still fit the registers.
constexpr int kSums = 12;

/// `count` rounds of one multiply-add on each sum. The sums go towards 1, so that they stay
/// ordinary numbers however long it runs.
float multiply_in_registers(int64_t count) {
  const simd::Vec<float> factor = simd::broadcast(0.75f);
  const simd::Vec<float> rest = simd::broadcast(0.25f);
  simd::Vec<float> sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = simd::broadcast(0.1f * static_cast<float>(i + 1));
  for (int64_t round = 0; round < count; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) {
      sums[i] = sums[i] * factor + rest;
    }
  }
  float result = 0;
  for (const simd::Vec<float>& sum : sums) result += simd::sum_lanes<float>(sum);
  return result;
}

/// The best speed of the multipliers that are wanted.
template <class Wanted>
GemmPeak peak_of(const Wanted& is_wanted) {
  GemmPeak best;
  for (const Multiplier& multiplier : multipliers()) {
    if (!is_wanted(multiplier)) continue;
    const double flops =
        gemm_speed(multiplier, GemmForm::kNT, kPeakRows, kPeakCols, kPeakInner, kBudget);
    if (flops > best.flops) best = {multiplier, flops};
  }
  return best;
}

}  // namespace

double fma_peak(int threads) {
  constexpr int64_t kRounds = 1 << 19;
  std::vector<float> results(static_cast<size_t>(threads));
  const double seconds = fastest_seconds(kBudget, [&] {
    parallel_for(threads, [&](int64_t task, int) {
      results[static_cast<size_t>(task)] = multiply_in_registers(kRounds);
    });
  });
  CALQUE_CHECK(std::isfinite(results.front()), "the sums are {}", results.front());
  const double flops = 2.0 * kSums * static_cast<double>(simd::kLanes<float>) * kRounds;
  return flops * threads / seconds;
}

double memory_bandwidth() {
  constexpr int64_t kRows = 4096;
  constexpr int64_t kCols = 4096;
  const RandomMatrix a(kRows, kCols);
  const RandomMatrix b(kRows, kCols);
  const RandomMatrix c(kRows, kCols);
  const double seconds = fastest_seconds(kBudget, [&] {
    parallel_rows(kRows, kCols, [&](int64_t begin, int64_t end, int) {
      float* const to = a.view().row(begin);
      const float* const first = b.view().row(begin);
      const float* const second = c.view().row(begin);
      for (int64_t i = 0; i < (end - begin) * kCols; ++i) to[i] = first[i] + 0.5f * second[i];
    });
  });
  return 3.0 * sizeof(float) * kRows * kCols / seconds;
}

std::string Multiplier::name() const {
  if (precision == Precision::kFloat32) {
    if (engine != GemmEngine::kCalque) return kernels::gemm_engine_name(engine);
    return fmt::format("{}, {}", kernels::gemm_engine_name(engine),
                       unit == Float32Unit::kAmx ? "AMX" : "vectors");
  }
  const kernels::GemmEngineScope scope(engine);
  return "bfloat16 " + kernels::bfloat16_unit_name(kernels::bfloat16_unit());
}

std::vector<Multiplier> multipliers() {
  std::vector<Multiplier> all;
  for (const Float32Unit unit : kernels::float32_units()) {
    all.push_back({GemmEngine::kCalque, Precision::kFloat32, unit});
  }
  for (const GemmEngine engine : kernels::gemm_engines()) {
    if (engine != GemmEngine::kCalque) all.push_back({engine, Precision::kFloat32});
  }
  all.push_back({GemmEngine::kCalque, Precision::kBfloat16});
  return all;
}

double gemm_speed(const Multiplier& multiplier, GemmForm form, int64_t m, int64_t n, int64_t k,
                  double budget) {
  const bool a_transposed = form == GemmForm::kTN;
  const bool b_transposed = form == GemmForm::kNT;
  const RandomMatrix a(a_transposed ? k : m, a_transposed ? m : k);
  const RandomMatrix b(b_transposed ? n : k, b_transposed ? k : n);
  const RandomMatrix c(m, n);
  Workspace workspace(threads());
  const kernels::GemmEngineScope scope(multiplier.engine);
  const kernels::RightOperand<float> right{form, b.view(), multiplier.precision, multiplier.unit};
  const double seconds = fastest_seconds(
      budget, [&] { kernels::gemm<float>(a.view(), right, c.view(), false, workspace); });
  return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) / seconds;
}

GemmPeak gemm_peak(Precision precision) {
  return peak_of([&](const Multiplier& multiplier) { return multiplier.precision == precision; });
}

GemmPeak vector_gemm_peak() {
  return peak_of([](const Multiplier& multiplier) {
    return multiplier.precision == Precision::kFloat32 && multiplier.unit == Float32Unit::kVectors;
  });
}

}  // namespace calque::bench
