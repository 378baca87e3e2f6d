#include "kernels/gemm_engine.h"

#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/version.h"
#include "kernels/gemm_bf16.h"
#include "kernels/gemm_libraries.h"

namespace calque::kernels {
namespace {

GemmEngine engine_from_environment() {
  const char* const value = std::getenv("CALQUE_GEMM");
  if (value == nullptr || *value == '\0') return gemm_engines().front();
  const std::string_view name = value;
  if (name == "calque") return GemmEngine::kCalque;
  if (name == "eigen") return GemmEngine::kEigen;
  if (name == "onednn" && onednn_available()) return GemmEngine::kOneDnn;
  throw UserError(fmt::format("CALQUE_GEMM={}: expected {}; unset it for Calque's own engine", name,
                              onednn_available()
                                  ? "`calque`, `onednn` or `eigen`"
                                  : "`calque` or `eigen` (this binary was built without oneDNN)"));
}

/// The engine in use. The environment is read at the first use.
GemmEngine& current_engine() {
  static GemmEngine engine = engine_from_environment();
  return engine;
}

bool has_amx() { return float32_units().front() == Float32Unit::kAmx; }

Float32Unit float32_unit_from_environment() {
  const char* const value = std::getenv("CALQUE_FLOAT32");
  if (value == nullptr || *value == '\0') return float32_units().front();
  const std::string_view name = value;
  if (name == "vectors") return Float32Unit::kVectors;
  if (name == "amx" && has_amx()) return Float32Unit::kAmx;
  throw UserError(fmt::format(
      "CALQUE_FLOAT32={}: expected {}; unset it for the fastest", name,
      has_amx() ? "`amx` or `vectors`" : "`vectors` (this binary or this processor has no AMX)"));
}

/// The float32 unit of our own engine. The environment is read at the first use.
Float32Unit& current_float32_unit() {
  static Float32Unit unit = float32_unit_from_environment();
  return unit;
}

/// The bfloat16 unit of our own engine.
Bfloat16Unit& current_bfloat16_unit() {
  static Bfloat16Unit unit = bfloat16_units().front();
  return unit;
}

}  // namespace

std::vector<GemmEngine> gemm_engines() {
  if (onednn_available()) return {GemmEngine::kCalque, GemmEngine::kOneDnn, GemmEngine::kEigen};
  return {GemmEngine::kCalque, GemmEngine::kEigen};
}

GemmEngine gemm_engine() { return current_engine(); }

void set_gemm_engine(GemmEngine engine) {
  CALQUE_CHECK(engine != GemmEngine::kOneDnn || onednn_available(),
               "this binary was built without oneDNN");
  current_engine() = engine;
}

std::string gemm_engine_name(GemmEngine engine) {
  switch (engine) {
    case GemmEngine::kCalque:
      return std::string("Calque ") + kVersion;
    case GemmEngine::kOneDnn:
      return "oneDNN " + onednn_version();
    case GemmEngine::kEigen:
      return "Eigen " + eigen_version();
  }
  return {};
}

std::vector<Float32Unit> float32_units() {
  if (bfloat16_units().front() == Bfloat16Unit::kAmx) {
    return {Float32Unit::kAmx, Float32Unit::kVectors};
  }
  return {Float32Unit::kVectors};
}

Float32Unit float32_unit() {
  return current_engine() == GemmEngine::kCalque ? current_float32_unit() : Float32Unit::kVectors;
}

void set_float32_unit(Float32Unit unit) {
  CALQUE_CHECK(unit != Float32Unit::kAmx || has_amx(), "there is no AMX here");
  current_float32_unit() = unit;
}

std::string float32_unit_name(Float32Unit unit) {
  return unit == Float32Unit::kAmx ? "AMX, in three bfloat16 parts" : "vectors";
}

std::vector<Bfloat16Unit> bfloat16_units() {
  std::vector<Bfloat16Unit> units = bfloat16_hardware();
  units.push_back(Bfloat16Unit::kFloat32);
  return units;
}

Bfloat16Unit bfloat16_unit() {
  return current_engine() == GemmEngine::kCalque ? current_bfloat16_unit() : Bfloat16Unit::kFloat32;
}

void set_bfloat16_unit(Bfloat16Unit unit) { current_bfloat16_unit() = unit; }

std::string bfloat16_unit_name(Bfloat16Unit unit) {
  switch (unit) {
    case Bfloat16Unit::kAmx:
      return "AMX";
    case Bfloat16Unit::kAvx512:
      return "AVX512_BF16";
    case Bfloat16Unit::kFloat32:
      return "float32 arithmetic";
  }
  return {};
}

std::string precision_in_use(Precision precision) {
  CALQUE_CHECK(precision != Precision::kInt8, "training does not know int8");
  if (precision == Precision::kBfloat16)
    return "bfloat16 by " + bfloat16_unit_name(bfloat16_unit());
  if (current_engine() != GemmEngine::kCalque)
    return "float32 by " + gemm_engine_name(current_engine());
  return "float32 by " + float32_unit_name(float32_unit());
}

}  // namespace calque::kernels
