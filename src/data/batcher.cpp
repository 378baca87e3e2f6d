#include "data/batcher.h"

#include <algorithm>
#include <tuple>
#include <utility>

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

/// Appends a pair, and now and then keeps the corpus within its bound of memory.
void append(const ParallelCorpus& corpus, int64_t pair, std::vector<SizedPair>& pairs) {
  constexpr size_t kPairsPerCheck = 1024;
  pairs.push_back({pair, corpus.source_length(pair), corpus.target_length(pair)});
  if (pairs.size() % kPairsPerCheck == 0) corpus.keep_within_bound();
}

/// Shortest first. Equal lengths keep the order of the corpus, so that the result does not depend
/// on the order before.
void sort_by_length(std::vector<SizedPair>& pairs) {
  const auto key = [](const SizedPair& pair) {
    return std::tuple(pair.target_length, pair.source_length, pair.pair);
  };
  std::sort(pairs.begin(), pairs.end(),
            [&](const SizedPair& a, const SizedPair& b) { return key(a) < key(b); });
}

/// Cuts a list of pairs into batches as large as the budget allows.
void cut(const std::vector<SizedPair>& pairs, int64_t batch_tokens,
         std::vector<PairRange>& batches) {
  batches.clear();
  int64_t source_tokens = 0;
  int64_t target_tokens = 0;
  for (int64_t i = 0; i < std::ssize(pairs); ++i) {
    const int64_t source = pairs[static_cast<size_t>(i)].source_length + 1;
    const int64_t target = pairs[static_cast<size_t>(i)].target_length + 1;
    source_tokens += source;
    target_tokens += target;
    if (batches.empty() || source_tokens > batch_tokens || target_tokens > batch_tokens) {
      batches.push_back({i, i});
      source_tokens = source;
      target_tokens = target;
    }
    batches.back().end = i + 1;
  }
}

/// `append_pair`: adds a pair to the batch.
template <class AppendPair>
void fill(const ParallelCorpus& corpus, const std::vector<SizedPair>& pairs, const PairRange& range,
          const BatchPosition& position, Batch& batch, const AppendPair& append_pair) {
  batch.clear();
  batch.position = position;
  for (int64_t i = range.begin; i < range.end; ++i) append_pair(pairs[static_cast<size_t>(i)]);
  corpus.keep_within_bound();
}

/// Fisher-Yates, with random numbers that belong to this window alone.
void shuffle(std::vector<PairRange>& batches, uint64_t seed, int64_t epoch, int64_t window) {
  const RandomKey key{seed, static_cast<uint32_t>(epoch), streams::kBatchOrder};
  for (uint64_t i = batches.size(); i > 1; --i) {
    const uint64_t index = (static_cast<uint64_t>(window) << 32) | i;
    std::swap(batches[i - 1], batches[random_u64(key, index) % i]);
  }
}

}  // namespace

Batcher::Batcher(const ParallelCorpus& corpus, const BatcherOptions& options)
    : corpus_(&corpus), options_(options) {
  CALQUE_CHECK(options.window_batches > 0, "window_batches = {}", options.window_batches);
  check_batch_tokens(corpus, options.batch_tokens);
  windows_ =
      std::clamp<int64_t>(least_batches_per_epoch() / options.window_batches, 1, corpus.size());
  const auto most = static_cast<size_t>(corpus.size() / windows_ + 1);  // pairs of a window
  window_pairs_.reserve(most);
  window_batches_.reserve(most);
  if (options.variation != nullptr) {
    // Ample, so that no window needs more: pages that are not used take no memory.
    const int64_t pieces = corpus.source_pieces() + corpus.target_pieces();
    window_ids_.reserve(static_cast<size_t>(4 * pieces / windows_));
    sentence_.reserve(static_cast<size_t>(16 * most_pieces()));  // too long ones are given up
  }
  seek({});
}

double Batcher::epochs() const {
  const auto share =
      static_cast<double>(position_.batch + 1) / static_cast<double>(std::ssize(window_batches_));
  return static_cast<double>(position_.epoch) +
         (static_cast<double>(position_.window) + share) / static_cast<double>(windows_);
}

int64_t Batcher::least_batches_per_epoch() const {
  const int64_t pieces = std::max(corpus_->source_pieces(), corpus_->target_pieces());
  return (pieces + corpus_->size() + options_.batch_tokens - 1) / options_.batch_tokens;
}

void Batcher::load_window(int64_t epoch, int64_t window) {
  const int64_t size = corpus_->size();
  const KeyedPermutation order(static_cast<uint64_t>(size),
                               {options_.seed, static_cast<uint32_t>(epoch), streams::kEpochOrder});
  window_pairs_.clear();
  window_ids_.clear();
  for (int64_t i = size * window / windows_; i < size * (window + 1) / windows_; ++i) {
    append(*corpus_, static_cast<int64_t>(order(static_cast<uint64_t>(i))), window_pairs_);
    if (options_.variation != nullptr) vary(epoch, window_pairs_.back());
  }
  sort_by_length(window_pairs_);
  cut(window_pairs_, options_.batch_tokens, window_batches_);
  shuffle(window_batches_, options_.seed, epoch, window);
}

int64_t Batcher::most_pieces() const {
  return std::min(options_.variation->max_length(), options_.batch_tokens) - 1;
}

void Batcher::vary(int64_t epoch, SizedPair& pair) {
  const PairOfEpoch of_epoch{options_.seed, epoch, pair.pair};
  const bool swapped = options_.variation->is_swapped(of_epoch);
  pair.begin = std::ssize(window_ids_);
  for (const bool is_target : {false, true}) {
    const auto read = [&] {
      sentence_.clear();
      is_target != swapped ? corpus_->append_target(pair.pair, sentence_)
                           : corpus_->append_source(pair.pair, sentence_);
    };
    read();
    options_.variation->vary(of_epoch, is_target, sentence_);
    if (sentence_.empty() || std::ssize(sentence_) > most_pieces()) read();
    window_ids_.insert(window_ids_.end(), sentence_.begin(), sentence_.end());
    (is_target ? pair.target_length : pair.source_length) = std::ssize(sentence_);
  }
}

void Batcher::append_to(Batch& batch, const SizedPair& pair) const {
  if (options_.variation == nullptr) return batch.append(*corpus_, pair.pair);
  const std::span<const int32_t> ids =
      std::span(window_ids_).subspan(static_cast<size_t>(pair.begin));
  const auto source = static_cast<size_t>(pair.source_length);
  batch.append(pair.pair, ids.first(source),
               ids.subspan(source, static_cast<size_t>(pair.target_length)));
}

void Batcher::seek(const BatchPosition& position) {
  bool known = position.epoch >= 0 && position.window >= 0 && position.window < windows_;
  if (known) {
    load_window(position.epoch, position.window);
    known = position.batch >= -1 && position.batch < std::ssize(window_batches_);
  }
  if (!known) {
    throw UserError(fmt::format(
        "cannot go on behind {}: data.{} has no such batch; has the text, data.max_length or "
        "train.batch_tokens changed?",
        position.to_string(), corpus_->name()));
  }
  position_ = position;
}

void Batcher::next(Batch& batch) {
  if (++position_.batch == std::ssize(window_batches_)) {
    position_.batch = 0;
    if (++position_.window == windows_) {
      position_.window = 0;
      ++position_.epoch;
    }
    load_window(position_.epoch, position_.window);
  }
  batch.reserve(options_.batch_tokens);
  fill(*corpus_, window_pairs_, window_batches_[static_cast<size_t>(position_.batch)], position_,
       batch, [&](const SizedPair& pair) { append_to(batch, pair); });
  batch.epochs = epochs();
}

std::vector<Batch> make_batches(const ParallelCorpus& corpus, int64_t batch_tokens) {
  check_batch_tokens(corpus, batch_tokens);
  std::vector<SizedPair> pairs;
  for (int64_t pair = 0; pair < corpus.size(); ++pair) append(corpus, pair, pairs);
  sort_by_length(pairs);
  std::vector<PairRange> ranges;
  cut(pairs, batch_tokens, ranges);
  std::vector<Batch> batches(ranges.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    fill(corpus, pairs, ranges[i], {0, 0, static_cast<int64_t>(i)}, batches[i],
         [&](const SizedPair& pair) { batches[i].append(corpus, pair.pair); });
  }
  return batches;
}

}  // namespace calque
