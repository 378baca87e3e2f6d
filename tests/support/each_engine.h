#pragma once

#include "kernels/gemm.h"
#include "support/catch.h"

namespace calque::test {

/// Runs `body` with each GEMM engine that is built in, then puts back the one that was in use.
template <class Body>
void with_each_engine(const Body& body) {
  for (const kernels::GemmEngine engine : kernels::gemm_engines()) {
    INFO(kernels::gemm_engine_name(engine));
    const kernels::GemmEngineScope scope(engine);
    body();
  }
}

}  // namespace calque::test
