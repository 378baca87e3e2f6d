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

/// The decoder's layer that is read, from 0.
int64_t aligning_layer(const AlignmentOptions& options, int64_t decoder_layers);

/// How much each word of a translation has to do with each word of its source line, both as
/// text/words.h counts them.
struct WordAlignment {
  int64_t source_words = 0;
  int64_t target_words = 0;
  std::vector<Real> weights;  // [target words, source words]; each row sums up to 1

  Real weight(int64_t target, int64_t source) const {
    return weights[static_cast<size_t>(target * source_words + source)];
  }
  /// Further words of a translation of the same line.
  void append(const WordAlignment& next);
  /// The source word of the largest weight for each target word, as (source, target).
  std::vector<std::pair<int64_t, int64_t>> links() const;
};

/// What the pieces of a source stand for.
struct SourceWords {
  int64_t count = 0;               // words of its line
  std::vector<int32_t> of_pieces;  // which of them each piece but the end is in
};

/// Reads alignments off the cross-attention of one pass over given translations, where the decoder
/// predicts each piece. A word takes the mean over its pieces, and gives the sum; what looks at the
/// end of the source is left out. What a pair is aligned with changes no bit. `words`: of the
/// source of each pair; `tokenizer`: of the translations.
std::vector<WordAlignment> align_words(Transformer& model, const Tokenizer& tokenizer,
                                       std::span<const ForcedPair> pairs,
                                       std::span<const SourceWords> words,
                                       const AlignmentOptions& options, int64_t batch_tokens,
                                       const ForwardTools& tools);

}  // namespace calque
