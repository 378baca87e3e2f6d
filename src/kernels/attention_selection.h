#pragma once

#include "kernels/attention.h"
#include "kernels/attention_scope.h"

namespace calque::kernels {

// Hard selection: of a query's weights the highest becomes 1, the others 0. In training the key is
// drawn by their probabilities, as the highest of scores with Gumbel noise is (Maddison et al.
// 2014), and the gradient is that of the weights, as if they were taken themselves:
// straight-through (Bengio et al. 2013; Jang et al. 2017).

/// scores[row, query] = (scores + noise) / temperature, noise = -log(-log(u)), u uniform in (0, 1)
/// from the draw's key at (first_row + row, column + query): the same again in backward.
template <class T>
void add_noise(const HardDraw& draw, const QueryBlock& block, uint32_t first_row, uint32_t column,
               T* scores);

/// 1 where the weight of a query is its highest, and the first of such, else 0.
template <class T>
void select_highest(const QueryBlock& block, T* weights);

}  // namespace calque::kernels
