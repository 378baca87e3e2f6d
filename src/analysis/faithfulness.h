#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "decode/alignment.h"

namespace calque {

/// Which word of a source line is taken out.
enum class RemovedWord {
  kAttended,  // the one with most weight of the alignment, summed up over the words of the output
  kGradient,  // the one whose embeddings have the largest gradient of the output's log-probability
  kRandom,    // any, all alike
};

inline constexpr std::array kRemovedWords{RemovedWord::kAttended, RemovedWord::kGradient,
                                          RemovedWord::kRandom};

struct FaithfulnessOptions {
  AlignmentOptions alignment = {};
  uint64_t seed = 1;  // of the random words
  int64_t batch_tokens = 4096;
  int64_t longest = 4096;  // tokens of a side, its end counted, of lines that are looked at
};

/// What taking a word out of a source line does to the log-probability of an output.
struct SentenceFaithfulness {
  int64_t line = 0;                                  // from 0
  int64_t tokens = 0;                                // of the output, its end counted
  double log_probability = 0;                        // of the output, given the whole line
  std::array<int64_t, kRemovedWords.size()> word{};  // which is taken out, from 0
  std::array<double, kRemovedWords.size()> fall{};  // how much less likely the output is without it
};

/// Whether attention weights explain what a model says (Jain and Wallace 2019; Wiegreffe and Pinter
/// 2019), by erasure (Li et al. 2016): if they do, the output is less likely without the word that
/// has most of them, and more so than without some other word. Measures each line that has two
/// words or more and whose sides are no longer than `longest`. A random word depends on the seed
/// and the line's number alone. `progress`, when given, is called with the lines done; what it
/// throws ends the measuring.
std::vector<SentenceFaithfulness> measure_faithfulness(
    Transformer& model, const TokenizerPair& tokenizers, std::span<const std::string> sources,
    std::span<const std::string> outputs, const FaithfulnessOptions& options,
    const ForwardTools& tools, const std::function<void(int64_t)>& progress = {});

/// A mean over sentences, and its standard error.
struct Estimate {
  double mean = 0;
  double standard_error = 0;
};

Estimate estimate(std::span<const double> values);

/// A corpus' sentences in figures. Only of one sentence or more.
struct FaithfulnessSummary {
  struct Row {
    Estimate fall;          // of an output's log-probability
    Estimate over_random;   // the fall less that of the random word
    Estimate beats_random;  // share of the sentences where it is larger; equal ones count half
    double fall_per_token = 0;
  };
  std::array<Row, kRemovedWords.size()> rows;
  Estimate same_word;  // share of the sentences where attention and gradient choose the same
};

FaithfulnessSummary summarize(std::span<const SentenceFaithfulness> sentences);

}  // namespace calque
