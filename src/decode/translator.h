#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "decode/alignment.h"
#include "decode/beam_search.h"
#include "decode/line_encoder.h"

namespace calque {

/// A translation of a line.
struct Translation {
  std::string text;
  Hypothesis hypothesis;    // what the search found; nothing, for a line without text
  WordAlignment alignment;  // where it was asked for
};

/// The text of the first translation of each line.
std::vector<std::string> best_texts(std::vector<std::vector<Translation>> translations);

/// What is to be translated, and what is wanted of it.
struct TranslationRequest {
  std::span<const std::string> lines;
  std::span<const std::string> prefixes = {};   // what each translation begins with, or none at all
  int64_t most = 1;                             // translations of a line
  const AlignmentOptions* alignment = nullptr;  // null: none is wanted
};

/// Text in, text out: tokenises, sorts by length, searches, and puts the lines back in order.
class Translator {
 public:
  using OnProgress = std::function<void(int64_t)>;

  /// Keeps references to all but `options`. `weights`: as BeamSearch.
  Translator(const Ensemble& models, const TokenizerPair& tokenizers, const DecodeOptions& options,
             Arena& arena, Workspace& workspace, kernels::PreparedWeights<Real>* weights = nullptr);

  /// One line out for each line in, in order. A line without text gives an empty line; one with
  /// more tokens than max_length, or than the model has learned positions for, is cut or split,
  /// with a warning that names it, and so is a prefix that cannot be kept. `progress`, when given,
  /// is called with the number of lines done, before every decoding step and at the end; what it
  /// throws ends the translating, and the translator stays good.
  std::vector<std::string> translate(std::span<const std::string> lines,
                                     const OnProgress& progress = {});

  /// The same with the best translations of each line, best first, or all that were drawn: at most
  /// `most`, at least one. With several models the first one aligns. The translations of a line
  /// that was split are made of the best of each part, the second best of each, and so on, each
  /// with one score for all of it.
  std::vector<std::vector<Translation>> translate_n_best(const TranslationRequest& request,
                                                         const OnProgress& progress = {});

  const DecodeOptions& options() const { return options_; }
  /// Tokens that were put out so far, ends counted.
  int64_t output_tokens() const { return output_tokens_; }

 private:
  Ensemble models_;
  const TokenizerPair& tokenizers_;
  DecodeOptions options_;
  ForwardTools tools_;
  LineEncoder source_encoder_;
  LineEncoder prefix_encoder_;
  int64_t first_line_ = 1;  // of the next call, counted over all calls
  BeamSearch search_;
  int64_t output_tokens_ = 0;

  /// What is searched for: a line, or a part of one that is split.
  struct Part {
    SearchInput input;
    std::vector<size_t> begins;  // the byte of the line at which each piece begins
  };
  /// A line's parts; none when it has no text.
  std::vector<Part> encode(const TranslationRequest& request, size_t line) const;
  /// The prefix of a line with that many parts. Warns where it cannot be kept.
  std::vector<int32_t> encode_prefix(const std::string& prefix, int64_t line, size_t parts) const;
  /// What is found for each part of each line, one hypothesis at least.
  using Found = std::vector<std::vector<Hypothesis>>;  // of a line: for each of its parts
  std::vector<Found> search(std::span<const std::vector<Part>> lines, const OnProgress& progress);
  /// The hypotheses of a line, best first.
  std::vector<Hypothesis> join(const Found& parts) const;
  Translation to_text(Hypothesis hypothesis) const;
  void align(const TranslationRequest& request, std::span<const std::vector<Part>> lines,
             std::vector<std::vector<Translation>>& translations);
};

}  // namespace calque
