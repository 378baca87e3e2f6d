#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "decode/teacher_forcing.h"
#include "text/tokenizer.h"

namespace calque {

/// Where word alignments are read off.
struct AlignmentOptions {
  /// The decoder's layer, from 1. 0: the last but one, whose attention aligns best (Garg et al.
  /// 2019, "Jointly learning to align and translate with Transformer models"), or the only one.
  int64_t layer = 0;
  std::vector<int64_t> heads = {};  // from 1; their mean is taken. Empty: of all
};

/// Throws UserError for a layer or a head that the model does not have.
void check_alignment(const AlignmentOptions& options, const TransformerOptions& model);

/// How much each word of a translation has to do with each word of its source. Words are what
/// spaces separate.
struct WordAlignment {
  int64_t source_words = 0;
  int64_t target_words = 0;
  std::vector<Real> weights;  // [target words, source words]; each row sums up to 1

  Real weight(int64_t target, int64_t source) const {
    return weights[static_cast<size_t>(target * source_words + source)];
  }
  /// What follows on either side: no word of it has to do with a word before it.
  void append(const WordAlignment& next);
  /// The source word of the largest weight for each target word, as (source, target).
  std::vector<std::pair<int64_t, int64_t>> links() const;
};

/// Reads alignments off the cross-attention of one pass over given translations, where the decoder
/// predicts each piece. A word takes the mean over its pieces, and gives the sum; what looks at the
/// end of the source is left out. What a pair is aligned with changes no bit.
std::vector<WordAlignment> align_words(Transformer& model, const TokenizerPair& tokenizers,
                                       std::span<const ForcedPair> pairs,
                                       const AlignmentOptions& options, int64_t batch_tokens,
                                       const ForwardTools& tools);

}  // namespace calque
