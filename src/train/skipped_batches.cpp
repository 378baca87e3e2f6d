#include "train/skipped_batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace calque {

std::vector<SkippedBatch> skipped_batches(const ParallelCorpus& corpus,
                                          const BatcherOptions& options, const PassedOver& range) {
  std::vector<SkippedBatch> batches;
  Batcher batcher(corpus, options);
  batcher.seek(range.after);
  Batch batch;
  while (batches.empty() || batches.back().position < range.last) {
    batcher.next(batch);
    SkippedBatch skipped{batch.position, {}};
    for (const int64_t pair : batch.pairs) skipped.lines.push_back(corpus.line(pair));
    std::ranges::sort(skipped.lines);
    batches.push_back(std::move(skipped));
  }
  return batches;
}

std::string describe_lines(const std::vector<SkippedBatch>& batches) {
  constexpr size_t kMost = 10;
  std::vector<int64_t> lines;
  for (const SkippedBatch& batch : batches) {
    lines.insert(lines.end(), batch.lines.begin(), batch.lines.end());
  }
  std::ranges::sort(lines);
  const size_t more = lines.size() - std::min(lines.size(), kMost);
  lines.resize(lines.size() - more);
  return fmt::format("lines {}{}", fmt::join(lines, ", "),
                     more > 0 ? fmt::format(" and {} more", more) : "");
}

std::string skipped_records(const std::vector<SkippedBatch>& batches, int64_t step,
                            const std::string& reason) {
  std::string text;
  for (const SkippedBatch& batch : batches) {
    const nlohmann::ordered_json record = {{"step", step},
                                           {"reason", reason},
                                           {"epoch", batch.position.epoch},
                                           {"pairs", batch.position.pairs},
                                           {"lines", batch.lines}};
    text += record.dump() + '\n';
  }
  return text;
}

}  // namespace calque
