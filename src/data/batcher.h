#pragma once

#include <cstdint>
#include <vector>

#include "data/batch.h"
#include "data/corpus.h"
#include "data/variation.h"

namespace calque {

/// `train.batch_tokens`, `train.window_batches`, `seed`, and how sentences are varied.
struct BatcherOptions {
  /// Most target tokens, and most source tokens, of a batch, end ids included.
  int64_t batch_tokens = 4096;
  /// About how many batches are sorted by length together: more give batches of more equal lengths,
  /// fewer a more random order.
  int64_t window_batches = 100;
  uint64_t seed = 1;
  /// What becomes of the sentences in each epoch; null: every epoch takes them as they stand.
  const Variation* variation = nullptr;
};

/// A pair of the corpus with its lengths, in pieces, as its epoch takes it.
struct SizedPair {
  int64_t pair;
  int64_t source_length;
  int64_t target_length;
  int64_t begin = 0;  // where varied pieces lie: the source's, then the target's
};

/// A batch as the pairs `[begin, end)` of a list.
struct PairRange {
  int64_t begin;
  int64_t end;
};

/// The endless sequence of training batches. An epoch takes every pair once, in the order of a
/// keyed permutation; that order is cut into windows, the sentences of a window are varied, it is
/// sorted by length and cut into batches of at most `batch_tokens` tokens a side, and its batches
/// are shuffled. All of it is a pure function of (corpus, options, epoch), so a position is all
/// that has to be saved. A sentence that would be varied to nothing, or to more than
/// `data.max_length` or `batch_tokens` tokens, stays as it stands.
class Batcher {
 public:
  /// Keeps references to `corpus` and the variation. Throws UserError when the corpus holds a
  /// sentence of more than `batch_tokens` tokens.
  Batcher(const ParallelCorpus& corpus, const BatcherOptions& options);

  /// Fills `batch` with the next batch, its position included.
  void next(Batch& batch);
  /// Makes `next` go on right behind `position`, the last batch trained. BatchPosition{} is the
  /// start. Throws UserError when there is no such batch, as when the corpus has changed.
  void seek(const BatchPosition& position);

  /// Epochs that are taken with the batch that `next` gave last, with a fraction: that of the
  /// windows, and of its window's batches.
  double epochs() const;
  /// Batches that an epoch has at least, of pairs as they stand, its tokens over the budget; for
  /// estimates.
  int64_t least_batches_per_epoch() const;

 private:
  const ParallelCorpus* corpus_;
  BatcherOptions options_;
  int64_t windows_;
  BatchPosition position_;  // of the batch that `next` gave last
  std::vector<SizedPair> window_pairs_;
  std::vector<PairRange> window_batches_;  // of window_pairs_, in the order of training
  std::vector<int32_t> window_ids_;        // of window_pairs_, where they are varied
  std::vector<int32_t> sentence_;          // on its way there

  void load_window(int64_t epoch, int64_t window);
  /// Of a varied sentence.
  int64_t most_pieces() const;
  /// Appends the pair's pieces to `window_ids_` as the epoch takes them.
  void vary(int64_t epoch, SizedPair& pair);
  void append_to(Batch& batch, const SizedPair& pair) const;
};

/// All pairs of a corpus once, sorted by length and cut into batches of at most `batch_tokens`
/// tokens a side: for validation. Positions count the batches up from 0. Throws UserError as
/// Batcher does.
std::vector<Batch> make_batches(const ParallelCorpus& corpus, int64_t batch_tokens);

}  // namespace calque
