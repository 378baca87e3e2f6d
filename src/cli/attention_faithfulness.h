#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/faithfulness.h"

namespace calque {

/// What was measured, for people: a table.
std::string faithfulness_table(const std::vector<SentenceFaithfulness>& sentences, int64_t lines);

/// The same for programs: {"sentences", "left_out", "tokens", "log_probability",
/// "removed": [{"word": "attended", "fall", "fall_standard_error", ...}, ...], "same_word", ...}.
std::string faithfulness_json(const std::vector<SentenceFaithfulness>& sentences, int64_t lines,
                              const FaithfulnessOptions& options);

}  // namespace calque
