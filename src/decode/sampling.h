#pragma once

#include <cstdint>
#include <span>

#include "decode/options.h"
#include "tensor/real.h"

namespace calque {

/// Which draw it is: the line of the text, which of its samples, the place in that sample, and of a
/// line that was split the part. A draw depends on this and on the seed, so neither the batch nor
/// the number of threads changes it, and a sample does not depend on how many others there are.
struct DrawPlace {
  int64_t line = 0;
  int64_t sample = 0;
  int64_t position = 0;
  int64_t part = 0;
};

/// Draws a token with probability softmax(logits / temperature), of the `top_k` likeliest tokens
/// (Fan et al. 2018), of these from the fewest that have `top_p` of the probability (Holtzman et
/// al. 2020). A logit of -infinity is never drawn; one must be finite.
int32_t draw_token(std::span<const Real> logits, const SamplingOptions& options,
                   const DrawPlace& place);

}  // namespace calque
