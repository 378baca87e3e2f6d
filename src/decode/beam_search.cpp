#include "decode/beam_search.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/profile.h"
#include "kernels/softmax.h"
#include "text/special_ids.h"

namespace calque {

BeamSearch::BeamSearch(Transformer& model, const DecodeOptions& options, Arena& arena,
                       Workspace& workspace, kernels::PreparedWeights<Real>* weights)
    : model_(model), options_(options), arena_(arena), workspace_(workspace), weights_(weights) {
  CALQUE_CHECK(options.beam >= 1, "beam = {}", options.beam);
}

std::vector<std::vector<Hypothesis>> BeamSearch::search(Ids source, const SequenceLayout& layout,
                                                        const std::function<void()>& before_step) {
  std::vector<std::vector<Hypothesis>> result(static_cast<size_t>(layout.sentences()));
  const Arena::Scope search_scope(arena_);
  Context context(arena_, workspace_);
  context.weights = weights_;
  const int64_t slots = begin(layout);
  DecoderCache cache;
  model_.start_decoding(context, cache, model_.encode(context, source, layout), slots);

  const int64_t vocab = model_.target_vocab();
  for (int64_t length = 1; !sentences_.empty(); ++length) {
    if (before_step) before_step();
    const Arena::Scope step_scope(arena_);
    lay_out_rows(length, layout);
    const CacheSlots cache_slots{ancestors_, stride_, length};
    const Var logits =
        model_.decode_step(context, ids_, cache, cache_slots, queries_.view(), keys_.view());
    kernels::log_softmax<Real>(logits.matrix());

    const ProfileScope scope("beam");
    std::vector<double> scores(ids_.size());
    for (const Sentence& s : sentences_) {
      for (size_t k = 0; k < s.live.size(); ++k) {
        scores[static_cast<size_t>(s.first_row) + k] = s.live[k].log_probability;
      }
    }
    parallel_for(static_cast<int64_t>(sentences_.size()), [&](int64_t task, int) {
      Sentence& s = sentences_[static_cast<size_t>(task)];
      top_candidates(
          logits.matrix().row(s.first_row), vocab,
          std::span<const double>(scores).subspan(static_cast<size_t>(s.first_row), s.live.size()),
          2 * options_.beam, s.candidates);
    });
    std::erase_if(sentences_, [&](Sentence& s) {
      if (length == s.limit) {
        end_all(s, length, logits.matrix());
      } else {
        advance(s, length);
      }
      const bool done = s.live.empty() || static_cast<int64_t>(s.finished.size()) >= options_.beam;
      if (done) {
        std::stable_sort(s.finished.begin(), s.finished.end(),
                         [](const auto& a, const auto& b) { return a.score > b.score; });
        result[static_cast<size_t>(s.index)] = std::move(s.finished);
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

int64_t BeamSearch::begin(const SequenceLayout& layout) {
  sentences_.clear();
  nodes_.clear();
  ancestors_.clear();
  stride_ = 0;
  int64_t slots = 0;
  for (int64_t i = 0; i < layout.sentences(); ++i) {
    const int64_t tokens = layout.lengths[static_cast<size_t>(i)];
    Sentence sentence;
    sentence.index = i;
    sentence.limit = length_limit(tokens);
    sentence.first_slot = slots;
    sentence.live.push_back({0.0, -1});
    slots += cache_slots(tokens);
    stride_ = std::max(stride_, sentence.limit);
    sentences_.push_back(std::move(sentence));
  }
  return slots;
}

void BeamSearch::lay_out_rows(int64_t length, const SequenceLayout& source) {
  ids_.clear();
  queries_.clear();
  keys_.clear();
  next_ancestors_.clear();
  for (Sentence& s : sentences_) {
    const auto previous_row = s.first_row;
    s.first_row = static_cast<int64_t>(ids_.size());
    for (size_t k = 0; k < s.live.size(); ++k) {
      const int32_t node = s.live[k].node;
      ids_.push_back(node < 0 ? kBeginId : nodes_[static_cast<size_t>(node)].token);
      const size_t begin = next_ancestors_.size();
      next_ancestors_.resize(begin + static_cast<size_t>(stride_));
      if (length > 1) {  // the ancestors of the hypothesis that this one goes on from
        const int64_t parent = previous_row + s.candidates[k].row;
        std::copy_n(ancestors_.begin() + parent * stride_, length - 1,
                    next_ancestors_.begin() + static_cast<std::ptrdiff_t>(begin));
      }
      next_ancestors_[begin + static_cast<size_t>(length) - 1] = static_cast<int32_t>(
          s.first_slot + (length - 1) * options_.beam + static_cast<int64_t>(k));
    }
    queries_.append_at(s.first_row, static_cast<int64_t>(s.live.size()));
    keys_.append_at(source.begins[static_cast<size_t>(s.index)],
                    source.lengths[static_cast<size_t>(s.index)]);
  }
  ancestors_.swap(next_ancestors_);
}

void BeamSearch::advance(Sentence& sentence, int64_t length) {
  std::vector<Live> parents;
  parents.swap(sentence.live);
  size_t kept = 0;
  for (size_t rank = 0; rank < sentence.candidates.size(); ++rank) {
    const Candidate candidate = sentence.candidates[rank];
    const int32_t parent = parents[static_cast<size_t>(candidate.row)].node;
    if (candidate.token == kEndId) {
      if (static_cast<int64_t>(rank) < options_.beam) {
        finish(sentence, candidate.log_probability, parent, length);
      }
    } else if (static_cast<int64_t>(kept) < options_.beam) {
      sentence.live.push_back({candidate.log_probability, static_cast<int32_t>(nodes_.size())});
      nodes_.push_back({candidate.token, parent});
      sentence.candidates[kept++] = candidate;  // candidate k is where live hypothesis k is from
    }
  }
}

void BeamSearch::end_all(Sentence& sentence, int64_t length,
                         MatrixView<const Real> log_probabilities) {
  for (size_t k = 0; k < sentence.live.size(); ++k) {
    const Live& live = sentence.live[k];
    const Real* row = log_probabilities.row(sentence.first_row + static_cast<int64_t>(k));
    finish(sentence, live.log_probability + static_cast<double>(row[kEndId]), live.node, length);
  }
  sentence.live.clear();
}

void BeamSearch::finish(Sentence& sentence, double log_probability, int32_t node,
                        int64_t length) const {
  Hypothesis hypothesis;
  for (int32_t n = node; n >= 0; n = nodes_[static_cast<size_t>(n)].parent) {
    hypothesis.ids.push_back(nodes_[static_cast<size_t>(n)].token);
  }
  std::reverse(hypothesis.ids.begin(), hypothesis.ids.end());
  hypothesis.log_probability = log_probability;
  hypothesis.score = length_normalized(log_probability, length, options_.length_penalty);
  sentence.finished.push_back(std::move(hypothesis));
}

}  // namespace calque
