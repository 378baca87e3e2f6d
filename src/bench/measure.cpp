#include "bench/measure.h"

#include <sys/resource.h>

#include <cmath>

#include "base/parallel.h"
#include "base/random.h"

namespace calque::bench {

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], place - std::floor(place));
}

size_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<size_t>(usage.ru_maxrss) * 1024;
}

RandomMatrix::RandomMatrix(int64_t rows, int64_t cols)
    : rows_(rows), cols_(cols), block_(static_cast<size_t>(rows * cols) * sizeof(float)) {
  const RandomKey key{1, 0, streams::kBenchmark};
  parallel_rows(rows, cols, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      float* const row = view().row(r);
      for (int64_t c = 0; c < cols; c += 4) {
        const auto words = random_words(key, static_cast<uint32_t>(r), static_cast<uint32_t>(c));
        for (int64_t i = 0; i < std::min<int64_t>(4, cols - c); ++i) {
          const auto bits = static_cast<float>(words[static_cast<size_t>(i)] >> 9);  // 23 bits
          row[c + i] = (bits + 0.5f) * 0x1p-22f - 1.0f;
        }
      }
    }
  });
}

}  // namespace calque::bench
