#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace calque {

/// What a translation may not be; see decode/constraints.h.
struct ConstraintOptions {
  int64_t min_length = 0;       // tokens, the end counted
  int64_t no_repeat_ngram = 0;  // no so many tokens in a row occur twice; 0: they may
  bool allow_unknown = true;    // the piece for what the vocabulary cannot spell

  bool any() const { return min_length > 0 || no_repeat_ngram > 0 || !allow_unknown; }
};

/// Drawing translations at random in place of searching; see decode/sampling.h.
struct SamplingOptions {
  bool on = false;         // then `beam` is the number of samples of each sentence
  double temperature = 1;  // logits are divided by it
  int64_t top_k = 0;       // only from the so many likeliest tokens; 0: from all
  double top_p = 1;        // only from the fewest tokens that have this probability together
  uint64_t seed = 1;
};

/// How translations are searched for.
struct DecodeOptions {
  int64_t beam = 5;  // 1: greedy
  /// A hypothesis of n tokens, end-of-sentence counted, scores log-probability / n^length_penalty
  /// (Wu et al. 2016 with the plain power; 0: no normalisation).
  double length_penalty = 1.0;
  /// Longest output in tokens, behind a prefix: max_length_ratio * source tokens + 10.
  double max_length_ratio = 2.0;
  /// Most tokens of a source and of a translation, the end counted: what is longer is cut, so that
  /// no line can take all memory.
  int64_t max_length = 4096;
  /// The same for either alone, where that is less.
  int64_t max_source = std::numeric_limits<int64_t>::max();
  int64_t max_output = std::numeric_limits<int64_t>::max();
  /// Bound of source tokens times beam of what is decoded together.
  int64_t batch_tokens = 4096;
  /// A source that is longer is not cut but translated in parts.
  bool split_long_lines = false;
  /// How to mend a source that is cut, in the words of the warning.
  std::string long_line_advice = "split it into sentences";
  ConstraintOptions constraints = {};
  SamplingOptions sampling = {};
};

}  // namespace calque
