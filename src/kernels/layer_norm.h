#pragma once

#include "tensor/matrix_view.h"
#include "tensor/workspace.h"

namespace calque::kernels {

/// Layer normalisation (Ba et al. 2016), a row at a time:
///   y = gain (x - mean) rstd + bias,  rstd = 1 / sqrt(variance + epsilon)
/// x, y: [rows, model]; gain, bias: [model]; mean, rstd: [rows], saved for backward (null in
/// inference). The variance is the mean of squared deviations (divided by model, two passes).
template <class T>
void layer_norm_forward(ConstMatrixView<T> x, const T* gain, const T* bias, double epsilon,
                        MatrixView<T> y, T* mean, T* rstd);

/// With n = (x - mean) rstd and g = gain dy:
///   dx = rstd (g - mean(g) - n mean(g n));  dgain = sum over rows of dy n;  dbias = sum of dy.
/// `accumulate_x`, `accumulate_gain`, `accumulate_bias` add instead of assigning; a target without
/// data (dx.data, dgain or dbias null) is not wanted.
template <class T>
void layer_norm_backward(ConstMatrixView<T> dy, ConstMatrixView<T> x, const T* gain, const T* mean,
                         const T* rstd, MatrixView<T> dx, bool accumulate_x, T* dgain,
                         bool accumulate_gain, T* dbias, bool accumulate_bias,
                         Workspace& workspace);

}  // namespace calque::kernels
