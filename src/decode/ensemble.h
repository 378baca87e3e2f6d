#pragma once

#include <span>
#include <vector>

#include "model/transformer.h"

namespace calque {

/// One model that translates, or several that do it together: then the probability of the next
/// token is the weighted mean of theirs.
class Ensemble {
 public:
  struct Member {
    Transformer* model;
    double weight = 1;  // relative to the others, above 0
  };

  Ensemble(Transformer& model) : members_{{&model}} {}
  /// At least one; all of the same vocabularies.
  explicit Ensemble(std::vector<Member> members);

  /// Their weights have the sum 1.
  const std::vector<Member>& members() const { return members_; }
  Transformer& first() const { return *members_.front().model; }
  /// As Transformer: what the shortest of them allows.
  int64_t longest_sentence() const;

  // As Transformer, a cache for each member. The logits of several models are log-probabilities.
  using Cache = std::vector<DecoderCache>;
  Cache make_cache(Arena& arena, int64_t slots, int64_t source_rows) const;
  void read_source(Context& context, Cache& cache, Ids source, const SequenceLayout& layout,
                   std::span<const int32_t> rows) const;
  Var decode_step(Context& context, Ids ids, Cache& cache, const CacheSlots& slots,
                  const SequenceLayout& queries, const SequenceLayout& source) const;

 private:
  std::vector<Member> members_;
};

/// Replaces logits[0] by log(sum over i of weights[i] softmax(logits[i])), row by row; the others
/// are used up. weights: positive, with sum 1. All [rows, vocab].
void mix_log_probabilities(std::span<const MatrixView<Real>> logits,
                           std::span<const double> weights);

}  // namespace calque
