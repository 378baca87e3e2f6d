#include "decode/beam_search.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/parallel.h"
#include "base/profile.h"
#include "decode/constraints.h"
#include "decode/sampling.h"
#include "kernels/ranges.h"
#include "text/special_ids.h"

namespace calque {
namespace {

/// They are numbered in 32 bits.
constexpr int64_t kMostSlots = std::numeric_limits<int32_t>::max();

/// Sentences are begun when this share of the batch is free: enough to be encoded together.
constexpr double kRefillShare = 0.25;

constexpr double kRuledOut = -std::numeric_limits<double>::infinity();

}  // namespace

BeamSearch::BeamSearch(const Ensemble& models, const DecodeOptions& options, Arena& arena,
                       Workspace& workspace, kernels::PreparedWeights<Real>* weights)
    : models_(models), options_(options), arena_(arena), workspace_(workspace), weights_(weights) {
  CALQUE_CHECK(options.beam >= 1, "beam = {}", options.beam);
}

std::vector<std::vector<Hypothesis>> BeamSearch::search(std::span<const SearchInput> inputs,
                                                        const BeforeStep& before_step) {
  std::vector<std::vector<Hypothesis>> result(inputs.size());
  const Arena::Scope search_scope(arena_);
  Context context(arena_, workspace_);
  context.weights = weights_;
  Ensemble::Cache cache = begin(inputs);
  while (begun_ < inputs_.size() || !sentences_.empty()) {
    if (before_step) before_step(static_cast<int64_t>(begun_) - std::ssize(sentences_));
    const Arena::Scope step_scope(arena_);
    refill(context, cache);
    lay_out_rows();
    const Var logits = models_.decode_step(context, ids_, cache, {ancestors_, stride_, lengths_},
                                           queries_.view(), keys_.view());
    const ProfileScope scope("beam");
    const ScoredRows rows = score_rows(logits.matrix(), arena_);
    parallel_for(std::ssize(sentences_), [&](int64_t task, int) {
      Sentence& s = sentences_[static_cast<size_t>(task)];
      if (s.length == s.limit) {
        end_all(s, rows);
        return;
      }
      constrain(s, logits.matrix());
      if (options_.sampling.on) {
        advance_samples(s, rows);
      } else {
        advance(s, rows);
      }
    });
    std::erase_if(sentences_, [&](Sentence& s) {
      const bool done = is_done(s);
      if (done) {
        if (options_.sampling.on) {
          std::ranges::sort(s.finished, std::less<>(), &Hypothesis::sample);
        } else {
          std::ranges::stable_sort(s.finished, std::greater<>(), &Hypothesis::score);
        }
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

int64_t BeamSearch::length_limit(int64_t source_tokens, int64_t prefix_tokens) const {
  const double ratio_tokens = options_.max_length_ratio * static_cast<double>(source_tokens);
  return std::min({prefix_tokens + static_cast<int64_t>(ratio_tokens) + 10, options_.max_length,
                   options_.max_output, models_.longest_sentence()});
}

int64_t BeamSearch::cache_slots(int64_t limit) const {
  return kernels::pieces(limit, kBlockTokens) * kBlockTokens * options_.beam;
}

Ensemble::Cache BeamSearch::begin(std::span<const SearchInput> inputs) {
  inputs_ = inputs;
  begun_ = 0;
  sentences_.clear();
  ancestors_.clear();
  stride_ = 0;
  int64_t longest = 0;
  int64_t all_rows = 0;
  int64_t all_slots = 0;
  int64_t most_slots = 0;
  for (const SearchInput& input : inputs) {
    const int64_t rows = std::ssize(input.source);
    const int64_t slots = cache_slots(length_limit(rows, std::ssize(input.prefix)));
    longest = std::max(longest, rows);
    most_slots = std::max(most_slots, slots);
    all_rows += rows;
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
  return models_.make_cache(arena_, slots, source_rows_);
}

void BeamSearch::refill(Context& context, Ensemble::Cache& cache) {
  const auto is_share = [](int64_t free, int64_t all) {
    return static_cast<double>(free) >= kRefillShare * static_cast<double>(all);
  };
  const bool has_room = is_share(batch_rows_ - rows_in_use(), batch_rows_) &&
                        is_share(batch_slots_ - promised_slots_, batch_slots_);
  if (!sentences_.empty() && !has_room) return;
  while (begin_sentences(context, cache)) {
  }
}

bool BeamSearch::begin_sentences(Context& context, Ensemble::Cache& cache) {
  std::vector<int32_t> ids;
  std::vector<int32_t> rows;
  SequenceLayoutBuffer layout;
  const int64_t first_rows = options_.sampling.on ? options_.beam : 1;
  for (; begun_ < inputs_.size() && std::ssize(ids) < kEncodedTokens; ++begun_) {
    const std::vector<int32_t>& source = inputs_[begun_].source;
    Sentence sentence;
    sentence.index = begun_;
    sentence.source_tokens = std::ssize(source);
    sentence.limit = length_limit(sentence.source_tokens, std::ssize(inputs_[begun_].prefix));
    for (int64_t k = 0; k < first_rows; ++k) {
      sentence.live.push_back({0.0, -1, static_cast<int32_t>(k)});
    }
    if (!take_rows(sentence)) break;
    ids.insert(ids.end(), source.begin(), source.end());
    layout.append(sentence.source_tokens);
    rows.push_back(static_cast<int32_t>(sentence.source_row));
    sentences_.push_back(std::move(sentence));
  }
  if (rows.empty()) return false;
  models_.read_source(context, cache, ids, layout.view(), rows);
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

void BeamSearch::constrain(Sentence& sentence, MatrixView<Real> logits) {
  const std::vector<int32_t>& prefix = inputs_[sentence.index].prefix;
  const bool forced = sentence.length <= std::ssize(prefix);
  if (!forced && !options_.constraints.any()) return;
  for (size_t k = 0; k < sentence.live.size(); ++k) {
    sentence.history.clear();
    for (int32_t n = sentence.live[k].node; n >= 0;) {
      const Node& node = sentence.nodes[static_cast<size_t>(n)];
      sentence.history.push_back(node.token);
      n = node.parent;
    }
    std::ranges::reverse(sentence.history);
    const int64_t row = sentence.first_row + static_cast<int64_t>(k);
    rule_out(options_.constraints, sentence.history, prefix,
             {logits.row(row), static_cast<size_t>(logits.cols)});
  }
}

void BeamSearch::advance(Sentence& sentence, const ScoredRows& rows) {
  const std::span<const double> scores(scores_);
  top_candidates(rows, sentence.first_row,
                 scores.subspan(static_cast<size_t>(sentence.first_row), sentence.live.size()),
                 2 * options_.beam, sentence.candidates);
  std::vector<Live> parents;
  parents.swap(sentence.live);
  size_t kept = 0;
  for (size_t rank = 0; rank < sentence.candidates.size(); ++rank) {
    const Candidate candidate = sentence.candidates[rank];
    if (candidate.log_probability == kRuledOut) break;  // and so is all behind it
    const Live& parent = parents[static_cast<size_t>(candidate.row)];
    if (candidate.token == kEndId) {
      if (static_cast<int64_t>(rank) < options_.beam) {
        finish(sentence, candidate.log_probability, parent);
      }
    } else if (static_cast<int64_t>(kept) < options_.beam) {
      go_on(sentence, candidate, parent);
      sentence.candidates[kept++] = candidate;
    }
  }
}

void BeamSearch::advance_samples(Sentence& sentence, const ScoredRows& rows) {
  const SearchInput& input = inputs_[sentence.index];
  std::vector<Live> parents;
  parents.swap(sentence.live);
  sentence.candidates.clear();
  for (size_t k = 0; k < parents.size(); ++k) {
    const Live& parent = parents[k];
    const int64_t row = sentence.first_row + static_cast<int64_t>(k);
    const int32_t token =
        draw_token({rows.logits.row(row), static_cast<size_t>(rows.logits.cols)}, options_.sampling,
                   {input.line, parent.sample, sentence.length, input.part});
    const Real step = rows.log_probability(row, token);
    const Candidate candidate{parent.log_probability + static_cast<double>(step),
                              static_cast<int32_t>(k), token};
    if (token == kEndId) {
      finish(sentence, candidate.log_probability, parent);
    } else {
      go_on(sentence, candidate, parent);
      sentence.candidates.push_back(candidate);
    }
  }
}

void BeamSearch::end_all(Sentence& sentence, const ScoredRows& rows) {
  int64_t row = sentence.first_row;
  for (const Live& live : sentence.live) {
    const Real end = rows.log_probability(row++, kEndId);
    finish(sentence, live.log_probability + static_cast<double>(end), live);
  }
  sentence.live.clear();
}

void BeamSearch::go_on(Sentence& sentence, const Candidate& candidate, const Live& parent) {
  sentence.live.push_back(
      {candidate.log_probability, static_cast<int32_t>(sentence.nodes.size()), parent.sample});
  sentence.nodes.push_back({candidate.token, parent.node, candidate.log_probability});
}

bool BeamSearch::is_done(const Sentence& sentence) const {
  if (sentence.live.empty()) return true;
  return !options_.sampling.on && std::ssize(sentence.finished) >= options_.beam;
}

void BeamSearch::finish(Sentence& sentence, double log_probability, const Live& last) {
  Hypothesis hypothesis;
  double behind = log_probability;
  const auto add_step = [&](double before) {
    hypothesis.token_log_probabilities.push_back(static_cast<Real>(behind - before));
    behind = before;
  };
  for (int32_t n = last.node; n >= 0; n = sentence.nodes[static_cast<size_t>(n)].parent) {
    const Node& at = sentence.nodes[static_cast<size_t>(n)];
    hypothesis.ids.push_back(at.token);
    add_step(at.log_probability);
  }
  add_step(0);
  std::ranges::reverse(hypothesis.ids);
  std::ranges::reverse(hypothesis.token_log_probabilities);
  hypothesis.log_probability = log_probability;
  hypothesis.sample = last.sample;
  hypothesis.score = length_normalized(log_probability, sentence.length, options_.length_penalty);
  sentence.finished.push_back(std::move(hypothesis));
}

}  // namespace calque
