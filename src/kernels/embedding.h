#pragma once

#include <cstdint>
#include <span>

#include "kernels/dropout.h"
#include "tensor/matrix_view.h"

namespace calque::kernels {

/// y[t] = dropout(scale weight[ids[t]] + position_table[positions[t]]).
/// weight: [vocab, model]; ids, positions: [tokens]; position_table: [longest, model], or without
/// data for none; y: [tokens, model]. Throws InternalError for an id or position out of range.
template <class T>
void embedding_forward(ConstMatrixView<T> weight, std::span<const int32_t> ids, T scale,
                       ConstMatrixView<T> position_table, std::span<const int32_t> positions,
                       const Dropout& dropout, MatrixView<T> y);

/// dtable[ids[t]] += scale dropout(dy[t]), for the tokens in order; without `accumulate` the table
/// is zeroed first. Serves the weight (scale as in forward) and learned positions (scale 1) alike.
template <class T>
void embedding_backward(ConstMatrixView<T> dy, std::span<const int32_t> ids, T scale,
                        const Dropout& dropout, MatrixView<T> dtable, bool accumulate);

/// Sinusoidal positions (Vaswani et al. 2017, section 3.5), [longest, model]:
/// table[p, 2i] = sin(p / 10000^(2i / model)), table[p, 2i + 1] = cos(the same).
template <class T>
void sinusoidal_positions(MatrixView<T> table);

}  // namespace calque::kernels
