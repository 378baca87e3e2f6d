#include "cli/processor_check.h"

#include <cstring>
#include <string>
#include <vector>

#include "base/version.h"
#include "support/catch.h"

namespace calque {
namespace {

bool has_only_avx(const char* name) { return std::strcmp(name, "AVX") == 0; }
bool has_all(const char*) { return true; }

std::vector<std::string> missing_of(const std::vector<const char*>& required,
                                    bool (*available)(const char*), int capacity = 8) {
  std::vector<const char*> missing(static_cast<size_t>(capacity));
  const int count = missing_instructions(required.data(), available, missing.data(), capacity);
  return {missing.begin(), missing.begin() + count};
}

TEST_CASE("a processor lacks the required instruction sets that it does not have", "[cli]") {
  const std::vector<const char*> required = {"AVX", "AVX2", "AVX512F", nullptr};
  CHECK(missing_of(required, has_only_avx) == std::vector<std::string>{"AVX2", "AVX512F"});
  CHECK(missing_of(required, has_all).empty());
  CHECK(missing_of({nullptr}, has_only_avx).empty());
}

TEST_CASE("no more missing instruction sets are written than fit", "[cli]") {
  const std::vector<const char*> required = {"AVX2", "AVX512F", "FMA", nullptr};
  CHECK(missing_of(required, has_only_avx, 2) == std::vector<std::string>{"AVX2", "AVX512F"});
}

TEST_CASE("this processor has what this binary was built for", "[cli]") {
  const char* missing[1] = {};
  CHECK(missing_instructions(kRequiredInstructions, processor_has, missing, 1) == 0);
}

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
TEST_CASE("the processor table agrees with the compiler's own test", "[cli]") {
  CHECK(processor_has("SSE4_2") == (__builtin_cpu_supports("sse4.2") != 0));
  CHECK(processor_has("AVX") == (__builtin_cpu_supports("avx") != 0));
  CHECK(processor_has("AVX2") == (__builtin_cpu_supports("avx2") != 0));
  CHECK(processor_has("FMA") == (__builtin_cpu_supports("fma") != 0));
  CHECK(processor_has("BMI2") == (__builtin_cpu_supports("bmi2") != 0));
  CHECK(processor_has("AVX512F") == (__builtin_cpu_supports("avx512f") != 0));
  CHECK(processor_has("AVX512VNNI") == (__builtin_cpu_supports("avx512vnni") != 0));
}
#endif

}  // namespace
}  // namespace calque
