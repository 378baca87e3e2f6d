#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace calque {

/// Text in two languages, line by line: line n of all source files one after another goes with line
/// n of all target files. Each file is plain or gzip.
struct ParallelFiles {
  std::vector<std::string> source;
  std::vector<std::string> target;
};

/// What to do with a pair of sentences that cannot be used as it is.
enum class DropPolicy {
  kSkip,   // leave it out, count it and say so
  kError,  // refuse to start, naming its file and line
};

/// `data.*` of a config.
struct DataOptions {
  ParallelFiles train;
  ParallelFiles validation;
  /// Most tokens of a sentence on either side, the end id included.
  int64_t max_length = 256;
  /// Pairs with a sentence longer than max_length.
  DropPolicy too_long = DropPolicy::kSkip;
  /// Pairs with a side without text.
  DropPolicy empty = DropPolicy::kSkip;
  /// Refuse to start when a greater share of the pairs than this would be left out.
  double max_dropped = 0.1;
  /// Most memory, in MB, for mapped pages of files such as the token cache; pages beyond are given
  /// back to the system and read again when they are needed.
  int64_t cache_memory = 1024;
};

}  // namespace calque
