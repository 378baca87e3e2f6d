#pragma once

#include "kernels/gemm.h"

namespace calque::kernels {

/// Sets an engine, and back again at the end of the test.
class EngineScope {
 public:
  explicit EngineScope(GemmEngine engine) : before_(gemm_engine()) { set_gemm_engine(engine); }
  ~EngineScope() { set_gemm_engine(before_); }
  EngineScope(const EngineScope&) = delete;
  EngineScope& operator=(const EngineScope&) = delete;

 private:
  GemmEngine before_;
};

}  // namespace calque::kernels
