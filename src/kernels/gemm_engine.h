#pragma once

#include <string>
#include <vector>

#include "kernels/bfloat16.h"

namespace calque::kernels {

/// Who multiplies: kernels of our own, or a library, to compare with. Eigen is always there, oneDNN
/// where it was found when building (float only: double goes to Eigen then). Nothing outside gemm
/// knows which one runs.
enum class GemmEngine { kCalque, kOneDnn, kEigen };

/// Engines built into this binary, our own first.
std::vector<GemmEngine> gemm_engines();
/// The engine in use: what CALQUE_GEMM (`calque`, `onednn` or `eigen`) says, else our own. Throws
/// UserError when CALQUE_GEMM names something else or an engine that is not built in.
GemmEngine gemm_engine();
/// Changes the engine from now on (tests and benchmarks).
void set_gemm_engine(GemmEngine engine);
/// Another engine for as long as it lives.
class GemmEngineScope {
 public:
  explicit GemmEngineScope(GemmEngine engine) : before_(gemm_engine()) { set_gemm_engine(engine); }
  ~GemmEngineScope() { set_gemm_engine(before_); }
  GemmEngineScope(const GemmEngineScope&) = delete;
  GemmEngineScope& operator=(const GemmEngineScope&) = delete;

 private:
  GemmEngine before_;
};
/// "Calque 0.1.0", "oneDNN 2.6.3", "Eigen 3.4.0".
std::string gemm_engine_name(GemmEngine engine);

/// What multiplies floats in our own engine: the processor's vectors, or AMX, which gets each float
/// as the sum of three bfloat16 numbers (kernels/gemm_bf16.h). That is as exact, and up to 1.7
/// times as fast where there are many rows, but takes more memory, and more time for few.
enum class Float32Unit { kAmx, kVectors };

/// Units that this binary and this processor have, the fastest first; kVectors is always there.
std::vector<Float32Unit> float32_units();
/// The unit in use: with our own engine what CALQUE_FLOAT32 (`amx` or `vectors`) says, else the
/// fastest; kVectors with a library, which does not ask. Throws UserError when CALQUE_FLOAT32 names
/// something else or a unit that is not there.
Float32Unit float32_unit();
/// Changes the unit of our own engine from now on, to one that is there (tests and benchmarks).
void set_float32_unit(Float32Unit unit);
/// "AMX, in three bfloat16 parts", "vectors".
std::string float32_unit_name(Float32Unit unit);

/// What multiplies bfloat16 numbers: AMX or AVX512_BF16, or, for want of such, float32 arithmetic
/// on rounded operands, which is slower than float32 alone but rounds no differently.
enum class Bfloat16Unit { kAmx, kAvx512, kFloat32 };

/// Units that this binary and this processor have, the fastest first; kFloat32 is always there.
std::vector<Bfloat16Unit> bfloat16_units();
/// The unit in use: the fastest, with our own engine; the libraries multiply by kFloat32.
Bfloat16Unit bfloat16_unit();
/// Changes the unit of our own engine from now on (tests and benchmarks).
void set_bfloat16_unit(Bfloat16Unit unit);
/// "AMX", "AVX512_BF16", "float32 arithmetic".
std::string bfloat16_unit_name(Bfloat16Unit unit);

/// A precision of training and what multiplies with it: "float32 by AMX, in three bfloat16 parts",
/// "bfloat16 by AVX512_BF16", "float32 by Eigen 3.4.0".
std::string precision_in_use(Precision precision);

}  // namespace calque::kernels
