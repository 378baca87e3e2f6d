#include "decode/beam_search.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/parallel.h"
#include "base/profile.h"
#include "kernels/ranges.h"
#include "text/special_ids.h"

namespace calque {
namespace {

/// They are numbered in 32 bits.
constexpr int64_t kMostSlots = std::numeric_limits<int32_t>::max();

/// Sentences are begun when this share of the batch is free: enough to be encoded together.
constexpr double kRefillShare = 0.25;

}  // namespace

BeamSearch::BeamSearch(Transformer& model, const DecodeOptions& options, Arena& arena,
                       Workspace& workspace, kernels::PreparedWeights<Real>* weights)
    : model_(model), options_(options), arena_(arena), workspace_(workspace), weights_(weights) {
  CALQUE_CHECK(options.beam >= 1, "beam = {}", options.beam);
}

std::vector<std::vector<Hypothesis>> BeamSearch::search(
    std::span<const std::vector<int32_t>> sources, const BeforeStep& before_step) {
  std::vector<std::vector<Hypothesis>> result(sources.size());
  const Arena::Scope search_scope(arena_);
  Context context(arena_, workspace_);
  context.weights = weights_;
  DecoderCache cache = begin(sources);
  while (begun_ < sources_.size() || !sentences_.empty()) {
    if (before_step) before_step(static_cast<int64_t>(begun_) - std::ssize(sentences_));
    const Arena::Scope step_scope(arena_);
    refill(context, cache);
    lay_out_rows();
    const Var logits = model_.decode_step(context, ids_, cache, {ancestors_, stride_, lengths_},
                                          queries_.view(), keys_.view());
    const ProfileScope scope("beam");
    const ScoredRows rows = score_rows(logits.matrix(), arena_);
    parallel_for(std::ssize(sentences_), [&](int64_t task, int) {
      Sentence& s = sentences_[static_cast<size_t>(task)];
      if (s.length == s.limit) {
        end_all(s, rows);
      } else {
        const std::span<const double> scores(scores_);
        top_candidates(rows, s.first_row,
                       scores.subspan(static_cast<size_t>(s.first_row), s.live.size()),
                       2 * options_.beam, s.candidates);
        advance(s);
      }
    });
    std::erase_if(sentences_, [&](Sentence& s) {
      const bool done = s.live.empty() || std::ssize(s.finished) >= options_.beam;
      if (done) {
        std::ranges::stable_sort(s.finished, std::greater<>(), &Hypothesis::score);
        result[s.index] = std::move(s.finished);
        free_source_rows_.give_back(s.source_row, s.source_tokens);
        for (const int64_t block : s.slot_blocks) {
          free_slots_.give_back(block, kBlockTokens * options_.beam);
        }
        promised_slots_ -= cache_slots(s.limit);
      }
      return done;
    });
  }
  return result;
}

int64_t BeamSearch::length_limit(int64_t source_tokens) const {
  const double ratio_tokens = options_.max_length_ratio * static_cast<double>(source_tokens);
  return std::min(
      {static_cast<int64_t>(ratio_tokens) + 10, options_.max_length, model_.longest_sentence()});
}

int64_t BeamSearch::cache_slots(int64_t limit) const {
  return kernels::pieces(limit, kBlockTokens) * kBlockTokens * options_.beam;
}

DecoderCache BeamSearch::begin(std::span<const std::vector<int32_t>> sources) {
  sources_ = sources;
  begun_ = 0;
  sentences_.clear();
  ancestors_.clear();
  stride_ = 0;
  int64_t longest = 0;
  int64_t all_rows = 0;
  int64_t all_slots = 0;
  int64_t most_slots = 0;
  for (const std::vector<int32_t>& source : sources) {
    const int64_t slots = cache_slots(length_limit(std::ssize(source)));
    longest = std::max(longest, std::ssize(source));
    most_slots = std::max(most_slots, slots);
    all_rows += std::ssize(source);
    all_slots += slots;
  }
  batch_rows_ = std::min(all_rows, options_.batch_tokens / options_.beam);
  batch_slots_ = std::min({all_slots, kSlotsPerToken * options_.batch_tokens, kMostSlots});
  promised_slots_ = 0;
  // A sentence that is larger than a batch is decoded alone.
  source_rows_ = std::max(batch_rows_, longest);
  const int64_t slots = std::max(batch_slots_, most_slots);
  free_source_rows_ = RowPool(source_rows_);
  free_slots_ = RowPool(slots);
  return model_.make_cache(arena_, slots, source_rows_);
}

void BeamSearch::refill(Context& context, DecoderCache& cache) {
  const auto is_share = [](int64_t free, int64_t all) {
    return static_cast<double>(free) >= kRefillShare * static_cast<double>(all);
  };
  const bool has_room = is_share(batch_rows_ - rows_in_use(), batch_rows_) &&
                        is_share(batch_slots_ - promised_slots_, batch_slots_);
  if (!sentences_.empty() && !has_room) return;
  while (begin_sentences(context, cache)) {
  }
}

bool BeamSearch::begin_sentences(Context& context, DecoderCache& cache) {
  std::vector<int32_t> ids;
  std::vector<int32_t> rows;
  SequenceLayoutBuffer layout;
  for (; begun_ < sources_.size() && std::ssize(ids) < kEncodedTokens; ++begun_) {
    const std::vector<int32_t>& source = sources_[begun_];
    Sentence sentence;
    sentence.index = begun_;
    sentence.source_tokens = std::ssize(source);
    sentence.limit = length_limit(sentence.source_tokens);
    sentence.live.push_back({0.0, -1});
    if (!take_rows(sentence)) break;
    ids.insert(ids.end(), source.begin(), source.end());
    layout.append(sentence.source_tokens);
    rows.push_back(static_cast<int32_t>(sentence.source_row));
    sentences_.push_back(std::move(sentence));
  }
  if (rows.empty()) return false;
  model_.read_source(context, cache, ids, layout.view(), rows);
  return true;
}

bool BeamSearch::take_rows(Sentence& sentence) {
  const int64_t slots = cache_slots(sentence.limit);
  const bool fits = rows_in_use() + sentence.source_tokens <= batch_rows_ &&
                    promised_slots_ + slots <= batch_slots_;
  if (!sentences_.empty() && !fits) return false;
  const std::optional<int64_t> source_row = free_source_rows_.take(sentence.source_tokens);
  if (!source_row) return false;
  sentence.source_row = *source_row;
  promised_slots_ += slots;
  return true;
}

void BeamSearch::lay_out_rows() {
  ids_.clear();
  scores_.clear();
  lengths_.clear();
  queries_.clear();
  keys_.clear();
  next_ancestors_.clear();
  const int64_t previous_stride = std::exchange(stride_, 0);
  for (const Sentence& s : sentences_) stride_ = std::max(stride_, s.length + 1);
  for (Sentence& s : sentences_) {
    const int64_t previous_row = std::exchange(s.first_row, std::ssize(ids_));
    const int64_t position = s.length++;
    if (position % kBlockTokens == 0) {
      s.slot_blocks.push_back(free_slots_.take(kBlockTokens * options_.beam).value());
    }
    for (size_t k = 0; k < s.live.size(); ++k) {
      const int32_t node = s.live[k].node;
      ids_.push_back(node < 0 ? kBeginId : s.nodes[static_cast<size_t>(node)].token);
      scores_.push_back(s.live[k].log_probability);
      lengths_.push_back(static_cast<int32_t>(s.length));
      const size_t begin = next_ancestors_.size();
      next_ancestors_.resize(begin + static_cast<size_t>(stride_));
      if (position > 0) {  // the ancestors of the hypothesis that this one goes on from
        const int64_t parent = previous_row + s.candidates[k].row;
        std::copy_n(ancestors_.begin() + parent * previous_stride, position,
                    next_ancestors_.begin() + static_cast<std::ptrdiff_t>(begin));
      }
      next_ancestors_[begin + static_cast<size_t>(position)] = static_cast<int32_t>(
          s.slot_blocks.back() + position % kBlockTokens * options_.beam + static_cast<int64_t>(k));
    }
    queries_.append_at(s.first_row, std::ssize(s.live));
    keys_.append_at(s.source_row, s.source_tokens);
  }
  ancestors_.swap(next_ancestors_);
}

void BeamSearch::advance(Sentence& sentence) {
  std::vector<Live> parents;
  parents.swap(sentence.live);
  size_t kept = 0;
  for (size_t rank = 0; rank < sentence.candidates.size(); ++rank) {
    const Candidate candidate = sentence.candidates[rank];
    const int32_t parent = parents[static_cast<size_t>(candidate.row)].node;
    if (candidate.token == kEndId) {
      if (static_cast<int64_t>(rank) < options_.beam) {
        finish(sentence, candidate.log_probability, parent);
      }
    } else if (static_cast<int64_t>(kept) < options_.beam) {
      sentence.live.push_back(
          {candidate.log_probability, static_cast<int32_t>(sentence.nodes.size())});
      sentence.nodes.push_back({candidate.token, parent});
      sentence.candidates[kept++] = candidate;  // candidate k is where live hypothesis k is from
    }
  }
}

void BeamSearch::end_all(Sentence& sentence, const ScoredRows& rows) {
  int64_t row = sentence.first_row;
  for (const Live& live : sentence.live) {
    const Real end = rows.log_probability(row++, kEndId);
    finish(sentence, live.log_probability + static_cast<double>(end), live.node);
  }
  sentence.live.clear();
}

void BeamSearch::finish(Sentence& sentence, double log_probability, int32_t node) {
  Hypothesis hypothesis;
  for (int32_t n = node; n >= 0; n = sentence.nodes[static_cast<size_t>(n)].parent) {
    hypothesis.ids.push_back(sentence.nodes[static_cast<size_t>(n)].token);
  }
  std::ranges::reverse(hypothesis.ids);
  hypothesis.log_probability = log_probability;
  hypothesis.score = length_normalized(log_probability, sentence.length, options_.length_penalty);
  sentence.finished.push_back(std::move(hypothesis));
}

}  // namespace calque
