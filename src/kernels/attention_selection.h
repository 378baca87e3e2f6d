#pragma once

#include "kernels/attention.h"
#include "kernels/attention_scope.h"

namespace calque::kernels {

// Hard selection: of a query's weights the highest becomes 1, the others 0. In training the key is
// drawn, and the gradient that the draw does not have is estimated.
//   straight-through (Bengio et al. 2013; Jang et al. 2017): the key is the highest of scores with
//     Gumbel noise, which draws by their softmax (Maddison et al. 2014). The weights that are made
//     of these scores get the gradient as if they were taken themselves. It has little variance,
//     and a bias that grows with the temperature.
//   REINFORCE (Williams 1992; Xu et al. 2015, section 4.1): the key is drawn by the weights P, and
//     the scores get weight advantage d log P(key), where the advantage of a query is what the draw
//     cost more than was to be expected. It has no bias but the weight, and much variance: with
//     sparsemax, whose probabilities may be as small as one likes, more than any bound.

/// scores[row, query] = (scores + noise) / temperature, noise = -log(-log(u)), u uniform in (0, 1)
/// from the draw's key at (first_row + row, column + query): the same again in backward.
template <class T>
void add_noise(const HardDraw& draw, const QueryBlock& block, uint32_t first_row, uint32_t column,
               T* scores);

/// weights[row, query] /= e, e from the exponential distribution, by the same numbers of the draw.
/// The highest of what is left is a key drawn with the weights as probabilities (the exponential
/// race).
template <class T>
void race(const HardDraw& draw, const QueryBlock& block, uint32_t first_row, uint32_t column,
          T* weights);

/// 1 where the weight of a query is its highest, and the first of such, else 0.
template <class T>
void select_highest(const QueryBlock& block, T* weights);

}  // namespace calque::kernels
