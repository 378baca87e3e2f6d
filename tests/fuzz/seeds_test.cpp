#include <filesystem>

#include "base/file.h"
#include "fuzz/targets.h"
#include "support/catch.h"

namespace calque::fuzz {
namespace {

/// The seeds of the fuzz targets, and what the targets ever found, run without libFuzzer: files
/// called valid_* are accepted and damaged_* refused.
TEST_CASE("seeds of the fuzz targets are accepted and refused as they should", "[fuzz]") {
  for (const Target& target : kTargets) {
    const std::filesystem::path seeds =
        std::filesystem::path(CALQUE_SOURCE_DIR "/tests/fuzz/seeds") / target.name;
    int valid = 0;
    int damaged = 0;
    for (const auto& seed : std::filesystem::directory_iterator(seeds)) {
      INFO(seed.path());
      const bool is_valid = seed.path().filename().string().starts_with("valid_");
      CHECK(target.run(read_file(seed.path())) == is_valid);
      ++(is_valid ? valid : damaged);
    }
    CHECK(valid > 0);
    CHECK(damaged > 0);
  }
}

}  // namespace
}  // namespace calque::fuzz
