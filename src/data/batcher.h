#pragma once

#include <cstdint>
#include <vector>

#include "data/batch.h"
#include "data/corpus.h"
#include "data/variation.h"

namespace calque {

/// `train.batch_tokens`, `seed`, and how sentences are varied.
struct BatcherOptions {
  /// Most target tokens, and most source tokens, of a batch, end ids included.
  int64_t batch_tokens = 4096;
  uint64_t seed = 1;
  /// What becomes of the sentences in each epoch; null: every epoch takes them as they stand.
  const Variation* variation = nullptr;
};

/// The endless sequence of training batches. An epoch takes every pair once, in the order of a
/// keyed permutation, and varies it; as many pairs as fit into `batch_tokens` tokens a side are a
/// batch. Sentences of all lengths are together in it: rows are packed, so nothing is gained by
/// sorting them, and the gradient of a batch of one length is a worse guess at that of the corpus.
/// All of it is a pure function of (corpus, options, epoch), so a position is all that has to be
/// saved. A sentence that would be varied to nothing, or to more than `data.max_length` or
/// `batch_tokens` tokens, stays as it stands.
class Batcher {
 public:
  /// Keeps references to `corpus` and the variation. Throws UserError when the corpus holds a
  /// sentence of more than `batch_tokens` tokens.
  Batcher(const ParallelCorpus& corpus, const BatcherOptions& options);

  /// Fills `batch` with the next batch, its position included.
  void next(Batch& batch);
  /// Makes `next` go on right behind `position`, the last batch trained. BatchPosition{} is the
  /// start. Throws UserError when the corpus has no such batch.
  void seek(const BatchPosition& position);

  /// Epochs that are taken with the batch that `next` gave last, with a fraction.
  double epochs() const;

 private:
  const ParallelCorpus* corpus_;
  BatcherOptions options_;
  BatchPosition position_;  // of the batch that `next` gave last
  // The sides of a varied pair, before it is known whether it still fits.
  std::vector<int32_t> source_;
  std::vector<int32_t> target_;

  /// Adds the pair as the epoch takes it. False when it does not fit any more.
  bool append(int64_t epoch, int64_t pair, Batch& batch);
  /// Replaces the pieces of a side by those of this epoch.
  void vary(const PairOfEpoch& pair, bool is_target, std::vector<int32_t>& ids) const;
};

/// All pairs of a corpus once, in its order, in batches of at most `batch_tokens` tokens a side:
/// for validation. Throws UserError as Batcher does.
std::vector<Batch> make_batches(const ParallelCorpus& corpus, int64_t batch_tokens);

}  // namespace calque
