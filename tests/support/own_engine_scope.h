#pragma once

#include <cstdlib>
#include <optional>
#include <string>

#include "kernels/gemm.h"

namespace calque::test {

/// Products by our own engine, here and in the programs that a test runs, for as long as it lives:
/// where bits must not depend on the batch, for a library's depend on where a row stands in it.
class OwnEngineScope {
 public:
  OwnEngineScope() : engine_(kernels::GemmEngine::kCalque) {
    if (const char* const value = std::getenv(kVariable)) before_ = value;
    setenv(kVariable, "calque", 1);
  }
  ~OwnEngineScope() {
    if (before_) {
      setenv(kVariable, before_->c_str(), 1);
    } else {
      unsetenv(kVariable);
    }
  }
  OwnEngineScope(const OwnEngineScope&) = delete;
  OwnEngineScope& operator=(const OwnEngineScope&) = delete;

 private:
  static constexpr const char* kVariable = "CALQUE_GEMM";
  kernels::GemmEngineScope engine_;
  std::optional<std::string> before_;
};

}  // namespace calque::test
