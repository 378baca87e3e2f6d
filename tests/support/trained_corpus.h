#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/tiny_corpus.h"

namespace calque::test {

inline constexpr int64_t kTrainedSteps = 300;

/// A corpus and a run on it, in `run`, that was trained long enough to have something to say, with
/// a checkpoint half-way too. Made once a process.
const TinyCorpus& trained_corpus();

/// `translate --model MODEL` and `more`; checks that it works. Returns what it prints.
std::string translate(const std::string& model, const std::string& input,
                      std::vector<std::string> more = {});

/// The sentences, a line each.
std::string lines_of(const std::vector<std::string>& sentences);

}  // namespace calque::test
