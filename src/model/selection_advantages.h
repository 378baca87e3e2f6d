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
  SelectionAdvantages(Arena& arena, const SequenceLayout& source, const SequenceLayout& target)
      : source_(arena.tensor({source.tokens})), target_(arena.tensor({target.tokens})) {}

  /// [source tokens] and [target tokens].
  Real* source() const { return source_.data; }
  Real* target() const { return target_.data; }

  /// log_probabilities: [target tokens].
  void fill(std::span<const Real> log_probabilities, double baseline,
            const SequenceLayout& source_layout, const SequenceLayout& target_layout) const;

 private:
  Tensor source_, target_;
};

}  // namespace calque
