#include "decode/ensemble.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/parallel.h"
#include "base/profile.h"
#include "kernels/row_math.h"

namespace calque {

Ensemble::Ensemble(std::vector<Member> members) : members_(std::move(members)) {
  CALQUE_CHECK(!members_.empty(), "an ensemble of no models");
  // Divided by the largest first, so that no sum is too large for a number.
  const double largest = std::ranges::max(members_, {}, &Member::weight).weight;
  double sum = 0;
  for (const Member& member : members_) {
    CALQUE_CHECK(member.model->target_vocab() == first().target_vocab(),
                 "an ensemble of models with vocabularies of {} and {}", first().target_vocab(),
                 member.model->target_vocab());
    sum += member.weight / largest;
  }
  for (Member& member : members_) member.weight = member.weight / largest / sum;
}

int64_t Ensemble::longest_sentence() const {
  int64_t longest = std::numeric_limits<int64_t>::max();
  for (const Member& member : members_) {
    longest = std::min(longest, member.model->longest_sentence());
  }
  return longest;
}

Ensemble::Cache Ensemble::make_cache(Arena& arena, int64_t slots, int64_t source_rows) const {
  Cache cache;
  for (const Member& member : members_) {
    cache.push_back(member.model->make_cache(arena, slots, source_rows));
  }
  return cache;
}

void Ensemble::read_source(Context& context, Cache& cache, Ids source, const SequenceLayout& layout,
                           std::span<const int32_t> rows) const {
  for (size_t i = 0; i < members_.size(); ++i) {
    members_[i].model->read_source(context, cache[i], source, layout, rows);
  }
}

Var Ensemble::decode_step(Context& context, Ids ids, Cache& cache, const CacheSlots& slots,
                          const SequenceLayout& queries, const SequenceLayout& source) const {
  const Var logits = first().decode_step(context, ids, cache.front(), slots, queries, source);
  if (members_.size() == 1) return logits;
  std::vector<MatrixView<Real>> of_members{logits.matrix()};
  std::vector<double> weights{members_.front().weight};
  for (size_t i = 1; i < members_.size(); ++i) {
    of_members.push_back(
        members_[i].model->decode_step(context, ids, cache[i], slots, queries, source).matrix());
    weights.push_back(members_[i].weight);
  }
  mix_log_probabilities(of_members, weights);
  return logits;
}

void mix_log_probabilities(std::span<const MatrixView<Real>> logits,
                           std::span<const double> weights) {
  const ProfileScope scope("ensemble");
  const int64_t vocab = logits.front().cols;
  parallel_rows(
      logits.front().rows, vocab * std::ssize(logits), [&](int64_t begin, int64_t end, int) {
        for (int64_t r = begin; r < end; ++r) {
          Real* const mixed = logits.front().row(r);
          for (size_t i = 0; i < logits.size(); ++i) {
            Real* const row = logits[i].row(r);
            const double sum = kernels::exp_row(row, vocab, kernels::row_max(row, vocab), row);
            const auto scale = static_cast<Real>(weights[i] / sum);
            for (int64_t c = 0; c < vocab; ++c) {
              mixed[c] = i == 0 ? scale * row[c] : mixed[c] + scale * row[c];
            }
          }
          for (int64_t c = 0; c < vocab; ++c) {
            mixed[c] = std::log(std::max(mixed[c], std::numeric_limits<Real>::min()));
          }
        }
      });
}

}  // namespace calque
