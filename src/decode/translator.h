#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "decode/beam_search.h"
#include "text/tokenizer.h"

namespace calque {

/// Text in, text out: tokenises, sorts by length, searches, and puts the lines back in order.
class Translator {
 public:
  /// Keeps references to all of them. `weights`: as BeamSearch.
  Translator(Transformer& model, const TokenizerPair& tokenizers, const DecodeOptions& options,
             Arena& arena, Workspace& workspace, kernels::PreparedWeights<Real>* weights = nullptr);

  /// One line out for each line in, in order. A line without text gives an empty line; one with
  /// more tokens than max_length, or than the model has learned positions for, is cut, with a
  /// warning that names it. `progress`, when given, is called with the number of lines done, before
  /// every decoding step and at the end; what it throws ends the translating, and the translator
  /// stays good.
  std::vector<std::string> translate(std::span<const std::string> lines,
                                     const std::function<void(int64_t)>& progress = {});

  /// Tokens that `translate` has put out so far, ends counted.
  int64_t output_tokens() const { return output_tokens_; }

 private:
  const TokenizerPair& tokenizers_;
  DecodeOptions options_;
  int64_t longest_source_;  // tokens, the end counted
  int64_t first_line_ = 1;  // of the next call, counted over all calls
  BeamSearch search_;
  int64_t output_tokens_ = 0;

  /// The tokens of a line with their end; none when it has no text. `number` names it in warnings.
  std::vector<int32_t> encode(const std::string& line, int64_t number) const;
};

}  // namespace calque
