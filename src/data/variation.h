#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/data_options.h"
#include "text/subword_sampler.h"
#include "text/tokenizer.h"

namespace calque {

/// The pair of a corpus that an epoch takes.
struct PairOfEpoch {
  uint64_t seed;  // of the run
  int64_t epoch;
  int64_t pair;

  /// Random numbers of its own, for one purpose.
  RandomSequence random(uint32_t stream) const;
};

/// What a pair of the training text becomes in each epoch: its sides may change places
/// (`data.bidirectional_epochs`, bidirectional training after Ding et al. 2021), its source gets
/// noise (`data.noise`), and its words are cut otherwise (`data.subword_sampling`), in this order.
/// A pure function of the pair's pieces and its PairOfEpoch, so that batches stay a pure function
/// of (seed, epoch). Const functions may be called by several threads at once.
class Variation {
 public:
  /// Keeps a reference to `tokenizers`. Throws UserError when something is asked for that the
  /// vocabularies do not allow.
  Variation(const DataOptions& options, const TokenizerPair& tokenizers);

  /// False where every epoch takes the text as it stands.
  bool is_wanted() const { return bidirectional_epochs_ > 0 || noise_.any() || source_ != nullptr; }
  /// Epochs at the start of the training in which sides change places.
  int64_t bidirectional_epochs() const { return bidirectional_epochs_; }
  /// Most tokens of a sentence on either side, the end id included: `data.max_length`.
  int64_t max_length() const { return max_length_; }
  /// Whether the pair's source and target change places in this epoch.
  bool is_swapped(const PairOfEpoch& pair) const;
  /// Replaces the pieces of a side by those of this epoch, which may be more or fewer. `is_target`:
  /// which side it is in this epoch.
  void vary(const PairOfEpoch& pair, bool is_target, std::vector<int32_t>& ids) const;

 private:
  int64_t max_length_;
  int64_t bidirectional_epochs_;
  const TokenizerPair& tokenizers_;
  NoiseOptions noise_;                            // on the source
  std::shared_ptr<const SubwordSampler> source_;  // null: no cuts are drawn
  std::shared_ptr<const SubwordSampler> target_;  // the same when the vocabulary is shared

  /// The text is put together again from the pieces: it is the line as the vocabulary's
  /// normalisation left it. Where an unknown piece hides some of it, the pieces stay.
  void add_noise_to_source(const PairOfEpoch& pair, std::vector<int32_t>& ids) const;
};

/// Null where every epoch takes the text as it stands.
std::unique_ptr<const Variation> make_variation(const DataOptions& options,
                                                const TokenizerPair& tokenizers);

}  // namespace calque
