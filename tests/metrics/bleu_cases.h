#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "support/catch.h"

namespace calque {

/// What sacreBLEU says: tests/fixtures/bleu/cases.json, described and written by
/// scripts/reference/make_bleu_cases.py. Read once.
inline const nlohmann::json& bleu_cases() {
  static const nlohmann::json cases = [] {
    const std::string path = std::string(CALQUE_SOURCE_DIR) + "/tests/fixtures/bleu/cases.json";
    std::ifstream file(path);
    INFO(path);
    REQUIRE(file.is_open());
    return nlohmann::json::parse(file);
  }();
  return cases;
}

}  // namespace calque
