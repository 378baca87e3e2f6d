#pragma once

#include <cstdint>
#include <span>

#include "decode/options.h"
#include "tensor/real.h"

namespace calque {

/// Rules out what may not come next: its logit becomes -infinity. `history`: the tokens of the
/// hypothesis so far, without begin; `prefix`: what every translation of the sentence begins with.
///   - behind a part of the prefix, everything but the prefix's next token;
///   - then the end, where the translation would be shorter than min_length;
///   - the unknown piece, unless it is allowed;
///   - every token that would end a sequence of no_repeat_ngram tokens that `history` has already.
/// Something is always left: the end, where there is nothing else.
///
/// This is done when the softmax has been summed up, so what is left keeps the probability that the
/// model gives it: scores with and without constraints compare, those of a forced prefix say how
/// likely the model finds it, and all are what teacher forcing gives for the same tokens.
void rule_out(const ConstraintOptions& options, std::span<const int32_t> history,
              std::span<const int32_t> prefix, std::span<Real> logits);

}  // namespace calque
