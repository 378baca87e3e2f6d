#pragma once

#include <cstdint>

namespace calque {

/// How translations are searched for.
struct DecodeOptions {
  int64_t beam = 5;  // 1: greedy
  /// A hypothesis of n tokens, end-of-sentence counted, scores log-probability / n^length_penalty
  /// (Wu et al. 2016 with the plain power; 0: no normalisation).
  double length_penalty = 1.0;
  /// Longest output in tokens: max_length_ratio * source tokens + 10.
  double max_length_ratio = 2.0;
  /// Most tokens of a source and of a translation, the end counted: what is longer is cut, so that
  /// no line can take all memory.
  int64_t max_length = 4096;
  /// Bound of source tokens times beam of what is decoded together.
  int64_t batch_tokens = 4096;
};

}  // namespace calque
