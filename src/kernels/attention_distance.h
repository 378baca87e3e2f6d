#pragma once

#include "kernels/attention_head.h"

// What distances add to the blocks of scores that attention is computed in.

namespace calque::kernels {

/// The block's scores: its rows of `keys` times `packed` queries, which are scaled, and what
/// distances add.
template <class T>
void score_block(const AttentionShape& shape, const DistanceTerms<T>& distances,
                 const AttentionHead& head, const Block& block, ConstMatrixView<T> keys,
                 const T* packed, T* scores);

}  // namespace calque::kernels
