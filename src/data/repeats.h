#pragma once

#include <cstdint>
#include <vector>

#include "data/text_check.h"

namespace calque {

/// Hashes of so many pairs are in memory at a time: 256 MiB.
inline constexpr int64_t kPairsAtOnce = int64_t{1} << 24;

/// Counts in the report of each text the pairs that occurred in it before (Fault::kDuplicate) and,
/// from the second text on, those that the first one has too (Fault::kInTraining). Pairs without
/// words on a side do not count. The line numbers of the texts must be known. See check_texts for
/// the memory.
void count_repeats(std::vector<TextCheck>& texts, const LinePolicies& policies, size_t examples,
                   int64_t pairs_at_once = kPairsAtOnce);

}  // namespace calque
