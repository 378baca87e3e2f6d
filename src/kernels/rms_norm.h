#pragma once

#include "tensor/matrix_view.h"
#include "tensor/workspace.h"

namespace calque::kernels {

/// Root mean square normalisation (Zhang and Sennrich 2019), a row at a time:
///   y = gain x rrms,  rrms = 1 / sqrt(mean(x^2) + epsilon)
/// x, y: [rows, model]; gain: [model]; rrms: [rows], saved for backward (null in inference).
template <class T>
void rms_norm_forward(ConstMatrixView<T> x, const T* gain, double epsilon, MatrixView<T> y,
                      T* rrms);

/// With n = x rrms and g = gain dy:
///   dx = rrms (g - n mean(g n));  dgain = sum over rows of dy n.
/// `accumulate_x` and `accumulate_gain` add instead of assigning; a target without data (dx.data or
/// dgain null) is not wanted.
template <class T>
void rms_norm_backward(ConstMatrixView<T> dy, ConstMatrixView<T> x, const T* gain, const T* rrms,
                       MatrixView<T> dx, bool accumulate_x, T* dgain, bool accumulate_gain,
                       Workspace& workspace);

}  // namespace calque::kernels
