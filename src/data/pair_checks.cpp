#include "data/pair_checks.h"

#include <algorithm>

namespace calque {

void PairChecks::pass_over(const TextPair& pair) {
  drift_.add(pair.source_line.size(), pair.target_line.size(), pair.source_place,
             pair.target_place);
}

bool PairChecks::keep(TextPair& pair) {
  pass_over(pair);
  ++report_.read;
  const bool kept = judge(pair);
  if (!kept) ++report_.left_out;
  return kept;
}

const DropReport& PairChecks::finish() {
  report_.drifts = drift_.finish();
  return report_;
}

bool PairChecks::note(Fault fault, const TextPlace& place, int64_t byte) {
  report_.add(fault, {place, byte, {}}, examples_);
  const FaultPolicy policy = options_.policy(fault);
  return policy != FaultPolicy::kSkip && policy != FaultPolicy::kError;
}

bool PairChecks::note_line(const LineFaults& faults, const TextPlace& place) {
  bool may_stay = true;
  for (size_t i = 0; faults.any() && i < kLineFaults; ++i) {
    if (!faults.has(fault(i))) continue;
    may_stay &= note(fault(i), place, static_cast<int64_t>(faults.byte(fault(i))) + 1);
  }
  return may_stay;
}

bool PairChecks::judge(TextPair& pair) {
  const bool source_may_stay = note_line(pair.source_faults, pair.source_place);
  const bool target_may_stay = note_line(pair.target_faults, pair.target_place);
  if (!source_may_stay || !target_may_stay) return false;  // nothing is known of its text
  const bool no_source = pair.source.empty();
  const bool no_target = pair.target.empty();
  if (no_source && no_target) return note(Fault::kEmptyBoth, pair.source_place);
  if (no_source) return note(Fault::kEmptySource, pair.source_place);
  if (no_target) return note(Fault::kEmptyTarget, pair.target_place);

  const auto [shorter, longer] = std::minmax({pair.source.size(), pair.target.size()});
  bool may_stay = true;
  if (static_cast<double>(longer) > options_.max_length_ratio * static_cast<double>(shorter)) {
    may_stay &= note(Fault::kLengthRatio, pair.source_place);
  }
  if (pair.source_line == pair.target_line) may_stay &= note(Fault::kCopy, pair.source_place);
  may_stay &= check_length(Fault::kSourceTooLong, pair.source, pair.source_place);
  may_stay &= check_length(Fault::kTargetTooLong, pair.target, pair.target_place);
  return may_stay;
}

bool PairChecks::check_length(Fault fault, std::vector<int32_t>& pieces, const TextPlace& place) {
  const auto most =
      static_cast<size_t>(std::max<int64_t>(options_.max_length - 1, 0));  // without the end id
  if (pieces.size() <= most) return true;
  if (options_.too_long == FaultPolicy::kTruncate) pieces.resize(most);
  return note(fault, place);
}

}  // namespace calque
