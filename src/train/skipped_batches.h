#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/state.h"
#include "data/batcher.h"

namespace calque {

/// A batch that was not trained on, and where its text stands.
struct SkippedBatch {
  BatchPosition position;
  /// 1-based lines of its pairs, from the lowest, counted through all files of data.train.source
  /// (and so of data.train.target).
  std::vector<int64_t> lines;
};

/// The batches of `range`, made again from the corpus.
std::vector<SkippedBatch> skipped_batches(const ParallelCorpus& corpus,
                                          const BatcherOptions& options, const PassedOver& range);

/// "lines 3, 17, 20 and 109 more", of all the batches.
std::string describe_lines(const std::vector<SkippedBatch>& batches);

/// Lines for skipped.jsonl, one object for each batch: `step`, the updates that were done by then,
/// `reason`, the batch's position as `epoch` and `pairs`, and its `lines`.
std::string skipped_records(const std::vector<SkippedBatch>& batches, int64_t step,
                            const std::string& reason);

}  // namespace calque
