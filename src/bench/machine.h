#pragma once

#include <string>
#include <vector>

#include "kernels/gemm.h"

/// What this machine can do at most, measured with the number of threads that the program works
/// with (base/parallel.h): the ceilings that everything else is compared to.
namespace calque::bench {

/// FLOP/s of fused multiply-adds that never leave the registers, on `threads` threads at once: no
/// program of this binary's instruction set can multiply faster.
double fma_peak(int threads);

/// Bytes/s of the triad a[i] = b[i] + factor c[i] over arrays far larger than the caches
/// (McCalpin's STREAM: 12 bytes an element are counted in float, the reading of a before it is
/// written is not).
double memory_bandwidth();

/// Who multiplies, and what: every engine float32, our own by each of its units, and bfloat16 too.
struct Multiplier {
  kernels::GemmEngine engine = kernels::GemmEngine::kCalque;
  kernels::Precision precision = kernels::Precision::kFloat32;
  kernels::Float32Unit unit = kernels::Float32Unit::kVectors;
  /// "Eigen 3.4.0", "Calque 0.1.0, vectors", "bfloat16 AMX".
  std::string name() const;
};
/// All that are built in.
std::vector<Multiplier> multipliers();

/// FLOP/s of c = op(a) op(b) in the given form: the fastest product within `budget` seconds, over
/// random numbers. Works through kernels/gemm.h, with its tiles and threads.
double gemm_speed(const Multiplier& multiplier, kernels::GemmForm form, int64_t m, int64_t n,
                  int64_t k, double budget);

/// The best speed of any multiplier of one precision.
struct GemmPeak {
  Multiplier multiplier;
  double flops = 0;  // a second
};

/// The shape that the peak is measured on, as y = x W^T: large enough for any engine to be at its
/// best, and about that of a feed-forward layer of the base Transformer.
inline constexpr int64_t kPeakRows = 4096;
inline constexpr int64_t kPeakCols = 512;
inline constexpr int64_t kPeakInner = 2048;

/// The GEMM peak of this moment: what utilisation is measured by.
GemmPeak gemm_peak(kernels::Precision precision);
/// The same of floats by vectors alone, which attention multiplies by.
GemmPeak vector_gemm_peak();

}  // namespace calque::bench
