#include "data/batcher.h"

#include <algorithm>

#include "base/error.h"
#include "base/random.h"

namespace calque {
namespace {

void check_batch_tokens(const ParallelCorpus& corpus, int64_t batch_tokens) {
  const int64_t longest = std::max(corpus.longest_source(), corpus.longest_target()) + 1;
  if (longest > batch_tokens) {
    throw UserError(fmt::format(
        "train.batch_tokens is {} but the longest sentence of data.{} has {} tokens; set "
        "train.batch_tokens to {} or more, or data.max_length to {} or less",
        batch_tokens, corpus.name(), longest, longest, batch_tokens));
  }
}

/// Whether a pair of so many pieces can be added.
bool fits(const Batch& batch, int64_t source_pieces, int64_t target_pieces, int64_t batch_tokens) {
  return batch.source_tokens() + source_pieces + 1 <= batch_tokens &&
         batch.target_tokens() + target_pieces + 1 <= batch_tokens;
}

/// Adds a pair as it stands. False when it does not fit any more.
bool append_as_it_stands(const ParallelCorpus& corpus, int64_t pair, int64_t batch_tokens,
                         Batch& batch) {
  if (!fits(batch, corpus.source_length(pair), corpus.target_length(pair), batch_tokens)) {
    return false;
  }
  batch.append(corpus, pair);
  return true;
}

}  // namespace

Batcher::Batcher(const ParallelCorpus& corpus, const BatcherOptions& options)
    : corpus_(&corpus), options_(options) {
  check_batch_tokens(corpus, options.batch_tokens);
  if (options.variation == nullptr) return;
  // Ample, for what is varied and then given up as too long: pages that are not used take no
  // memory.
  for (auto* ids : {&source_, &target_}) {
    ids->reserve(
        static_cast<size_t>(16 * std::min(options.variation->max_length(), options.batch_tokens)));
  }
}

double Batcher::epochs() const {
  return static_cast<double>(position_.epoch) +
         static_cast<double>(position_.pairs) / static_cast<double>(corpus_->size());
}

void Batcher::vary(const PairOfEpoch& pair, bool is_target, std::vector<int32_t>& ids) const {
  const bool swapped = options_.variation->is_swapped(pair);
  const auto read = [&] {
    ids.clear();
    is_target != swapped ? corpus_->append_target(pair.pair, ids)
                         : corpus_->append_source(pair.pair, ids);
  };
  read();
  options_.variation->vary(pair, is_target, ids);
  const int64_t most = std::min(options_.variation->max_length(), options_.batch_tokens) - 1;
  if (ids.empty() || std::ssize(ids) > most) read();
}

bool Batcher::append(int64_t epoch, int64_t pair, Batch& batch) {
  if (options_.variation == nullptr) {
    return append_as_it_stands(*corpus_, pair, options_.batch_tokens, batch);
  }
  const PairOfEpoch of_epoch{options_.seed, epoch, pair};
  vary(of_epoch, false, source_);
  vary(of_epoch, true, target_);
  if (!fits(batch, std::ssize(source_), std::ssize(target_), options_.batch_tokens)) return false;
  batch.append(pair, source_, target_);
  return true;
}

void Batcher::seek(const BatchPosition& position) {
  if (position.epoch < 0 || position.pairs < 0 || position.pairs > corpus_->size()) {
    throw UserError(fmt::format(
        "cannot go on behind {}: data.{} has no such batch; has the text or data.max_length "
        "changed?",
        position.to_string(), corpus_->name()));
  }
  position_ = position;
}

void Batcher::next(Batch& batch) {
  if (position_.pairs == corpus_->size()) position_ = {position_.epoch + 1, 0};
  const int64_t epoch = position_.epoch;
  const KeyedPermutation order(static_cast<uint64_t>(corpus_->size()),
                               {options_.seed, static_cast<uint32_t>(epoch), streams::kEpochOrder});
  batch.reserve(options_.batch_tokens);
  batch.clear();
  const auto append_next = [&] {
    const auto pair = order(static_cast<uint64_t>(position_.pairs));
    return append(epoch, static_cast<int64_t>(pair), batch);
  };
  while (position_.pairs < corpus_->size() && append_next()) ++position_.pairs;
  corpus_->keep_within_bound();
  batch.position = position_;
  batch.epochs = epochs();
}

std::vector<Batch> make_batches(const ParallelCorpus& corpus, int64_t batch_tokens) {
  check_batch_tokens(corpus, batch_tokens);
  std::vector<Batch> batches;
  for (int64_t pair = 0; pair < corpus.size();) {
    Batch& batch = batches.emplace_back();
    while (pair < corpus.size() && append_as_it_stands(corpus, pair, batch_tokens, batch)) ++pair;
    corpus.keep_within_bound();
  }
  return batches;
}

}  // namespace calque
