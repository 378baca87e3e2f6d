#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/data_options.h"
#include "text/subword_sampler.h"
#include "text/tokenizer.h"

namespace calque {

/// The sentence of a corpus that an epoch takes.
struct SentenceOfEpoch {
  uint64_t seed;  // of the run
  int64_t epoch;
  int64_t pair;
  bool is_target;

  /// Random numbers of its own, for one purpose.
  RandomSequence random(uint32_t stream) const;
};

/// What a sentence of the training text becomes in each epoch: the words are cut otherwise. A pure
/// function of the sentence's pieces and its SentenceOfEpoch, so that batches stay a pure function
/// of (seed, epoch). Const functions may be called by several threads at once.
class Variation {
 public:
  /// Throws UserError when something is asked for that the vocabularies do not allow.
  Variation(const DataOptions& options, const TokenizerPair& tokenizers);

  /// False where every epoch takes the text as it stands.
  bool is_wanted() const { return source_ != nullptr; }
  /// Most tokens of a sentence on either side, the end id included: `data.max_length`.
  int64_t max_length() const { return max_length_; }
  /// Replaces the pieces of a sentence by those of this epoch, which may be more or fewer.
  void vary(const SentenceOfEpoch& sentence, std::vector<int32_t>& ids) const;

 private:
  int64_t max_length_;
  std::shared_ptr<const SubwordSampler> source_;  // null: nothing is drawn
  std::shared_ptr<const SubwordSampler> target_;  // the same when the vocabulary is shared
};

}  // namespace calque
