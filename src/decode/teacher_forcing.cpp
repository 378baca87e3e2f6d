#include "decode/teacher_forcing.h"

#include <algorithm>
#include <numeric>

#include "text/special_ids.h"

namespace calque {
namespace {

int64_t tokens_of(const ForcedPair& pair) {
  return std::ssize(pair.source) + std::ssize(pair.target) + 1;
}

/// A packed batch that is filled pair by pair.
class ForcedBatch {
 public:
  void clear() {
    source_.clear();
    target_input_.clear();
    target_output_.clear();
    source_layout_.clear();
    target_layout_.clear();
  }

  void append(const ForcedPair& pair) {
    source_.insert(source_.end(), pair.source.begin(), pair.source.end());
    target_input_.push_back(kBeginId);
    target_input_.insert(target_input_.end(), pair.target.begin(), pair.target.end());
    target_output_.insert(target_output_.end(), pair.target.begin(), pair.target.end());
    target_output_.push_back(kEndId);
    source_layout_.append(std::ssize(pair.source));
    target_layout_.append(std::ssize(pair.target) + 1);
  }

  TrainingExample view() const {
    return {source_, source_layout_.view(), target_input_, target_output_, target_layout_.view()};
  }

 private:
  std::vector<int32_t> source_;
  std::vector<int32_t> target_input_;
  std::vector<int32_t> target_output_;
  SequenceLayoutBuffer source_layout_;
  SequenceLayoutBuffer target_layout_;
};

}  // namespace

void for_each_forced_batch(std::span<const ForcedPair> pairs, int64_t batch_tokens,
                           const OnForcedBatch& on_batch) {
  std::vector<size_t> order(pairs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](size_t i) { return tokens_of(pairs[i]); });
  ForcedBatch batch;
  for (size_t begin = 0; begin < order.size();) {
    batch.clear();
    size_t end = begin;
    int64_t tokens = 0;
    do {
      const ForcedPair& pair = pairs[order[end++]];
      batch.append(pair);
      tokens += tokens_of(pair);
    } while (end < order.size() && tokens + tokens_of(pairs[order[end]]) <= batch_tokens);
    on_batch(batch.view(), std::span(order).subspan(begin, end - begin));
    begin = end;
  }
}

std::vector<std::vector<Real>> score_pairs(Transformer& model, std::span<const ForcedPair> pairs,
                                           int64_t batch_tokens, const ForwardTools& tools,
                                           const std::function<void(int64_t)>& progress) {
  std::vector<std::vector<Real>> scores(pairs.size());
  std::vector<Real> of_batch;
  int64_t done = 0;
  for_each_forced_batch(
      pairs, batch_tokens, [&](const TrainingExample& example, std::span<const size_t> members) {
        if (progress) progress(done);
        const Arena::Scope scope(tools.arena);
        Context context(tools.arena, tools.workspace);
        context.weights = tools.weights;
        of_batch.resize(example.target_output.size());
        model.loss(context, example, /*label_smoothing=*/0, {}, of_batch);
        for (size_t s = 0; s < members.size(); ++s) {
          const auto begin = of_batch.begin() + example.target_layout.begins[s];
          scores[members[s]].assign(begin, begin + example.target_layout.lengths[s]);
        }
        done += std::ssize(members);
      });
  if (progress) progress(done);
  return scores;
}

}  // namespace calque
