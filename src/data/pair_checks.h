#pragma once

#include <utility>

#include "data/drift.h"
#include "data/drop_report.h"
#include "data/pair_block.h"

namespace calque {

/// Judges the pairs of a text, one after another, and counts what it finds: the one place that
/// decides what is trained on, for the first pass of a training and for `calque check-data` alike.
class PairChecks {
 public:
  /// `examples`: how many places are noted of each fault. `begun`: what a pass that was broken off
  /// has found, and this one goes on from.
  explicit PairChecks(const DataOptions& options, size_t examples = DropReport::kExamples,
                      DropReport begun = {})
      : options_(options), examples_(examples), report_(std::move(begun)) {}

  /// A pair that was judged in the pass before: only the drift of the sides is watched again.
  void pass_over(const TextPair& pair);

  /// Whether the next pair, tokenised, is to be trained on. Its pieces are cut to data.max_length
  /// where that is what data.too_long wants.
  bool keep(TextPair& pair);
  /// What was found up to here.
  const DropReport& report() const { return report_; }
  /// Behind the last pair: the whole report.
  const DropReport& finish();

 private:
  DataOptions options_;
  size_t examples_;
  DropReport report_;
  DriftDetector drift_;

  /// Counts a fault; whether the pair may stay all the same.
  bool note(Fault fault, const TextPlace& place, int64_t byte = 0);
  bool note_line(const LineFaults& faults, const TextPlace& place);
  bool judge(TextPair& pair);
  bool check_length(Fault fault, std::vector<int32_t>& pieces, const TextPlace& place);
};

}  // namespace calque
