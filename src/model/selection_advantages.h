#pragma once

#include <span>

#include "tensor/arena.h"
#include "tensor/sequence_layout.h"
#include "tensor/tensor.h"

namespace calque {

/// By how much what followed a row's hard selection cost more than was expected: the factor of its
/// gradient by REINFORCE (Williams 1992; with a moving baseline, Xu et al. 2015, "Show, Attend and
/// Tell", section 4.1). A target token costs -log p(token), and `baseline` is expected of each. A
/// selection in the decoder's row t has a part in the costs of the tokens from t on; one in the
/// encoder, in those of its whole sentence.
class SelectionAdvantages {
 public:
  /// Memory in `arena`, empty until `fill`.
  SelectionAdvantages(Arena& arena, const SequenceLayout& source, const SequenceLayout& target)
      : source_layout_(source),
        target_layout_(target),
        source_(arena.tensor({source.tokens}).values()),
        target_(arena.tensor({target.tokens}).values()) {}

  /// [source tokens] and [target tokens].
  std::span<const Real> source() const { return source_; }
  std::span<const Real> target() const { return target_; }

  /// log_probabilities: [target tokens].
  void fill(std::span<const Real> log_probabilities, double baseline);

 private:
  SequenceLayout source_layout_, target_layout_;
  std::span<Real> source_, target_;
};

}  // namespace calque
