#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/line_faults.h"
#include "text/noise.h"

namespace calque {

/// Text in two languages, line by line: line n of all source files one after another goes with line
/// n of all target files. Each file is plain or gzip.
struct ParallelFiles {
  std::vector<std::string> source;
  std::vector<std::string> target;
};

/// `data.*` of a config.
struct DataOptions {
  ParallelFiles train;
  ParallelFiles validation;
  /// Most tokens of a sentence on either side, the end id included.
  int64_t max_length = 256;
  /// The longer side of a pair over the shorter one, in tokens.
  double max_length_ratio = 9;
  /// Refuse to start when a greater share of the pairs than this would be left out.
  double max_dropped = 0.1;
  /// Most memory, in MB, for mapped pages of files such as the token cache; pages beyond are given
  /// back to the system and read again when they are needed.
  int64_t cache_memory = 1024;
  /// Strength of SubwordSampler, which cuts words anew for each epoch; 0: they are not.
  double subword_sampling = 0;
  /// The first epochs, so many, in which half of the pairs teach the other direction: see
  /// Variation.
  int64_t bidirectional_epochs = 0;

  // What is done with
  LinePolicies lines;                             // lines that hold what text should not,
  FaultPolicy empty = FaultPolicy::kSkip;         // pairs with a side without text,
  FaultPolicy too_long = FaultPolicy::kSkip;      // with a sentence longer than max_length,
  FaultPolicy length_ratio = FaultPolicy::kKeep;  // with a ratio above max_length_ratio,
  FaultPolicy copy = FaultPolicy::kKeep;          // whose sides are the same.

  NoiseOptions noise;  // on the sources of the training text, anew in each epoch

  FaultPolicy policy(Fault fault) const;
  /// The same, but nothing is an error: what would be refused is left out.
  DataOptions without_errors() const;
};

}  // namespace calque
