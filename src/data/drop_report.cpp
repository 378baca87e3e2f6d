#include "data/drop_report.h"

#include <fmt/format.h>

#include "base/stopwatch.h"

namespace calque {

const char* describe(DropReason reason) {
  switch (reason) {
    case DropReason::kEmptySource:
      return "an empty source";
    case DropReason::kEmptyTarget:
      return "an empty target";
    case DropReason::kEmptyBoth:
      return "both sides empty";
    case DropReason::kSourceTooLong:
      return "too long a source";
    case DropReason::kTargetTooLong:
      return "too long a target";
  }
  return "an unknown fault";
}

void DropReport::add(DropReason reason, const std::string& place) {
  Count& count = dropped[static_cast<size_t>(reason)];
  ++count.pairs;
  if (count.examples.size() < kExamples) count.examples.push_back(place);
}

int64_t DropReport::dropped_pairs() const {
  int64_t pairs = 0;
  for (const Count& count : dropped) pairs += count.pairs;
  return pairs;
}

std::vector<std::string> DropReport::lines(const std::string& name) const {
  std::vector<std::string> result = {
      fmt::format("{}: {} of {} pairs kept", name, format_count(kept()), format_count(read))};
  for (size_t i = 0; i < kDropReasons; ++i) {
    if (dropped[i].pairs == 0) continue;
    result.push_back(
        fmt::format("{}: left out: {}", name, describe(static_cast<DropReason>(i), dropped[i])));
  }
  return result;
}

std::string describe(DropReason reason, const DropReport::Count& count) {
  const bool more = count.pairs > static_cast<int64_t>(count.examples.size());
  return fmt::format("{} with {} ({}{})", format_count(count.pairs), describe(reason),
                     fmt::join(count.examples, ", "), more ? ", ..." : "");
}

}  // namespace calque
